"""Streamlit internals that have no public face, each with the reason for its use.

Seen in Streamlit 1.67.
"""

from __future__ import annotations

from functools import cache

from streamlit import config
from streamlit.errors import StreamlitInvalidLayoutContextError
from streamlit.runtime.pages_manager import PagesManager

# A fragment's tick may arrive after a full rerun was broken off by the next one, before it came to
# the fragment: then the containers outside have no place reserved. Another full rerun mends it.
OutsideContainerLost = StreamlitInvalidLayoutContextError


def opened_without_app() -> bool:
    """True when a page of `pages/` was run by itself.

    On a fresh server a deep link runs the page of that name without `app.py`, until
    `st.navigation` has been called once in the process.
    """
    return bool(PagesManager.uses_pages_directory)


def keep_theme() -> None:
    """Reads the theme's settings once: what is changed in their file shows after a restart.

    For every redrawing Streamlit goes through all of its settings six times, which was a tenth of
    what thirty watched pages cost the interpreter.
    """
    config.get_options_for_section = cache(config.get_options_for_section)
