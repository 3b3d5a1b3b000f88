"""The panels of the page Compare, one a run, with what streams in them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from wgan.config import ExperimentConfig
from wgan.data import title
from wgan.live.compare import HEIGHT, names
from wgan.live.parts import channel
from wgan.plots import COLORS, LETTERS
from wgan.runs.branches import differences
from wgan.runs.run import Run
from wgan.ui import binding, compare, identity, live, shell
from wgan.ui.words import plain


def panels(runs: Sequence[Run]) -> None:
    """One column a run, with its name, how it differs from the first, and its own buttons."""
    configs = [run.config for run in runs]
    for slot, (column, run) in enumerate(zip(st.columns(max(2, len(runs))), runs, strict=False)):
        with column, st.container(key=f"panel_{slot}", gap="xsmall"):
            _heading(slot, names(configs)[slot])
            _buttons(slot, run, runs)
            live.part(channel("status", run), key=f"panel_status_{slot}", height=22)
            live.part(channel("meter", run), key=f"panel_meter_{slot}", height=120, small=True)
            live.part(
                channel("compare_samples", *runs, slot=slot),
                key=f"panel_samples_{slot}",
                height=HEIGHT,
            )
            # Last: it may take several lines, and all above stands at the same height everywhere.
            st.caption(plain(_difference(slot, configs)))


def curves(runs: Sequence[Run], chosen: Sequence[str], by: str, smoothing: int) -> None:
    """The chosen curves of all runs over each other."""
    live.part(
        channel("overlays", *runs, names=",".join(chosen), by=by, smoothing=smoothing),
        key="overlays",
        height=HEIGHT if chosen else 0,
    )


def _heading(slot: int, name: str) -> None:
    chip = (
        f'<b style="background:{COLORS[slot]};color:white;border-radius:.3rem;'
        f'padding:.05rem .45rem;margin-right:.4rem">{LETTERS[slot]}</b>'
    )
    style = "font-weight:600;white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
    st.html(f'<div style="{style}" title="{name}">{chip}{name}</div>')


def _difference(slot: int, configs: Sequence[ExperimentConfig]) -> str:
    if slot == 0:
        return f"{title(configs[0].data)}, seed {configs[0].seed}"
    return differences(configs[0], configs[slot]) or "no setting differs from A"


def _buttons(slot: int, run: Run, runs: Sequence[Run]) -> None:
    playing = run.state in ("playing", "loading")
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Pause" if playing else "Play",
            key=f"panel_play_{slot}",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            on_click=binding.act,
            args=(run, Run.pause if playing else Run.play),
            disabled=run.state == "loading" or not identity.may_control(run),
        )
        if st.button("Lab", key=f"panel_open_{slot}", icon=":material/science:"):
            shell.go_to("lab.py", {"run": run.id})
        st.button(
            "",
            key=f"panel_remove_{slot}",
            icon=":material/close:",
            on_click=compare.show,
            args=([other for other in runs if other is not run],),
            disabled=len(runs) == 1,  # no page stands empty
            help="Removes it from this page; the run itself is kept.",
        )
