"""What keeps a page that redraws itself from standing still, see `assets/pulse.js`."""

from __future__ import annotations

from importlib.resources import files

from streamlit.components.v2 import component

_ASSETS = files("wgan.ui") / "assets"
_PULSE = component(
    "wgan_pulse",
    html='<div class="wgan-pulse" aria-hidden="true"></div>',
    css=(_ASSETS / "pulse.css").read_text("utf-8"),
    js=(_ASSETS / "pulse.js").read_text("utf-8"),
    isolate_styles=False,
)


def stay_alive() -> None:
    """Has the whole page drawn again when nothing on it has changed for a quarter of a minute.

    Call it once a page, outside fragments.
    """
    _PULSE(key="wgan-pulse", on_still_change=lambda: None)
