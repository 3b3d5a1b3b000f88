"""The generator that OpenMMLab trained with WGAN-GP on CelebA and LSUN bedrooms, 128×128.

Its shape is that of configuration (a) in Karras et al. 2018: latents to 4×4 maps, then at each
scale nearest-neighbour upsampling and two 3×3 convolutions with batch normalisation and ReLU,
and a 1×1 convolution with tanh to the image. The names of its tensors are theirs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from wgan.zoo.architecture import ZooError
from wgan.zoo.families import plain

MAX_SCALES = 7  # 4 to 256 pixels

_LINEAR = "noise2feat.linear.weight"
_IMAGE = "to_rgb.conv.weight"


class NoiseToMaps(nn.Module):
    """(N, latent_dim) -> (N, maps, 4, 4): linear, one bias a map, ReLU, normalisation."""

    def __init__(self, latent_dim: int, maps: int) -> None:
        super().__init__()
        self.linear = nn.Linear(latent_dim, maps * 16, bias=False)
        self.bias = nn.Parameter(torch.zeros(1, maps, 1, 1))
        self.norm = nn.BatchNorm2d(maps)

    def forward(self, z: Tensor) -> Tensor:
        x = self.linear(z).unflatten(1, (-1, 4, 4)) + self.bias
        return self.norm(x.relu())


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(inputs, outputs, 3, padding=1),
            bn=nn.BatchNorm2d(outputs),
            relu=nn.ReLU(),
        )
    )


@dataclass(frozen=True)
class OpenMMLabWganGp:
    """maps: channels at 4, 8, 16, … pixels. channels: of the image."""

    latent_dim: int
    maps: tuple[int, ...]
    channels: int
    family: ClassVar[str] = "openmmlab-wgan-gp"
    note: ClassVar[str] = (
        "It has the layout of OpenMMLab's WGAN-GP; its widths were read from the shapes of its "
        "weights."
    )

    @property
    def latent(self) -> str:
        return "normal"

    @property
    def sample_shape(self) -> tuple[int, ...]:
        size = 4 * 2 ** (len(self.maps) - 1)
        return (self.channels, size, size)

    @property
    def output(self) -> str:
        return "tanh"

    def skeleton(self) -> nn.Module:
        with torch.device("meta"):
            return self._network()

    def build(self) -> nn.Module:
        return self.skeleton().to_empty(device="cpu")

    def _network(self) -> nn.Sequential:
        blocks: list[nn.Module] = [_block(self.maps[0], self.maps[0])]
        for inputs, outputs in pairwise(self.maps):
            up = nn.Upsample(scale_factor=2)
            blocks += [up, _block(inputs, outputs), _block(outputs, outputs)]
        to_image = nn.Conv2d(self.maps[-1], self.channels, 1)
        return nn.Sequential(
            OrderedDict(
                noise2feat=NoiseToMaps(self.latent_dim, self.maps[0]),
                conv_blocks=nn.Sequential(*blocks),
                to_rgb=nn.Sequential(OrderedDict(conv=to_image, tanh=nn.Tanh())),
            )
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "family": self.family,
            "latent_dim": self.latent_dim,
            "maps": list(self.maps),
            "channels": self.channels,
        }

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> OpenMMLabWganGp:
        return cls(
            latent_dim=plain.whole(values, "latent_dim", 1, plain.MAX_LATENT),
            maps=plain.wholes(values, "maps", 1, plain.MAX_MAPS, range(2, MAX_SCALES + 1)),
            channels=plain.image_channels(values, "channels"),
        )


def is_like(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are named as the weights of such a generator."""
    return any(name.startswith("noise2feat.") for name in tensors)


def read(tensors: Mapping[str, Tensor]) -> OpenMMLabWganGp:
    """The architecture that these weights tell of. Raises `ZooError`."""
    linear = _shape(tensors, _LINEAR, 2)
    maps = [linear[0] // 16]
    # At each scale come an upsampling without weights and two convolutions: 1, 2, 3; 4, 5, 6; …
    for place in count(2, 3):
        name = f"conv_blocks.{place}.conv.weight"
        if name not in tensors:
            break
        maps.append(_shape(tensors, name, 4)[0])
    values = {"latent_dim": linear[1], "maps": maps, "channels": _shape(tensors, _IMAGE, 4)[0]}
    return OpenMMLabWganGp.from_plain(values)


def _shape(tensors: Mapping[str, Tensor], name: str, axes: int) -> tuple[int, ...]:
    if name not in tensors or tensors[name].ndim != axes:
        raise ZooError(
            f"The generator lacks the tensor {name!r} of {axes} axes that OpenMMLab's WGAN-GP has."
        )
    return tuple(tensors[name].shape)
