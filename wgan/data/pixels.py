"""Images at rest: large sets stay as bytes, a quarter of the memory of floats."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate


class Pictures(NamedTuple):
    """Images as they are read. pixels: (N, C, H, W), bytes 0..255 or floats in [−1, 1].

    labels: (N,) int64, the class of each, numbers into `names`; None where they have none.
    """

    pixels: Tensor
    labels: Tensor | None = None
    names: tuple[str, ...] = ()


def decode(pixels: Tensor) -> Tensor:
    """Float32 images in [−1, 1], from bytes 0..255; floats are in that range already."""
    if pixels.dtype == torch.uint8:
        return pixels.float().mul_(2 / 255).sub_(1)
    return pixels


def resize(pixels: Tensor, size: int) -> Tensor:
    """Images (N, C, H, W) at size × size pixels, of the same dtype: bilinear, antialiased."""
    if pixels.shape[2:] == (size, size):
        return pixels
    resized = pixels.new_empty(*pixels.shape[:2], size, size)
    step = 2000  # the floats of a whole set would take gigabytes
    for chunk, place in zip(pixels.split(step), resized.split(step), strict=True):
        scaled = interpolate(chunk.float(), (size, size), mode="bilinear", antialias=True)
        if pixels.dtype == torch.uint8:
            scaled = scaled.round_().clamp_(0, 255)
        place.copy_(scaled)
    return resized
