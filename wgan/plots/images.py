"""Grids of images as PNG bytes."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image


def image_grid(images: npt.NDArray[np.uint8], columns: int, cell: int) -> bytes:
    """A PNG of images (N, H, W, C), each about `cell` pixels wide, 2 transparent pixels apart."""
    if images.ndim != 4 or images.shape[3] not in (1, 3) or len(images) == 0 or columns < 1:
        raise ValueError(f"Expected images (N, H, W, 1 or 3) and columns, got {images.shape}.")
    scale, gap = max(1, round(cell / images.shape[2])), 2
    large = images.repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width, _ = large.shape
    rows = math.ceil(count / columns)
    canvas = np.zeros((rows, height + gap, columns, width + gap, 4), np.uint8)
    for i, image in enumerate(large):
        row, column = divmod(i, columns)
        canvas[row, :height, column, :width, :3] = image
        canvas[row, :height, column, :width, 3] = 255
    flat = canvas.reshape(rows * (height + gap), columns * (width + gap), 4)[:-gap, :-gap]
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(flat)).save(out, "PNG", compress_level=3)
    return out.getvalue()


def data_uri(image: bytes, kind: str = "png") -> str:
    """The `data:` URI of an image; kind: png or gif."""
    return f"data:image/{kind};base64," + base64.b64encode(image).decode()
