"""The duel page: which pairs, their cells as they run, and what they came to."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from wgan.config import ExperimentConfig
from wgan.data import title
from wgan.figures import ALARM, GENERATED, HEALTHY, data_uri
from wgan.figures.meter import three
from wgan.lab.duel import Duel, Key, Outcome, duels
from wgan.lab.frame import Frame, ImageView, Measures, PointView
from wgan.studies.cells import METHODS, cell, rows_for
from wgan.ui import pace, people
from wgan.ui.words import sections
from wgan.zoo.pictures import picture

DATA = ("digits", "ring8", "grid25")
STEPS = (50, 100, 200, 400, 800, 1600)
FIRST_STEPS = 200
# What is chosen at first, with all methods: rows that differ within so few steps.
FIRST_ROWS = ("mlp", "deep")
ID, NOTICE = "duel_id", "duel_notice"

STYLE = f"""<style>
.wgan-cell {{ font-variant-numeric: tabular-nums; line-height: 1.25; border-radius: .5rem;
  border: 2px solid color-mix(in srgb, currentColor 18%, transparent); padding: .4rem; }}
.wgan-cell.best {{ border-color: {HEALTHY}; }}
.wgan-cell.worst {{ border: 2px dashed {ALARM}; }}
.wgan-cell.now {{ border-color: {GENERATED}; }}
.wgan-cell img, .wgan-cell .blank {{ display: block; width: 100%; aspect-ratio: 1;
  max-height: 12rem; border-radius: .3rem; object-fit: contain; }}
