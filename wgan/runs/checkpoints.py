"""The states of a run that it can go back to, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wgan.config import ExperimentConfig
from wgan.nested import leaves
from wgan.runs.series import least_missed
from wgan.types import Event

STATE_BYTES = 16_000_000  # of all the states that are kept of a run, but two there always are
MAX_REPLAY_SECONDS = 20.0  # seconds of training that are spent on coming back to a step exactly


@dataclass(frozen=True)
class StateCheckpoint:
    """A run between two of its steps. Nobody changes what it holds, so copies may share it.

    trainer: `Trainer.state_dict()`. table: the curves over steps, `Series.state_dict()`.
    events: the log so far. seconds: spent training so far.
    """

    step: int
    seconds: float
    events: tuple[Event, ...]
    trainer: Mapping[str, Any]
    table: Mapping[str, npt.NDArray[np.float64]]

    @property
    def done(self) -> int:
        """How many changes and single updates led here."""
        return len(replayable(self.events))

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        return _bytes(self.trainer) + _bytes(self.table)


@dataclass(frozen=True)
class ReplayPlan:
    """How a run comes to a step again: from a kept state, training on through the same changes.

    It ends at the run as it came to `step`: what was changed at that very step is undone.
    wanted: the step that was asked for; when the way there is too long, `step` is an earlier one.
    """

    start: StateCheckpoint
    step: int
    wanted: int
    changes: tuple[Event, ...]

    @property
    def config(self) -> ExperimentConfig:
        """The settings at its end."""
        config = self.start.trainer["config"]
        for event in self.changes:
            config = config.replace({name: new for name, (_, new) in event.changes.items()})
        return config


class CheckpointBuffer:
    """Kept states: the first, the newest, and between them as many as `budget` bytes hold."""

    def __init__(self, *items: StateCheckpoint, budget: int = STATE_BYTES) -> None:
        self.budget = budget
        self.items = items  # replaced whole: readers keep theirs

    @property
    def newest(self) -> StateCheckpoint:
        return self.items[-1]

    def add(self, kept: StateCheckpoint) -> None:
        """Keeps this state; forgets those whose neighbours are closest for their age."""
        at = (kept.step, kept.done)
        items = [item for item in self.items if (item.step, item.done) < at] + [kept]
        total = sum(item.size for item in items)
        while total > self.budget and len(items) > 2:
            total -= items.pop(least_missed([item.step for item in items])).size
        self.items = tuple(items)

    def go_back(self, to: StateCheckpoint) -> None:
        """Forgets the states after this one."""
        at = (to.step, to.done)
        self.items = tuple(item for item in self.items if (item.step, item.done) <= at)

    def before(self, step: int) -> StateCheckpoint:
        """The newest state that came before or to `step`, and before what was changed there."""
        fit = [
            item
            for item in self.items
            if item.step <= step and all(event.step < step for event in replayable(item.events))
        ]
        return fit[-1] if fit else self.items[0]


def replayable(events: Iterable[Event]) -> list[Event]:
    """Of a log what led on: changes and single updates, without failures and ways back."""
    return [event for event in events if event.kind in ("change", "update")]


def _bytes(state: Any) -> int:
    """The bytes of all arrays in nested containers."""
    return sum(getattr(value, "nbytes", 0) for value in leaves(state))
