"""Draw a distribution with the mouse, and train on it."""

from __future__ import annotations

import streamlit as st

from wgan.config import from_dict
from wgan.presets import PRESETS
from wgan.runs.run import Run
from wgan.ui import binding
from wgan.ui.live import draw_pad

EXTENT = 2.0


def draw(run: Run) -> None:
    """The pad, and the button that starts a WGAN-GP on what was drawn."""
    revision = st.session_state.setdefault("pad_revision", 0)
    start_with = run.config.points if revision == 0 else ()
    left, right = st.columns(2, gap="medium")
    with left:
        points = draw_pad(key="pad", extent=EXTENT, points=list(start_with), revision=revision)
    drawn = points or list(start_with)
    with right:
        st.markdown("**Draw your own data**")
        st.caption(
            "Draw with the mouse, a finger or a pen. Each point becomes a source of real "
            "samples, with a little jitter."
        )
        st.markdown(f"{len(drawn):,} points")

        def train() -> None:
            live = PRESETS["ring-wgan-gp"].fields
            own = live if not run.config.is_points else run.config.to_dict()
            binding.attempt(
                lambda: binding.start(from_dict({**own, "data": "points", "points": drawn}))
            )

        def clear() -> None:
            st.session_state["pad_revision"] += 1

        with st.container(horizontal=True):
            st.button(
                "Train on it",
                key="train_on_drawing",
                type="primary",
                icon=":material/play_arrow:",
                disabled=not drawn,
                on_click=train,
            )
            st.button("Clear", key="clear_drawing", icon=":material/ink_eraser:", on_click=clear)
