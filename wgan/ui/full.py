"""The page of a server that has no room for the run that was asked for: what still works, and how
a visitor makes room.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import streamlit as st

from wgan.server.limits import LimitError
from wgan.ui import own_runs
from wgan.ui.words import sections


def page(error: LimitError, watch: Callable[[], None]) -> NoReturn:
    """Says why, lists the visitor's own runs, and ends the script.

    watch: callback of the button that shows the demonstration run instead.
    """
    st.warning(str(error), icon=":material/info:", title="This server is full")
    if runs := own_runs.own_runs():
        st.markdown("**Your runs**")
        st.caption(sections("classroom")["my_runs"])
        own_runs.listed(runs)
    st.button("Watch the demonstration run", key="watch_demonstration", on_click=watch)
    st.caption("Runs that others share can still be watched through their links.")
    st.stop()
