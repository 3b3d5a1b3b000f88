"""What streams on the page Critic: the run's state and the one section that is open."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from wgan.lab.registry import lab
from wgan.lab.run import Run
from wgan.limits import LimitError
from wgan.ui import _compat, binding, liveview, pace
from wgan.ui.critic.sections import SECTIONS


def live(run: Run, status: DeltaGenerator, place: DeltaGenerator, section: str) -> None:
    """Streams a section of the run into its place."""
    beat = pace.beat()
    drawn = _shown(run)
    st.fragment(_live, run_every=beat.pace)(run, status, place, section, drawn, beat)


def _shown(run: Run) -> tuple[Any, ...]:
    """What the widgets on the page show of a run; when it differs, the page is drawn again."""
    return (run.id, run.config, run.frame.state)


def _live(
    run: Run,
    status: DeltaGenerator,
    place: DeltaGenerator,
    section: str,
    drawn: tuple[Any, ...],
    beat: pace.Beat,
) -> None:
    try:
        here = lab().get(run.id) is run  # asking says that somebody watches
    except LimitError:
        here = False  # it has left memory, and there is no room for it: the page says so
    if not here or _shown(run) != drawn or beat.outlived:
        binding.draw_again()
    frame = run.frame
    try:
        with status:
            st.html(liveview.status(frame, slow=run.slow is not None))
        with place:
            SECTIONS[section](run, frame)
    except _compat.OutsideContainerLost:
        binding.draw_again()
