"""Reads other people's generators: recognises the layout, rebuilds the network, loads strictly.

A generator is never shown with a weight missing, or with one that had no place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from wgan.files import read_bounded
from wgan.zoo.architecture import Architecture, ZooError, check_size, load_strictly
from wgan.zoo.families import mixin
from wgan.zoo.families.base import with_counters
from wgan.zoo.families.layouts import COUNTED, LAYOUTS, recognised
from wgan.zoo.formats.weights import read_tensors

MAX_CONFIG = 1_000_000  # bytes

# What the networks of one file are called, the generators' best first: an averaged one draws
# better than the last one.
_GENERATORS = (
    *("generator_smooth", "generator_ema", "avgG", "g_ema", "netG_ema", "averaged"),
    *("generator", "netG", "gen", "G"),
)
_OTHERS = ("discriminator", "discriminator_ema", "critic", "netD", "disc", "D")
_CONDITIONAL = re.compile(r"(^|[._])(label|class|cond|emb(ed)?|embedding)", re.IGNORECASE)
_OURS = re.compile(r"\d+\.layer\.")  # `wgan.networks.Norm`
_CLASSES = ("num_classes", "n_classes", "class_dim", "n_class")


@dataclass(frozen=True, eq=False)
class Imported:
    """A generator on the CPU in evaluation mode. note: what it is and what was assumed."""

    architecture: Architecture
    generator: nn.Module
    note: str


def import_weights(path: Path, config: Path | None = None) -> Imported:
    """The generator in a file of weights; `config` is the config.json beside it, if there is one.

    Raises `ZooError` that says what was expected and what was found.
    """
    settings = _read_config(config) if config else {}
    if "architecture" in settings:
        raise ZooError(f"{path} belongs to a checkpoint of this app; open its folder as it is.")
    tensors = _generator_of(read_tensors(path))
    _check_unconditional(tensors, settings)
    architecture, named, note = _read(tensors, settings, path.name)
    check_size(architecture.skeleton())
    generator = architecture.build()
    load_strictly(generator, named, "generator")
    return Imported(architecture, generator.eval().requires_grad_(False), note)


def _read(
    tensors: dict[str, Tensor], settings: Mapping[str, Any], file: str
) -> tuple[Architecture, dict[str, Tensor], str]:
    """The architecture, the weights by its names, and a note."""
    if mixin.is_like(settings):
        lab, named = mixin.read(tensors, settings)
        return lab, named, mixin.NOTE
    if any(_OURS.match(name) for name in tensors):
        raise ZooError(
            f"{file} looks like a network of this app, which is rebuilt from the config.json "
            "beside it; give its folder, or a zip of it."
        )
    if (read := recognised(with_counters(tensors))) is not None:
        theirs, named = read
        return theirs, named, getattr(theirs, "note", "")
    known = ", ".join(f"{one.title} ({one.example!r}, …)" for one in (*COUNTED, *LAYOUTS))
    first = ", ".join(
        f"{name!r} ({'×'.join(map(str, tensor.shape)) or 'a number'})"
        for name, tensor in list(tensors.items())[:3]
    )
    raise ZooError(
        f"{file} holds no generator of a known layout: expected {known}, or this app's networks "
        f"with their config.json; found {first}."
    )


def _generator_of(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The generator's tensors among those of a whole GAN."""
    owners = {name.partition(".")[0] for name in tensors}
    owner = next((name for name in _GENERATORS if name in owners), None)
    if owner is None:
        if owners <= set(_OTHERS):
            raise ZooError(f"These are the weights of a {min(owners)}, and no generator's.")
        return tensors
    prefix = f"{owner}."
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _check_unconditional(tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> None:
    name = next((name for name in tensors if _CONDITIONAL.search(name)), None)
    if name is None:
        name = next((name for name in _CLASSES if settings.get(name)), None)
    if name is not None:
        raise ZooError(
            f"This generator is conditional: {name!r} says that it takes a class beside the "
            "latents, which nothing here gives it."
        )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(read_bounded(path, MAX_CONFIG))
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise ZooError(f"{path.name} is not valid JSON.") from None
    if not isinstance(values, dict):
        raise ZooError(f"{path.name} is a JSON {type(values).__name__}, not an object of fields.")
    return values
