"""Keeps the secrets of a tab's own runs in its browser, so that a reload does not lose them.

Streamlit forgets a session when its page is loaded again. The browser's session storage belongs to
one tab and lasts until it is closed: a watcher's tab has nothing there. The visitor's name is kept
too, in a cookie, so that nobody votes again after a reload.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import streamlit as st
from streamlit.components.v2 import component

from wgan.runs.run import Run
from wgan.server.limits import LimitError
from wgan.server.registry import lab
from wgan.ui import identity

_ASSETS = files("wgan.ui") / "assets"
_KEY = "wgan-keeper"
_KEEPER = component(
    "wgan_keeper",
    html='<div class="wgan-keeper" aria-hidden="true"></div>',
    css=(_ASSETS / "keeper.css").read_text("utf-8"),
    js=(_ASSETS / "keeper.js").read_text("utf-8"),
    isolate_styles=False,
)


def keep_owned(runs: Sequence[Run]) -> None:
    """Leaves the secrets of these runs with the browser, and takes those that it has kept.

    Call it once a page, outside fragments, before all that takes its time: whoever loads the page
    again at once must find them.
    """
    owned = {run.id: identity.secret_of(run) for run in runs if identity.owns(run)}
    missed = [run.id for run in runs if run.id not in owned]
    kept = {
        "owned": owned,
        "missed": missed,
        "cookie": identity.COOKIE,
        "visitor": identity.visitor(),
    }
    # In a list, which Streamlit sends as it is: a dictionary it would search for data frames, and
    # import pandas for it, which the first page would wait for.
    _KEEPER(key=_KEY, data=[kept], on_found_change=_take)


def _take() -> None:
    state = st.session_state.get(_KEY)
    take(state.get("found") if isinstance(state, dict) else None)


def take(found: object) -> None:
    """Owns the runs whose secrets a browser has sent: {run id: secret}. It is not trusted."""
    for id, secret in list(found.items())[:100] if isinstance(found, dict) else ():
        try:
            run = lab().get(id) if isinstance(id, str) else None
        except LimitError:
            continue
        if run is not None and isinstance(secret, str) and run.access.is_owner(secret):
            identity.keys()[run.id] = secret
