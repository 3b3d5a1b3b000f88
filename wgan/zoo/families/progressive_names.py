"""The names under which progressive GANs were published, and how each becomes `Progressive`'s.

GenForce (also SeFa), HiGAN and InterFaceGAN, and GANDissect keep the official networks, whose
first layer is a 4×4 convolution over a padded pixel; pytorch_GAN_zoo and OpenMMLab have a linear
layer there. OpenMMLab's upsampling convolutions are transposed ones with a spread kernel, the
same as nearest-neighbour upsampling before a convolution with that kernel turned around.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from torch import Tensor

from wgan.zoo.architecture import ZooError
from wgan.zoo.families.base import Place, counted, matched, shape
from wgan.zoo.families.progressive import MAX_SCALES, Progressive

Read = tuple[Progressive, dict[str, Tensor]]


@dataclass(frozen=True)
class Naming:
    """Names of the official networks' layers: patterns with {} for the number of a convolution.

    first: that number for the first one. image: the name of the layer that makes the picture at
    scale {s} of {r} pixels; every_image: whether there is one at each scale, or the last only.
    lod: whether a level of detail is kept, which is 0 when training has ended.
    """

    layout: str
    weight: str
    bias: str
    first: int
    image: str
    image_weight: str
    image_bias: str
    every_image: bool
    lod: bool


GENFORCE = Naming(
    "GenForce's progressive GAN",
    *("layer{}.weight", "layer{}.bias", 0, "output{s}", ".weight", ".bias", True, True),
)
HIGAN = Naming(
    "HiGAN's and InterFaceGAN's progressive GAN",
    *("layer{}.conv.weight", "layer{}.wscale.bias", 0),
    *("output{s}", ".conv.weight", ".wscale.bias", True, True),
)
DISSECT = Naming(
    "GANDissect's progressive GAN",
    *("layer{}.conv.weight", "layer{}.wscale.b", 1),
    *("output_{r}x{r}", ".conv.weight", ".wscale.b", False, False),
)
DISSECT_OLD = Naming(
    "GANDissect's older progressive GAN",
    *("features.{}.conv.weight", "features.{}.wscale.b", 0),
    *("output", ".conv.weight", ".wscale.b", False, False),
)


def read_official(tensors: Mapping[str, Tensor], naming: Naming) -> Read:
    """A progressive GAN under one of the official networks' namings. Raises `ZooError`."""
    layout, first = naming.layout, naming.first
    pattern = re.escape(naming.weight).replace(r"\{\}", r"(\d+)")
    count = counted(tensors, pattern, layout) - first
    if count % 2 or not 4 <= count <= 2 * MAX_SCALES:
        raise ZooError(
            f"The generator has {count} convolutions; {layout} has two at each of 2 to "
            f"{MAX_SCALES} scales."
        )
    maps = [
        shape(tensors, naming.weight.format(first + i), 4, layout)[0] for i in range(0, count, 2)
    ]
    begin = shape(tensors, naming.weight.format(first), 4, layout)
    last = naming.image.format(s=len(maps) - 1, r=4 * 2 ** (len(maps) - 1))
    channels = shape(tensors, last + naming.image_weight, 4, layout)[0]
    architecture = _architecture("karras", begin[1], maps, channels)
    places = [Place("lod", (), None)] if naming.lod else []
    places += [
        Place(naming.weight.format(first), (maps[0], begin[1], 4, 4), "first.weight"),
        Place(naming.bias.format(first), (maps[0],), "first.map_bias"),
    ]
    for i in range(1, count):
        inputs, outputs = maps[max(0, i // 2 - (i % 2 == 0))], maps[i // 2]
        places.append(
            Place(naming.weight.format(first + i), (outputs, inputs, 3, 3), f"conv{i}.weight")
        )
        places.append(Place(naming.bias.format(first + i), (outputs,), f"conv{i}.bias"))
    for scale in range(len(maps)) if naming.every_image else [len(maps) - 1]:
        name = naming.image.format(s=scale, r=4 * 2**scale)
        used = scale == len(maps) - 1  # the others drew while the network was smaller
        ours = ("image.weight", "image.bias") if used else (None, None)
        kernel = (channels, maps[scale], 1, 1)
        places.append(Place(name + naming.image_weight, kernel, ours[0]))
        places.append(Place(name + naming.image_bias, (channels,), ours[1]))
    named = matched(tensors, places, layout)
    if naming.lod and tensors["lod"].item() != 0:
        raise ZooError(
            f"The generator's level of detail, 'lod', is {tensors['lod'].item():.3g}: it was still "
            "growing; expected 0."
        )
    # A 4×4 kernel over one pixel with a border of 3: output (y, x) sees the kernel at (3−y, 3−x).
    kernel = named["first.weight"].flip(2, 3).permute(0, 2, 3, 1)
    named["first.weight"] = kernel.reshape(maps[0] * 16, begin[1])
    named["first.map_bias"] = named["first.map_bias"].view(1, -1, 1, 1)
    return architecture, named


def read_gan_zoo(tensors: Mapping[str, Tensor]) -> Read:
    """pytorch_GAN_zoo's progressive GAN. Raises `ZooError`."""
    layout = "pytorch_GAN_zoo's progressive GAN"
    inner = "module." if "formatLayer.module.weight" in tensors else ""
    scales = counted(tensors, rf"scaleLayers\.(\d+)\.[01]\.{inner}weight", layout)
    linear = shape(tensors, f"formatLayer.{inner}weight", 2, layout)
    names = [f"scaleLayers.{s}.0.{inner}weight" for s in range(scales)]
    maps = [linear[0] // 16, *(shape(tensors, name, 4, layout)[0] for name in names)]
    last = f"toRGBLayers.{scales}.{inner}weight"
    channels = shape(tensors, last, 4, layout)[0]
    architecture = _architecture("gan-zoo", linear[1], maps, channels)

    def layer(theirs: str, kernel: tuple[int, ...], ours: str | None) -> list[Place]:
        names = (f"{ours}.weight", f"{ours}.bias") if ours else (None, None)
        return [
            Place(f"{theirs}.{inner}weight", kernel, names[0]),
            Place(f"{theirs}.{inner}bias", (kernel[0],), names[1]),
        ]

    places = layer("formatLayer", (maps[0] * 16, linear[1]), "first")
    places += layer("groupScale0.0", (maps[0], maps[0], 3, 3), "conv1")
    for s, (inputs, outputs) in enumerate(pairwise(maps)):
        places += layer(f"scaleLayers.{s}.0", (outputs, inputs, 3, 3), f"conv{2 * s + 2}")
        places += layer(f"scaleLayers.{s}.1", (outputs, outputs, 3, 3), f"conv{2 * s + 3}")
    for s, inputs in enumerate(maps):
        used = "image" if s == scales else None
        places += layer(f"toRGBLayers.{s}", (channels, inputs, 1, 1), used)
    return architecture, matched(tensors, places, layout)


def read_openmmlab(tensors: Mapping[str, Tensor]) -> Read:
    """OpenMMLab's progressive GAN. Raises `ZooError`."""
    layout = "OpenMMLab's progressive GAN"
    scales = counted(tensors, r"torgb_layers\.(\d+)\.conv\.weight_orig", layout)
    linear = shape(tensors, "noise2feat.linear.weight_orig", 2, layout)
    names = [f"conv_blocks.{2 * s}.conv.weight_orig" for s in range(1, scales)]
    maps = [linear[0] // 16, *(shape(tensors, name, 4, layout)[0] for name in names)]
    last = f"torgb_layers.{scales - 1}.conv.weight_orig"
    channels = shape(tensors, last, 4, layout)[0]
    architecture = _architecture("openmmlab", linear[1], maps, channels)
    places = [
        Place("noise2feat.linear.weight_orig", (maps[0] * 16, linear[1]), "first.weight"),
        Place("noise2feat.bias", (1, maps[0], 1, 1), "first.map_bias"),
    ]
    for i in range(2 * scales - 1):
        inputs, outputs = maps[(i + 1) // 2 - i % 2], maps[(i + 1) // 2]
        # The odd ones are transposed: (inputs, outputs, 3, 3).
        kernel = (inputs, outputs, 3, 3) if i % 2 else (outputs, inputs, 3, 3)
        name = f"conv_blocks.{i}.conv"
        places.append(Place(f"{name}.weight_orig", kernel, f"conv{i + 1}.weight"))
        places.append(Place(f"{name}.bias", (outputs,), f"conv{i + 1}.bias"))
    for s, inputs in enumerate(maps):
        name = f"torgb_layers.{s}.conv"
        ours = ("image.weight", "image.bias") if s == scales - 1 else (None, None)
        places.append(Place(f"{name}.weight_orig", (channels, inputs, 1, 1), ours[0]))
        places.append(Place(f"{name}.bias", (channels,), ours[1]))
    named = matched(tensors, places, layout)
    for s in range(1, scales):
        # Theirs is scaled by √(2 / 9·outputs), ours by √(2 / 9·inputs).
        kernel = named[f"conv{2 * s}.weight"].float().transpose(0, 1).flip(2, 3)
        named[f"conv{2 * s}.weight"] = kernel * sqrt(kernel.shape[1] / kernel.shape[0])
    return architecture, named


def _architecture(variant: str, latent_dim: int, maps: list[int], channels: int) -> Progressive:
    values = {"variant": variant, "latent_dim": latent_dim, "maps": maps, "channels": channels}
    return Progressive.from_plain(values)
