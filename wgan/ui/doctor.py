"""The line of alarms on the lab page: what ails the run, and buttons that try the remedies.

The line has one height, whatever it says, so that nothing below it moves. Its words are live; when
other alarms, and so other buttons, are due, the page is drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from wgan.diagnostics.doctor import Alarm
from wgan.live.lab import alarms
from wgan.live.parts import channel
from wgan.runs.run import Run
from wgan.ui import binding, identity, live
from wgan.ui.words import plain


def line(run: Run, healthy: str) -> None:
    """The line with its buttons. healthy: one sentence to show while there is no alarm."""
    found = alarms(run.frame)
    with st.container(key="doctor", horizontal=True, vertical_alignment="center", gap="small"):
        if not found:
            st.caption(plain(healthy))
            return
        with st.container(width="stretch"):
            live.part(channel("alarm", run), key="doctor_line", height=42)
        if found[0].changes:
            _button(run, found[0], "doctor_try")
        label = "Why" if len(found) == 1 else f"{len(found)} alarms"
        with st.popover(label, key="doctor_why", icon=":material/stethoscope:"):
            live.part(channel("alarms", run), key="doctor_details")
            tried: list[Mapping[str, Any]] = [{}]
            for alarm in found:  # two alarms may have the same remedy
                if alarm.changes not in tried:
                    _button(run, alarm, f"try_{alarm.name}")
                    tried.append(alarm.changes)


def _button(run: Run, alarm: Alarm, key: str) -> None:
    st.button(
        f"Try: {alarm.button}",
        key=key,
        icon=":material/healing:",
        on_click=binding.act,
        args=(run, _try, alarm.changes),
        disabled=not identity.may_control(run),
        help=f"{alarm.remedy} {binding.what_changes(run, alarm.changes)}",
    )


def _try(run: Run, changes: Mapping[str, Any]) -> None:
    """Applies a remedy; a run that had stopped goes on with it."""
    run.apply(changes)
    if run.state == "failed":
        run.play()
