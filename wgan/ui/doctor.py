"""The doctor's line on the lab page: what ails the run, and buttons that try the remedies.

The line has one height, whatever it says, so that nothing below it moves. What is found is computed
once a frame and shared by all viewers; the live fragment renews the words, and has the page drawn
again when other alarms, and so other buttons, are due.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from wgan.doctor import Alarm, diagnose
from wgan.lab.frame import Frame
from wgan.lab.run import Run
from wgan.ui import binding, people

_RED = "#d62728"
# Two lines at most, in a box that is always two lines high.
_LINE = (
    "display:flex;align-items:center;height:2.6rem;font-size:.9rem;line-height:1.3;"
    "font-variant-numeric:tabular-nums"
)
_CLAMP = "display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden"
# On a phone there is room for one button: the other is in what it opens too.
_NARROW = "<style>@media (max-width: 640px) { .st-key-doctor_try { display: none } }</style>"


@dataclass(frozen=True)
class Card:
    """Which alarms the page was drawn for, and what the fragment fills while there are any."""

    names: tuple[str, ...]
    line: DeltaGenerator | None = None
    details: DeltaGenerator | None = None


def findings(frame: Frame) -> tuple[Alarm, ...]:
    """The frame's alarms, computed once for all who read it."""
    return frame.once("alarms", lambda: diagnose(frame))


def names(frame: Frame) -> tuple[str, ...]:
    """The names of the alarms: while they stay, so do the buttons."""
    return tuple(alarm.name for alarm in findings(frame))


def card(run: Run, healthy: str) -> Card:
    """The line with its buttons. healthy: one sentence to show while there is no alarm."""
    alarms = findings(run.frame)
    with st.container(key="doctor", horizontal=True, vertical_alignment="center", gap="small"):
        line = st.container(key="doctor_line", width="stretch")
        if not alarms:
            line.html(_quiet(healthy))
            return Card(())
        st.html(_NARROW)
        line.container()  # the fragment may only fill what was written to
        if alarms[0].changes:
            _button(run, alarms[0], "doctor_try")
        label = "Why" if len(alarms) == 1 else f"{len(alarms)} alarms"
        with st.popover(label, key="doctor_why", icon=":material/stethoscope:"):
            details = st.container(key="doctor_details")
            details.container()
            tried: list[Mapping[str, Any]] = [{}]
            for alarm in alarms:  # two alarms may have the same remedy
                if alarm.changes not in tried:
                    _button(run, alarm, f"try_{alarm.name}")
                    tried.append(alarm.changes)
    return Card(tuple(alarm.name for alarm in alarms), line, details)


def _button(run: Run, alarm: Alarm, key: str) -> None:
    st.button(
        f"Try: {alarm.button}",
        key=key,
        icon=":material/healing:",
        on_click=binding.act,
        args=(run, _try, run, alarm.changes),
        disabled=not people.may_control(run),
        help=f"{alarm.remedy} {binding.what_changes(run, alarm.changes)}",
    )


def _try(run: Run, changes: Mapping[str, Any]) -> None:
    """Applies a remedy; a run that had stopped goes on with it."""
    run.apply(changes)
    if run.state == "failed":
        run.play()


def fill(card: Card, frame: Frame) -> None:
    """The words of this frame, whose alarms are those of the card."""
    alarms = findings(frame)
    if alarms and card.line is not None and card.details is not None:
        with card.line:
            st.html(_line(alarms[0]))
        with card.details:
            st.html("".join(map(_paragraph, alarms)))


def _line(alarm: Alarm) -> str:
    title, evidence = escape(alarm.title), escape(alarm.evidence)
    return (
        f'<div role="status" style="{_LINE}"><span style="{_CLAMP}" title="{evidence}">'
        f'<span style="color:{_RED}" aria-label="Alarm">▲</span> <b>{title}.</b> {evidence}'
        "</span></div>"
    )


def _quiet(text: str) -> str:
    inner = f'<span style="{_CLAMP};opacity:.7">{escape(text)}</span>'
    return f'<div role="status" style="{_LINE}">{inner}</div>'


def _paragraph(alarm: Alarm) -> str:
    title, evidence, remedy = map(escape, (alarm.title, alarm.evidence, alarm.remedy))
    return (
        '<p style="font-size:.9rem;font-variant-numeric:tabular-nums">'
        f'<span style="color:{_RED}">▲</span> <b>{title}.</b> {evidence} {remedy}</p>'
    )
