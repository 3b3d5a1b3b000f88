"""OpenMMLab's generators without growing: WGAN-GP, DCGAN and LSGAN. The names are theirs.

All of them were trained on pictures whose channels stand as blue, green, red: a last step here
turns them round. WGAN-GP has the shape of configuration (a) in Karras et al. 2018: latents to 4×4
maps, then at each scale nearest-neighbour upsampling and two 3×3 convolutions with batch
normalisation and ReLU, and a 1×1 convolution with tanh to the image. DCGAN is the tutorial's,
renamed. LSGAN (Mao et al. 2017, figure 2) begins with a linear layer; transposed 3×3 convolutions
double the maps, with one more at the same size between the first ones.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from wgan.networks import Reshape
from wgan.zoo.architecture import ZooError
from wgan.zoo.families import plain
from wgan.zoo.families.base import Place, Rebuilt, counted, matched, norm_places, shape
from wgan.zoo.families.dcgan_tutorial import DcganTutorial
from wgan.zoo.families.layers import colours

MAX_SCALES = 7  # 4 to 256 pixels
SIDES = (4, 8)  # pixels of LSGAN's first maps


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


def _block(conv: nn.Module, outputs: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(outputs), relu=nn.ReLU()))


@dataclass(frozen=True)
class OpenMMLabWganGp(Rebuilt):
    """maps: channels at 4, 8, 16, … pixels. channels: of the image."""

    latent_dim: int
    maps: tuple[int, ...]
    channels: int
    family: ClassVar[str] = "openmmlab-wgan-gp"
    note: ClassVar[str] = (
        "It has the layout of OpenMMLab's WGAN-GP; its widths were read from the shapes of its "
        "weights, and its blue and red were exchanged, as its authors do."
    )

    @property
    def sample_shape(self) -> tuple[int, ...]:
        size = 4 * 2 ** (len(self.maps) - 1)
        return (self.channels, size, size)

    def network(self) -> nn.Module:
        def conv(inputs: int, outputs: int) -> nn.Sequential:
            return _block(nn.Conv2d(inputs, outputs, 3, padding=1), outputs)

        blocks: list[nn.Module] = [conv(self.maps[0], self.maps[0])]
        for inputs, outputs in pairwise(self.maps):
            blocks += [nn.Upsample(scale_factor=2), conv(inputs, outputs), conv(outputs, outputs)]
        to_image = nn.Conv2d(self.maps[-1], self.channels, 1)
        return nn.Sequential(
            OrderedDict(
                noise2feat=NoiseToMaps(self.latent_dim, self.maps[0]),
                conv_blocks=nn.Sequential(*blocks),
                to_rgb=nn.Sequential(OrderedDict(conv=to_image, tanh=nn.Tanh())),
                colours=colours(self.channels),
            )
        )

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> OpenMMLabWganGp:
        return cls(
            latent_dim=plain.whole(values, "latent_dim", 1, plain.MAX_LATENT),
            maps=plain.wholes(values, "maps", 1, plain.MAX_MAPS, range(2, MAX_SCALES + 1)),
            channels=plain.image_channels(values, "channels"),
        )


def read_wgan_gp(tensors: Mapping[str, Tensor]) -> tuple[OpenMMLabWganGp, dict[str, Tensor]]:
    """The WGAN-GP that these weights tell of. Raises `ZooError`."""
    layout = "OpenMMLab's WGAN-GP"
    linear = shape(tensors, "noise2feat.linear.weight", 2, layout)
    count = counted(tensors, r"conv_blocks\.(\d+)\.conv\.weight", layout)
    # At each scale come an upsampling without weights and two convolutions: 1, 2, 3; 4, 5, 6; …
    names = [f"conv_blocks.{place}.conv.weight" for place in range(2, count, 3)]
    maps = [linear[0] // 16, *(shape(tensors, name, 4, layout)[0] for name in names)]
    channels = shape(tensors, "to_rgb.conv.weight", 4, layout)[0]
    architecture = OpenMMLabWganGp.from_plain(
        {"latent_dim": linear[1], "maps": maps, "channels": channels}
    )
    own = architecture.skeleton().state_dict()
    places = [Place(name, tuple(tensor.shape), name) for name, tensor in own.items()]
    return architecture, matched(tensors, places, layout)


def read_dcgan(tensors: Mapping[str, Tensor]) -> tuple[DcganTutorial, dict[str, Tensor]]:
    """The DCGAN that these weights tell of. Raises `ZooError`."""
    layout = "OpenMMLab's DCGAN"
    count = counted(tensors, r"upsampling\.(\d+)\.conv\.weight", layout)
    paths = ["noise2feat", *(f"upsampling.{i}" for i in range(count)), "output_layer"]
    kernels = [shape(tensors, f"{path}.conv.weight", 4, layout) for path in paths]
    maps = [kernel[1] for kernel in kernels]
    values = {
        "latent_dim": kernels[0][0],
        "first": kernels[0][2],
        "maps": maps,
        "norm": True,
        "bias": False,
        "last_bias": True,
        "bgr": maps[-1] == 3,
    }
    architecture = DcganTutorial.from_plain(values)
    places: list[Place] = []
    inputs = kernels[0][0]
    for number, (path, outputs) in enumerate(zip(paths, maps, strict=True)):
        side = architecture.first if number == 0 else 4
        kernel = (inputs, outputs, side, side)
        ours = f"{3 * number + 1}"  # after the reshaping each has its norm and ReLU
        places.append(Place(f"{path}.conv.weight", kernel, f"{ours}.weight"))
        if path != "output_layer":
            places += norm_places(f"{path}.bn", outputs, f"{3 * number + 2}")
        else:
            places.append(Place(f"{path}.conv.bias", (outputs,), f"{ours}.bias"))
        inputs = outputs
    return architecture, matched(tensors, places, layout)


@dataclass(frozen=True)
class OpenMMLabLsgan(Rebuilt):
    """side: pixels of the first maps. maps: their channels, of all layers but the last two.

    repeats: how often the maps are doubled and then convolved once more at their size; two
    doublings to a half and a quarter of `maps` follow, and a convolution to the image.
    """

    latent_dim: int
    side: int
    maps: int
    repeats: int
    channels: int
    family: ClassVar[str] = "openmmlab-lsgan"
    note: ClassVar[str] = (
        "It has the layout of OpenMMLab's LSGAN; its widths were read from the shapes of its "
        "weights, and its blue and red were exchanged, as its authors do."
    )

    @property
    def sample_shape(self) -> tuple[int, ...]:
        size = self.side * 2 ** (self.repeats + 2)
        return (self.channels, size, size)

    def network(self) -> nn.Module:
        def conv(inputs: int, outputs: int, stride: int, bias: bool = False) -> nn.Module:
            return nn.ConvTranspose2d(
                inputs, outputs, 3, stride, padding=1, output_padding=stride - 1, bias=bias
            )

        full, half, quarter = self.maps, self.maps // 2, self.maps // 4
        blocks: list[nn.Module] = []
        for _ in range(self.repeats):
            blocks += [_block(conv(full, full, 2), full), _block(conv(full, full, 1), full)]
        blocks += [_block(conv(full, half, 2), half), _block(conv(half, quarter, 2), quarter)]
        last = conv(quarter, self.channels, 1, bias=True)
        blocks.append(nn.Sequential(OrderedDict(conv=last, tanh=nn.Tanh())))
        return nn.Sequential(
            OrderedDict(
                noise2feat_head=nn.Sequential(nn.Linear(self.latent_dim, full * self.side**2)),
                reshape=Reshape(full, self.side, self.side),
                noise2feat_tail=nn.Sequential(nn.BatchNorm2d(full), nn.ReLU()),
                conv_blocks=nn.Sequential(*blocks),
                colours=colours(self.channels),
            )
        )

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> OpenMMLabLsgan:
        architecture = cls(
            latent_dim=plain.whole(values, "latent_dim", 1, plain.MAX_LATENT),
            side=plain.whole(values, "side", *SIDES),
            maps=plain.whole(values, "maps", 4, plain.MAX_MAPS),
            repeats=plain.whole(values, "repeats", 0, 4),
            channels=plain.image_channels(values, "channels"),
        )
        if architecture.side not in SIDES:
            raise ZooError(f"LSGAN's first maps have {architecture.side} pixels; allowed: 4 or 8.")
        return architecture


def read_lsgan(tensors: Mapping[str, Tensor]) -> tuple[OpenMMLabLsgan, dict[str, Tensor]]:
    """The LSGAN that these weights tell of. Raises `ZooError`."""
    layout = "OpenMMLab's LSGAN"
    linear = shape(tensors, "noise2feat_head.0.weight", 2, layout)
    count = counted(tensors, r"conv_blocks\.(\d+)\.conv\.weight", layout)
    maps = shape(tensors, "conv_blocks.0.conv.weight", 4, layout)[0]
    channels = shape(tensors, f"conv_blocks.{count - 1}.conv.weight", 4, layout)[1]
    side = next((side for side in SIDES if linear[0] == maps * side**2), None)
    if side is None or count < 3 or count % 2 == 0:
        raise ZooError(
            f"The generator has {linear[0]} numbers for {maps} first maps and {count} "
            f"convolutions; {layout} has maps of 4 or 8 pixels and an odd number of them, from 3."
        )
    values = {"latent_dim": linear[1], "side": side, "maps": maps, "channels": channels}
    architecture = OpenMMLabLsgan.from_plain(values | {"repeats": (count - 3) // 2})
    own = architecture.skeleton().state_dict()
    places = [Place(name, tuple(tensor.shape), name) for name, tensor in own.items()]
    return architecture, matched(tensors, places, layout)
