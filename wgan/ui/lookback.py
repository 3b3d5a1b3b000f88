"""The lab's slider back through the samples of a run."""

from __future__ import annotations

import streamlit as st

from wgan.runs.run import Run
from wgan.runs.series import Snapshot


def slider(run: Run) -> None:
    """Draws the slider."""
    st.slider(
        "Look back",
        0,
        100,
        value=100,
        format="%d%%",
        key=_key(run),
        on_change=_look_back,
        args=(run,),
        help="The samples and the meter as they were: 100% is now, 0% is the first step.",
    )


def _key(run: Run) -> str:
    """A new run is watched at its present, wherever the last one was."""
    return f"look_back_{run.id}"


def _look_back(run: Run) -> None:
    """Callback: fixes the step that the slider means, though the run goes on."""
    share = st.session_state[_key(run)]
    step = None if share >= 100 else round(run.frame.step * share / 100)
    st.session_state[f"{_key(run)}_step"] = step


def return_to_present(run: Run) -> None:
    """For a callback: the slider points at the present again."""
    st.session_state[_key(run)] = 100
    st.session_state[f"{_key(run)}_step"] = None


def step(run: Run) -> int | None:
    """The step that the slider points at; None at the present."""
    past = looked_back_at(run)
    return None if past is None else past.step


def looked_back_at(run: Run) -> Snapshot | None:
    """The snapshot that the slider points at; None when it is at the present."""
    step = st.session_state.get(f"{_key(run)}_step")
    return None if step is None else run.snapshots.nearest(step)
