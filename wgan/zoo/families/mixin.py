"""Our own networks as `PyTorchModelHubMixin` saves them: a flat config.json beside the weights.

The config holds the fields of an `ExperimentConfig`, as arguments of the constructor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from wgan.config import FIELDS, SHORTHANDS
from wgan.zoo.architecture import LabNetworks, check_size

NOTE = "Its config.json gave the settings of the experiment that it was made with."
_KNOWN = {*FIELDS, *SHORTHANDS}
_TELLING = {"network", "latent_dim"}


def is_like(config: Mapping[str, Any]) -> bool:
    """Whether a config.json holds the fields of an experiment."""
    return bool(config) and (set(config) >= _TELLING or set(config) <= _KNOWN)


def read(
    tensors: Mapping[str, Tensor], config: Mapping[str, Any]
) -> tuple[LabNetworks, dict[str, Tensor]]:
    """The architecture, and the weights without the name that the module had. Raises `ZooError`."""
    architecture = LabNetworks.from_plain({"settings": config})
    check_size(architecture.skeleton())
    first = next(iter(architecture.build().state_dict()))
    prefixes = [name.removesuffix(first) for name in tensors if name.endswith(f".{first}")]
    for prefix in prefixes:
        if all(name.startswith(prefix) for name in tensors):
            return architecture, {name.removeprefix(prefix): t for name, t in tensors.items()}
    return architecture, dict(tensors)
