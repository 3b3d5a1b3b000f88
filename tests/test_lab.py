"""What keeps a server alive: bounded history, fair turns, and runs that leave no trace."""

from __future__ import annotations

import dataclasses
import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import MakeConfig, MakeRun
from wgan.runs.run import Run
from wgan.runs.series import Series, Snapshot, Snapshots
from wgan.server import registry
from wgan.server.limits import Limits
from wgan.server.registry import Lab
from wgan.server.scheduler import Scheduler
from wgan.types import ImageView

VIEW = ImageView(np.zeros((1, 1, 1, 1), np.uint8), np.zeros((1, 1, 1, 1), np.uint8))


def until(true: Callable[[], Any], seconds: float = 120) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


def threads() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith(("trainer-", "loader"))]


# History.


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500), st.integers(0, 999), st.sampled_from([4, 16, 64]))
def test_curves_are_bounded_and_keep_extremes_and_means(n: int, seed: int, capacity: int):
    values = np.random.default_rng(seed).normal(size=(n, 2))
    values[np.random.default_rng(seed + 1).random((n, 2)) < 0.2] = np.nan
    values[0] = 0
    series = Series(("a", "b"), capacity)
    for i, row in enumerate(values):
        series.append(i + 1, row.astype(np.float32))
    for column, name in enumerate(("a", "b")):
        curve = series.curves()[name]
        there = values[~np.isnan(values[:, column]), column]
        assert len(curve.step) <= capacity
        assert len({len(part) for part in curve}) == 1
        assert (np.diff(curve.step) > 0).all()
        assert curve.low.min() == pytest.approx(there.min())
        assert curve.high.max() == pytest.approx(there.max())
        assert (curve.low <= curve.mean + 1e-6).all()
        assert (curve.mean <= curve.high + 1e-6).all()
        assert n - curve.step[-1] <= 2 * max(1, n // capacity) * 4
        if not np.isnan(values).any():
            assert curve.step[-1] == n


def test_short_curves_are_exact():
    series = Series(("a", "b"))
    for step in range(1, 6):
        series.append(step, np.array([step**2, np.nan], np.float32))
    curves = series.curves()
    assert list(curves) == ["a"]  # nothing to show of b
    for part in (curves["a"].mean, curves["a"].low, curves["a"].high):
        assert part.tolist() == [1, 4, 9, 16, 25]


def test_a_spike_is_never_lost():
    series = Series(("a",), 8)
    for step in range(1, 1001):
        series.append(step, np.array([1000.0 if step == 137 else 1.0]))
    curve = series.curves()["a"]
    (at,) = np.flatnonzero(curve.high == 1000)
    before = curve.step[at - 1] if at else 0
    assert before < 137 <= curve.step[at]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.integers(0, 220))
def test_truncating_forgets_what_came_later(n: int, to: int):
    series = Series(("a",), 16)
    for step in range(1, n + 1):
        series.append(step, np.array([float(step)]))
    series.truncate(to)
    kept = series.curves().get("a")
    if kept is not None:
        assert kept.step[-1] <= to
        assert kept.high.max() <= to
        assert kept.step[-1] >= min(n, to) - 2 * 200 / 16
    for step in range(to + 1, to + 40):
        series.append(step, np.array([float(step)]))
    curve = series.curves()["a"]
    assert (np.diff(curve.step) > 0).all()
    assert len(curve.step) <= 16
    assert curve.step[-1] == to + 39


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=200), st.sampled_from([3, 8, 48]))
def test_snapshots_are_few_the_recent_past_is_dense(gaps: list[int], capacity: int):
    snapshots = Snapshots(capacity)
    steps = np.cumsum(gaps).tolist()
    for step in steps:
        snapshots.add(Snapshot(step, VIEW, None))
    kept = [item.step for item in snapshots.items]
    assert len(kept) == min(len(steps), capacity)
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (steps[0], steps[-1])
    for wanted in (0, steps[-1] / 2, 10**9):
        nearest = snapshots.nearest(wanted)
        assert nearest is not None
        assert abs(nearest.step - wanted) == min(abs(step - wanted) for step in kept)


def test_snapshots_thin_with_age():
    snapshots = Snapshots(12)
    for step in range(1, 1001):
        snapshots.add(Snapshot(step, VIEW, None))
    gaps = np.diff([item.step for item in snapshots.items])
    assert gaps[-1] <= 3
    assert gaps[:3].min() > 20
    items = snapshots.items
    snapshots.truncate(500)
    assert snapshots.items[-1].step <= 500
    assert items[-1].step == 1000  # who holds the old ones keeps them
    snapshots.add(Snapshot(501, VIEW, None))
    snapshots.add(Snapshot(501, VIEW, None))
    assert [item.step for item in snapshots.items].count(501) == 1
    assert Snapshots().nearest(3) is None


