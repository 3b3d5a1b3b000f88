"""What the rebuilt generators of other people share: how they are built, and how a file is read.

A reader lists every tensor that its layout has, by the file's name, with its shape and with the
name that it has here. What is missing, of another shape, or too much is refused by that list.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from wgan.zoo.architecture import ZooError

OUTPUTS = ("tanh", "sigmoid")  # last activations that a file does not tell
MAX_COUNT = 40  # layers of one kind
NORM = ("weight", "bias", "running_mean", "running_var")
COUNTER = "num_batches_tracked"  # which torch has kept since version 0.4.1


class Rebuilt(ABC):
    """An `Architecture` of normal latents and images in [−1, 1]; its subclasses are dataclasses."""

    family: ClassVar[str]
    note: ClassVar[str]

    @property
    def latent(self) -> str:
        return "normal"

    @property
    def output(self) -> str:
        return "tanh"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The last activations to choose from where the file does not tell; else none."""
        return ()

    @abstractmethod
    def network(self) -> nn.Module:
        """The generator, with whatever weights its layers begin with."""

    def skeleton(self) -> nn.Module:
        with torch.device("meta"):
            return self.network()

    def build(self) -> nn.Module:
        return self.skeleton().to_empty(device="cpu")

    def to_dict(self) -> dict[str, Any]:
        plain = asdict(self)  # pyright: ignore[reportArgumentType]
        lists = {name: list(value) for name, value in plain.items() if isinstance(value, tuple)}
        return {"family": self.family, **plain, **lists}


class Place(NamedTuple):
    """A tensor of a layout. ours: its name here; None for what is checked and not used."""

    theirs: str
    shape: tuple[int, ...]
    ours: str | None


def matched(tensors: Mapping[str, Tensor], places: Iterable[Place], layout: str) -> dict:
    """The tensors by our names: exactly those of the list, each of its shape.

    Raises `ZooError` that names the tensor and says what the layout has there.
    """
    expected = {place.theirs: place for place in places}
    for name, place in expected.items():
        if name not in tensors:
            raise ZooError(
                f"The generator lacks the tensor {name!r} of shape {_shown(place.shape)} that "
                f"{layout} has."
            )
        if tuple(tensors[name].shape) != place.shape:
            raise ZooError(
                f"The tensor {name!r} should have the shape {_shown(place.shape)}, as {layout} "
                f"has it, and has {_shown(tensors[name].shape)}."
            )
    for name in tensors:
        if name not in expected:
            raise ZooError(
                f"The generator has a tensor {name!r} of shape {_shown(tensors[name].shape)} "
                f"that {layout} does not know; expected {', '.join(list(expected)[:4])} and so on."
            )
    return {place.ours: tensors[name] for name, place in expected.items() if place.ours is not None}


def norm_places(theirs: str, size: int, ours: str) -> list[Place]:
    """The tensors of one batch normalisation."""
    vectors = [Place(f"{theirs}.{leaf}", (size,), f"{ours}.{leaf}") for leaf in NORM]
    return [*vectors, Place(f"{theirs}.{COUNTER}", (), f"{ours}.{COUNTER}")]


def counted(tensors: Mapping[str, Tensor], pattern: str, layout: str) -> int:
    """One more than the highest number that `pattern`'s group finds in the names.

    Raises `ZooError` where there is none, or more than `MAX_COUNT`.
    """
    found = [match[1] for name in tensors if (match := re.fullmatch(pattern, name, re.ASCII))]
    numbers = [int(number) for number in found if len(number) <= 4]
    if not numbers or len(numbers) < len(found) or max(numbers) >= MAX_COUNT:
        raise ZooError(
            f"The layers of the generator are not counted as {layout} counts them, from 0 to at "
            f"most {MAX_COUNT - 1}."
        )
    return max(numbers) + 1


def shape(tensors: Mapping[str, Tensor], name: str, axes: int, layout: str) -> tuple[int, ...]:
    """The shape of a tensor that tells widths. Raises `ZooError`."""
    if name not in tensors or tensors[name].ndim != axes or 0 in tensors[name].shape:
        raise ZooError(f"The generator lacks the tensor {name!r} of {axes} axes that {layout} has.")
    return tuple(tensors[name].shape)


def with_counters(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, with the counters of batch normalisation that torch before 0.4.1 lacked."""
    if any(name.endswith(COUNTER) for name in tensors):
        return dict(tensors)
    paths = [name.removesuffix("running_mean") for name in tensors if "running_mean" in name]
    return {**tensors, **{f"{path}{COUNTER}": torch.zeros((), dtype=torch.int64) for path in paths}}


def _shown(sizes: Iterable[int]) -> str:
    return "×".join(map(str, sizes)) or "a single number"
