"""One run, many watchers: who may change it, whatever is sent; polls; a copy of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import live_parts
import pytest
from lab_app import IMAGES, POINTS, LabApp, covers, wait_for
from streamlit.testing.v1 import AppTest

from wgan.runs.access import Access, AccessError
from wgan.server.registry import lab

SECRET = "the owner's own"


@pytest.fixture
def owner() -> LabApp:
    """The owner's page on a paused run."""
    return LabApp(POINTS, secret=SECRET, owner=SECRET)


@pytest.fixture
def watcher(owner: LabApp) -> LabApp:
    """Another tab, which came by the shared link."""
    return LabApp(None, run=owner.id)


def told(app: LabApp) -> str:
    """What the line above the meter says of whose run it is."""
    return " ".join(caption.value for caption in app.at.container(key="watching").caption)


def hint(app: LabApp) -> str:
    """The line that leads to an open poll."""
    found = app.at.container(key="poll_hint").get("html")
    return re.sub("<.*?>", "", found[0].proto.body) if found else ""


def enabled(app: LabApp, key: str) -> Any:
    """The widget as if it were not disabled: what is sent to the websocket by hand."""
    widget = app.widget(key)
    widget.proto.disabled = widget.disabled = False
    return widget


def press(key: str) -> Callable[[LabApp], None]:
    def send(app: LabApp) -> None:
        enabled(app, key).click()
        app.redraw()

    return send


def test_all_controls_of_a_watcher_are_seen_to_be_off(owner: LabApp, watcher: LabApp):
    for key in ("play", "reset", "speed", "collapse", "switch_objective", "set_lr_d"):
        assert watcher.widget(key).disabled, key
        assert not owner.widget(key).disabled, key


@pytest.mark.parametrize("sent", ["", "wrong", SECRET + "x", SECRET.upper(), "'; drop", "ä" * 500])
def test_a_wrong_secret_in_the_address_opens_nothing(owner: LabApp, sent: str):
    other = LabApp(None, run=owner.id, owner=sent)
    assert other.widget("play").disabled
    press("play")(other)
    assert owner.run.state == "paused"


def test_a_wrong_owners_link_is_said_to_be_wrong(owner: LabApp):
    other = LabApp(None)
    other.at.query_params["run"], other.at.query_params["owner"] = owner.id, "wrong"
    other.redraw()
    assert any("not the link of this run's owner" in text for text in other.notices())
    assert "owner" not in other.at.query_params
    other.run.pause()


def test_the_owners_link_works_elsewhere_and_leaves_the_address(owner: LabApp):
    other = LabApp(None, run=owner.id, owner=SECRET)
    assert "owner" not in other.at.query_params
    assert not other.widget("play").disabled
    other.open_tab("Classroom")
    shown = [code.value for code in other.at.code]
    assert any(SECRET in link for link in shown), "the owner's own link, for the owner"


def test_the_secret_is_nowhere_on_a_watchers_page(watcher: LabApp):
    for tab in ("Classroom", "Share and repeat"):
        watcher.open_tab(tab)
        assert SECRET not in str(watcher.at._tree)
        assert not any(SECRET in code.value for code in watcher.at.code)


def test_who_makes_a_run_owns_it():
    app = LabApp(None, preset="ring-gan")
    wait_for(lambda: app.run.state == "playing")
    app.redraw()
    assert not app.widget("play").disabled
    other = LabApp(None, run=app.id)
    assert other.widget("play").disabled
    app.run.pause()


@covers("room_open")
def test_the_owner_hands_the_controls_over_and_takes_them_back(owner: LabApp, watcher: LabApp):
    owner.open_tab("Classroom")
    owner.set("room_open", True)
    assert "belongs to someone else" in told(watcher)
    watcher.redraw()
    assert "changes the run for everybody" in told(watcher)
    assert "everybody who watches can change" in told(owner)
    assert not watcher.widget("switch_objective").disabled
    watcher.set("switch_objective", "lsgan")
    assert owner.run.config.objective == "lsgan"
    owner.redraw()
    owner.set("room_open", False)
    assert told(owner) == ""
    watcher.set("switch_objective", "gan")  # drawn while it was still allowed
    assert owner.run.config.objective == "lsgan"
    assert any("Only its owner" in text for text in watcher.notices())


