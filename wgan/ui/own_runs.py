"""The runs of a visitor: what each is called, and a list of them to open and close."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import streamlit as st

from wgan.config import ExperimentConfig
from wgan.data import title
from wgan.labels import method_of
from wgan.presets import PRESETS
from wgan.runs.run import Run
from wgan.server.registry import lab
from wgan.ui import identity
from wgan.ui.words import plain, sections


def own_runs() -> list[Run]:
    """The runs in memory that are this visitor's."""
    return lab().runs_of(identity.visitor(), identity.keys())


def told(run: Run) -> str:
    """A run in a list: `Ring of 8 · WGAN-GP, step 1,234, paused`."""
    name = preset_of(run)
    what = PRESETS[name].title if name else f"{method_of(run.config)} on {title(run.config.data)}"
    return f"{what}, step {run.steps:,}, {run.state}"


def preset_of(run: Run) -> str | None:
    """The preset that the run is; a changed one is none, though its settings may be another's."""
    # A change that was asked for is logged before the next step: until then only the config tells.
    asked = run.config != run.first_config
    changed = asked or any(event.kind == "change" for event in run.events)
    return None if changed else preset_named(run.config)


@lru_cache(256)
def preset_named(config: ExperimentConfig) -> str | None:
    """The preset that a config is, whatever its seed."""
    seedless = config.replace({"seed": 0})
    return next((name for name in PRESETS if PRESETS[name].config == seedless), None)


def listed(runs: Sequence[Run], here: Run | None = None) -> None:
    """A row a run, with its buttons. here: the run that this page shows."""
    for run in runs:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if run is not here:
                st.link_button("Open", identity.link(run), icon=":material/open_in_new:")
                st.button(
                    "Close",
                    key=f"close_{run.id}",
                    icon=":material/close:",
                    on_click=close,
                    args=(run.id,),
                )
            st.markdown(plain(told(run)) + (" · **on this page**" if run is here else ""))


def close(id: str) -> None:
    """Callback: asked again whether it is theirs, where it is done."""
    if any(run.id == id for run in own_runs()):
        lab().close(id)
        identity.keys().pop(id, None)


def my_runs(run: Run) -> None:
    """The tab: this visitor's runs, and how many fit."""
    st.caption(sections("classroom")["my_runs"])
    if runs := own_runs():
        listed(runs, here=run)
    else:
        st.markdown(sections("classroom")["no_runs"])
    st.caption(room_left())


def room_left() -> str:
    """How many runs fit, of this visitor and in all."""
    most, own, there = lab().limits, len(own_runs()), len(lab().ids())
    return (
        f"You have {own} of the {most.max_runs_per_visitor} runs that a visitor may have; the "
        f"server has {there} of {most.max_runs} in memory."
    )
