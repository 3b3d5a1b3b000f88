"""Between a browser tab and its run: found by the URL, changed through callbacks, never by sharing.

The run is the source of truth. A widget is drawn with the run's value; when a person moves it, a
callback asks the run for the change; a refusal becomes a notice and the widget shows the old value
again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from wgan.config import ConfigError, ExperimentConfig, replace_live
from wgan.presets import DEFAULT, PRESETS
from wgan.runs.branches import differences
from wgan.runs.run import Run
from wgan.server.limits import LimitError
from wgan.server.registry import lab
from wgan.ui import full, identity

RUN, KEYS = "run_id", "widget_keys"
FORKED = "forked"  # what became of demonstration runs in this tab: {their id: the fork's}
STAYS = "stays"  # the run that this tab opened when its owner had gone on already
NOTICE, SHOWN = "notice", "notice_shown"  # to be shown, and on the page


def current_run() -> Run:
    """The run of this tab: the one in the URL, else the tab's last one, else a first one.

    That is a new run of `?preset=`, or the demonstration run; an id or a preset that does not exist
    becomes a notice.
    """
    wanted = st.query_params.get("run") or st.session_state.get(RUN)
    try:
        run = lab().get(wanted) if wanted else None
        if run is None:
            if wanted:
                notice(f"{lab().why_missing(wanted).rstrip('.')}; this is another one.")
            run = _first_run()
    except LimitError as error:
        full.page(error, watch=lambda: _show(lab().demonstration()))
    if not identity.take_owners_link(run) and not identity.owns(run):
        notice("This is not the link of this run's owner; you are watching it.")
    if (newest := successor(run)) is not None:
        # Who was watching goes along with the owner; who opened the link of old is asked.
        if st.session_state.get(RUN) == run.id != st.session_state.get(STAYS):
            run = newest
            st.toast("The owner has started another run; here it is.", icon=":material/groups:")
        else:
            st.session_state[STAYS] = run.id
    _show(run)
    return run


def successor(run: Run) -> Run | None:
    """The run that the owner of this one has gone on to, for others; None where there is none."""
    found, seen = None, {run.id}
    while not identity.owns(run) and (id := run.access.successor) and id not in seen:
        seen.add(id)
        try:
            newer = lab().get(id)
        except LimitError:
            break
        if newer is None:
            break
        found = run = newer
    return found


def go_along(run: Run) -> None:
    """Callback: to the run that the owner of this one has gone on to."""
    if (newest := successor(run)) is not None:
        _show(newest)


def _first_run() -> Run:
    name = st.query_params.get("preset")
    if name in PRESETS:
        return create(PRESETS[name].config)
    if name is not None:
        notice(f"There is no preset {name[:40]!r}; this is {DEFAULT}. See the list above.")
    return lab().demonstration()


def create(config: ExperimentConfig) -> Run:
    """A run that this tab owns. Raises `ConfigError`."""
    return identity.owned(partial(lab().create, config))


def _show(run: Run) -> None:
    st.session_state[RUN] = run.id
    if st.query_params.to_dict() != {"run": run.id}:
        st.query_params.from_dict({"run": run.id})


def start(config: ExperimentConfig, source: str = "") -> None:
    """Callback: leaves the run of this tab for a new one of this config, where there is room.

    source: the file that the config came in; a refusal names it.
    """

    def leave() -> None:
        new = create(config)
        old = lab().get(st.session_state.get(RUN, ""))
        if old is not None and identity.owns(old):
            old.access.hand_over(new.access, new.id)
            lab().leave(old.id)
        _show(new)
        st.toast("A new run starts; the other one is left.", icon=":material/add:")

    attempt(leave, source)


def fork(run: Run) -> None:
    """Callback: a run of this tab's own that goes on from where `run` is."""

    def copy() -> None:
        _show(identity.owned(partial(lab().fork, run.id)))
        st.toast("This is a copy of your own; the other run goes on.", icon=":material/fork_right:")

    attempt(copy)


