"""A generator of linear layers alone, as in introductions to the GAN: `model.0`, `model.2`, …

ReLU lies between the layers. The file does not tell what comes after the last one: tanh is
assumed, and sigmoid can be chosen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

from torch import Tensor, nn

from wgan.networks import Reshape
from wgan.zoo.architecture import ZooError
from wgan.zoo.families import plain
from wgan.zoo.families.base import OUTPUTS, Place, Rebuilt, counted, matched, shape

SIDES = range(8, 257)  # pixels
MAX_WIDTH = 200_000
LAYOUT = "a generator of linear layers"
_NAME = re.compile(r"((?:[A-Za-z_]\w*\.)*)(\d+)\.(weight|bias)", re.ASCII)


@dataclass(frozen=True)
class LinearGenerator(Rebuilt):
    """widths: outputs of each layer; the last ones are the pixels of a square image."""

    latent_dim: int
    widths: tuple[int, ...]
    output: str = "tanh"  # pyright: ignore[reportIncompatibleMethodOverride]
    family: ClassVar[str] = "linear-layers"
    note: ClassVar[str] = (
        "It was rebuilt from the names and shapes of its weights: linear layers with ReLU between "
        "them. The file does not tell its last activation."
    )

    @property
    def sample_shape(self) -> tuple[int, ...]:
        channels = _channels(self.widths[-1])
        assert channels is not None
        side = math.isqrt(self.widths[-1] // channels)
        return (channels, side, side)

    @property
    def outputs(self) -> tuple[str, ...]:
        return OUTPUTS

    def with_output(self, output: str) -> LinearGenerator:
        return replace(self, output=output)

    def network(self) -> nn.Module:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((self.latent_dim, *self.widths)):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        layers[-1] = nn.Tanh() if self.output == "tanh" else nn.Sigmoid()
        return nn.Sequential(*layers, Reshape(*self.sample_shape))

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> LinearGenerator:
        widths = plain.wholes(values, "widths", 1, MAX_WIDTH, range(2, 9))
        if _channels(widths[-1]) is None:
            raise ZooError(
                f"The last layer makes {widths[-1]} numbers, which are no square picture of "
                f"{SIDES[0]} to {SIDES[-1]} pixels, grey or in colour."
            )
        return cls(
            plain.whole(values, "latent_dim", 1, plain.MAX_LATENT),
            widths,
            plain.choice(values, "output", OUTPUTS),
        )


def is_like(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these could be weights of such a generator: matrices, under names that count."""
    matrices = [n for n, t in tensors.items() if t.ndim == 2 and _NAME.fullmatch(n)]
    return len(matrices) > 1 and all(tensor.ndim <= 2 for tensor in tensors.values())


def read(tensors: Mapping[str, Tensor]) -> tuple[LinearGenerator, dict[str, Tensor]]:
    """The architecture that these weights tell of. Raises `ZooError`."""
    first = next(name for name in tensors if _NAME.fullmatch(name))
    match = _NAME.fullmatch(first)
    prefix = match[1] if match else ""
    norm = next((name for name in tensors if name.endswith("running_mean")), None)
    if norm is not None:
        raise ZooError(
            f"The generator has batch normalisation ({norm!r}) between its linear layers, whose "
            f"constants the file does not tell; expected linear layers with ReLU between them."
        )
    count = counted(tensors, rf"{re.escape(prefix)}(\d+)\.weight", LAYOUT)
    places: list[Place] = []
    widths: list[int] = []
    inputs = latent_dim = shape(tensors, f"{prefix}0.weight", 2, LAYOUT)[1]
    for number in range(0, count, 2):  # the activations between have numbers too
        outputs = shape(tensors, f"{prefix}{number}.weight", 2, LAYOUT)[0]
        places.append(Place(f"{prefix}{number}.weight", (outputs, inputs), f"{number}.weight"))
        places.append(Place(f"{prefix}{number}.bias", (outputs,), f"{number}.bias"))
        widths.append(outputs)
        inputs = outputs
    architecture = LinearGenerator.from_plain({"latent_dim": latent_dim, "widths": widths})
    return architecture, matched(tensors, places, LAYOUT)


def _channels(numbers: int) -> int | None:
    """1 or 3, for so many numbers of a square picture; None when they are none."""
    for channels in plain.IMAGE_CHANNELS:
        side = math.isqrt(numbers // channels)
        if side * side * channels == numbers and side in SIDES:
            return channels
    return None
