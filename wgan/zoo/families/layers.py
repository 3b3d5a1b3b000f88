"""Layers of progressive GANs (Karras et al. 2018), each a plain torch layer with one thing more."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear


class PixelNorm(nn.Module):
    """x / √(mean over channels of x² + inside), or x / (√(mean of x²) + outside)."""

    def __init__(self, inside: float = 1e-8, outside: float = 0.0) -> None:
        super().__init__()
        self.inside, self.outside = inside, outside

    def forward(self, x: Tensor) -> Tensor:
        root = x.square().mean(1, keepdim=True).add_(self.inside).sqrt_()
        return x / root.add_(self.outside)


class EqualConv(nn.Conv2d):
    """A convolution at the equalised learning rate: W · gain / √(inputs · k · k) at every use.

    scaled_bias: the bias is multiplied too.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        padding: int = 0,
        gain: float = math.sqrt(2),
        scaled_bias: bool = False,
    ) -> None:
        super().__init__(inputs, outputs, kernel, padding=padding)
        self.scale = gain / math.sqrt(inputs * kernel * kernel)
        self.bias_scale = self.scale if scaled_bias else 1.0

    def forward(self, x: Tensor) -> Tensor:
        assert self.bias is not None
        weight, bias = self.weight * self.scale, self.bias * self.bias_scale
        return conv2d(x, weight, bias, padding=self.padding)


class EqualLinear(nn.Linear):
    """(N, inputs) -> (N, maps, 4, 4): W z · gain / √inputs, and a bias.

    The bias has one number an output, and is scaled too; without it there is one a map, unscaled.
    """

    def __init__(self, inputs: int, maps: int, gain: float, bias: bool) -> None:
        super().__init__(inputs, maps * 16, bias=bias)
        self.scale = gain / math.sqrt(inputs)
        if not bias:
            self.map_bias = nn.Parameter(torch.zeros(1, maps, 1, 1))

    def forward(self, z: Tensor) -> Tensor:
        x = linear(z, self.weight, self.bias) * self.scale
        x = x.unflatten(1, (-1, 4, 4))
        return x if self.bias is not None else x + self.map_bias


class BgrToRgb(nn.Module):
    """Pictures that a network was taught as blue, green, red, the other way round."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flip(1)


def colours(channels: int) -> nn.Module:
    """What makes RGB of OpenMMLab's pictures: `BgrToRgb` where there are three channels."""
    return BgrToRgb() if channels == 3 else nn.Identity()
