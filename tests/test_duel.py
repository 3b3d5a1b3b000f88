"""Duels: cells run in turns in a real lab, one run at a time, and keep what they came to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import MakeConfig
from wgan.config import ExperimentConfig
from wgan.server.duel import Duel, Duels, Key
from wgan.server.limits import Limits
from wgan.server.registry import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    lab = Lab(Limits(max_runs=2, max_parameters=100_000, autosave="off"))
    yield lab
    lab.shut_down()


@pytest.fixture
def cells(make_config: MakeConfig) -> dict[Key, ExperimentConfig]:
    fields: list[dict[str, Any]] = [{"objective": "gan", "constraint": "none"}, {}]
    return {("mlp", str(i)): make_config("points", **f) for i, f in enumerate(fields)}


def tend_until(duel: Duel, there: Callable[[], Any], timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while not there():
        duel.tend()
        assert time.monotonic() < deadline, duel.state
        time.sleep(0.005)


def test_cells_run_in_turns_for_the_same_steps(lab: Lab, cells: dict[Key, ExperimentConfig]):
    duel = Duel(lab, cells, 7)
    seen: set[int] = set()
    tend_until(duel, lambda: seen.add(len(lab.ids())) or duel.current is None)
    assert seen == {0, 1}  # never two runs at once, and none before the first look
    assert list(duel.outcomes) == list(cells)
    for outcome in duel.outcomes.values():
        assert outcome.steps == 7
        assert outcome.metrics is not None
        assert outcome.metrics.step == 7  # measured at the end, not on the way
        assert outcome.view is not None
        assert outcome.steps_per_second > 0
        assert outcome.message == ""
    assert lab.ids() == []
    duel.tend()  # there is nothing left to do
    assert lab.ids() == []


def test_a_stopped_duel_keeps_what_there_is(lab: Lab, cells: dict[Key, ExperimentConfig]):
    duel = Duel(lab, cells, 10**6)
    tend_until(duel, lambda: duel.run is not None and duel.run.frame.step > 3)
    duel.stop()
    assert lab.ids() == []
    assert duel.current is None
    (outcome,) = duel.outcomes.values()
    assert 3 < outcome.steps < 10**6
    assert "Stopped" in outcome.message
    assert outcome.cut
    assert duel.extremes() == (set(), set())  # nothing to compare it with
    duel.tend()
    assert lab.ids() == []


def test_a_cell_that_cannot_begin_says_why_and_the_next_one_runs(
    lab: Lab, cells: dict[Key, ExperimentConfig]
):
    first, second = cells
    broken = cells[first].replace({"data": "folder", "folder": "/etc", "output": "tanh"})
    duel = Duel(lab, {first: broken, second: cells[second]}, 2)
    tend_until(duel, lambda: duel.current is None)
    assert "folder" in duel.outcomes[first].message
    assert duel.outcomes[first].modes is None
    assert duel.outcomes[second].steps == 2


def test_a_cell_that_blows_up_says_so_and_the_next_one_runs(
    lab: Lab, cells: dict[Key, ExperimentConfig]
):
    first, second = cells
    wild = cells[first].replace({"objective": "lsgan", "optimizer": "sgd", "lr": 10.0})
    duel = Duel(lab, {first: wild, second: cells[second]}, 500)
    tend_until(duel, lambda: duel.current is None)
    assert "finite" in duel.outcomes[first].message
    assert duel.outcomes[second].steps == 500


def test_a_full_server_lets_it_wait(lab: Lab, cells: dict[Key, ExperimentConfig]):
    others = [lab.create(cells["mlp", "1"], playing=False) for _ in range(2)]
    duel = Duel(lab, cells, 2)
    duel.tend()
    assert "full" in duel.message
    assert duel.run is None
    lab.close(others[0].id)
    tend_until(duel, lambda: duel.current is None)
    assert duel.message == ""
    assert len(duel.outcomes) == 2


def test_a_run_that_is_gone_begins_again(lab: Lab, cells: dict[Key, ExperimentConfig]):
    duel = Duel(lab, cells, 5)
    duel.tend()
    assert duel.run is not None
    lab.close(duel.run.id)
    tend_until(duel, lambda: duel.current is None)
    assert [outcome.steps for outcome in duel.outcomes.values()] == [5, 5]


def test_a_visitor_has_one_at_a_time(lab: Lab, cells: dict[Key, ExperimentConfig]):
    duels = Duels(lab)
    first = duels.start(cells, 10**6, visitor="a")
    other = duels.start(cells, 10**6, visitor="b")
    first.tend()
    second = duels.start(cells, 2, visitor="a")
    assert first.stopped
    assert not other.stopped
    assert not second.stopped
    assert duels.get(first.id) is first
    assert duels.get("unknown") is None


def test_best_and_worst_are_those_that_differ(lab: Lab, cells: dict[Key, ExperimentConfig]):
    duel = Duel(lab, cells, 3)
    assert duel.extremes() == (set(), set())
    tend_until(duel, lambda: duel.current is None)
    modes = {key: outcome.modes for key, outcome in duel.outcomes.items()}
    best, worst = duel.extremes()
    if len(set(modes.values())) == 1:
        assert best == worst == set()
    else:
        assert not best & worst
