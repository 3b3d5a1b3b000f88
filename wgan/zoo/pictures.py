"""Samples as PNG bytes: a grid of images, or points in the plane."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw

from wgan.data.pixels import to_pixels
from wgan.plots import GENERATED, REAL, image_grid
from wgan.types import ImageView, PointView

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 512  # pixels of a picture of points


def picture(samples: Tensor | PointView | ImageView) -> bytes:
    """A PNG of samples (N, C, H, W) in [−1, 1] or (N, 2), or of what a run has shown."""
    if isinstance(samples, ImageView):
        return _grid(samples.fake)
    if isinstance(samples, PointView):
        return _points(samples.fake, samples.real, samples.extent)
    if samples.ndim == 4:
        return _grid(to_pixels(samples))
    points = samples.numpy()
    reach = float(np.abs(points[np.isfinite(points).all(1)]).max(initial=1.0))
    return _points(points, None, reach * 1.1)


def _grid(images: npt.NDArray[np.uint8]) -> bytes:
    columns = max(1, round(len(images) ** 0.5))
    return image_grid(images, columns, cell=max(32, images.shape[2]))


def _points(fake: npt.NDArray, real: npt.NDArray | None, extent: float) -> bytes:
    out = io.BytesIO()
    draw_points(fake, real, extent).save(out, "PNG", optimize=True)
    return out.getvalue()


def draw_points(
    fake: npt.NDArray, real: npt.NDArray | None, extent: float, side: int = SIDE
) -> Image.Image:
    """Real points as hollow blue circles, generated ones filled orange, over ±extent.

    fake, real: (N, 2). side: of the square, in pixels.
    """
    fine = 2  # drawn larger and scaled down: soft edges
    canvas = Image.new("RGB", (side * fine, side * fine), "white")
    draw = ImageDraw.Draw(canvas, "RGBA")
    for points, filled in ((real, False), (fake, True)):
        if points is None:
            continue
        places = (points * (1, -1) / extent + 1) / 2 * side * fine
        colour = (*ImageColor.getrgb(GENERATED if filled else REAL)[:3], 150)
        for x, y in places[np.isfinite(places).all(1)]:
            box = (x - 6, y - 6, x + 6, y + 6)
            draw.ellipse(box, fill=colour if filled else None, outline=colour, width=2)
    return canvas.resize((side, side), Image.Resampling.LANCZOS)
