"""Which runs are compared, and the ways to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from wgan.config import ExperimentConfig
from wgan.lab.branches import MOST, SETUPS, quick_changes
from wgan.lab.registry import lab
from wgan.lab.run import Run
from wgan.limits import LimitError
from wgan.plots import LETTERS
from wgan.presets import PRESETS
from wgan.ui import binding, controls, people
from wgan.ui.words import sections

RUNS = "compare_runs"  # in the session: the ids, as they stand in the address
CURVES = "compare_first_curves"  # the same: those to begin with, where another page has chosen them

# Which runs -------------------------------------------------------------------------------------


def current() -> list[Run]:
    """The runs of `?runs=a,b`, else those that this tab compared last; others become a notice.

    A demonstration run of which this tab has made its own is followed by that one.
    """
    asked = st.query_params.get("runs")
    wanted = st.session_state.get(RUNS, []) if asked is None else asked.split(",")
    forked = st.session_state.get(binding.FORKED, {})
    stripped = (id.strip() for id in wanted)
    wanted = list(dict.fromkeys(forked.get(id, id) for id in stripped if id))
    found, gone, full = [], [], ""
    for id in wanted[:MOST]:
        try:
            run = lab().get(id)
        except LimitError as error:
            full = str(error)
            continue
        found, gone = ([*found, run], gone) if run else (found, [*gone, repr(id[:20])])
    if gone:
        one = len(gone) == 1
        there = "There is no run" if one else "There are no runs"
        binding.notice(f"{there} {', '.join(gone)} here, or no more.")
    elif full:
        binding.notice(full)
    elif len(wanted) > MOST:
        binding.notice(f"{MOST} runs fit beside each other; the others are left out.")
    show(found)
    return found


def show(runs: Sequence[Run]) -> None:
    """These runs are compared from now on, in this tab and by its address."""
    ids = [run.id for run in runs]
    st.session_state[RUNS] = ids
    query = {"runs": ",".join(ids)} if ids else {}
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def branch(
    run: Run, changes: Mapping[str, Any], step: int | None = None, *, playing: bool = True
) -> Run:
    """A branch that this tab owns. Raises `ConfigError`."""
    fork = partial(lab().fork, run.id, step=step, changes=changes, playing=playing)
    return people.owned(fork)


def change_label(name: str) -> str:
    """How a key of `quick_changes` is shown."""
    field, equals, value = name.partition("=")
    if not equals:
        lines = sections("compare")["recipes"].splitlines()
        return dict(line.split(": ", 1) for line in lines)[name]
    return f"{controls.label(field)}: {controls.option_label(field, value)}"


def _join(runs: Sequence[Run], make: Callable[[], Run]) -> None:
    """Callback: one more run beside these."""

    def add() -> None:
        show([*runs, make()])

    binding.attempt(add)


def _add_branch(runs: Sequence[Run]) -> None:
    run = dict(zip(LETTERS, runs, strict=False)).get(st.session_state["compare_of"])
    if run is None:  # a forged message: no list offers it
        return
    changes = quick_changes(run.config).get(st.session_state["compare_change"], {})
    _join(runs, lambda: branch(run, changes, playing=run.state == "playing"))


def _add_preset(runs: Sequence[Run]) -> None:
    if preset := PRESETS.get(st.session_state["compare_preset"]):
        _join(runs, lambda: binding.create(preset.config))


def set_up(runs: Sequence[Run], configs: Sequence[ExperimentConfig]) -> None:
    """Callback: new runs in the place of these; those of one's own make room for them."""
    made: list[Run] = []

    def create() -> None:
        at_home = lab().get(st.session_state.get(binding.RUN, ""))
        for run in (*runs, at_home):
            if run is not None and people.owns(run):
                lab().leave(run.id)
        for config in configs:
            made.append(binding.create(config))

    binding.attempt(create)
    show(made or runs)


def _take() -> None:
    def take() -> None:
        if run := lab().get(st.session_state.get(binding.RUN, "")):
            show([run])

    binding.attempt(take)


# The row of verbs -------------------------------------------------------------------------------


def empty() -> None:
    """What this page is for, and ways to begin."""
    words = sections("compare")
    st.markdown(words["intro"])
    st.markdown(words["empty"])
    left, middle, right = st.columns(3, gap="large")
    for place, name in ((left, "race"), (middle, "surfaces")):
        with place:
            st.markdown(f"**{SETUPS[name].title}**")
            st.caption(words[name])
            _set_up_button([], name, primary=name == "race")
    with right:
        st.markdown("**From the lab**")
        st.caption(words["take"])
        st.button(
            "Take the run of the lab",
            key="compare_take",
            icon=":material/science:",
            on_click=_take,
            disabled=not st.session_state.get(binding.RUN),
        )


def _set_up_button(runs: Sequence[Run], name: str, primary: bool = False) -> None:
    st.button(
        SETUPS[name].title,
        key=f"compare_{name}",
        icon={"race": ":material/flag:", "surfaces": ":material/landscape:"}[name],
        type="primary" if primary else "secondary",
        on_click=set_up,
        args=(runs, SETUPS[name].configs),
        help=sections("compare")[name],
    )


def verbs(runs: Sequence[Run]) -> None:
    """Play and pause all, start together, add one, and the ready sets."""
    own = [run for run in runs if people.may_control(run)]
    playing = any(run.state == "playing" for run in own)
    with st.container(key="verbs", horizontal=True, gap="small"):
        st.button(
            "Pause all" if playing else "Play all",
            key="compare_play",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            on_click=_all,
            args=(own, Run.pause if playing else Run.play),
            disabled=not own,
        )
        st.button(
            "Start together",
            key="compare_together",
            icon=":material/restart_alt:",
            on_click=_all,
            args=(own, Run.reset),
            # One that is still being made would begin where it comes from.
            disabled=not own or any(run.state == "loading" for run in own),
            help=sections("compare")["together"],
        )
        with st.popover("Add a run", icon=":material/add:", disabled=len(runs) >= MOST):
            _add_forms(runs)
        for name in SETUPS:
            _set_up_button(runs, name)


def _all(runs: Sequence[Run], verb: Callable[[Run], None]) -> None:
    for run in runs:
        if people.may_control(run):
            binding.act(run, verb)


def _add_forms(runs: Sequence[Run]) -> None:
    words = sections("compare")
    letters = list(LETTERS[: len(runs)])
    st.caption(words["branch"])
    chosen = st.segmented_control(
        "A branch of", letters, default=letters[0], required=True, key="compare_of"
    )
    run = runs[letters.index(chosen)]
    st.selectbox(
        "Change", list(quick_changes(run.config)), key="compare_change", format_func=change_label
    )
    st.button(
        "Add the branch",
        key="compare_add_branch",
        icon=":material/fork_right:",
        on_click=_add_branch,
        args=(runs,),
        disabled=run.frame.view is None,
        width="stretch",
    )
    st.divider()
    st.caption(words["preset"])
    st.selectbox(
        "A preset",
        list(PRESETS),
        key="compare_preset",
        format_func=lambda name: PRESETS[name].title,
    )
    st.button(
        "Add the preset",
        key="compare_add_preset",
        icon=":material/add:",
        on_click=_add_preset,
        args=(runs,),
        width="stretch",
    )
