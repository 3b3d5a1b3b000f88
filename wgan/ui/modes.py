"""The tab "Modes": which modes the samples cover, over time; and the papers' table of coverage."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from wgan import figures
from wgan.lab.frame import Frame
from wgan.lab.run import Run
from wgan.protocol.methods import PUBLISHED
from wgan.protocol.shipped import shipped
from wgan.protocol.table import cells_of
from wgan.ui.live import live_figure
from wgan.ui.words import plain, words

HEIGHT = 340
COLUMNS = ("Method", "From", "Ring: modes of 8", "Ring: HQ %", "Grid: modes of 25", "Grid: HQ %")


def modes(run: Run) -> DeltaGenerator:
    """Draws the section; returns the place where the figure streams."""
    st.markdown("**Share of the samples on each mode**")
    place = st.container(key="modes_place")
    with place:
        st.container()  # a fragment may only fill a container that was written to
    st.markdown("**Mode coverage in the papers, and here**")
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in table_rows()]
    st.dataframe(rows, hide_index=True, width="stretch", height="content")
    st.caption(words("coverage"))
    return place


def table_rows() -> list[tuple[str, ...]]:
    """The published rows, then ours, as they are shown."""
    rows = [
        (p.title, p.source, p.ring_modes, p.ring_hq, p.grid_modes, p.grid_hq) for p in PUBLISHED
    ]
    for row in shipped()["rows"]:
        ring, grid = row["ring"], row["grid"]
        if ring or grid:
            seeds = max(found["seeds"] for found in (ring, grid) if found)
            source = f"this lab, {seeds} {'seed' if seeds == 1 else 'seeds'}"
            rows.append((row["title"], source, *cells_of(ring), *cells_of(grid)))
    return rows


def fill(frame: Frame, run: Run) -> None:
    """The figure of this frame, and in words what was lost; computed once for all who watch."""
    figure, told = frame.once("mode shares", lambda: _build(frame, run))
    if figure is None:
        st.caption(told)
        return
    live_figure(figure, key="mode_shares", height=HEIGHT, alt="Share of the samples on each mode")
    st.caption(told)


def _build(frame: Frame, run: Run) -> tuple[Any, str]:
    measures = [s.measures for s in run.snapshots.items if s.measures is not None]
    if frame.measures is not None and (not measures or measures[-1].step < frame.measures.step):
        measures.append(frame.measures)
    if not measures:
        return None, "Nothing is measured yet."
    if not measures[-1].modes_total:
        return None, "This data set has no modes that can be counted."
    return figures.mode_shares(measures, frame.events), plain(figures.fate(measures, _noun(frame)))


def _noun(frame: Frame) -> str:
    if frame.config.data in ("digits", "mnist"):
        return "digit"
    return "mode" if frame.config.is_points else "class"
