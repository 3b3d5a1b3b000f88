"""Who this browser tab is: the owner of a run, a watcher, a voter.

An owner's secret lives in the tab's session. It comes there when the run is made, by the owner's
link, from whose address it is taken at once so that the address can be shared, or from the browser,
which keeps it while the tab is open, see `wgan.ui.browser_storage`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

import streamlit as st

from wgan.runs.run import Run

_SECRETS, _VISITOR, _OWNER = "secrets", "visitor", "owner"
COOKIE = "wgan_visitor"  # the browser keeps it: the same in all its tabs, after a reload too
_NAME = re.compile(r"[0-9a-f]{16}")


def keys() -> dict[str, str]:
    """The secrets of this tab's own runs, {run id: secret}; what is added is kept."""
    return st.session_state.setdefault(_SECRETS, {})


def owned(make: Callable[..., Run]) -> Run:
    """The run of `make(secret=…, visitor=…, address=…)`, which this tab owns.

    Raises what `make` raises.

    The session is asked for everything before the run is made: Streamlit may break a script off
    wherever it asks for the session's state, and a run must not be left without its owner.
    """
    secret, own, name = secrets.token_urlsafe(16), keys(), visitor()
    run = make(secret=secret, visitor=name, address=address())
    own[run.id] = secret
    return run


def take_owners_link(run: Run) -> bool:
    """Keeps the secret of `?run=…&owner=…`; the caller writes the address anew, without it.

    False for a secret that is not this run's.
    """
    secret = st.query_params.get(_OWNER)
    if secret is None:
        return True
    if right := run.access.is_owner(secret):
        keys()[run.id] = secret
    return right


def secret_of(run: Run) -> str | None:
    """The owner's secret of this run, if this tab knows it."""
    return keys().get(run.id)


def owns(run: Run) -> bool:
    return run.access.is_owner(secret_of(run))


def may_control(run: Run) -> bool:
    """Whether what this tab asks is done: to the run, or where that is nobody's, to a fork."""
    return run.access.demonstration or run.access.may_control(secret_of(run))


def may_upload(run: Run) -> bool:
    """Whether this tab may bring data while it watches this run."""
    return not run.access.locked or owns(run)


def visitor() -> str:
    """A name for this browser, or for this tab where it keeps no cookies; says nothing of whom."""
    kept = st.context.cookies.get(COOKIE)
    if isinstance(kept, str) and _NAME.fullmatch(kept):
        return kept
    return st.session_state.setdefault(_VISITOR, secrets.token_hex(8))


def address() -> str:
    """The network address that the visitor comes from; empty for this machine itself."""
    return st.context.ip_address or ""


def link_is_local() -> bool:
    """Whether the address of this page means this very machine, so that nobody else can open it."""
    host = urlsplit(st.context.url or "").hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def link(run: Run, secret: str | None = None) -> str:
    """The address of a run; with a secret it is its owner's."""
    page = (st.context.url or "").partition("?")[0]
    return f"{page}?run={run.id}" + (f"&{_OWNER}={secret}" if secret else "")
