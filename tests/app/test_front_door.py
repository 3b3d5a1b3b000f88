"""The bare address: one run for all who touch nothing, one's own with the first change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lab_app import POINTS, ROOT, LabApp, covers, wait_for
from streamlit.testing.v1 import AppTest

from wgan.presets import PRESETS
from wgan.runs.run import Run
from wgan.server.limits import Limits
from wgan.server.registry import lab
from wgan.ui import identity


@pytest.fixture(autouse=True)
def small_demonstration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wgan.server.registry.DEFAULT", "ring-gan")


@pytest.fixture
def visitor() -> LabApp:
    """Somebody at the bare address, whose run has begun."""
    app = LabApp(None)
    wait_for(lambda: app.run.frame.step > 0 and app.run.frame.metrics)
    app.redraw()
    return app


def press(key: str) -> Callable[[LabApp], None]:
    return lambda app: app.click(key)


def put(key: str, value: Any) -> Callable[[LabApp], None]:
    return lambda app: app.set(key, value)


def settled(run: Run) -> Run:
    """The run, once it has been made and what was asked of it is done."""
    wait_for(lambda: run.frame.version > 0 and run.state != "loading" and not run._loop._queue)
    return run


CHANGES: dict[str, tuple[Callable[[LabApp], None], Callable[[Run], bool]]] = {
    "pause": (press("play"), lambda run: run.state == "paused"),
    "step": (press("step_both"), lambda run: run.state == "paused"),
    "critic": (press("step_critic"), lambda run: [e.update for e in run.events] == ["critic"]),
    "reset": (press("reset"), lambda run: run.state == "playing"),
    "speed": (put("speed", "Slow motion"), lambda run: run.slow == 0.7),
    "cure": (press("cure"), lambda run: run.config.constraint == "gp"),
    "switch": (put("switch_objective", "lsgan"), lambda run: run.config.objective == "lsgan"),
    "setting": (put("set_lr_d", 0.1), lambda run: run.config.lr_d == 0.1),
}


def test_a_visitor_is_alone_as_far_as_they_can_see(visitor: LabApp):
    assert visitor.run.access.demonstration
    assert visitor.notices() == []
    assert not visitor.at.toast
    assert visitor.at.container(key="watching").caption == []
    for key in ("play", "reset", "speed", "cure", "switch_objective", "set_lr_d"):
        assert not visitor.widget(key).disabled, key


@pytest.mark.parametrize("name", CHANGES)
def test_the_first_change_makes_it_ones_own(visitor: LabApp, name: str):
    change, done = CHANGES[name]
    shared = visitor.run
    other = LabApp(None)
    assert other.run is shared
    change(visitor)
    own = visitor.run
    assert own is not shared
    assert own.frame.view is not None  # from the first moment
    wait_for(lambda: done(settled(own)))
    assert own.frame.step > 0 or name == "reset"
    visitor.redraw()
    assert visitor.run is own
    assert visitor.notices() == []
    assert not visitor.at.toast
    assert visitor.at.container(key="watching").caption == []
    assert not visitor.widget("play").disabled
    other.redraw()
    assert other.run is shared
    assert (shared.state, shared.events, shared.slow) == ("playing", (), None)
    assert shared.config == PRESETS["ring-gan"].config
    assert set(lab().ids()) == {shared.id, own.id}


def test_what_comes_next_changes_ones_own_too(visitor: LabApp):
    shared = visitor.run
    visitor.set("switch_objective", "lsgan")
    own = visitor.run
    visitor.set("switch_constraint", "r1")
    assert visitor.run is own
    wait_for(lambda: len(own.events) == 2)
    assert (own.config.objective, own.config.constraint) == ("lsgan", "r1")
    assert shared.events == ()


def test_a_second_click_that_speaks_of_the_page_before_changes_ones_own():
    def script(id: str) -> None:
        import streamlit as st

        from wgan.server.registry import lab
        from wgan.ui import binding

        shared = lab().get(id)
        assert shared is not None
        st.session_state[binding.RUN] = id
        for changes in ({"objective": "lsgan"}, {"constraint": "r1"}, {"lr": -1.0}):
            binding.change(shared, changes)
        st.text(st.session_state[binding.RUN])
        st.session_state[binding.RUN] = id  # back to it by the browser's history
        binding.change(shared, {"objective": "hinge"})
        st.text(st.session_state[binding.RUN])

    shared = lab().demonstration()
    at = AppTest.from_function(script, kwargs={"id": shared.id}, default_timeout=60).run()
    assert not at.exception, at.exception
    first, second = (lab().get(text.value) for text in at.text)
    assert first
    assert second
    assert (first.config.objective, first.config.constraint) == ("lsgan", "r1")
    assert second.config.objective == "hinge"
    assert len(lab().ids()) == 3


def test_a_refused_change_leaves_no_copy(visitor: LabApp):
    shared = visitor.run
    lab().limits = Limits(max_batch=512, autosave="off")
    visitor.set("set_batch_size", 1024)
    assert visitor.run is shared
    assert any("at most 512" in text for text in visitor.notices())
    assert lab().ids() == [shared.id]


def test_many_visitors_are_one_run_in_memory():
    apps = [LabApp(None) for _ in range(5)]
    assert len({app.id for app in apps}) == 1
    assert len(lab().ids()) == 1
    chosen = LabApp(None, preset="ring-lsgan")
    assert chosen.run.config == PRESETS["ring-lsgan"].config
    assert not chosen.run.access.demonstration


def test_an_address_that_is_gone_shows_the_shared_run():
    app = LabApp(None, run="nowhere1")
    assert app.run.access.demonstration
    other = LabApp(None, preset="nothing")
    assert other.run is app.run


@covers("make_own")
def test_a_teacher_makes_it_theirs_to_share_it(visitor: LabApp):
    shared = visitor.run
    visitor.open_tab("Classroom")
    assert not any(shared.id in code.value for code in visitor.at.code)
    visitor.click("make_own")
    own = settled(visitor.run)
    assert own is not shared
    visitor.redraw()
    assert any(f"?run={own.id}" in code.value for code in visitor.at.code)
    assert visitor.has("room_open")
    student = LabApp(None, run=own.id)
    assert student.widget("play").disabled
    assert own.frame.step > 0


def test_on_the_page_compare_it_becomes_ones_own_too(visitor: LabApp):
    shared = visitor.run
    app = AppTest.from_file(str(ROOT / "pages/compare.py"))
    app.query_params["runs"] = shared.id
    app.run(timeout=60)
    assert not app.exception, app.exception
    app.button(key="compare_play").click()
    app.run(timeout=60)
    assert not app.exception, app.exception
    (id,) = app.query_params["runs"].split(",")
    own = lab().get(id)
    assert own is not None
    assert own is not shared
    wait_for(lambda: own.state == "paused")
    assert shared.state == "playing"


# A full server -----------------------------------------------------------------------------------


def full_page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / LabApp.script), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def test_a_full_server_lists_ones_own_runs_to_close(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(identity, "visitor", lambda: "me")
    lab().limits = Limits(max_runs_per_visitor=2, autosave="off")
    mine = [lab().create(POINTS, visitor="me", secret="x") for _ in range(2)]
    other = lab().create(POINTS, visitor="other", secret="y")
    at = full_page(preset="ring-lsgan")
    assert not at.exception, at.exception
    assert "2 runs open" in at.warning[0].value
    closing = [str(button.key) for button in at.button if button.label == "Close"]
    assert closing == [f"close_{run.id}" for run in mine]
    at.button(key=closing[0]).click().run()
    assert not at.exception, at.exception
    assert lab().get(mine[0].id) is None
    assert lab().get(other.id) is other
    run = lab().get(at.query_params["run"])  # there was room for it
    assert run is not None
    assert run.config == PRESETS["ring-lsgan"].config


def test_the_tab_of_ones_own_runs_opens_and_closes_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(identity, "visitor", lambda: "me")
    config = PRESETS["ring-wgan-gp"].config
    other = lab().create(config, playing=False, visitor="me", secret="x")
    lab().create(POINTS, playing=False, visitor="somebody", secret="y")
    app = LabApp(None)
    app.open_tab("My runs")
    said = [text.value.replace("\\", "") for text in app.at.markdown]
    assert not any(text.endswith("on this page**") for text in said)  # that run is nobody's
    app.set("switch_objective", "lsgan")
    wait_for(lambda: "loading" not in (app.run.state, other.state))
    app.redraw()
    said = [text.value.replace("\\", "") for text in app.at.markdown]
    assert "Ring of 8 · WGAN-GP, step 0, paused" in said
    (here,) = (text for text in said if text.endswith("· **on this page**"))
    assert "LSGAN on Ring of 8 Gaussians, step " in here
    limits = "You have 2 of the 4 runs that a visitor may have; the server has 4 of 128 in memory."
    assert limits in [caption.value for caption in app.at.caption]
    app.click(f"close_{other.id}")
    assert lab().get(other.id) is None


def test_a_full_server_still_shows_the_shared_run(monkeypatch: pytest.MonkeyPatch):
    lab().limits = Limits(max_runs=1, autosave="off")
    lab().create(POINTS, secret="y")
    at = full_page(preset="ring-lsgan")
    assert "full, with 1 runs" in at.warning[0].value
    assert not any(button.label == "Close" for button in at.button)
    at.button(key="watch_demonstration").click().run()
    assert not at.exception, at.exception
    run = lab().get(at.query_params["run"])
    assert run is not None
    assert run.access.demonstration
    assert not full_page().warning


def test_nobody_closes_a_run_of_another():
    def script(id: str) -> None:
        from wgan.ui import own_runs

        own_runs.close(id)

    run = lab().create(POINTS, visitor="other", secret="y")
    AppTest.from_function(script, kwargs={"id": run.id}).run()
    assert lab().get(run.id) is run


def test_runs_are_made_with_the_address_of_their_visitor(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(identity, "address", lambda: "192.0.2.1")
    app = LabApp(None, preset="ring-lsgan")
    assert lab()._slots[app.id].address == "192.0.2.1"
    app = LabApp(None)
    app.set("switch_objective", "lsgan")
    assert lab()._slots[app.id].address == "192.0.2.1"
