"""A histogram to draw with the mouse."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

_ASSETS = files("wgan.ui") / "assets"
_BARS = component(
    "wgan_bars",
    html='<canvas class="wgan-bars" role="img"></canvas>',
    css=(_ASSETS / "bars.css").read_text("utf-8"),
    js=(_ASSETS / "bars.js").read_text("utf-8"),
    isolate_styles=False,
)


def bars(
    *, key: str, given: list[float], color: str, label: str, revision: str, height: int = 110
) -> list[float]:
    """The bars, 0 to 1, as they were drawn since this revision; those given before that.

    label: what a screen reader says. A new revision throws the drawing away.
    """
    held = drawn_bars(st.session_state.get(key), revision, len(given))
    data = {
        "bars": given if held is None else held,
        "color": color,
        "label": label,
        "revision": revision,
        "height": height,
    }
    result = _BARS(key=key, data=data, on_bars_change=lambda: None)
    drawn = drawn_bars(result, revision, len(given))
    return given if drawn is None else drawn


def drawn_bars(state: Any, revision: str, count: int) -> list[float] | None:
    """What a browser sent for this revision; None if it sent none, or what are no such bars."""
    sent = state.get("bars") if isinstance(state, dict) else None
    if not isinstance(sent, dict) or sent.get("revision") != revision:
        return None
    values = sent.get("bars")
    if not isinstance(values, list) or len(values) != count:
        return None
    good = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if not good or not all(0 <= v <= 1 for v in values) or max(values) < 0.02:
        return None  # NaN fails; without any bar there is nothing to transport
    return [float(v) for v in values]
