"""Published layouts of generators: weights under their public names, and the maths once more.

Each maker gives random weights of a small generator and a function that draws with them, written
as plain functions of tensors and from the sheets of the layouts, not from the code under test.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

Weights = dict[str, Tensor]
Draw = Callable[[Tensor], Tensor]  # (N, latent_dim) -> RGB or grey pictures in [−1, 1]
Made = tuple[Weights, Draw]


class Maker:
    """Random tensors, from one seed."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = torch.Generator().manual_seed(seed)
        self.weights: Weights = {}

    def put(self, name: str, *shape: int, scale: float = 1.0) -> Tensor:
        self.weights[name] = torch.randn(shape, generator=self.rng) * scale
        return self.weights[name]

    def norm(self, path: str, size: int) -> None:
        self.put(f"{path}.weight", size)
        self.put(f"{path}.bias", size)
        self.put(f"{path}.running_mean", size)
        self.weights[f"{path}.running_var"] = torch.rand(size, generator=self.rng) + 0.5
        self.weights[f"{path}.num_batches_tracked"] = torch.tensor(7)


def batch_norm(w: Weights, path: str, x: Tensor) -> Tensor:
    shape = (1, -1) + (1,) * (x.ndim - 2)
    mean, var = w[f"{path}.running_mean"].view(shape), w[f"{path}.running_var"].view(shape)
    scaled = (x - mean) / torch.sqrt(var + 1e-5)
    return scaled * w[f"{path}.weight"].view(shape) + w[f"{path}.bias"].view(shape)


def pixel_norm(x: Tensor) -> Tensor:
    return x / torch.sqrt((x**2).mean(1, keepdim=True) + 1e-8)


def leaky(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x)


