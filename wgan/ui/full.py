"""The page of a server that has no room for the run that was asked for: what still works, and how
a visitor makes room.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import streamlit as st

from wgan.data import title
from wgan.runs.run import Run
from wgan.server.limits import LimitError
from wgan.server.registry import lab
from wgan.ui import identity
from wgan.ui.words import plain
from wgan.zoo.card import method_of


def page(error: LimitError, watch: Callable[[], None]) -> NoReturn:
    """Says why, lists the visitor's own runs, and ends the script.

    watch: callback of the button that shows the demonstration run instead.
    """
    st.warning(str(error), icon=":material/info:", title="This server is full")
    if runs := _own():
        st.markdown("**Your runs**")
        st.caption(
            "Closing one makes room and ends it for good; open it first to keep its results."
        )
        for run in runs:
            _row(run)
    st.button("Watch the demonstration run", key="watch_demonstration", on_click=watch)
    st.caption("Runs that others share can still be watched by their links.")
    st.stop()


def _own() -> list[Run]:
    return lab().runs_of(identity.visitor(), identity.keys())


def _row(run: Run) -> None:
    method, data = method_of(run.config), title(run.config.data)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.link_button("Open", identity.link(run), icon=":material/open_in_new:")
        st.button(
            "Close",
            key=f"close_{run.id}",
            icon=":material/close:",
            on_click=_close,
            args=(run.id,),
        )
        st.markdown(plain(f"{method} on {data}, step {run.frame.step:,}"))


def _close(id: str) -> None:
    """Callback: asked again whether it is theirs, where it is done."""
    if any(run.id == id for run in _own()):
        lab().close(id)
        identity.keys().pop(id, None)
