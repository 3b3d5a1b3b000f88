"""Which batch the section that takes one step apart draws, in this tab."""

from __future__ import annotations

import streamlit as st

from wgan.live.critic import BATCHES

_BATCH = "critic_batch"  # how often this tab asked for another one


def batch() -> int:
    """The number of the batch."""
    return st.session_state.get(_BATCH, 0)


def another_batch() -> None:
    """Callback of the button."""
    st.session_state[_BATCH] = (batch() + 1) % BATCHES