.wgan-cell img {{ background: #fff; }}
.wgan-cell img.pixels {{ image-rendering: pixelated; background: none; }}
.wgan-cell .blank {{ display: grid; place-items: center; opacity: .6; font-size: .9rem;
  background: color-mix(in srgb, currentColor 6%, transparent); }}
.wgan-cell .row {{ display: none; font-size: .85rem; opacity: .8; }}
.wgan-cell .modes {{ min-height: 1.7rem; margin-top: .25rem;
  display: flex; justify-content: space-between; align-items: baseline; }}
.wgan-cell b {{ font-size: 1.25rem; }}
.wgan-cell .word {{ font-size: .85rem; font-weight: 600; }}
.wgan-cell .best-word {{ color: {HEALTHY}; }}
.wgan-cell .worst-word {{ color: {ALARM}; }}
.wgan-cell small {{ display: block; opacity: .8; font-size: .85rem; min-height: 1.25em; }}
.wgan-cell .bar {{ height: .3rem; border-radius: .15rem; margin: .35rem 0;
  background: color-mix(in srgb, currentColor 12%, transparent); }}
.wgan-cell .bar i {{ display: block; height: 100%; border-radius: .15rem;
  background: {GENERATED}; }}
@media (max-width: 640px) {{ .wgan-cell .row {{ display: block; }}
  .st-key-duel_heads {{ display: none; }} }}
</style>"""


def current_duel() -> Duel | None:
    """The duel of the address, or of this tab; None before the first one."""
    wanted = st.query_params.get("duel") or st.session_state.get(ID)
    duel = duels().get(wanted) if wanted else None
    if wanted and duel is None:
        st.session_state.pop(ID, None)
        st.query_params.clear()
        st.session_state[NOTICE] = "That duel is not in memory any more; start a new one."
    if duel is not None:
        _show(duel)
    return duel


def _show(duel: Duel) -> None:
    st.session_state[ID] = duel.id
    if st.query_params.to_dict() != {"duel": duel.id}:
        st.query_params.from_dict({"duel": duel.id})


def chooser(duel: Duel | None) -> None:
    """The form of rows, methods, data and length, with its button."""
    words = sections("duel")
    running = duel is not None and duel.current is not None
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
            if duel is not None and running and duel.visitor == people.visitor():
                st.button("Stop", key="duel_stop", icon=":material/stop:", on_click=duel.stop)


def _start(data: str, rows: tuple[str, ...], methods: tuple[str, ...], steps: int) -> None:
    """Callback: a new duel of this visitor, in place of an old one."""
    cells: dict[Key, ExperimentConfig] = {
        (row, method): cell(row, method, data, 0) for row in rows for method in methods
    }
    _show(duels().start(cells, steps, visitor=people.visitor(), about={"data": data}))


def grid(duel: Duel) -> None:
    """All cells: those that are through as they are, the current one live."""
    rows = list(dict.fromkeys(row for row, _ in duel.cells))
    methods = list(dict.fromkeys(method for _, method in duel.cells))
    choices = rows_for(duel.about["data"])
    outcomes, (best, worst), now = duel.outcomes, duel.extremes(), duel.current
    marks: dict[Key, str] = {}
    if now is None:  # before the last cell is through there is nothing to single out
        marks = dict.fromkeys(best, "best") | dict.fromkeys(worst, "worst")
    st.html(STYLE + f'<div role="status">{_summary(duel)}</div>')
    shape = [2, *[3] * len(methods)]
    with st.container(key="duel_heads"):
        for place, method in zip(st.columns(shape)[1:], methods, strict=True):
            place.markdown(f"**{METHODS[method].title}**")
    for row in rows:
        first, *places = st.columns(shape)
        first.markdown(f"**{choices[row].title}**")
        for place, method in zip(places, methods, strict=True):
            key, name = (row, method), f"{choices[row].title}, {METHODS[method].title}"
            with place:
                if key == now:
                    _live_cell(duel, name)
                elif key in outcomes:
                    st.html(_done(outcomes[key], name, marks.get(key, "")))
                else:
                    words = "not run" if duel.stopped else "waits"
                    st.html(_cell("", name, _blank(words), "", ""))
    st.caption(sections("duel")["legend"])


def _summary(duel: Duel) -> str:
    done = sum(not outcome.cut for outcome in duel.outcomes.values())
    total = len(duel.cells)
    data = html.escape(title(duel.about["data"]))
    words = f"<b>{done} of {total} runs</b> · {data} · {duel.steps:,} generator steps each"
    if duel.stopped and done < total:
        words += " · stopped"
    return words


def _live_cell(duel: Duel, name: str) -> None:
    beat = pace.beat()
    st.fragment(_live, run_every=beat.pace)(duel, name, duel.state, beat)


def _live(duel: Duel, name: str, drawn: object, beat: pace.Beat) -> None:
    duel.tend()
    if duel.state != drawn or beat.outlived:
        st.rerun()
    run = duel.run
    frame = run.frame if run is not None else None
    if duel.message:
        st.html(_cell("now", name, _blank("waits for room"), "", duel.message))
    elif frame is None or frame.view is None:
        words = frame.message if frame is not None else ""
        st.html(_cell("now", name, _blank("begins"), "", words or "Preparing"))
    else:
        st.html(frame.once("duel", lambda: _training(frame, duel.steps, name)))


def _training(frame: Frame, steps: int, name: str) -> str:
    assert frame.view is not None
    share = min(1.0, frame.step / steps)
    note = f"step {frame.step:,} of {steps:,}" + _figures(
        frame.steps_per_second, frame.measures, frame.view
    )
    bar = f'<div class="bar"><i style="width:{share:.0%}"></i></div>'
    return _cell("now", name, _image(frame.view, name) + bar, _modes(frame.measures), note)


def _done(outcome: Outcome, name: str, mark: str) -> str:
    image = _image(outcome.view, name) if outcome.view is not None else _blank("no samples")
    note = f"{outcome.message} Step {outcome.steps:,}" if outcome.message else ""
    note += _figures(outcome.steps_per_second, outcome.measures, outcome.view)
    return _cell(mark, name, image, _modes(outcome.measures), note)


def _figures(pace: float, measures: Measures | None, view: PointView | ImageView | None) -> str:
    """What stands small below a cell, each after a dot."""
    found = []
    if pace:
        found.append(f"{three(pace)} steps/s")
    if measures is not None and measures.w1 is not None:
        found.append(f"W1 {three(measures.w1)}")
    if isinstance(view, PointView) and (np.abs(view.fake) > view.extent).any(1).mean() > 0.5:
        found.append("most samples lie outside the picture")
    return "".join(f" · {one}" for one in found)


def _image(view: PointView | ImageView, name: str) -> str:
    kind = ' class="pixels"' if isinstance(view, ImageView) else ""
    return f'<img{kind} src="{data_uri(picture(view))}" alt="Samples: {html.escape(name)}">'


def _blank(words: str) -> str:
    return f'<div class="blank">{words}</div>'


def _modes(measures: Measures | None) -> str:
    if measures is None or measures.modes is None:
        return ""
    return f"<b>{measures.modes} / {measures.modes_total}</b> modes"


def _cell(mark: str, name: str, image: str, modes: str, note: str) -> str:
    word = f'<span class="word {mark}-word">{mark}</span>' if mark in ("best", "worst") else ""
    return (
        f'<div class="wgan-cell {mark}"><div class="row">{html.escape(name)}</div>{image}'
        f'<div class="modes"><span>{modes}</span>{word}</div>'
        f"<small>{html.escape(note.removeprefix(' · '))}</small></div>"
    )