def test_a_watcher_has_no_switches_of_the_room(watcher: LabApp):
    watcher.open_tab("Classroom")
    for key in ("room_open", "room_locked", "poll_question"):
        assert not watcher.has(key)


@covers("room_locked")
def test_locked_uploads_are_locked_for_watchers_only(owner: LabApp, watcher: LabApp):
    owner.open_tab("Classroom")
    owner.set("room_locked", True)
    watcher.open_tab("Your own data")
    assert not watcher.has("upload_images")
    watcher.open_tab("Share and repeat")
    assert watcher.widget("upload_config").disabled
    enabled(watcher, "upload_config").upload("mine.json", POINTS.to_json().encode())
    watcher.redraw()
    assert watcher.id == owner.id
    owner.open_tab("Your own data")
    assert owner.has("upload_images")
    owner.open_tab("Share and repeat")
    before = owner.id
    owner.widget("upload_config").upload("mine.json", POINTS.to_json().encode())
    owner.redraw()
    assert owner.id != before  # the same file, with the right to bring it


# Polls.


@covers("poll_question", "poll_answer", "vote", "poll_close", "poll_end")
@covers("poll_close_room", "poll_end_room")
@covers("FormSubmitter:poll-Ask the room")
def test_a_poll_from_question_to_result(owner: LabApp, watcher: LabApp):
    owner.open_tab("Classroom")
    owner.widget("poll_question").set_value("What happens with GP?")
    for number, answer in enumerate(("It heals", "It gets *worse*")):
        owner.widget(f"poll_answer_{number}").set_value(answer)
    (ask,) = (button for button in owner.at.button if button.label == "Ask the room")
    ask.click()
    owner.redraw()
    assert not owner.has("poll_question")  # in its place the votes
    assert owner.has("poll_close_room")
    watcher.redraw()
    assert hint(watcher) == "Poll: What happens with GP? Vote ↓"
    watcher.click("vote_1")
    assert not hint(watcher)
    assert owner.run.access.poll.votes == (0, 1)  # pyright: ignore
    assert watcher.widget("vote_0").disabled
    press("vote_0")(watcher)  # sent all the same
    assert owner.run.access.poll.votes == (0, 1)  # pyright: ignore
    third = LabApp(None, run=owner.id)
    third.click("vote_0")
    owner.redraw()
    assert owner.run.access.poll.votes == (1, 1)  # pyright: ignore
    assert not watcher.has("poll_close")
    owner.click("poll_close")
    press("vote_0")(LabApp(None, run=owner.id))
    assert owner.run.access.poll.votes == (1, 1)  # pyright: ignore
    assert not owner.has("poll_close_room")
    owner.click("poll_end_room")
    assert owner.has("poll_question")
    owner.run.access.ask("Again?", ["yes", "no"])
    owner.redraw()
    owner.click("poll_close_room")
    assert owner.run.access.poll.closed  # pyright: ignore
    owner.click("poll_end")
    watcher.redraw()
    assert not watcher.has("vote_0")


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("", ["a", "b"]),
        ("  ", ["a", "b"]),
        ("q", ["a"]),
        ("q", ["a", " "]),
        ("q", ["a", "a"]),
        ("q", list("abcde")),
        ("q" * 121, ["a", "b"]),
    ],
)
def test_a_poll_that_is_none_is_refused(question: str, answers: list[str]):
    room = Access("x")
    with pytest.raises(AccessError):
        room.ask(question, answers)
    assert room.poll is None


