"""The run that visitors of one minute share, and that becomes one's own with the first change."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.test_lab import threads, until
from tests.test_record import same, train
from wgan import cli
from wgan.persistence import run_files
from wgan.presets import DEFAULT, PRESETS, cure
from wgan.runs.run import Run
from wgan.server.demonstration import COMPARED, MOST, YOUNG
from wgan.server.limits import LimitError, Limits
from wgan.server.registry import Lab
from wgan.server.scheduler import Scheduler


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lab(clock: Clock) -> Iterator[Lab]:
    lab = Lab(Limits(max_runs=4, max_runs_per_visitor=3, max_runs_per_address=2, autosave="off"))
    lab._demonstrations._clock = clock
    yield lab
    for id in lab.ids():
        lab.close(id)
    until(lambda: not threads())


def begun(run: Run) -> Run:
    until(lambda: run.state == "playing" and run.frame.step > 0)
    return run


def alone(run: Run) -> bool:
    """Whether the run is what it would be if nobody had ever come: the same bits, an empty log."""
    record = run.copy_state().result(timeout=20)
    reference = Run("reference", run.first_config)
    reference.prepare()
    train(reference, record.trainer["steps"])
    return record.events == () and same(reference._loop.trainer.state_dict(), record.trainer)


def test_who_comes_within_the_same_minute_gets_the_same_run(lab: Lab, clock: Clock):
    first = begun(lab.demonstration())
    assert first.config == PRESETS[DEFAULT].config
    clock.now += YOUNG - 1
    assert all(lab.demonstration() is first for _ in range(29))
    assert lab.ids() == [first.id]
    clock.now += 2
    later = lab.demonstration()
    assert later is not first
    assert lab.ids() == [first.id, later.id]


def test_it_is_ready_before_the_first_visitor_and_waits_for_them(
    lab: Lab, clock: Clock, make_config: Any
):
    run = lab.demonstration(watched=False)
    until(lambda: run.frame.state == "playing")
    own = lab.create(make_config())
    until(lambda: lab.get(own.id) and own.frame.step > 0)  # that one had its turns meanwhile
    clock.now += 10 * YOUNG
    assert lab.demonstration(watched=False) is run
    assert (run._loop.trainer.steps, run.frame.view is None) == (0, False)
    assert lab.demonstration() is run
    begun(run)
    clock.now += YOUNG - 1
    assert lab.demonstration() is run
    clock.now += 2
    assert lab.demonstration() is not run


def test_a_pair_begins_together_and_is_shared_as_one(lab: Lab, clock: Clock):
    lab._pairs._clock = clock
    pair = lab.demonstration_pair()
    assert [run.config for run in pair] == [PRESETS[name].config for name in COMPARED]
    assert lab.demonstration() not in pair
    for run in pair:
        begun(run)
    clock.now += YOUNG - 1
    assert lab.demonstration_pair() == pair
    lab.close(pair[1].id)  # half a pair is none
    assert not set(lab.demonstration_pair()) & set(pair)


def test_its_minute_begins_when_it_has_loaded(
    lab: Lab, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    gate, prepare = threading.Event(), Run.prepare
    monkeypatch.setattr(Run, "prepare", lambda run: gate.wait(20) and prepare(run))
    run = lab.demonstration()
    clock.now += YOUNG - 1
    assert lab.demonstration() is run
    gate.set()
    begun(run)
    clock.now += YOUNG - 1
    assert lab.demonstration() is run


def test_a_failed_one_is_given_to_nobody(lab: Lab):
    run = begun(lab.demonstration())
    run.fail_with(RuntimeError("It broke."))
    assert lab.demonstration() is not run


VERBS: dict[str, tuple[Callable[[Run], Any], Callable[[Run], bool]]] = {
    "change": (lambda run: run.apply(cure(run.config)), lambda run: run.config.constraint == "gp"),
    "pause": (Run.pause, lambda run: run.state == "paused"),
    "update": (
        lambda run: run.update("critic"),
        lambda run: [e.update for e in run.events] == ["critic"],
    ),
    "reset": (Run.reset, lambda run: run.state == "playing" and run.seconds < 0.5),
    "slow": (lambda run: run.slow_down(0.7), lambda run: run.slow == 0.7),
    "back": (lambda run: run.go_back(0), lambda run: [e.kind for e in run.events] == ["back"]),
}


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_is_done_to_the_fork_and_the_demonstration_goes_on(lab: Lab, name: str):
    action, done = VERBS[name]
    run = begun(lab.demonstration())
    fork = lab.fork(run.id, secret="mine")
    action(fork)
    until(lambda: fork.state != "loading" and not fork._loop._queue and done(fork))
    assert fork.access.is_owner("mine")
    assert not fork.access.demonstration
    step = run.frame.step
    until(lambda: lab.get(run.id) and run.frame.step > step)
    assert (run.state, run.slow) == ("playing", None)
    assert alone(run)


def test_a_fork_has_its_origins_picture_and_words_until_it_has_its_own(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    run = begun(lab.demonstration())
    until(lambda: lab.get(run.id) and run.frame.metrics and "modes" in run.frame.curves)
    gate, prepare = threading.Event(), Run.prepare
    monkeypatch.setattr(Run, "prepare", lambda run, *a: gate.wait(20) and prepare(run, *a))
    fork = lab.fork(run.id)
    fork.apply({"objective": "lsgan"})
    frame = fork.frame
    assert (frame.run, frame.state) == (fork.id, "playing")
    assert frame.view is not None
    assert frame.step > 0
    assert "modes" in frame.curves
    assert fork.first_config == run.first_config
    assert fork.config.objective == "lsgan"
    fork._loop._show_progress("Reading", 0.5)
    assert fork.frame is frame
    gate.set()
    until(lambda: fork.frame.version > 0)
    assert fork.frame.view is not None
    assert fork.frame.step >= frame.step


def test_two_who_click_at_once_get_a_run_each(lab: Lab):
    run = begun(lab.demonstration())
    made: list[Run] = []
    together = threading.Barrier(2)

    def click(objective: str) -> None:
        together.wait()
        fork = lab.fork(run.id, secret=objective)
        fork.apply({"objective": objective})
        made.append(fork)

    clicks = [threading.Thread(target=click, args=(name,)) for name in ("lsgan", "hinge")]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    until(lambda: all(fork.state == "playing" and fork.events for fork in made))
    assert {fork.config.objective for fork in made} == {"lsgan", "hinge"}
    assert len({run.id, *(fork.id for fork in made)}) == 3
    assert alone(run)


def test_the_command_line_of_a_fork_repeats_it(
    lab: Lab, capsys: pytest.CaptureFixture[str], tmp_path: Any
):
    run = begun(lab.demonstration())
    fork = lab.fork(run.id)
    fork.apply(cure(fork.config))
    until(lambda: fork.state == "playing" and fork.events)
    step = fork.events[0].step
    assert step > 0
    fork.stop_after(step + 20)
    until(lambda: fork.state == "paused" and not fork.active)
    line = shlex.split(run_files.command(fork.first_config, fork.events, fork._loop.trainer.steps))
    assert cli.main([*line[3:], "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    again, _ = run_files.open_run(tmp_path)
    again.prepare()
    train(again, fork._loop.trainer.steps)
    assert same(again._loop.trainer.state_dict(), fork._loop.trainer.state_dict())


# Room -------------------------------------------------------------------------------------------


def test_visitors_who_come_and_go_leave_room(lab: Lab, clock: Clock, make_config: Any):
    own = [lab.create(make_config(), visitor=f"v{n}") for n in range(3)]
    for _ in range(100):  # a minute of visits, each without a cookie
        lab.demonstration()
        clock.now += 0.5
    assert len(lab.ids()) == 4
    assert lab.create(make_config(), visitor="next")
    with pytest.raises(LimitError, match="full, with 4 runs"):
        lab.create(make_config(), visitor="another")
    assert lab.demonstration()  # whoever only watches is never refused
    assert all(lab.get(run.id) is run for run in own)


def test_demonstrations_are_few_and_unwatched_ones_leave_first(
    lab: Lab, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    # None of them trains here.
    monkeypatch.setattr(Run, "prepare", lambda run: None)
    runs = []
    for _ in range(MOST):
        runs.append(lab.demonstration())
        monkeypatch.setattr(runs[-1]._loop, "state", "playing")
        clock.now += YOUNG + 1
    assert len({run.id for run in runs}) == MOST
    assert lab.demonstration() is runs[-1]  # all are watched: better an old one than none
    with pytest.raises(LimitError, match="demonstration runs"):
        lab.demonstration_pair()
    lab.leave(runs[2].id)
    monkeypatch.setattr(runs[2]._loop, "state", "loading")  # nothing to save: it goes at once
    newest = lab.demonstration()
    assert newest not in runs
    assert lab.ids() == [run.id for run in (*runs[:2], *runs[3:], newest)]


def test_runs_of_one_address_are_limited(lab: Lab, make_config: Any):
    for visitor in ("a", "b"):
        lab.create(make_config(), visitor=visitor, address="192.0.2.1")
    with pytest.raises(LimitError, match="2 runs are open from your network"):
        lab.create(make_config(), visitor="c", address="192.0.2.1")
    run = lab.create(make_config(), visitor="c", address="192.0.2.2")
    with pytest.raises(LimitError, match="from your network"):
        lab.fork(run.id, visitor="d", address="192.0.2.1")
    lab.leave(lab.ids()[0])
    until(lambda: lab.get(run.id) and run.frame.view is not None)
    assert lab.create(make_config(), visitor="c", address="192.0.2.1")


def test_a_class_behind_one_address_has_runs_of_its_own():
    assert 30 < Limits().max_runs_per_address < Limits().max_runs


def test_the_runs_of_a_visitor_are_those_they_made_or_have_the_key_of(lab: Lab, make_config: Any):
    mine = lab.create(make_config(), secret="a", visitor="me")
    linked = lab.create(make_config(), secret="b", visitor="")
    lab.create(make_config(), secret="c", visitor="other")
    lab.demonstration()
    assert lab.runs_of("me", {}) == [mine]
    assert lab.runs_of("", {}) == []
    assert lab.runs_of("me", {linked.id: "b", mine.id: "wrong"}) == [mine, linked]


def test_it_is_still_nobodys_when_it_comes_back_from_disk(tmp_path: Any):
    lab = Lab(Limits(autosave=str(tmp_path)))
    run = begun(lab.demonstration())
    lab.shut_down()
    again = Lab(Limits(autosave=str(tmp_path)))
    back = again.get(run.id)
    assert back is not None
    assert back.access.demonstration
    assert not back.access.may_control(None)
    again.shut_down()


# Turns ------------------------------------------------------------------------------------------


def test_demonstrations_together_take_half_a_turn_beside_somebodys_own_run(make_run: Any):
    own, *shared = (make_run() for _ in range(4))
    for run in shared:
        run.access.demonstration = True
    scheduler = Scheduler("test")
    rounds = [scheduler._turns([own, *shared]) for _ in range(6)]
    assert all(turns[0][0] is own for turns in rounds)
    assert all(len(turns) == 2 and turns[1][1] == turns[0][1] / 2 for turns in rounds)
    assert [sum(turns[1][0] is run for turns in rounds) for run in shared] == [2, 2, 2]
    assert len(scheduler._turns(shared)) == 3


def test_what_a_run_needs_is_loaded_when_the_first_picture_is_out(lab: Lab, clock: Clock):
    begun(lab.demonstration())  # now torch is there, and another run loads in no time
    clock.now += YOUNG + 1
    lab.hold_loading()
    run = lab.demonstration()
    (loader,) = lab._loaders
    loader.join(1.0)  # it would have ended
    assert loader.is_alive()
    assert run.state == "loading"
    lab.begin_loading()
    until(lambda: run.state == "playing")
