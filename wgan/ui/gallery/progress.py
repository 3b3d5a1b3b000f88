"""The progress of a job on the page, and who wants it."""

from __future__ import annotations

import secrets

import streamlit as st

from wgan.ui.words import plain
from wgan.zoo.job import Job

_TICK = 0.4  # seconds between two looks at a job


@st.fragment(run_every=_TICK)
def progress(job: Job, text: str = "") -> None:
    """The job's progress, until it has ended; then the page is drawn again."""
    if job.state != "running":
        st.rerun()
    told, share = job.progress
    st.progress(share or 0.0, text=text or plain(told))


def visitor() -> str:
    """A name for this tab: a job that two people want is not cancelled by one of them."""
    return st.session_state.setdefault("visitor", secrets.token_hex(8))
