"""Experiments that the blackboard shows while they run: on one thread, by turns, once for all.

An experiment is a generator of states, the last of which is its result. Everything that it draws
comes from its seed, so that two people who look at the same settings look at the same experiment.
One that nobody looks at rests.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from wgan.threads import use_training_threads

log = logging.getLogger("wgan.theory")

SLICE = 0.03  # seconds a turn
RESTS_AFTER = 10.0  # seconds since somebody looked last; a page of a crowded server asks every four
MOST = 64  # experiments that are kept; those not looked at for the longest go first

Begin = Callable[[], Iterator[Any]]


@dataclass
class Experiment:
    """What is known of one. state: the newest, None before the first. number: of states so far."""

    begin: Begin
    state: Any = None
    number: int = 0
    done: bool = False
    failed: bool = False
    seen: float = field(default_factory=time.monotonic)
    steps: Iterator[Any] | None = None

    def advance(self, seconds: float) -> None:
        """Goes on for so long, or to the end."""
        end = time.monotonic() + seconds
        try:
            if self.steps is None:
                self.steps = self.begin()
            while not self.done and time.monotonic() < end:
                self.state = next(self.steps)
                self.number += 1
        except StopIteration:
            self.done, self.steps = True, None
        except Exception:
            log.exception("an experiment of the blackboard failed")
            self.done = self.failed = True
            self.steps = None


class Board:
    """The experiments by name. `look` from any thread."""

    def __init__(self) -> None:
        self._experiments: dict[Hashable, Experiment] = {}
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    def look(self, name: Hashable, begin: Begin) -> Experiment:
        """Somebody looks at the experiment of this name, which `begin` begins; it goes on."""
        with self._condition:
            experiment = self._experiments.pop(name, None) or Experiment(begin)
            experiment.seen = time.monotonic()
            self._experiments[name] = experiment  # the last of them: seen most recently
            while len(self._experiments) > MOST:
                del self._experiments[next(iter(self._experiments))]
            if self._thread is None and not experiment.done:
                self._thread = threading.Thread(
                    target=self._work, name="trainer-theory", daemon=True
                )
                self._thread.start()
            return experiment

    def clear(self) -> None:
        """Forgets all of them, and waits for the thread to end."""
        with self._condition:
            self._experiments.clear()
            thread = self._thread
        if thread is not None:
            thread.join(30)

    def _work(self) -> None:
        use_training_threads()
        while True:
            with self._condition:
                now = time.monotonic()
                due = [
                    experiment
                    for experiment in self._experiments.values()
                    if not experiment.done and now - experiment.seen < RESTS_AFTER
                ]
                if not due:
                    self._thread = None  # the next look begins another
                    return
            for experiment in due:
                experiment.advance(SLICE)


@cache
def board() -> Board:
    """The one of this process."""
    return Board()