# The scheduler.


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler("test")
    yield scheduler
    for run in list(scheduler._runs):
        scheduler.remove(run)
    until(lambda: not threads())


def test_runs_share_one_thread_fairly(make_run: MakeRun, scheduler: Scheduler):
    small, large = make_run(), make_run(width=256, depth=4, batch_size=128)
    for run in (small, large):
        scheduler.add(run)
    until(lambda: large.seconds > 1 and small.seconds > 0.5)
    assert threads() == ["trainer-test"]
    for run in (small, large):
        run.pause()
    until(lambda: not small.active and not large.active)
    # Equal time, though a step of one takes many times as long.
    assert small._loop.trainer.steps > 2 * large._loop.trainer.steps
    assert 0.25 < small.seconds / large.seconds < 4


class Clock:
    """Stands for the module `time` in the engine: it goes on only where a step takes some."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


# Milliseconds that a step of each run takes.
COSTS = [(5, 5, 5), (1, 2, 4, 8), (3, 7, 11, 13, 17), (2,) * 8]


@pytest.mark.parametrize("costs", COSTS, ids=str)
def test_turns_are_equal_time(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, costs: tuple[int, ...]
):
    clock = Clock()
    monkeypatch.setattr("wgan.runs.loop.time", clock)
    runs = [make_run() for _ in costs]
    done = [0] * len(runs)
    for number, run in enumerate(runs):

        def step(number: int = number) -> None:
            clock.now += costs[number] / 1000
            done[number] += 1

        monkeypatch.setattr(run._loop.session, "step", step)
    scheduler = Scheduler("test")  # its thread is not started: the turns are given here
    for _ in range(20):
        scheduler._give_turns(runs)
    seconds = [steps * cost for steps, cost in zip(done, costs, strict=True)]
    assert max(seconds) <= 1.3 * min(seconds)
    assert min(done) > 50
    if len(set(costs)) == 1:
        assert max(done) <= min(done) + len(runs)  # of sums of floats


def test_the_thread_ends_with_the_last_run_and_starts_again(
    make_run: MakeRun, scheduler: Scheduler
):
    run = make_run()
    scheduler.add(run)
    until(lambda: run._loop.trainer.steps > 0)
    scheduler.remove(run)
    until(lambda: not threads())
    steps = run._loop.trainer.steps
    scheduler.add(run)
    until(lambda: run._loop.trainer.steps > steps)


def test_an_idle_thread_is_woken(
    make_run: MakeRun, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("wgan.server.scheduler.RESTS", 1e6)  # it would not look by itself
    run = make_run(playing=False)
    scheduler.add(run)
    time.sleep(0.1)
    run.apply({"lr": 0.5})
    until(lambda: run.frame.config.lr_g == 0.5)


def test_a_broken_run_fails_with_one_sentence_while_others_go_on(
    make_run: MakeRun, scheduler: Scheduler
):
    broken, sound = make_run(), make_run()

    def step() -> Any:
        raise KeyError("oops")

    broken._loop.trainer.step = step  # pyright: ignore[reportAttributeAccessIssue]
    for run in (broken, sound):
        scheduler.add(run)
    until(lambda: broken.frame.state == "failed")
    assert broken.frame.message == "An unexpected KeyError."
    steps = sound._loop.trainer.steps
    until(lambda: sound._loop.trainer.steps > steps + 20)


def test_sleeping_runs_are_passed_over(make_run: MakeRun):
    asleep, awake = make_run(), make_run()
    scheduler = Scheduler("test", asleep=lambda run: run is asleep)
    for run in (asleep, awake):
        scheduler.add(run)
    until(lambda: awake._loop.trainer.steps > 20)
    assert asleep._loop.trainer.steps == 0
    for run in (asleep, awake):
        scheduler.remove(run)
    until(lambda: not threads())


# The registry.


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab()
    yield lab
    for id in lab.ids():
        lab.close(id)
    until(lambda: not threads())


def test_runs_are_found_by_id_until_closed(lab: Lab, make_config: MakeConfig):
    a, b = lab.create(make_config()), lab.create(make_config())
    assert a.id != b.id
    assert lab.get(a.id) is a
    assert sorted(lab.ids()) == sorted([a.id, b.id])
    assert lab.get("nobody") is None
    until(lambda: a.state == "playing" and a._loop.trainer.steps > 0)
    lab.close(a.id)
    lab.close("nobody")
    assert lab.get(a.id) is None
    until(lambda: b.state == "playing")
    others = b._loop.trainer.steps
    until(lambda: b._loop.trainer.steps > others)  # the slice that was under way has ended
    steps, others = a._loop.trainer.steps, b._loop.trainer.steps
    until(lambda: b._loop.trainer.steps > others + 20)
    assert a._loop.trainer.steps == steps


def test_a_run_may_begin_paused(lab: Lab, make_config: MakeConfig):
    run = lab.create(make_config(), playing=False)
    until(lambda: run.state == "paused")
    time.sleep(0.05)
    assert run._loop.trainer.steps == 0


def test_a_run_that_cannot_load_stays_to_say_so(
    lab: Lab, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    run = lab.create(make_config(device="cuda"))
    until(lambda: run.frame.state == "failed")
    assert "no GPU" in run.frame.message
    assert lab.get(run.id) is run


def test_the_oldest_unwatched_run_leaves_when_there_are_too_many(lab: Lab, make_config: MakeConfig):
    lab.limits = Limits(max_runs=3)
    runs = [lab.create(make_config(), playing=False) for _ in range(3)]
    until(lambda: all(run.state == "paused" for run in runs))
    for run in runs:
        lab.leave(run.id)
    lab.get(runs[0].id)
    newest = lab.create(make_config(), playing=False)
    assert lab.ids() == [runs[0].id, runs[2].id, newest.id]


def test_unwatched_runs_sleep_and_then_leave(
    lab: Lab, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    run, watched = lab.create(make_config()), lab.create(make_config())
    until(lambda: watched.state == "playing" and watched._loop.trainer.steps > 0)
    monkeypatch.setattr(lab, "limits", dataclasses.replace(lab.limits, sleep_after=0.3))
    until(lambda: lab.get(watched.id) and lab._slots[run.id].asleep)
    steps, others = run._loop.trainer.steps, watched._loop.trainer.steps
    until(lambda: lab.get(watched.id) and watched._loop.trainer.steps > others + 20)
    assert run._loop.trainer.steps == steps  # asleep, though it plays
    assert run.state == "playing"
    until(lambda: lab.get(run.id) and run._loop.trainer.steps > steps)
    monkeypatch.setattr(lab, "limits", dataclasses.replace(lab.limits, leave_after=2.0))
    until(lambda: lab.get(watched.id) and lab.ids() == [watched.id])


def test_the_runs_that_take_turns_are_counted(lab: Lab, make_config: MakeConfig):
    lab.create(make_config(), playing=False)
    watched, left = lab.create(make_config()), lab.create(make_config())
    until(lambda: lab.training() == 2)
    lab.leave(left.id)
    until(lambda: lab.get(watched.id) and lab.training() == 1)


def test_a_run_that_was_left_sleeps_now_and_leaves_soon(
    lab: Lab, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    run, other = lab.create(make_config()), lab.create(make_config())
    until(lambda: run.state == other.state == "playing")
    lab.leave(run.id)
    lab.leave("nobody")
    until(lambda: lab._slots[run.id].asleep)
    steps, others = run._loop.trainer.steps, other._loop.trainer.steps
    until(lambda: other._loop.trainer.steps > others + 20)
    assert run._loop.trainer.steps == steps
    monkeypatch.setattr(registry, "FORGETS_AFTER", 0.0)
    lab.leave(run.id)
    until(lambda: lab.ids() == [other.id])


def test_a_run_closed_while_it_loads_never_trains(
    lab: Lab, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    gate = threading.Event()
    prepare = Run.prepare

    def slowly(run: Run) -> None:
        gate.wait(10)
        prepare(run)

    monkeypatch.setattr(Run, "prepare", slowly)
    run = lab.create(make_config())
    lab.close(run.id)
    gate.set()
    until(lambda: not threads())
    assert run._loop.trainer.steps == 0


def resident() -> float:
    """Memory of this process, MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("cycles", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_runs_leave_no_thread_and_no_memory(lab: Lab, make_config: MakeConfig, cycles: int):
    def cycle() -> None:
        run = lab.create(make_config())
        until(lambda: run.state == "playing" and run._loop.trainer.steps > 0)
        run.reset()
        until(lambda: not run.active or len(run._loop._queue) == 0)
        lab.close(run.id)

    for _ in range(10):
        cycle()
    before = resident()
    for _ in range(cycles):
        cycle()
    until(lambda: not threads())
    assert resident() - before < 30
