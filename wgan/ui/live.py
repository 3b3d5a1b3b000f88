"""Components of our own: the live figure, and the pad to draw a data set on.

`st.plotly_chart` mounts a new chart at every update, which loses zoom and flickers; a keyed
component keeps its node and lets Plotly change what is in it. The JavaScript is in `assets/`.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from wgan.config import MAX_POINTS
from wgan.figures import REAL, Figure

Point = tuple[float, float]
TITLE, NOTE = 28, 24  # pixels that the title above a figure and the note below it take


def _asset(name: str) -> str:
    return (files("wgan.ui") / "assets" / name).read_text("utf-8")


_LOADER = component(
    "wgan_plotly_loader",
    html='<div class="wgan-loader" aria-hidden="true"></div>',
    css=_asset("plotly_loader.css"),
    js=_asset("plotly_loader.js"),
    isolate_styles=False,
)
# Not isolated: Plotly writes its style rules into the document's head.
_FIGURES = component(
    "wgan_live_figures",
    html='<div class="wgan-figures"></div>',
    css=_asset("live_figure.css"),
    js=_asset("live_figure.js"),
    isolate_styles=False,
)
_PAD = component(
    "wgan_draw_pad",
    html='<canvas class="wgan-pad" role="img"></canvas>',
    css=_asset("draw_pad.css"),
    js=_asset("draw_pad.js"),
    isolate_styles=False,
)


@cache
def _plotly_gz() -> bytes:
    """The installed package's plotly.min.js, gzipped (1.5 MB)."""
    # mtime=0: the same bytes in every process, so that Streamlit sends them once a tab
    return gzip.compress((files("plotly") / "package_data/plotly.min.js").read_bytes(), mtime=0)


def load_plotly() -> None:
    """Sends Plotly to the browser. Call it once a page, outside fragments; the order is free."""
    _LOADER(key="wgan-plotly", data=_plotly_gz())


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


def live_figure(
    figure: Figure, *, key: str, height: int, alt: str, title: str = "", note: str = ""
) -> None:
    """Shows a figure that may be shown again, changed, without losing zoom or hover.

    height: pixels, fixed; the width is the container's. alt: what a screen reader says. The page
    has to call `load_plotly` too; until Plotly is there, a skeleton stands in its place.
    """
    whole = height + (TITLE if title else 0) + (NOTE if note else 0)
    _FIGURES(
        key=key, height=whole, data=_ENCODED.of([Chart(figure, height, alt, title, note, key)])
    )


def live_figures(charts: Sequence[Chart], *, key: str) -> None:
    """The same for several figures side by side, as many as there is room for, at once."""
    _FIGURES(key=key, data=_ENCODED.of(charts))


class _Encoded:
    """Figures as the bytes that browsers get, JSON and gzipped, made once for all who watch.

    Given a dictionary, Streamlit would write it out twice for every viewer and redrawing, and it
    sends what it is given as it is: half of a class's traffic is saved here.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        # With the figures themselves, so that no others can come to have their ids meanwhile.
        self._kept: OrderedDict[tuple[Any, ...], tuple[Sequence[Chart], bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, charts: Sequence[Chart]) -> bytes:
        known = tuple((id(c.figure), c.height, c.alt, c.title, c.note, c.name) for c in charts)
        with self._lock:
            if known in self._kept:
                self._kept.move_to_end(known)
                return self._kept[known][1]
            told = [
                {
                    "data": chart.figure["data"],
                    "layout": chart.figure["layout"],
                    "height": chart.height,
                    "alt": chart.alt,
                    "title": chart.title,
                    "note": chart.note,
                    "name": chart.name,
                }
                for chart in charts
            ]
            # the quickest level: the next ones save a hundredth more
            encoded = gzip.compress(json.dumps(told, separators=(",", ":")).encode(), 1, mtime=0)
            self._kept[known] = (charts, encoded)
            if len(self._kept) > self.capacity:
                self._kept.popitem(last=False)
            return encoded


_ENCODED = _Encoded(capacity=64)


def draw_pad(
    *, key: str, extent: float, points: Sequence[Point], revision: int, height: int = 320
) -> list[Point] | None:
    """A square of ±`extent` to draw points on; what was drawn, or None before the first stroke.

    points: what the pad shows at first and after each change of `revision`. To clear it, pass
    another `revision` and no points. The user's strokes add to them; up to 2,000 points, then
    every second one goes. height: pixels, also the width where there is room.
    """
    held = drawn_points(st.session_state.get(key), extent, revision)
    result = _PAD(
        key=key,
        data={
            "points": points if held is None else held,
            "revision": revision,
            "extent": extent,
            "height": height,
            "limit": MAX_POINTS,
            "color": REAL,
        },
        on_drawing_change=lambda: None,
    )
    return drawn_points(result, extent, revision)


def drawn_points(state: Any, extent: float, revision: int) -> list[Point] | None:
    """The finite points within ±`extent` that a browser sent for this revision; None if it sent
    none. The browser is not trusted: whatever is no such point is left out."""
    drawing = state.get("drawing") if isinstance(state, dict) else None
    if not isinstance(drawing, dict) or drawing.get("revision") != revision:
        return None
    sent = drawing.get("points")
    if not isinstance(sent, list):
        return None
    found = []
    for pair in sent[:MAX_POINTS]:
        if isinstance(pair, list) and len(pair) == 2 and all(_within(v, extent) for v in pair):
            found.append((float(pair[0]), float(pair[1])))
    return found


def _within(value: Any, extent: float) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and -extent <= value <= extent  # NaN fails
