"""Streamlit internals that have no public face, each with the reason for its use.

Seen in Streamlit 1.67.
"""

from __future__ import annotations

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
