"""Below the lab's slider: go on from the step that is looked at, or branch from it."""

from __future__ import annotations

import streamlit as st

from wgan.runs.branches import quick_changes
from wgan.runs.run import Run
from wgan.ui import binding, compare, identity, lookback, shell
from wgan.ui.words import sections


def row(run: Run) -> None:
    """Always there, so that what is below is not mounted anew when the slider moves."""
    past = lookback.looked_back_at(run)
    ready = run.frame.view is not None
    with st.container(key="branch_row", horizontal=True, gap="small"):
        if past is not None and ready:
            step = run.replay_plan(past.step).step
            st.button(
                f"Go on from step {step:,}" + ("" if step == past.step else ", the nearest kept"),
                key="go_back",
                icon=":material/history:",
                on_click=_go_back,
                args=(run, past.step),
                disabled=not identity.may_control(run),
                help=sections("compare")["back"],
            )
        label = "Branch with a change"
        if past is not None and ready:
            label = f"Branch from step {step:,} with a change"
        with st.popover(label, icon=":material/fork_right:", disabled=not ready):
            _form(run, None if past is None or not ready else past.step)


def _go_back(run: Run, step: int) -> None:
    def go(own: Run) -> None:
        own.go_back(step)
        lookback.return_to_present(run)

    binding.act(run, go)


def _form(run: Run, step: int | None) -> None:
    st.caption(sections("compare")["branch_lab"])
    config = run.config if step is None else run.replay_plan(step).config
    name = st.selectbox(
        "Change",
        list(quick_changes(config)),
        key="branch_change",
        format_func=compare.change_label,
    )
    if st.button(
        "Branch and compare",
        key="branch",
        type="primary",
        icon=":material/compare:",
        width="stretch",
    ):
        made: list[Run] = []
        changes = quick_changes(config)[name]
        binding.attempt(lambda: made.append(compare.branch(run, changes, step)))
        if not made:
            st.rerun()  # the page says why
        shell.go_to("compare.py", {"runs": f"{run.id},{made[0].id}"})
