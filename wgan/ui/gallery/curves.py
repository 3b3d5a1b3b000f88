"""The training curves that a checkpoint keeps."""

from __future__ import annotations

import streamlit as st

from wgan import plots
from wgan.ui.live import live_figure
from wgan.ui.words import sections
from wgan.zoo.checkpoint import Checkpoint


def curves(checkpoint: Checkpoint) -> None:
    """The tab of curves."""
    known = checkpoint.curves
    drawn = {"Losses": plots.curve_losses(known, checkpoint.events)}
    if "w1" in known:
        drawn["Critic estimate and exact W1"] = plots.curve_distance(known, checkpoint.events)
    if "modes" in known:
        drawn["Modes and high-quality share"] = plots.curve_modes(
            known, checkpoint.events, modes_total=checkpoint.figures.get("modes_total")
        )
    columns = st.columns(len(drawn))
    for (name, figure), column in zip(drawn.items(), columns, strict=True):
        with column:
            st.markdown(f"**{name}**")
            live_figure(figure, key=f"curve_{name}", height=280, alt=name)
    st.caption(sections("gallery")["curves"])
