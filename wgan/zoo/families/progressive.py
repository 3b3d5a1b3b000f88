"""The generator of progressive GANs (Karras et al. 2018), as three groups published it.

Latents are normalised and become 4×4 maps by a linear layer; then a 3×3 convolution, and at each
further scale nearest-neighbour upsampling and two. Every layer runs at the equalised learning
rate and is followed by leaky ReLU (.2) and pixel normalisation; a 1×1 convolution without
activation makes the image, cut to [−1, 1]. The groups differ in constants only: `VARIANTS`.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from wgan.zoo.architecture import ZooError
from wgan.zoo.families import plain
from wgan.zoo.families.base import Rebuilt
from wgan.zoo.families.layers import EqualConv, EqualLinear, PixelNorm, colours

MAX_SCALES = 9  # 4 to 1024 pixels


@dataclass(frozen=True)
class Variant:
    """first_gain, image_gain: of the first and the last layer; √2 for all between.

    scaled_bias: whether biases are multiplied as the weights are. bgr: the order of the channels.
    """

    inside: float
    outside: float
    first_gain: float
    image_gain: float
    scaled_bias: bool
    bgr: bool
    words: str


VARIANTS = {
    "karras": Variant(1e-8, 0.0, math.sqrt(2) / 4, 1.0, False, False, "the official networks"),
    "gan-zoo": Variant(
        1e-8, 0.0, math.sqrt(2), math.sqrt(2), True, False, "pytorch_GAN_zoo, biases scaled too"
    ),
    "openmmlab": Variant(
        0.0, 1e-6, math.sqrt(2) / 4, 1.0, False, True, "OpenMMLab, which draws blue first"
    ),
}


@dataclass(frozen=True)
class Progressive(Rebuilt):
    """variant: one of `VARIANTS`. maps: channels at 4, 8, 16, … pixels. channels: of the image."""

    variant: str
    latent_dim: int
    maps: tuple[int, ...]
    channels: int
    family: ClassVar[str] = "progressive"

    @property
    def note(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return (
            "It has the layout of a progressive GAN, with the constants of "
            f"{VARIANTS[self.variant].words}; its widths were read from the shapes of its weights."
        )

    @property
    def sample_shape(self) -> tuple[int, ...]:
        size = 4 * 2 ** (len(self.maps) - 1)
        return (self.channels, size, size)

    @property
    def output(self) -> str:
        return "linear"

    def network(self) -> nn.Module:
        kind = VARIANTS[self.variant]
        parts: OrderedDict[str, nn.Module] = OrderedDict()

        def activated(name: str, layer: nn.Module) -> None:
            parts[name] = layer
            parts[f"{name}_relu"] = nn.LeakyReLU(0.2, inplace=True)
            parts[f"{name}_norm"] = PixelNorm(kind.inside, kind.outside)

        def conv(inputs: int, outputs: int) -> nn.Module:
            return EqualConv(inputs, outputs, 3, padding=1, scaled_bias=kind.scaled_bias)

        before = self.maps[0]
        parts["latent_norm"] = PixelNorm(kind.inside, kind.outside)
        first = EqualLinear(self.latent_dim, before, kind.first_gain, bias=kind.scaled_bias)
        activated("first", first)
        activated("conv1", conv(before, before))
        for scale, maps in enumerate(self.maps[1:], start=1):
            parts[f"up{scale}"] = nn.Upsample(scale_factor=2)
            activated(f"conv{2 * scale}", conv(before, maps))
            activated(f"conv{2 * scale + 1}", conv(maps, maps))
            before = maps
        parts["image"] = EqualConv(
            before, self.channels, 1, gain=kind.image_gain, scaled_bias=kind.scaled_bias
        )
        parts["cut"] = nn.Hardtanh(inplace=True)
        if kind.bgr:
            parts["colours"] = colours(self.channels)
        return nn.Sequential(parts)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Progressive:
        variant = values.get("variant")
        if not isinstance(variant, str) or variant not in VARIANTS:
            raise ZooError(
                f"variant of the architecture is {str(variant)[:40]!r}; "
                f"allowed: {', '.join(VARIANTS)}."
            )
        return cls(
            variant,
            latent_dim=plain.whole(values, "latent_dim", 1, plain.MAX_LATENT),
            maps=plain.wholes(values, "maps", 1, plain.MAX_MAPS, range(2, MAX_SCALES + 1)),
            channels=plain.image_channels(values, "channels"),
        )
