"""A run and the people around it: links, a QR code, handing over the controls, polls."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from html import escape

import segno
import streamlit as st

from wgan.live.parts import channel
from wgan.runs.access import MAX_ANSWERS, MAX_WORDS, AccessError, Poll
from wgan.runs.run import Run
from wgan.ui import binding, identity, live
from wgan.ui.words import plain, sections

_POLL = "poll"  # the anchor that the hint leads to
_QUESTION = "poll_question"
_ANSWERS = [f"poll_answer_{number}" for number in range(MAX_ANSWERS)]


def watching(run: Run) -> None:
    """Whose run it is, where that is not plain, and for others the way to a run of their own."""
    words = sections("classroom")
    # Always there, so that what is below is not mounted anew when the controls change hands.
    with st.container(horizontal=True, vertical_alignment="center", key="watching"):
        if identity.owns(run):
            if run.access.open:
                st.caption(":material/groups: " + words["handed_over"])
            return
        if run.access.demonstration:
            return  # it becomes the visitor's own as soon as that makes a difference
        icon, told = ("groups", "room_open") if run.access.open else ("visibility", "watching")
        if binding.successor(run) is not None:
            st.caption(":material/arrow_forward: " + words["gone_on"])
            st.button(
                "Go along",
                key="go_along",
                type="primary",
                icon=":material/arrow_forward:",
                on_click=binding.go_along,
                args=(run,),
            )
            return
        st.caption(f":material/{icon}: {words[told]}")
        _fork(run, "fork_watched", "Make a copy of my own")


def classroom(run: Run) -> None:
    """The tab: for everybody the link, for the owner the rest."""
    words = sections("classroom")
    if run.access.demonstration:
        st.markdown("**Share a run**")
        st.caption(words["demonstration"])
        st.button(
            "Make this run mine, to share it",
            key="make_own",
            icon=":material/groups:",
            on_click=binding.make_own,
            args=(run,),
        )
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Share this run**")
        st.caption(words["share"])
        st.code(identity.link(run), language=None, wrap_lines=True)
        if identity.link_is_local():
            st.warning(words["local"], icon=":material/phonelink_off:")
        st.image(_qr(identity.link(run)), width=220, alt="QR code of the link")
        if not identity.owns(run):
            _fork(run, "fork", "Make a copy of my own")
    with right:
        if not identity.owns(run):
            st.caption(words["room_open" if run.access.open else "watching"])
            return
        st.toggle(
            "Hand the controls to the room",
            value=run.access.open,
            key=(key := binding.widget_key("room_open", run.access.open)),
            on_change=_set,
            args=(run, "open", key),
            help=words["open"],
        )
        st.toggle(
            "Lock data uploads",
            value=run.access.locked,
            key=(key := binding.widget_key("room_locked", run.access.locked)),
            on_change=_set,
            args=(run, "locked", key),
            help=words["lock"],
        )
        _poll_tab(run)
        with st.expander("The owner's link"):
            st.caption(words["owner"])
            st.code(identity.link(run, identity.secret_of(run)), language=None, wrap_lines=True)


def _set(run: Run, what: str, key: str) -> None:
    """Callback of a toggle: the owner alone decides over the room."""
    if identity.owns(run) and binding.is_shown(key):
        setattr(run.access, what, st.session_state[key])


def _fork(run: Run, key: str, label: str) -> None:
    st.button(
        label,
        key=key,
        icon=":material/fork_right:",
        on_click=binding.fork,
        args=(run,),
        disabled=run.frame.view is None,
        help=sections("classroom")["fork"],
    )


@lru_cache(maxsize=64)
def _qr(address: str) -> str:
    """A QR code as a data URI: dark on white, whatever the theme, as cameras need it."""
    return segno.make(address, error="m").png_data_uri(scale=6, border=3)


# Polls ------------------------------------------------------------------------------------------


def _poll_tab(run: Run) -> None:
    """While a poll is there its votes, so that they are in sight where it was asked."""
    st.markdown("**A poll**")
    if (asked := run.access.poll) is None:
        _poll_form(run)
        return
    st.caption(sections("classroom")["asked"])
    st.markdown(f"**{plain(asked.question)}**")
    live.part(channel("votes", run), key="votes_room")
    _poll_buttons(run, asked, "_room")


def _poll_form(run: Run) -> None:
    st.caption(sections("classroom")["poll"])
    with st.form("poll", border=False):
        st.text_input(
            "Question",
            key=_QUESTION,
            max_chars=MAX_WORDS,
            placeholder="What happens when I switch to WGAN-GP?",
        )
        columns = st.columns(2)
        for number, key in enumerate(_ANSWERS):
            columns[number % 2].text_input(f"Answer {number + 1}", key=key, max_chars=MAX_WORDS)
        st.form_submit_button("Ask the room", icon=":material/ballot:", on_click=_ask, args=(run,))


def _ask(run: Run) -> None:
    """Callback of the form: the owner asks; what was asked leaves the form, a refusal stays."""
    if not identity.owns(run):
        return
    given = st.session_state
    try:
        run.access.ask(given[_QUESTION], [given[key] for key in _ANSWERS])
    except AccessError as error:
        binding.notice(str(error))
        return
    for key in (_QUESTION, *_ANSWERS):
        given[key] = ""
    st.toast("The poll is open on everybody's page.", icon=":material/ballot:")


def poll_hint(run: Run) -> None:
    """Leads to the open poll, on a phone, where it is below the samples."""
    asked, mine = run.access.poll, run.access.voted(identity.visitor())
    with st.container(key="poll_hint"):  # always there: nothing below is mounted anew
        st.empty()
        if asked is not None and not asked.closed and mine is None:
            st.html(f'<a href="#{_POLL}">Poll: {escape(asked.question)} <b>Vote ↓</b></a>')


def poll(run: Run) -> None:
    """The poll that is going on, wherever the page is; nothing when there is none."""
    with st.container(key="poll_place"):  # always there: nothing below is mounted anew
        st.empty()
        if (asked := run.access.poll) is not None:
            _poll(run, asked)


def _poll(run: Run, asked: Poll) -> None:
    """The question, the answers to choose from, and the votes as they come."""
    mine = run.access.voted(identity.visitor())
    with st.container(border=True, key="poll_box"):
        st.html(f'<span id="{_POLL}"></span>')
        st.markdown(f"**{plain(asked.question)}**")
        with st.container(horizontal=True, gap="small"):
            for number, answer in enumerate(asked.answers):
                st.button(
                    plain(answer),
                    key=f"vote_{number}",
                    on_click=_vote,
                    args=(run, number, asked.question),
                    disabled=mine is not None or asked.closed,
                    icon=":material/check:" if mine == number else None,
                )
        live.part(channel("votes", run), key="votes")
        if mine is not None:
            st.caption("Your vote is counted.")
        if identity.owns(run):
            _poll_buttons(run, asked)


def _poll_buttons(run: Run, asked: Poll, where: str = "") -> None:
    """The owner's: no more votes; no more poll."""
    with st.container(horizontal=True, gap="small"):
        if not asked.closed:
            st.button(
                "Close the poll",
                key=f"poll_close{where}",
                on_click=_as_owner,
                args=(run, run.access.close_poll),
            )
        st.button(
            "Remove the poll",
            key=f"poll_end{where}",
            on_click=_as_owner,
            args=(run, run.access.end_poll),
        )


def _as_owner(run: Run, change: Callable[[], None]) -> None:
    """Callback: the run may have changed hands since the button was drawn."""
    if identity.owns(run):
        change()


def _vote(run: Run, number: int, question: str) -> None:
    asked = run.access.poll
    if asked is None or asked.question != question:
        return  # the owner has asked something else meanwhile
    try:
        run.access.vote(identity.visitor(), number)
    except AccessError as error:
        st.toast(str(error))
