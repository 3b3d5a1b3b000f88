"""Play, single updates, slow motion, reset, preset and seed, in one row."""

from __future__ import annotations

import streamlit as st

from wgan import data
from wgan.config import span
from wgan.presets import PRESETS
from wgan.runs.run import Run
from wgan.ui import binding, identity
from wgan.ui.own_runs import preset_named, preset_of

# Seconds a stage of slow motion stays on screen; None is full speed.
SPEEDS = {"Full speed": None, "Slow motion": 0.7, "Very slow": 2.0}


def run_bar(run: Run) -> None:
    """The row of the run's verbs. A preset and a seed start a new run."""
    playing = run.state in ("playing", "loading")
    watching = not identity.may_control(run)
    st.button(
        "Pause" if playing else "Play",
        key="play",
        icon=":material/pause:" if playing else ":material/play_arrow:",
        on_click=binding.act,
        args=(run, Run.pause if playing else Run.play),
        disabled=watching or (run.state == "loading" and run.frame.view is None),
        width=100,
        help="Training runs on the server, not in this page.",
    )
    with st.popover(
        "Step", icon=":material/skip_next:", help="One update, then pause.", disabled=watching
    ):
        for which, words in {
            "both": "One whole step",
            "critic": "Critic only",
            "generator": "Generator only",
        }.items():
            st.button(
                words,
                key=f"step_{which}",
                on_click=binding.act,
                args=(run, Run.update, which),
                width="stretch",
                disabled=watching,
            )
    st.button(
        "Reset",
        key="reset",
        icon=":material/restart_alt:",
        on_click=binding.act,
        args=(run, Run.reset),
        disabled=watching,
        help="From step 0 again, with the settings on screen.",
    )
    _speed(run)
    _preset(run)
    _seed(run)


def _speed(run: Run) -> None:
    names = list(SPEEDS)
    value = next((name for name, pause in SPEEDS.items() if pause == run.slow), "Slow motion")
    key = binding.widget_key("speed", value)

    def set_speed() -> None:
        name = st.session_state[key]  # a forged message may say what the list does not offer
        if name in SPEEDS and binding.is_shown(key):
            binding.act(run, Run.slow_down, SPEEDS[name])

    st.selectbox(
        "Speed",
        names,
        index=names.index(value),
        key=key,
        on_change=set_speed,
        disabled=not identity.may_control(run),
        label_visibility="collapsed",
        width=130,
    )


def about(run: Run) -> str:
    """One sentence on what to watch for in this run; once it is changed, on what it began as."""
    if name := preset_of(run):
        return PRESETS[name].about
    began = preset_named(run.first_config)
    return f"Began as “{PRESETS[began].title}”." if began else data.about(run.config.data)


def _preset(run: Run) -> None:
    names = list(PRESETS)
    value = preset_of(run)
    key = binding.widget_key("preset", value)

    def choose() -> None:
        name = st.session_state[key]
        # A page that comes back may speak of a widget as changed that nobody touched.
        if name in PRESETS and name != value and binding.is_shown(key):
            binding.start(PRESETS[name].config)

    st.selectbox(
        "Preset (starts a new run)",
        names,
        index=None if value is None else names.index(value),
        key=key,
        on_change=choose,
        format_func=lambda name: PRESETS[name].title,
        placeholder=_instead(run),
        label_visibility="collapsed",
        width=260,
    )


def _instead(run: Run) -> str:
    """What stands in the place of a preset's title."""
    return {
        "points": "Your drawing",
        "folder": "Your own images",
    }.get(run.config.data, "Changed · choose a preset")


def _seed(run: Run) -> None:
    key = binding.widget_key("seed", run.config.seed)

    def choose() -> None:
        seed = st.session_state[key]
        if seed != run.config.seed and binding.is_shown(key):
            binding.restart(run, {"seed": seed})

    limits = span("seed")
    st.number_input(
        "Seed (starts a new run)",
        int(limits.low),
        int(limits.high),
        value=run.config.seed,
        key=key,
        on_change=choose,
        label_visibility="collapsed",
        width=130,
        icon=":material/casino:",
    )
