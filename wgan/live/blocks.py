"""What a part of a page is made of, as JSON that a browser draws: see `assets/part.js`.

A part is a list of blocks: `{"html": …}`, `{"figures": […]}`, `{"pixels": {…}}`, or
`{"columns": […], "widths": […]}` of further lists. As long as the kinds stay the same, the browser
keeps its nodes, so that zoom, hover and scroll position survive.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from wgan.plots.base import Figure

Block = Mapping[str, Any]
RAW = 32_000  # bytes of pixels that are sent as they are; larger pictures are compressed


@dataclass(frozen=True)
class Chart:
    """A figure with what stands around it.

    height: pixels, fixed; the width follows the page. alt: what a screen reader says. title: above
    it, and note: below it, where they are not empty. name: of its picture when it is saved.
    """

    figure: Figure
    height: int
    alt: str
    title: str = ""
    note: str = ""
    name: str = "figure"

    def to_json(self) -> dict[str, Any]:
        return {
            "data": self.figure["data"],
            "layout": self.figure["layout"],
            "height": self.height,
            "alt": self.alt,
            "title": self.title,
            "note": self.note,
            "name": self.name,
        } | ({"frames": self.figure["frames"]} if "frames" in self.figure else {})


def payload(*blocks: Block) -> dict[str, Any]:
    """What the stream sends."""
    return {"blocks": blocks}


def html(text: str) -> Block:
    """text: HTML of ours; what others have written must be escaped in it."""
    return {"html": text}


def caption(text: str) -> Block:
    """A small sentence below something; text is shown as it is."""
    return html(f'<p class="wgan-caption">{escape(text)}</p>')


def progress(text: str, share: float | None) -> Block:
    """A bar with words; share: 0 to 1."""
    width = f"{100 * min(1.0, max(0.0, share or 0.0)):.0f}%"
    return html(
        f'<div class="wgan-progress" role="progressbar" aria-label="{escape(text)}">'
        f'<p>{escape(text)}</p><div><i style="width:{width}"></i></div></div>'
    )


class Number(NamedTuple):
    """A metric with its name, its unit or what it compares with, and a word on it for hovering."""

    name: str
    value: str
    note: str
    help: str = ""


def numbers(*shown: Number) -> Block:
    """Metrics in a row, large enough for the last row of a class."""
    cells = "".join(
        f'<div title="{escape(n.help)}"><span class="what">{escape(n.name)}</span>'
        f'<b>{escape(n.value)}</b><span class="note">{escape(n.note)}</span></div>'
        for n in shown
    )
    return html(f'<div class="wgan-numbers">{cells}</div>')


def empty(sentence: str) -> Sequence[Block]:
    """Why there is nothing to see here."""
    return [html(f'<p class="wgan-empty">{escape(sentence)}</p>')]


def figures(*charts: Chart) -> Block:
    """Figures side by side, as many as there is room for."""
    return {"figures": [chart.to_json() for chart in charts]}


def columns(widths: Sequence[int], *contents: Sequence[Block]) -> Block:
    """Columns of these relative widths; below each other on a phone."""
    return {"widths": list(widths), "columns": [list(blocks) for blocks in contents]}


def pixels(
    images: npt.NDArray[np.uint8], *, columns: int, alt: str, note: str = "", rows: int = 0
) -> Block:
    """A grid of images (N, H, W, 1 or 3), drawn by the browser with gaps between them.

    rows: at least so many, so that two grids beside each other have one height. note: HTML below.
    Small images are enlarged crisply, pixel by pixel; those of 32 pixels and more smoothly.
    """
    if images.ndim != 4 or images.shape[3] not in (1, 3) or len(images) == 0 or columns < 1:
        raise ValueError(f"Expected images (N, H, W, 1 or 3) and columns, got {images.shape}.")
    count, height, width, channels = images.shape
    raw = images.nbytes <= RAW
    return {
        "pixels": {
            "count": count,
            "height": height,
            "width": width,
            "channels": channels,
            "columns": columns,
            "rows": max(rows, math.ceil(count / columns)),
            "smooth": width >= 32,
            "raw" if raw else "webp": _base64(images.tobytes() if raw else _webp(images, columns)),
            "alt": alt,
            "note": note,
        }
    }


def _webp(images: npt.NDArray[np.uint8], columns: int) -> bytes:
    """The grid without gaps as one picture."""
    count, height, width, channels = images.shape
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * columns, height, width, channels), np.uint8)
    sheet[:count] = images
    grid = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    flat = grid.reshape(rows * height, columns * width, channels)
    out = io.BytesIO()
    Image.fromarray(flat.repeat(4 - channels, axis=2) if channels == 1 else flat).save(
        out, "WEBP", quality=75, method=2
    )
    return out.getvalue()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