def twice(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


# Progressive GANs.


def official(
    names: Callable[[int], tuple[str, str]],
    images: Callable[[int], tuple[str, str]],
    every: bool,
    lod: bool,
    z_dim: int = 6,
    maps: tuple[int, ...] = (8, 6, 4),
) -> Made:
    """The official networks; names of convolution i, and of the image at scale s."""
    make = Maker()
    before = z_dim
    for i in range(2 * len(maps)):
        weight, bias = names(i)
        kernel = 4 if i == 0 else 3
        make.put(weight, maps[i // 2], before, kernel, kernel)
        make.put(bias, maps[i // 2])
        before = maps[i // 2]
    for s, width in enumerate(maps):
        if every or s == len(maps) - 1:
            weight, bias = images(s)
            make.put(weight, 3, width, 1, 1, scale=0.3)
            make.put(bias, 3, scale=0.1)
    if lod:
        make.weights["lod"] = torch.tensor(0.0)
    w = make.weights

    def draw(z: Tensor) -> Tensor:
        x = z[:, :, None, None]
        for i in range(2 * len(maps)):
            x = pixel_norm(x)
            if i >= 2 and i % 2 == 0:
                x = twice(x)
            weight, bias = (w[name] for name in names(i))
            gain = math.sqrt(2) / math.sqrt(weight[0].numel())
            x = leaky(F.conv2d(x, weight * gain, bias, padding=3 if i == 0 else 1))
        weight, bias = (w[name] for name in images(len(maps) - 1))
        return F.conv2d(pixel_norm(x), weight / math.sqrt(weight.shape[1]), bias).clamp(-1, 1)

    return w, draw


def genforce(**sizes) -> Made:
    return official(
        lambda i: (f"layer{i}.weight", f"layer{i}.bias"),
        lambda s: (f"output{s}.weight", f"output{s}.bias"),
        *(True, True),
        **sizes,
    )


def higan(**sizes) -> Made:
    return official(
        lambda i: (f"layer{i}.conv.weight", f"layer{i}.wscale.bias"),
        lambda s: (f"output{s}.conv.weight", f"output{s}.wscale.bias"),
        *(True, True),
        **sizes,
    )


def dissect(**sizes) -> Made:
    def image(s: int) -> tuple[str, str]:
        size = 4 * 2**s
        return f"output_{size}x{size}.conv.weight", f"output_{size}x{size}.wscale.b"

    return official(
        lambda i: (f"layer{i + 1}.conv.weight", f"layer{i + 1}.wscale.b"),
        *(image, False, False),
        **sizes,
    )


def dissect_old(**sizes) -> Made:
    return official(
        lambda i: (f"features.{i}.conv.weight", f"features.{i}.wscale.b"),
        lambda s: ("output.conv.weight", "output.wscale.b"),
        *(False, False),
        **sizes,
    )


def gan_zoo(z_dim: int = 6, maps: tuple[int, ...] = (8, 6, 4), module: str = ".module") -> Made:
    make = Maker()

    def put(path: str, *shape: int) -> None:
        make.put(f"{path}{module}.weight", *shape, scale=0.5)
        make.put(f"{path}{module}.bias", shape[0], scale=0.2)

    put("formatLayer", maps[0] * 16, z_dim)
    put("groupScale0.0", maps[0], maps[0], 3, 3)
    put("toRGBLayers.0", 3, maps[0], 1, 1)
    for s in range(1, len(maps)):
        put(f"scaleLayers.{s - 1}.0", maps[s], maps[s - 1], 3, 3)
        put(f"scaleLayers.{s - 1}.1", maps[s], maps[s], 3, 3)
        put(f"toRGBLayers.{s}", 3, maps[s], 1, 1)
    w = make.weights

    def layer(path: str, x: Tensor) -> Tensor:
        weight, bias = w[f"{path}{module}.weight"], w[f"{path}{module}.bias"]
        gain = math.sqrt(2 / weight[0].numel())
        if weight.ndim == 2:
            return (x @ weight.T + bias) * gain
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2) * gain

    def draw(z: Tensor) -> Tensor:
        x = leaky(layer("formatLayer", pixel_norm(z))).view(len(z), maps[0], 4, 4)
        x = pixel_norm(leaky(layer("groupScale0.0", pixel_norm(x))))
        for s in range(len(maps) - 1):
            x = twice(x)
            for i in range(2):
                x = pixel_norm(leaky(layer(f"scaleLayers.{s}.{i}", x)))
        return layer(f"toRGBLayers.{len(maps) - 1}", x).clamp(-1, 1)

    return w, draw


def mm_progressive(z_dim: int = 6, maps: tuple[int, ...] = (8, 6, 4), channels: int = 3) -> Made:
    make = Maker()
    make.put("noise2feat.linear.weight_orig", maps[0] * 16, z_dim)
    make.put("noise2feat.bias", 1, maps[0], 1, 1)

    def put(path: str, *shape: int, outputs: int) -> None:
        make.put(f"{path}.conv.weight_orig", *shape)
        make.put(f"{path}.conv.bias", outputs, scale=0.2)

    put("conv_blocks.0", maps[0], maps[0], 3, 3, outputs=maps[0])
    put("torgb_layers.0", channels, maps[0], 1, 1, outputs=channels)
    for s in range(1, len(maps)):
        put(f"conv_blocks.{2 * s - 1}", maps[s - 1], maps[s], 3, 3, outputs=maps[s])
        put(f"conv_blocks.{2 * s}", maps[s], maps[s], 3, 3, outputs=maps[s])
        put(f"torgb_layers.{s}", channels, maps[s], 1, 1, outputs=channels)
    w = make.weights

    def norm(x: Tensor) -> Tensor:
        return x / (torch.sqrt((x**2).mean(1, keepdim=True)) + 1e-6)

    def kernel(path: str, gain: float = math.sqrt(2)) -> tuple[Tensor, Tensor]:
        # Both kinds divide by what torch takes for the inputs: the second axis and the kernel.
        weight = w[f"{path}.conv.weight_orig"]
        return weight * gain / math.sqrt(weight[0].numel()), w[f"{path}.conv.bias"]

    def up(path: str, x: Tensor) -> Tensor:
        # Their fused form: the kernel spread over four places, transposed at stride 2.
        weight, bias = kernel(path)
        weight = F.pad(weight, (1, 1, 1, 1))
        spread = weight[..., 1:, 1:] + weight[..., 1:, :-1]
        spread = spread + weight[..., :-1, 1:] + weight[..., :-1, :-1]
        return F.conv_transpose2d(x, spread, bias, stride=2, padding=1)

    def draw(z: Tensor) -> Tensor:
        linear = w["noise2feat.linear.weight_orig"] * (math.sqrt(2) / 4) / math.sqrt(z_dim)
        x = (norm(z) @ linear.T).view(len(z), maps[0], 4, 4) + w["noise2feat.bias"]
        x = norm(leaky(x))
        x = norm(leaky(F.conv2d(x, *kernel("conv_blocks.0"), padding=1)))
        for s in range(1, len(maps)):
            x = norm(leaky(up(f"conv_blocks.{2 * s - 1}", x)))
            x = norm(leaky(F.conv2d(x, *kernel(f"conv_blocks.{2 * s}"), padding=1)))
        image = F.conv2d(x, *kernel(f"torgb_layers.{len(maps) - 1}", 1.0)).clamp(-1, 1)
        return image[:, [2, 1, 0]] if channels == 3 else image

    return w, draw


# OpenMMLab without growing.


def mm_wgan_gp(z_dim: int = 6, maps: tuple[int, ...] = (8, 6, 4), channels: int = 3) -> Made:
    make = Maker()
    make.put("noise2feat.linear.weight", maps[0] * 16, z_dim, scale=0.3)
    make.put("noise2feat.bias", 1, maps[0], 1, 1)
    make.norm("noise2feat.norm", maps[0])
    widths = [(maps[0], maps[0])]
    for before, width in pairwise(maps):
        widths += [(0, 0), (before, width), (width, width)]  # an upsampling without weights
    for i, (before, width) in enumerate(widths):
        if width:
            make.put(f"conv_blocks.{i}.conv.weight", width, before, 3, 3, scale=0.2)
            make.put(f"conv_blocks.{i}.conv.bias", width)
            make.norm(f"conv_blocks.{i}.bn", width)
    make.put("to_rgb.conv.weight", channels, maps[-1], 1, 1, scale=0.3)
    make.put("to_rgb.conv.bias", channels, scale=0.2)
    w = make.weights

    def draw(z: Tensor) -> Tensor:
        x = (z @ w["noise2feat.linear.weight"].T).view(len(z), maps[0], 4, 4)
        x = batch_norm(w, "noise2feat.norm", (x + w["noise2feat.bias"]).clamp(min=0))
        for i, (_, width) in enumerate(widths):
            if not width:
                x = twice(x)
                continue
            path = f"conv_blocks.{i}"
            x = F.conv2d(x, w[f"{path}.conv.weight"], w[f"{path}.conv.bias"], padding=1)
            x = batch_norm(w, f"{path}.bn", x).clamp(min=0)
        image = torch.tanh(F.conv2d(x, w["to_rgb.conv.weight"], w["to_rgb.conv.bias"]))
        return image[:, [2, 1, 0]] if channels == 3 else image

    return w, draw


def mm_dcgan(z_dim: int = 6, maps: tuple[int, ...] = (8, 6, 4), channels: int = 3) -> Made:
    make = Maker()
    paths = ["noise2feat", *(f"upsampling.{i}" for i in range(len(maps) - 1))]
    before = z_dim
    for path, width in zip(paths, maps, strict=True):
        make.put(f"{path}.conv.weight", before, width, 4, 4, scale=0.2)
        make.norm(f"{path}.bn", width)
        before = width
    make.put("output_layer.conv.weight", before, channels, 4, 4, scale=0.2)
    make.put("output_layer.conv.bias", channels, scale=0.2)
    w = make.weights

    def draw(z: Tensor) -> Tensor:
        x = z[:, :, None, None]
        for path in paths:
            stride, padding = (1, 0) if path == "noise2feat" else (2, 1)
            kernel = w[f"{path}.conv.weight"]
            x = F.conv_transpose2d(x, kernel, stride=stride, padding=padding)
            x = batch_norm(w, f"{path}.bn", x).clamp(min=0)
        weight, bias = w["output_layer.conv.weight"], w["output_layer.conv.bias"]
        image = torch.tanh(F.conv_transpose2d(x, weight, bias, stride=2, padding=1))
        return image[:, [2, 1, 0]] if channels == 3 else image

    return w, draw


def mm_lsgan(
    z_dim: int = 6, base: int = 8, repeats: int = 1, side: int = 4, channels: int = 3
) -> Made:
    make = Maker()
    make.put("noise2feat_head.0.weight", base * side**2, z_dim, scale=0.3)
    make.put("noise2feat_head.0.bias", base * side**2)
    make.norm("noise2feat_tail.0", base)
    widths = [(base, base, 2), (base, base, 1)] * repeats
    widths += [(base, base // 2, 2), (base // 2, base // 4, 2), (base // 4, channels, 1)]
    for i, (before, width, _) in enumerate(widths):
        make.put(f"conv_blocks.{i}.conv.weight", before, width, 3, 3, scale=0.3)
        if i < len(widths) - 1:
            make.norm(f"conv_blocks.{i}.bn", width)
        else:
            make.put(f"conv_blocks.{i}.conv.bias", width, scale=0.2)
    w = make.weights

    def draw(z: Tensor) -> Tensor:
        x = z @ w["noise2feat_head.0.weight"].T + w["noise2feat_head.0.bias"]
        x = batch_norm(w, "noise2feat_tail.0", x.view(len(z), base, side, side)).clamp(min=0)
        for i, (_, _, stride) in enumerate(widths):
            x = F.conv_transpose2d(
                x, w[f"conv_blocks.{i}.conv.weight"], w.get(f"conv_blocks.{i}.conv.bias"),
                stride=stride, padding=1, output_padding=stride - 1,
            )  # fmt: skip
            if i < len(widths) - 1:
                x = batch_norm(w, f"conv_blocks.{i}.bn", x).clamp(min=0)
        image = torch.tanh(x)
        return image[:, [2, 1, 0]] if channels == 3 else image

    return w, draw


# The tutorial's relatives, and the others.


def lornatang(z_dim: int = 6, maps: tuple[int, ...] = (8, 6), channels: int = 3) -> Made:
    """`main.N`, a bias in the last layer."""
    return _tutorial(lambda i: f"main.{3 * i}", lambda i: f"main.{3 * i + 1}", True, "tanh")(
        z_dim, maps, channels
    )


def pyprobml(z_dim: int = 6, maps: tuple[int, ...] = (8, 6), channels: int = 3) -> Made:
    """`generator.gen.N.0`, sigmoid."""
    return _tutorial(
        lambda i: f"generator.gen.{i}.0", lambda i: f"generator.gen.{i}.1", False, "sigmoid"
    )(z_dim, maps, channels)


def _tutorial(conv: Callable, norm: Callable, bias: bool, output: str) -> Callable[..., Made]:
    def made(z_dim: int, maps: tuple[int, ...], channels: int) -> Made:
        make = Maker()
        before = z_dim
        for i, width in enumerate((*maps, channels)):
            make.put(f"{conv(i)}.weight", before, width, 4, 4, scale=0.3)
            if i < len(maps):
                make.norm(norm(i), width)
            elif bias:
                make.put(f"{conv(i)}.bias", width)
            before = width
        w = make.weights

        def draw(z: Tensor) -> Tensor:
            x = z[:, :, None, None]
            for i in range(len(maps) + 1):
                stride, padding = (2, 1) if i else (1, 0)
                kernel, biases = w[f"{conv(i)}.weight"], w.get(f"{conv(i)}.bias")
                x = F.conv_transpose2d(x, kernel, biases, stride, padding)
                if i < len(maps):
                    x = batch_norm(w, norm(i), x).clamp(min=0)
            return torch.tanh(x) if output == "tanh" else 2 * torch.sigmoid(x) - 1

        return w, draw

    return made


def jacobaustin(z_dim: int = 6, maps: tuple[int, ...] = (16, 8, 4, 4, 4), out: int = 3) -> Made:
    """LSUN with five maps, MNIST with three."""
    make = Maker()
    lsun = len(maps) == 5
    side = 8 if lsun else 5
    places = (
        [(5, 1, 2), (6, 2, 2), (6, 2, 2), (6, 2, 2), (3, 1, 1)]
        if lsun
        else [(4, 1, 0), (4, 2, 2), (4, 2, 1)]
    )
    biased = {4, 5} if lsun else {3}
    make.put("fc1.weight", maps[0] * side**2, z_dim)
    make.norm("bn1", maps[0] * side**2)
    for i, (before, width) in enumerate(zip(maps, (*maps[1:], out), strict=True), start=1):
        kernel = places[i - 1][0]
        make.put(f"conv{i}.weight", before, width, kernel, kernel, scale=0.2)
        if i in biased:
            make.put(f"conv{i}.bias", width)
        if i < len(places):
            make.norm(f"bn{i + 1}", width)
    w = make.weights

    def draw(z: Tensor) -> Tensor:
        x = F.leaky_relu(batch_norm(w, "bn1", z @ w["fc1.weight"].T), 0.01)
        x = x.view(len(z), maps[0], side, side)
        for i, (_, stride, padding) in enumerate(places, start=1):
            bias = w.get(f"conv{i}.bias")
            x = F.conv_transpose2d(x, w[f"conv{i}.weight"], bias, stride, padding)
            if i < len(places):
                x = F.leaky_relu(batch_norm(w, f"bn{i + 1}", x), 0.01)
        return 2 * x - 1  # theirs are in [0, 1]

    return w, draw


def vanilla(z_dim: int = 6, widths: tuple[int, ...] = (12, 16, 64)) -> Made:
    make = Maker()
    before = z_dim
    for i, width in enumerate(widths):
        make.put(f"model.{2 * i}.weight", width, before, scale=0.3)
        make.put(f"model.{2 * i}.bias", width)
        before = width
    w = make.weights

    def draw(z: Tensor) -> Tensor:
        x = z
        for i in range(len(widths)):
            x = x @ w[f"model.{2 * i}.weight"].T + w[f"model.{2 * i}.bias"]
            x = x.clamp(min=0) if i < len(widths) - 1 else torch.tanh(x)
        side = math.isqrt(widths[-1])
        return x.view(len(z), 1, side, side)

    return w, draw


SMALL: dict[str, Any] = {}
LARGER: dict[str, Any] = {"z_dim": 9, "maps": (12, 8, 8, 4)}
# Name -> maker, and the two sizes that are tried.
LAYOUTS: dict[str, tuple[Callable[..., Made], dict[str, Any], dict[str, Any]]] = {
    "genforce": (genforce, SMALL, LARGER),
    "higan": (higan, SMALL, LARGER),
    "dissect": (dissect, SMALL, LARGER),
    "dissect-old": (dissect_old, SMALL, LARGER),
    "gan-zoo": (gan_zoo, SMALL, LARGER),
    "gan-zoo-bare": (gan_zoo, {"module": ""}, {**LARGER, "module": ""}),
    "mm-progressive": (mm_progressive, SMALL, LARGER),
    "mm-wgan-gp": (mm_wgan_gp, SMALL, LARGER),
    "mm-dcgan": (mm_dcgan, SMALL, LARGER),
    "mm-lsgan": (mm_lsgan, SMALL, {"z_dim": 9, "base": 16, "repeats": 2, "side": 8}),
    "lornatang": (lornatang, SMALL, {"z_dim": 9, "maps": (12, 8, 6, 4), "channels": 1}),
    "pyprobml": (pyprobml, SMALL, {"z_dim": 9, "maps": (12, 8, 6, 4)}),
    "jacobaustin": (jacobaustin, SMALL, {"z_dim": 9, "maps": (12, 8, 6), "out": 1}),
    "vanilla": (vanilla, SMALL, {"z_dim": 9, "widths": (20, 24, 32, 784)}),
}
