"""Images as bytes: large sets at rest, a quarter of the memory of floats, and what is shown.

It imports no torch: pages that show samples draw before torch is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor


class Pictures(NamedTuple):
    """Images as they are read. pixels: (N, C, H, W), bytes 0..255 or floats in [−1, 1].

    labels: (N,) int64, the class of each, numbers into `names`; None where they have none.
    """

    pixels: Tensor
    labels: Tensor | None = None
    names: tuple[str, ...] = ()


def decode(pixels: Tensor) -> Tensor:
    """Float32 images in [−1, 1], from bytes 0..255; floats are in that range already."""
    if not pixels.is_floating_point():
        return pixels.float().mul_(2 / 255).sub_(1)
    return pixels


def to_pixels(images: Tensor) -> npt.NDArray[np.uint8]:
    """(N, C, H, W) in [−1, 1] -> (N, H, W, C) uint8; beyond the range is clipped."""
    # nan_to_num: a generator that blew up is shown as grey, not as undefined casts
    scaled = (images.float().nan_to_num(0) + 1) * 127.5
    return scaled.clamp(0, 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def resize(pixels: Tensor, size: int) -> Tensor:
    """Images (N, C, H, W) at size × size pixels, of the same dtype: bilinear, antialiased."""
    from torch.nn.functional import interpolate

    if pixels.shape[2:] == (size, size):
        return pixels
    resized = pixels.new_empty(*pixels.shape[:2], size, size)
    step = 2000  # the floats of a whole set would take gigabytes
    for chunk, place in zip(pixels.split(step), resized.split(step), strict=True):
        scaled = interpolate(chunk.float(), (size, size), mode="bilinear", antialias=True)
        if not pixels.is_floating_point():
            scaled = scaled.round_().clamp_(0, 255)
        place.copy_(scaled)
    return resized
