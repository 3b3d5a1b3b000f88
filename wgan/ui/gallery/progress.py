"""The progress of a job on the page, and who wants it."""

from __future__ import annotations

import secrets

import streamlit as st

from wgan.live.job import made
from wgan.live.parts import channel
from wgan.ui import live
from wgan.zoo.job import Job


def progress(job: Job, text: str = "") -> None:
    """The job's progress, until it has ended; then the page is drawn again. text: what it is at."""
    live.part(channel("job", id=job.id, told=text), key=f"job_{job.id}", height=36)
    live.page(channel("page", job=job.id), made(job), key=f"job_page_{job.id}")


def visitor() -> str:
    """A name for this tab: a job that two people want is not cancelled by one of them."""
    return st.session_state.setdefault("visitor", secrets.token_hex(8))
