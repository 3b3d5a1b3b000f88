"""Which runs are compared, and the ways to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from wgan.comparisons import COMPARISONS, comparison_of
from wgan.config import ConfigError, ExperimentConfig
from wgan.live.parts import channel
from wgan.plots import LETTERS, OVERLAYS
from wgan.presets import PRESETS, collapse, cure
from wgan.runs.branches import MOST, quick_changes
from wgan.runs.run import Run
from wgan.server.limits import LimitError
from wgan.server.registry import lab
from wgan.ui import binding, controls, identity, live
from wgan.ui.own_runs import own_runs, told
from wgan.ui.words import sections

RUNS = "compare_runs"  # in the session: the ids, as they stand in the address
CURVES = "compare_curves"  # the widget that chooses them: a set has some that show it best

# Which runs -------------------------------------------------------------------------------------


def current() -> list[Run]:
    """The runs of `?runs=a,b`, else those that this tab compared last, else a first set.

    Those that are gone become a notice. A demonstration run of which this tab has made its own is
    followed by that one.
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
        binding.notice(f"{there} {', '.join(gone)} here, or it is gone.")
    elif full:
        binding.notice(full)
    elif len(wanted) > MOST:
        binding.notice(f"{MOST} runs fit side by side; the others are left out.")
    found = found or _first()
    show(found)
    return found


def _first() -> list[Run]:
    """What the page begins with: the lab's run and a branch of it, where it is this tab's own, else
    a GAN and a WGAN-GP that visitors share."""
    run = lab().peek(st.session_state.get(binding.RUN, ""))
    try:
        if run is None or run.frame.view is None or not identity.owns(run):
            return lab().demonstration_pair()
        cured = (run.config.objective, run.config.constraint) == ("wgan", "gp")
        changes = collapse(run.config) if cured else cure(run.config)
        return [run, branch(run, changes, playing=run.state == "playing")]
    except ConfigError as error:  # a server that is full is one
        binding.notice(str(error))
        return [run] if run is not None and identity.owns(run) else []


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
    return identity.owned(fork)


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
            if run is not None and identity.owns(run):
                lab().leave(run.id)
        for config in configs:
            made.append(binding.create(config))

    binding.attempt(create)
    show(made or runs)


def _add_own(runs: Sequence[Run]) -> None:
    id = st.session_state["compare_own"]
    if run := next((run for run in own_runs() if run.id == id), None):
        show([*runs, run])


# The row of verbs -------------------------------------------------------------------------------


def verbs(runs: Sequence[Run]) -> None:
    """Play and pause all, start together, add one."""
    own = [run for run in runs if identity.may_control(run)]
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
        with st.popover("Add a run", icon=":material/add:", disabled=not 0 < len(runs) < MOST):
            if runs:
                _add_forms(runs)


def ready(runs: Sequence[Run]) -> None:
    """The ready comparisons, a click each, and what is found of the one on screen."""
    titles = {name: text.partition("\n")[0] for name, text in sections("comparisons").items()}
    shown = comparison_of(tuple(run.first_config for run in runs))
    key = binding.widget_key("compare_ready", shown)

    def choose() -> None:
        name = st.session_state[key]
        if name in COMPARISONS and name != shown and binding.is_shown(key):
            set_up(runs, COMPARISONS[name].configs)
            figures = [figure for figure in COMPARISONS[name].figures if figure in OVERLAYS]
            st.session_state[CURVES] = figures

    st.pills(
        "Ready comparisons",
        list(titles),
        default=shown,
        format_func=titles.__getitem__,
        key=key,
        on_change=choose,
        help=sections("compare")["ready"],
    )
    live.part(channel("finding", *runs), key="finding")


def _all(runs: Sequence[Run], verb: Callable[[Run], None]) -> None:
    for run in runs:
        if identity.may_control(run):
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
    others = {run.id: run for run in own_runs() if run not in runs}
    if not others:
        return
    st.divider()
    st.caption(words["own"])
    st.selectbox(
        "A run of your own",
        list(others),
        key="compare_own",
        format_func=lambda id: told(others[id]),
    )
    st.button(
        "Add the run",
        key="compare_add_own",
        icon=":material/science:",
        on_click=_add_own,
        args=(runs,),
        width="stretch",
    )