def widget_key(name: str, value: Any, options: Sequence[Any] = ()) -> str:
    """The key for a widget that shows `value`, which may change elsewhere too.

    A browser repeats the state of all its widgets in every message. Were a widget's state set from
    here, a message already on its way would still carry the old value, which would be taken for a
    person's wish and undo the change. So a widget whose value (or list of options) was changed
    elsewhere comes back under another key, with `value` as its default.
    """
    drawn = st.session_state.setdefault(KEYS, {})  # name -> (key, how often renewed, options)
    options = tuple(options)
    key, count, before = drawn.get(name, (name, 0, options))
    if options != before or not _same(st.session_state.get(key, value), value):
        count += 1
        key = f"{name}-{count}"
    drawn[name] = (key, count, options)
    return key


def is_shown(key: str) -> bool:
    """For the callback of a widget with a `widget_key`: whether the page still has it.

    A message that was on its way while its widget came back under another key speaks of the value
    that was changed elsewhere since; Streamlit calls the callback of the old one all the same.
    """
    return any(key == shown for shown, _, _ in st.session_state[KEYS].values())


def _same(one: Any, other: Any) -> bool:
    """Equal; of several choices the order does not count."""
    if isinstance(one, list) and isinstance(other, list):
        return sorted(one) == sorted(other)
    return one == other


def notice(text: str) -> None:
    """One sentence that the next drawing of the page shows."""
    st.session_state[NOTICE] = text


def pop_notice() -> str | None:
    """The sentence to show now, which nobody else shows any more."""
    st.session_state[SHOWN] = st.session_state.pop(NOTICE, None)
    return st.session_state[SHOWN]


def keep_notice() -> None:
    """Callback of what has the page drawn once more though nobody did anything."""
    if text := st.session_state.get(SHOWN):
        st.session_state.setdefault(NOTICE, text)


def attempt(action: Callable[[], Any], source: str = "") -> None:
    """Does what a person asked for; a refusal becomes a notice and the run goes on.

    source: a file that it came from, which the notice names.
    """
    try:
        action()
    except ConfigError as error:
        notice(f"{source}: {error}" if source else str(error))


def act(run: Run, action: Callable[..., Any], *arguments: Any) -> None:
    """Callback: does `action(run, *arguments)`, if this tab may.

    Asked here, where it is done: a browser can send whatever it likes, and a disabled button is
    no lock. What is asked of a demonstration run is done to a fork, the tab's own from then on.
    """
    if not identity.may_control(run):
        notice("Only its owner changes this run; make a copy of your own to try things.")
    elif run.access.demonstration:
        attempt(lambda: _own(run, lambda own: action(own, *arguments)))
    else:
        attempt(lambda: action(run, *arguments))


def make_own(run: Run) -> None:
    """Callback: a demonstration run becomes this tab's own, as it is."""
    act(run, lambda own: None)


def _own(demonstration: Run, action: Callable[[Run], Any]) -> None:
    """Does something to the fork of a demonstration run; a refusal leaves none. Raises it."""
    forked = st.session_state.setdefault(FORKED, {})
    id = forked.get(demonstration.id, "")
    # Two quick clicks: the second still speaks of the page that the first has left.
    if id and st.session_state.get(RUN) == id and (own := lab().get(id)) is not None:
        action(own)
        return
    own = identity.owned(partial(lab().fork, demonstration.id))
    try:
        action(own)
    except ConfigError:
        lab().close(own.id)
        raise
    forked[demonstration.id] = own.id
    _show(own)


def change(run: Run, changes: Mapping[str, Any]) -> None:
    """Callback: changes live fields of the run."""
    act(run, Run.apply, changes)


def restart(run: Run, changes: Mapping[str, Any]) -> None:
    """Callback: a new run with these changes to the settings on screen."""
    attempt(lambda: start(run.config.replace(changes)))


def what_changes(run: Run, changes: Mapping[str, Any]) -> str:
    """All that a button with these live changes does, for its help: more than its name says.

    Where the run would refuse them, why.
    """
    try:
        return f"It changes {differences(run.config, replace_live(run.config, changes))}."
    except ConfigError as error:
        return str(error)