def test_a_room_comes_back_from_disk():
    room = Access(SECRET)
    room.open = room.locked = True
    assert SECRET not in str(room.to_dict())
    again = Access.from_dict(room.to_dict())
    assert (again.open, again.locked) == (True, True)
    assert again.is_owner(SECRET)
    assert not again.is_owner("other")


# A copy of one's own.


@covers("fork", "fork_watched")
@pytest.mark.parametrize("config", [POINTS, IMAGES], ids=["points", "images"])
def test_a_fork_goes_on_from_here_and_is_ones_own(config: Any):
    owner = LabApp(config, secret=SECRET, owner=SECRET)
    owner.step()
    owner.set("switch_objective", "lsgan")
    owner.step()
    watcher = LabApp(None, run=owner.id)
    for app in (owner, watcher):
        app.open_tab("Classroom")
        assert app.has("fork") == (app is watcher)
    watcher.click("fork_watched")
    assert watcher.id != owner.id
    fork, run = watcher.run, owner.run
    wait_for(lambda: fork.state != "loading")
    fork.pause()
    wait_for(lambda: not fork.active)
    watcher.redraw()
    assert not watcher.widget("reset").disabled
    assert fork.frame.step >= 2
    assert fork.config == run.config
    assert fork.first_config == run.first_config
    assert fork.events[: len(run.events)] == run.events
    watcher.set("switch_objective", "gan")
    assert run.config.objective == "lsgan"
    assert len(lab().ids()) == 2


# What a browser hands back after a reload.


def _hand_back(found: object, run_id: str) -> bool:
    """Whether a fresh tab owns the run after its browser has sent this."""

    def script(found: object, run_id: str) -> None:
        import streamlit as st

        from wgan.server.registry import lab
        from wgan.ui import browser_storage, identity

        browser_storage.take(found)
        run = lab().get(run_id)
        st.text(str(run is not None and identity.owns(run)))

    at = AppTest.from_function(script, kwargs={"found": found, "run_id": run_id}).run()
    assert not at.exception, at.exception
    return at.text[0].value == "True"


def test_a_reload_gives_the_run_back_and_nothing_else_does(owner: LabApp):
    id = owner.id
    assert _hand_back({id: SECRET}, id)
    wrong: list[object] = [
        None, [], "x", {}, {id: "guess"}, {id: None}, {id: [SECRET]}, {"other": SECRET},
        {id: "\ud800"}, {1: SECRET}, {"": SECRET},
        {f"{n}": SECRET for n in range(200)} | {id: SECRET},
    ]  # fmt: skip
    for found in wrong:
        assert not _hand_back(found, id), found


def test_watchers_go_along_when_the_owner_begins_another_run(owner: LabApp, watcher: LabApp):
    first = owner.id
    owner.run.access.ask("Which?", ["This", "That"])
    owner.run.access.vote("somebody", 1)
    owner.run.access.open = True
    drawn = watcher.mounted("wgan-page")["channel"]
    owner.set("preset", "ring-wgan-gp")
    assert owner.id != first
    assert live_parts.state(drawn)["changed"]  # which has the watcher's page drawn again
    watcher.redraw()
    assert watcher.id == owner.id
    room = watcher.run.access
    assert room.open
    assert room.poll is not None
    assert room.poll.votes == (0, 1)
    wait_for(lambda: watcher.run.frame.state != "loading")
    watcher.redraw()
    assert watcher.widget("play").disabled is False  # the room has the controls, as before
    late = LabApp(None, run=first)  # by the link of old
    assert late.id == first
    assert "gone on" in told(late)
    late.click("go_along")
    assert late.id == owner.id
    owner.at.query_params["run"] = first
    owner.redraw()
    assert owner.id == first  # the owner may look at the old one


def test_a_run_without_its_successor_is_watched_as_before(owner: LabApp, watcher: LabApp):
    owner.run.access.successor = "gone"
    watcher.redraw()
    assert watcher.id == owner.id
    assert not watcher.has("go_along")
