"""Who this browser tab is: the owner of a run, a watcher, a voter.

An owner's secret lives in the tab's session. It comes there when the run is made, by the owner's
link, from whose address it is taken at once so that the address can be shared, or from the browser,
which keeps it while the tab is open, see `wgan.ui.keeper`.
"""

from __future__ import annotations

import hashlib
import secrets

import streamlit as st

from wgan.lab.run import Run

_SECRETS, _VISITOR, _OWNER = "secrets", "visitor", "owner"
_COOKIE = "_streamlit_xsrf"  # Streamlit's own; the same in all tabs of a browser


def new_secret() -> str:
    return secrets.token_urlsafe(16)


def remember(run: Run, secret: str) -> None:
    """This tab owns the run from now on, if the secret is right."""
    st.session_state.setdefault(_SECRETS, {})[run.id] = secret


def take_owners_link(run: Run) -> None:
    """Keeps the secret of `?run=…&owner=…`; the caller writes the address anew, without it."""
    if (secret := st.query_params.get(_OWNER)) and run.room.is_owner(secret):
        remember(run, secret)


def secret_of(run: Run) -> str | None:
    """The owner's secret of this run, if this tab knows it."""
    return st.session_state.get(_SECRETS, {}).get(run.id)


def owns(run: Run) -> bool:
    return run.room.is_owner(secret_of(run))


def may_control(run: Run) -> bool:
    """Whether what this tab asks of the run is done."""
    return run.room.may_control(secret_of(run))


def may_upload(run: Run) -> bool:
    """Whether this tab may bring data while it watches this run."""
    return not run.room.locked or owns(run)


def visitor() -> str:
    """A name for this browser, or for this tab where there are no cookies; says nothing of whom."""
    cookie = st.context.cookies.get(_COOKIE)
    if isinstance(cookie, str) and cookie:
        return hashlib.sha256(cookie.encode()).hexdigest()[:16]
    return st.session_state.setdefault(_VISITOR, secrets.token_hex(8))


def link(run: Run, secret: str | None = None) -> str:
    """The address of a run; with a secret it is its owner's."""
    page = (st.context.url or "").partition("?")[0]
    return f"{page}?run={run.id}" + (f"&{_OWNER}={secret}" if secret else "")
