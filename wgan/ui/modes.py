"""The tab "Modes": which modes the samples cover, over time; and the papers' table of coverage."""

from __future__ import annotations

import streamlit as st

from wgan.live.lab import MODES_HEIGHT
from wgan.live.parts import channel
from wgan.protocol.methods import PUBLISHED
from wgan.protocol.shipped import shipped
from wgan.protocol.table import cells_of
from wgan.runs.run import Run
from wgan.ui import live
from wgan.ui.words import words

COLUMNS = ("Method", "From", "Ring: modes of 8", "Ring: HQ %", "Grid: modes of 25", "Grid: HQ %")


def modes(run: Run) -> None:
    """Draws the section."""
    st.markdown("**Share of the samples on each mode**")
    live.part(channel("modes", run), key="mode_shares", height=MODES_HEIGHT)
    st.markdown("**Mode coverage in the papers, and here**")
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in table_rows()]
    st.dataframe(rows, hide_index=True, width="stretch", height="content")
    st.caption(words("coverage"))


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
