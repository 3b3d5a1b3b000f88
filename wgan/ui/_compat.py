"""Streamlit internals that have no public face, each with the reason for its use.

Seen in Streamlit 1.67.
"""

from __future__ import annotations

from functools import cache

from streamlit import config
from streamlit.web.server.starlette import starlette_websocket


def origin_allowed(origin: str | None, host: str | None) -> bool:
    """Whether Streamlit's own WebSocket would take a page of this origin, asked as this host."""
    return starlette_websocket._is_origin_allowed(origin, host)


def keep_theme() -> None:
    """Reads the theme's settings once: what is changed in their file shows after a restart.

    For every redrawing Streamlit goes through all of its settings six times, which was a tenth of
    what thirty watched pages cost the interpreter.
    """
    config.get_options_for_section = cache(config.get_options_for_section)
