"""Kinds of generators, each rebuilt from a few plain numbers: ours, and other people's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wgan.zoo.architecture import Architecture, LabNetworks, ZooError
from wgan.zoo.families.dcgan_tutorial import DcganTutorial
from wgan.zoo.families.fc_wgan import FcWgan
from wgan.zoo.families.mlp import LinearGenerator
from wgan.zoo.families.openmmlab import OpenMMLabLsgan, OpenMMLabWganGp
from wgan.zoo.families.progressive import Progressive

_KINDS = (
    LabNetworks,
    DcganTutorial,
    LinearGenerator,
    FcWgan,
    Progressive,
    OpenMMLabWganGp,
    OpenMMLabLsgan,
)
FAMILIES: dict[str, Callable[[Mapping[str, Any]], Architecture]] = {
    kind.family: kind.from_plain for kind in _KINDS
}


def from_plain(values: Any) -> Architecture:
    """The architecture that `to_dict` wrote. Raises `ZooError`; nothing is built yet."""
    if not isinstance(values, Mapping):
        raise ZooError("The architecture in config.json is no object of fields.")
    family = values.get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        raise ZooError(
            f"The architecture in config.json is of the family {str(family)[:40]!r}; "
            f"known are {', '.join(FAMILIES)}."
        )
    return FAMILIES[family](values)
