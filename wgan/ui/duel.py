"""The duel page: which pairs, their cells as they run, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from wgan.config import ExperimentConfig
from wgan.data import title
from wgan.live.duel import made
from wgan.live.parts import channel
from wgan.server.duel import Duel, Key, duels
from wgan.studies.cells import METHODS, cell, rows_for
from wgan.ui import identity, live
from wgan.ui.words import sections

DATA = ("digits", "ring8", "grid25")
STEPS = (50, 100, 200, 400, 800, 1600)
FIRST_STEPS = 200
# What is chosen at first, with all methods: rows that differ within so few steps.
FIRST_ROWS = ("mlp", "deep")
# What the page opens with, shared by all visitors: data, rows, methods, and steps that show both
# the collapse and the ten digits.
SHARED = ("digits", ("mlp",), ("gan", "gp"), 400)
CELL = 260  # pixels that a cell takes before it is there
ID, NOTICE = "duel_id", "duel_notice"


def current_duel() -> Duel:
    """The duel of the address, or of this tab; before the first one that which all share."""
    wanted = st.query_params.get("duel") or st.session_state.get(ID)
    if wanted and (duel := duels().get(wanted)) is not None:
        _show(duel)
        return duel
    if wanted:
        st.session_state.pop(ID, None)
        st.query_params.clear()
        st.session_state[NOTICE] = "That duel is not in memory any more; start a new one."
    data, rows, methods, steps = SHARED
    return duels().shared(_cells(data, rows, methods), steps, {"data": data})


def _cells(data: str, rows: Sequence[str], methods: Sequence[str]) -> dict[Key, ExperimentConfig]:
    return {(row, method): cell(row, method, data, 0) for row in rows for method in methods}


def _show(duel: Duel) -> None:
    st.session_state[ID] = duel.id
    if st.query_params.to_dict() != {"duel": duel.id}:
        st.query_params.from_dict({"duel": duel.id})


def chooser(duel: Duel) -> None:
    """The form of rows, methods, data and length, with its button."""
    words = sections("duel")
    running = duel.current is not None
    with st.container(key="duel_form"):
        left, middle, right = st.columns([2, 5, 4], gap="medium")
        with left:
            data = st.selectbox("Data", DATA, format_func=title, key="duel_data")
        choices = rows_for(data)
        with middle:  # not pills: those that do not fit in one line would be out of sight
            picked = st.multiselect(
                "Architectures",
                list(choices),
                default=FIRST_ROWS,
                format_func=lambda name: choices[name].title,
                key=f"duel_rows_{data}",
                help=words["rows"],
            )
        with right:
            chosen = st.pills(
                "Methods",
                list(METHODS),
                selection_mode="multi",
                default=list(METHODS),
                format_func=lambda name: METHODS[name].title,
                key="duel_methods",
                help=words["methods"],
            )
        # In their own order, however they were chosen.
        rows = tuple(row for row in choices if row in picked)
        methods = tuple(method for method in METHODS if method in chosen)
        left, right = st.columns([7, 4], gap="medium", vertical_alignment="bottom")
        with left:
            steps = st.select_slider(
                "Generator steps of each cell",
                STEPS,
                value=FIRST_STEPS,
                key="duel_steps",
                format_func=lambda n: f"{n:,}",
                help=words["steps"],
            )
        count = len(rows) * len(methods)
        with right, st.container(horizontal=True, gap="small"):
            st.button(
                f"Start {count} runs" if count else "Choose a row and a method",
                key="duel_start",
                type="secondary" if running else "primary",
                icon=":material/swords:",
                disabled=not count,
                on_click=_start,
                args=(data, rows, methods, steps),
            )
            if running and duel.visitor == identity.visitor():
                st.button("Stop", key="duel_stop", icon=":material/stop:", on_click=duel.stop)


def _start(data: str, rows: tuple[str, ...], methods: tuple[str, ...], steps: int) -> None:
    """Callback: a new duel of this visitor, in place of an old one."""
    cells = _cells(data, rows, methods)
    _show(duels().start(cells, steps, visitor=identity.visitor(), about={"data": data}))


def grid(duel: Duel) -> None:
    """All cells, as they are: those that are through, the current one, and those that wait."""
    rows = list(dict.fromkeys(row for row, _ in duel.cells))
    methods = list(dict.fromkeys(method for _, method in duel.cells))
    choices = rows_for(duel.about["data"])
    live.page(channel("page", duel=duel.id), made(duel))
    live.part(channel("duel", id=duel.id), key="duel_summary", height=24)
    shape = [2, *[3] * len(methods)]
    with st.container(key="duel_heads"):
        for place, method in zip(st.columns(shape)[1:], methods, strict=True):
            place.markdown(f"**{METHODS[method].title}**")
    for row in rows:
        first, *places = st.columns(shape)
        first.markdown(f"**{choices[row].title}**")
        for place, method in zip(places, methods, strict=True):
            with place:
                name = channel("duel", id=duel.id, row=row, method=method)
                live.part(name, key=f"duel_{row}_{method}", height=CELL)
    st.caption(sections("duel")["legend"])
