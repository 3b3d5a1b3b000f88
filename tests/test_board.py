"""The blackboard's experiments: shared by name, by turns, and only while somebody looks."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from wgan.theory import board as module
from wgan.theory.board import Board


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board()
    yield made
    made.clear()


def wait_for(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def count(steps: int) -> Iterator[int]:
    yield from range(steps)


def test_the_last_state_is_the_result(board: Board):
    experiment = board.look("a", lambda: count(5))
    wait_for(lambda: experiment.done)
    assert (experiment.state, experiment.number, experiment.failed) == (4, 5, False)
    wait_for(lambda: board._thread is None)  # nothing is left to do


def test_one_name_is_one_experiment(board: Board):
    begun = []

    def begin() -> Iterator[int]:
        begun.append(1)
        return count(3)

    first, second = board.look("a", begin), board.look("a", begin)
    wait_for(lambda: first.done)
    assert first is second
    assert begun == [1]
    assert board.look("a", begin).state == 2


def endless() -> Iterator[int]:
    number = 0
    while True:
        time.sleep(0.001)
        yield (number := number + 1)


def test_they_go_on_by_turns(board: Board):
    board.look("endless", endless)
    short = board.look("short", lambda: count(5))
    wait_for(lambda: short.done)


def test_nobody_looks_and_it_rests(board: Board, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "RESTS_AFTER", 0.05)
    experiment = board.look("a", endless)
    wait_for(lambda: board._thread is None)
    at = experiment.number
    assert at > 0
    assert not experiment.done
    assert board.look("a", endless) is experiment
    wait_for(lambda: experiment.number > at)


def test_a_failure_is_told_and_the_others_go_on(board: Board):
    def breaks() -> Iterator[int]:
        yield 1
        raise RuntimeError("no")

    broken, sound = board.look("a", breaks), board.look("b", lambda: count(9))
    wait_for(lambda: broken.done and sound.done)
    assert (broken.failed, sound.failed) == (True, False)


def test_the_oldest_leave(board: Board, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST", 2)
    first = board.look("a", lambda: count(1))
    for name in "bc":
        board.look(name, lambda: count(1))
    assert board.look("a", lambda: count(1)) is not first
