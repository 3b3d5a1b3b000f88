"""Going back to an earlier step and branching from it: the same bits, and bounded memory."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import MakeConfig, MakeRun
from tests.test_lab import until
from tests.test_record import same, through_disk, train
from wgan.config import ConfigError
from wgan.persistence import run_files
from wgan.runs import history
from wgan.runs.checkpoints import CheckpointBuffer, StateCheckpoint
from wgan.runs.run import Run, ScheduledChange
from wgan.server.limits import LimitError, Limits
from wgan.server.registry import Lab
from wgan.stages import FIGURES


def keep(run: Run) -> None:
    """Looks at the run and keeps its state, as it would after two seconds."""
    run._loop.session.evaluation._kept_at = -1e9
    run._loop._evaluate(measure=True)


def back(run: Run, step: int) -> Run:
    run.go_back(step)
    while run.active:
        run.advance(0.5)
    return run


def same_curves(one: Run, other: Run) -> bool:
    ours, theirs = one._loop.history.curves(), other._loop.history.curves()
    return all(
        np.array_equal(a, b)
        for name in FIGURES
        if name in ours or name in theirs
        for a, b in zip(ours[name], theirs[name], strict=True)
    )


@pytest.fixture(params=["points", "dcgan"])
def eventful(make_run: MakeRun, request: pytest.FixtureRequest) -> Run:
    """A run with states at 0, 8 and 16, changes on the way, and a single update; at step 24."""
    run = make_run(request.param, ema=0.9)
    run.schedule(ScheduledChange(5, {"norm": "layer", "lr": 0.002}))
    run.schedule(ScheduledChange(12, {"optimizer": "rmsprop", "constraint": "clip"}))
    run.schedule(ScheduledChange(12, {}, "critic"))
    run.schedule(ScheduledChange(20, {"norm": "none", "objective": "hinge", "ema": 0.0}))
    for step in (8, 16):
        train(run, step)
        keep(run)
    return train(run, 24)


@pytest.mark.parametrize("step", [0, 7, 8, 14, 16, 22])
def test_going_back_and_on_gives_the_same_bits(eventful: Run, make_run: MakeRun, step: int):
    run = eventful
    reference = make_run("dcgan" if run.config.network == "dcgan" else "points", ema=0.9)
    planned = [event for event in run.events if event.step < step]
    for event in planned:
        changes = {name: new for name, (_, new) in event.changes.items()}
        reference.schedule(ScheduledChange(event.step, changes, event.update))
    train(reference, step)
    back(run, step)
    assert run._loop.trainer.steps == step
    assert same(run._loop.trainer.state_dict(), reference._loop.trainer.state_dict())
    assert run.config == run._loop.trainer.config == reference.config
    assert run.state == "paused"
    *log, last = run.events
    assert log == list(reference.events) == planned
    assert (last.kind, last.step, last.text) == ("back", step, "back from step 24")
    for name in ("critic_loss", "seconds"):
        if step:
            assert run.frame.curves[name].step[-1] == step
    assert all(item.step <= step for item in run.snapshots.items)
    assert all(item.step <= step for item in run._loop.history.checkpoints.items)
    for one in (run, reference):
        one.apply({"lr": 0.01})
        train(one, step + 6)
    assert same(run._loop.trainer.state_dict(), reference._loop.trainer.state_dict())
    if step:
        assert same_curves(run, reference)


def test_the_curve_is_the_same_though_it_was_merged_since(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history, "Series", functools.partial(history.Series, capacity=64))
    run = train(make_run(), 45)
    keep(run)
    train(run, 150)  # beyond 64 rows neighbours are merged
    before = run._loop.history.curves()
    assert len(before["critic_loss"].step) < 64
    back(run, 46)
    assert run._loop.history.curves()["critic_loss"].step.tolist() == list(range(1, 47))
    train(run, 150)
    again = run._loop.history.curves()
    for name in FIGURES:
        assert all(map(np.array_equal, before[name], again[name])), name


def test_a_replay_of_a_run_that_went_back_repeats_what_led_to_the_present(
    eventful: Run, tmp_path: Path
):
    run = back(eventful, 14)
    run.apply({"lr": 0.003})
    train(run, 18)
    run_files.save(run.export_now(), tmp_path)
    again, expected = run_files.open_run(tmp_path)
    again.prepare()
    while again.active:
        again.advance(0.5)
    assert again._loop.trainer.steps == 18
    assert same(again._loop.trainer.state_dict(), run._loop.trainer.state_dict())
    assert "20:" not in run_files.command(run.first_config, run.events, 18)
    assert {name.partition(".")[0] for name in expected} == {"generator", "critic", "averaged"}


def test_what_was_changed_at_a_step_is_undone_by_going_back_to_it(make_run: MakeRun):
    run = train(make_run(), 6)
    keep(run)
    run.apply({"objective": "hinge"})
    run.update("critic")
    run.advance(0.05)
    keep(run)  # of step 6 too, but after the change
    train(run, 9)
    assert back(run, 6).config.objective == "wgan"
    assert [event.kind for event in run.events] == ["back"]
    kept = run._loop.history.checkpoints.items
    assert [(one.step, one.done) for one in kept] == [(0, 0), (6, 0)]


def test_a_long_way_is_not_trained_again_and_says_where_it_goes_on(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
):
    run = train(make_run(), 5)
    keep(run)
    train(run, 30)
    assert run.replay_plan(20).step == 20
    monkeypatch.setattr(history, "MAX_REPLAY_SECONDS", 0.0)
    way = run.replay_plan(20)
    assert (way.step, way.wanted) == (5, 20)
    assert back(run, 20)._loop.trainer.steps == 5


def test_a_run_that_plays_plays_on_and_what_is_asked_for_meanwhile_waits(make_run: MakeRun):
    run = train(make_run(), 40)
    run.stop_after(None)
    run.play()
    run.advance(0.0)
    run.go_back(30)
    run.advance(0.0)  # it has begun its way
    assert run._loop.session.replay is not None
    assert run.frame.message == "Training again from step 0 to step 30"
    assert run.frame.progress is not None
    run.apply({"lr": 0.5})
    record = run.copy_state()
    for _ in range(3):
        run.advance(0.0)
        assert run._loop.session.replay is not None
        assert run._loop.trainer.config.lr_g != 0.5
    while run._loop.session.replay is not None:
        run.advance(0.01)
    run.advance(0.02)
    assert record.result(0).trainer["steps"] == 30
    assert run.state == "playing"
    assert run._loop.trainer.steps > 30
    assert (run.config.lr_g, run.frame.progress, run.frame.message) == (0.5, None, "")
    assert [(e.kind, e.step) for e in run.events] == [("back", 30), ("change", 30)]


def test_copies_of_one_moment_share_their_state_and_go_apart_from_there(make_run: MakeRun):
    run = train(make_run(), 20)
    first, second = run.copy_state(), run.copy_state()
    run.apply({"lr": 0.5})
    third = run.copy_state()
    run.advance(0.0)
    assert first.result(0) is second.result(0)
    assert third.result(0).config.lr_g == 0.5 != first.result(0).config.lr_g
    fourth = run.copy_state()
    run.advance(0.0)
    assert fourth.result(0) is not third.result(0)  # kept no longer than they are asked for

    def weights(run: Run) -> list[float]:
        return torch.cat([w.flatten() for w in run._loop.trainer.generator.parameters()]).tolist()

    ends = []
    for _ in range(2):  # the first one's training leaves the shared state as it is
        other = make_run()
        other.prepare(first.result(0))
        assert other._loop.trainer.steps == 20
        ends.append(weights(train(other, 30)))
    assert ends[0] == ends[1]


def test_a_failed_run_can_go_back(make_run: MakeRun):
    run = train(make_run(), 6)
    keep(run)
    train(run, 9)
    next(run._loop.trainer.critic.parameters()).data.fill_(float("nan"))
    train(run, 12)
    assert run.state == "failed"
    back(run, 4)
    assert (run.state, run.frame.message, run._loop.trainer.steps) == ("paused", "", 4)
    assert [event.kind for event in run.events] == ["back"]
    train(run, 8)
    assert run.state == "paused"


# Memory.


def test_states_are_bounded_and_the_first_and_the_newest_stay():
    def kept(step: int) -> StateCheckpoint:
        return StateCheckpoint(step, 0.0, (), {"weights": np.zeros(1000, np.float32)}, {})

    states = CheckpointBuffer(kept(0), budget=40_000)
    for step in range(1, 300):
        states.add(kept(step))
        assert sum(item.size for item in states.items) <= 40_000
        assert (states.items[0].step, states.newest.step) == (0, step)
    steps = [item.step for item in states.items]
    assert len(steps) == 10
    assert np.diff(steps)[-3:].max() < np.diff(steps).max()  # dense for the recent past
    large = CheckpointBuffer(kept(0), budget=10)
    for step in (3, 7):
        large.add(kept(step))
    assert [item.step for item in large.items] == [0, 7]


def test_after_a_restart_the_first_step_is_still_there(eventful: Run, tmp_path: Path):
    again = through_disk(eventful, tmp_path)
    assert [kept.step for kept in again._loop.history.checkpoints.items] == [0, 24]
    train(again, 26)
    train(eventful, 26)
    for run in (again, eventful):
        back(run, 22)
    assert same(again._loop.trainer.state_dict(), eventful._loop.trainer.state_dict())


def test_an_autosave_of_before_there_were_seconds_comes_back(make_run: MakeRun, tmp_path: Path):
    run = train(make_run(), 5)
    record = run.record()
    assert record is not None
    old = {
        name: table[:, : len(FIGURES)] if table.ndim == 2 and name.startswith("steps.") else table
        for name, table in record.curves.items()
    }
    again = Run("again", run.config)
    again.prepare(dataclasses.replace(record, curves=old))
    assert again.state == "paused", again.frame.message
    train(again, 8)
    assert same_curves(again, train(run, 8))
    assert again._loop.history.curves()["seconds"].step.tolist() == [6, 7, 8]


def test_seconds_are_recorded_with_each_step(make_run: MakeRun):
    run = train(make_run(), 20)
    seconds = run.frame.curves["seconds"]
    assert seconds.step.tolist() == list(range(1, 21))
    assert (np.diff(seconds.mean) > 0).all()
    assert 0 < seconds.mean[0] <= seconds.mean[-1] <= run.seconds


# Branches.


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab(Limits(autosave="off"))
    yield lab
    lab.shut_down()


def ready(run: Run) -> Run:
    until(lambda: run.state != "loading" and not run.active)
    assert run.state == "paused", run.frame.message
    return run


def to(run: Run, steps: int) -> Run:
    run.stop_after(steps)
    run.play()
    until(lambda: run.state == "paused" and not run.active)
    assert run._loop.trainer.steps == steps
    return run


def test_a_branch_without_a_change_equals_its_parent_for_100_steps(
    lab: Lab, make_config: MakeConfig
):
    parent = to(ready(lab.create(make_config(), playing=False)), 20)
    branch = ready(lab.fork(parent.id, playing=False))
    assert same(branch._loop.trainer.state_dict(), parent._loop.trainer.state_dict())
    for run in (parent, branch):
        to(run, 120)
    assert same(branch._loop.trainer.state_dict(), parent._loop.trainer.state_dict())
    assert same_curves(branch, parent)
    assert branch.events == parent.events


def test_a_branch_goes_on_with_its_changes_from_an_earlier_step(lab: Lab, make_config: MakeConfig):
    parent = to(ready(lab.create(make_config(), playing=False)), 30)
    changes: dict[str, Any] = {"constraint": "clip", "optimizer": "rmsprop"}
    branch = lab.fork(parent.id, step=10, changes=changes, playing=False)
    assert branch.config == parent.config.replace(changes)
    until(lambda: len(branch.frame.events) == 2)
    ready(branch)
    assert (branch._loop.trainer.steps, branch.config) == (10, parent.config.replace(changes))
    assert [(event.kind, event.step) for event in branch.events] == [("back", 10), ("change", 10)]
    reference = Run("reference", make_config())
    reference.schedule(ScheduledChange(10, changes))
    reference.prepare()
    train(reference, 15)
    assert same(to(branch, 15)._loop.trainer.state_dict(), reference._loop.trainer.state_dict())
    assert parent._loop.trainer.steps == 30
    assert parent.events == ()


def test_a_branch_that_cannot_be_is_refused_and_leaves_nothing(lab: Lab, make_config: MakeConfig):
    parent = ready(lab.create(make_config(), playing=False))
    for changes in ({"width": 16}, {"lr": -1}, {"objective": "none"}):
        with pytest.raises(ConfigError):
            lab.fork(parent.id, changes=changes)
    with pytest.raises(LimitError):
        lab.fork(parent.id, changes={"batch_size": 4096})
    with pytest.raises(ConfigError, match="gone"):
        lab.fork("nowhere")
    assert lab.ids() == [parent.id]
