"""Components of our own: the live parts of a page, still figures, and the pad to draw data on.

A page is drawn once. Its live parts are places that listen to a channel of the stream, see
`wgan.server.stream`; they keep their nodes, so that zoom and hover survive while data come.
`st.plotly_chart` would mount a new chart at every update. The JavaScript is in `assets/`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from wgan.config import MAX_POINTS
from wgan.live.blocks import Block, Chart, figures
from wgan.live.parts import fingerprint
from wgan.plots import ALARM, GENERATED, HEALTHY, REAL, Figure
from wgan.ui import binding

Point = tuple[float, float]
TITLE, NOTE = 28, 24  # pixels that the title above a figure and the note below it take
_ASSETS = files("wgan.ui") / "assets"
_MODULES = ("part.js", "page.js", "figures.js", "pixels.js", "stream.js")
_COLOURS = (
    f".wgan-part {{ --wgan-generated: {GENERATED}; --wgan-healthy: {HEALTHY}; "
    f"--wgan-alarm: {ALARM}; }}\n"
)


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text("utf-8")


def assets() -> Mapping[str, Path]:
    """The files that a browser asks for by name, below an address that holds their version."""
    plotly = find_spec("plotly")  # not imported: of the package only this file is needed
    assert plotly is not None
    script = Path(plotly.origin or "").parent / "package_data" / "plotly.min.js"
    own = {name: Path(str(_ASSETS / name)) for name in _MODULES}
    return {**own, "plotly.min.js": script}


@cache
def _version() -> str:
    """Differs when one of the assets does."""
    text = version("plotly") + "".join(map(_asset, _MODULES))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def scripts() -> Sequence[str]:
    """What a page asks for before its live parts show something, relative to the page's address:
    Streamlit's own script for components, with those that it imports, and ours."""
    names = ("BidiComponent", "serialization", "recordbatch", "_arrayReduce")
    streamlits = (path for name in names for path in _streamlits(f"static/js/{name}.*.js"))
    return [*streamlits, *(f"assets/live/{_version()}/{name}" for name in _MODULES)]


def fonts() -> Sequence[str]:
    """Streamlit's symbols, likewise."""
    return _streamlits("static/media/MaterialSymbols-Rounded.*.woff2")


def _streamlits(pattern: str) -> list[str]:
    static = Path(st.__file__).parent / "static"
    return [path.relative_to(static).as_posix() for path in static.glob(pattern)]


# Not isolated: Plotly writes its style rules into the document's head.
_PART = component(
    "wgan_part",
    html='<div class="wgan-part"></div>',
    css=_COLOURS + _asset("live.css"),
    js=_asset("boot.js"),
    isolate_styles=False,
)
_PAD = component(
    "wgan_draw_pad",
    html='<canvas class="wgan-pad" role="img"></canvas>',
    css=_asset("draw_pad.css"),
    js=_asset("draw_pad.js"),
    isolate_styles=False,
)


def _sent(**told: Any) -> list[Any]:
    """A component's data. In a list: Streamlit searches a dictionary for data frames, and imports
    pandas for that, a second of the first page."""
    return [{"version": _version(), **told}]


def part(channel: str, *, key: str, height: int = 0, small: bool = False) -> None:
    """A place where a channel's state is shown, as it comes.

    height: pixels that it takes before the first state is there, and at least. small: for a column.
    """
    _PART(key=key, data=_sent(channel=channel, height=height, small=small))


def page(channel: str, made: Hashable, key: str = "wgan-page") -> None:
    """Has this page drawn again when it is made of something else than `made`."""
    _PART(
        key=key,
        data=_sent(channel=f"{channel}&drawn={fingerprint(made)}", page=True),
        on_changed_change=binding.keep_notice,
    )


def live_figure(
    figure: Figure, *, key: str, height: int, alt: str, title: str = "", note: str = ""
) -> None:
    """Shows a figure that may be shown again, changed, without losing zoom or hover.

    height: pixels, fixed; the width is the container's. alt: what a screen reader says.
    """
    whole = height + (TITLE if title else 0) + (NOTE if note else 0)
    still([figures(Chart(figure, height, alt, title, note, key))], key=key, height=whole)


def still(blocks: Sequence[Block], *, key: str, height: int = 0) -> None:
    """Blocks that come with the page, not over the stream."""
    _PART(key=key, data=_sent(blocks=blocks, height=height))


def smoothing(key: str, width: int = 420) -> int:
    """A slider over the points of the curves' median filter; 1 is none."""
    return st.select_slider(
        "Smoothing",
        [1, 3, 5, 9, 15, 25, 51],
        key=key,
        format_func=lambda window: "none" if window == 1 else f"median of {window}",
        help="Median filter over this many points, as in the WGAN paper's Fig. 3.",
        width=width,
    )


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
