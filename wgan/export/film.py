"""The samples of a run over its steps: a film as a GIF, and a sheet of stills as a PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wgan.plots import image_grid
from wgan.runs.series import Snapshot
from wgan.types import ImageView
from wgan.zoo.pictures import draw_points

SIDE = 320  # pixels of a square of samples
CAPTION = 28  # pixels of the line above it
STILLS, COLUMNS, GAP = 8, 4, 16  # of the sheet; pixels between two stills
SHOWN, LAST = 120, 2000  # milliseconds of a picture, and of the last one
_INK = "#22272e"


def film(snapshots: Sequence[Snapshot]) -> bytes:
    """A GIF of snapshots in their order, each under its step and modes; it loops.

    Raises `ValueError` when there are no snapshots.
    """
    if not snapshots:
        raise ValueError("A film needs at least one snapshot.")
    # One palette for all, of the last picture's colours: no flicker from one to the next.
    stills = [_still(snapshot) for snapshot in snapshots]
    palette = stills[-1].quantize(64)
    first, *others = [still.quantize(palette=palette, dither=Image.Dither.NONE) for still in stills]
    out = io.BytesIO()
    first.save(
        out,
        "GIF",
        save_all=True,
        append_images=others,
        duration=[*[SHOWN] * len(others), LAST],
        loop=0,
    )
    return out.getvalue()


def sheet(snapshots: Sequence[Snapshot]) -> bytes:
    """A PNG of at most eight snapshots, evenly out of all, the first and the last among them.

    Raises `ValueError` when there are no snapshots.
    """
    if not snapshots:
        raise ValueError("A sheet needs at least one snapshot.")
    count = min(STILLS, len(snapshots))
    chosen = np.linspace(0, len(snapshots) - 1, count).round().astype(int)
    stills = [_still(snapshots[i]) for i in chosen]
    width, height = (side + GAP for side in stills[0].size)
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    canvas = Image.new("RGB", (columns * width - GAP, rows * height - GAP), "white")
    for i, still in enumerate(stills):
        canvas.paste(still, (i % columns * width, i // columns * height))
    out = io.BytesIO()
    canvas.save(out, "PNG", optimize=True)
    return out.getvalue()


def _still(snapshot: Snapshot) -> Image.Image:
    """A snapshot's samples on white, its step and its modes above them."""
    samples = _samples(snapshot)
    canvas = Image.new("RGB", (SIDE, SIDE + CAPTION), "white")
    canvas.paste(samples, ((SIDE - samples.width) // 2, CAPTION))
    words = f"step {snapshot.step:,}"
    metrics = snapshot.metrics
    if metrics is not None and metrics.modes is not None:
        words += f" · {metrics.modes} / {metrics.modes_total} modes"
    font = ImageFont.load_default(size=17)
    ImageDraw.Draw(canvas).text((8, 5), words, fill=_INK, font=font)
    return canvas


def _samples(snapshot: Snapshot) -> Image.Image:
    view = snapshot.view
    if not isinstance(view, ImageView):
        return draw_points(view.fake, view.real if len(view.real) else None, view.extent, SIDE)
    columns = 8 if len(view.fake) >= 64 else max(1, round(len(view.fake) ** 0.5))
    with Image.open(io.BytesIO(image_grid(view.fake[:64], columns, SIDE // columns))) as grid:
        flat = Image.new("RGB", grid.size, "white")
        flat.paste(grid, mask=grid.getchannel("A"))
    return flat.resize((SIDE, round(SIDE * flat.height / flat.width)), Image.Resampling.BOX)
