"""Between a browser tab and its run: found by the URL, changed through callbacks, never by sharing.

The run is the source of truth. Before a widget is drawn its state is set to the run's value; when
a person moves it, a callback asks the run for the change; a refusal becomes a notice and the
widget shows the old value again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from wgan.config import ConfigError, ExperimentConfig
from wgan.lab.registry import lab
from wgan.lab.run import Run
from wgan.presets import DEFAULT, PRESETS

RUN, NOTICE = "run_id", "notice"


def current_run() -> Run:
    """The run of this tab: the one in the URL, else the tab's last one, else a new one.

    A new one is the preset `?preset=` or the default; an id or a preset that does not exist
    becomes a notice.
    """
    wanted = st.query_params.get("run") or st.session_state.get(RUN)
    run = lab().get(wanted) if wanted else None
    if run is None:
        if wanted:
            notice(f"The run {wanted[:20]!r} is not in memory any more; this is a new one.")
        run = lab().create(_first_config())
    _show(run)
    return run


def _first_config() -> ExperimentConfig:
    name = st.query_params.get("preset", DEFAULT)
    if name not in PRESETS:
        notice(f"There is no preset {name[:40]!r}; this is {DEFAULT}. See the list above.")
        name = DEFAULT
    return PRESETS[name].config


def _show(run: Run) -> None:
    st.session_state[RUN] = run.id
    if st.query_params.to_dict() != {"run": run.id}:
        st.query_params.from_dict({"run": run.id})


def start(config: ExperimentConfig) -> None:
    """Leaves the run of this tab for a new one of this config."""
    if old := st.session_state.get(RUN):
        lab().leave(old)
    _show(lab().create(config))


def notice(text: str) -> None:
    """One sentence that the next drawing of the page shows."""
    st.session_state[NOTICE] = text


def pop_notice() -> str | None:
    return st.session_state.pop(NOTICE, None)


def attempt(action: Callable[[], Any]) -> None:
    """Does what a person asked for; a refusal becomes a notice and the run goes on."""
    try:
        action()
    except ConfigError as error:
        notice(str(error))


def change(run: Run, changes: Mapping[str, Any]) -> None:
    """Callback: changes live fields of the run."""
    attempt(lambda: run.apply(changes))


def restart(run: Run, changes: Mapping[str, Any]) -> None:
    """Callback: a new run with these changes to the settings on screen."""
    attempt(lambda: start(run.config.replace(changes)))
