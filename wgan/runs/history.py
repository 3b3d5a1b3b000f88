"""What a run remembers: curves, samples, events, and a state to fall back on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wgan.metrics.table import COLUMNS
from wgan.runs.checkpoints import (
    MAX_REPLAY_SECONDS,
    CheckpointBuffer,
    ReplayPlan,
    StateCheckpoint,
    replayable,
)
from wgan.runs.series import Series, Snapshot, Snapshots
from wgan.stages import FIGURES
from wgan.types import Curve, Event, ImageView, Metrics, PointView


def first_checkpoint(state: Mapping[str, Any]) -> StateCheckpoint:
    """A run's beginning; `state` is the trainer's (`Trainer.state_dict()`)."""
    return StateCheckpoint(
        state["steps"], 0.0, (), state, Series((*FIGURES, "seconds")).state_dict()
    )


class History:
    """The past of one run, of bounded size; a reset begins a new one.

    checkpoints: those to go back to, one at least. seconds: spent training.
    """

    def __init__(self, checkpoints: tuple[StateCheckpoint, ...]) -> None:
        self.events: tuple[Event, ...] = ()
        self.seconds = 0.0
        self.snapshots = Snapshots()
        self._steps = Series((*FIGURES, "seconds"))
        self._measures = Series(COLUMNS)
        self.checkpoints = CheckpointBuffer(*checkpoints)

    def keep_checkpoint(self, state: Mapping[str, Any]) -> None:
        """`state` is good: fall back on it from now on."""
        table = self._steps.state_dict()
        self.checkpoints.add(
            StateCheckpoint(state["steps"], self.seconds, self.events, state, table)
        )

    def record(self, figures: Sequence[tuple[int, float, Tensor]]) -> tuple[int, str] | None:
        """Adds the figures of steps, with one wait for the device.

        figures: for each step its number, the seconds of training so far, (len(FIGURES),).

        Returns the first step whose figures are no longer finite, and why; None if all are.
        """
        rows = torch.stack([row for _, _, row in figures]).float().cpu().numpy()
        for (step, seconds, _), row in zip(figures, rows, strict=True):
            # The penalty is NaN where there is none; where there is, the critic's loss has it.
            broken = np.flatnonzero(~np.isfinite(row[: FIGURES.index("penalty")]))
            if len(broken):
                name = FIGURES[broken[0]].replace("_", " ")
                value = "NaN" if np.isnan(row[broken[0]]) else "infinite"
                return step, f"the {name} became {value}"
            self._steps.append(step, np.append(row, seconds))
        return None

    def measured(self, metrics: Metrics, view: PointView | ImageView) -> None:
        """Adds measured figures, and the samples seen with them."""
        row = [getattr(metrics, name) for name in COLUMNS]
        self._measures.append(metrics.step, np.array(row, dtype=float))
        self.snapshots.add(Snapshot(metrics.step, view, metrics))

    def log(self, event: Event) -> None:
        self.events = (*self.events, event)  # replaced whole: readers keep theirs

    def fall_back(self, failed: Event) -> Mapping[str, Any]:
        """The last good state; what was done after it is undone with it, and `failed` logged."""
        self.events = (*self.checkpoints.newest.events, failed)
        return self.checkpoints.newest.trainer

    def replay_plan(self, step: int) -> ReplayPlan:
        """How to come to an earlier step again; may be called from any thread."""
        events, start = self.events, self.checkpoints.before(step)
        if self._seconds_at(step) - start.seconds > MAX_REPLAY_SECONDS:
            return ReplayPlan(start, start.step, step, ())
        left = replayable(events)[start.done :]
        changes = tuple(event for event in left if event.step < step)
        return ReplayPlan(start, max(step, start.step), step, changes)

    def _seconds_at(self, step: int) -> float:
        """Seconds of training that it took to come to a step."""
        known = self._steps.high_at("seconds", step)
        return self.seconds if math.isnan(known) else known

    def go_back(self, replay: ReplayPlan) -> None:
        """To where a way starts: what came after it is forgotten, and what is after its end."""
        start = replay.start
        self.events = tuple(event for event in start.events if event.step <= replay.step)
        self.seconds = start.seconds
        self._steps.load_state_dict(start.table)
        self._steps.truncate(start.step)  # that of a run which has failed goes further
        self._measures.truncate(replay.step)
        self.snapshots.truncate(replay.step)
        self.checkpoints.go_back(start)

    def truncate(self, step: int) -> None:
        """Forgets the curves and samples after `step`."""
        for history in (self._steps, self._measures, self.snapshots):
            history.truncate(step)

    def state_dict(self) -> dict[str, npt.NDArray[np.float64]]:
        """A copy of the curves' tables, for `load_state_dict`."""
        parts = (("steps", self._steps), ("measures", self._measures))
        return {f"{part}.{k}": v for part, series in parts for k, v in series.state_dict().items()}

    def load_state_dict(
        self,
        state_dict: Mapping[str, npt.NDArray[np.float64]],
        events: tuple[Event, ...],
        snapshots: tuple[Snapshot, ...],
        seconds: float,
        state: Mapping[str, Any],
    ) -> None:
        """Goes on from another past; `state` is good. Raises `ValueError` or `KeyError`."""
        for part, series in (("steps", self._steps), ("measures", self._measures)):
            begin = f"{part}."
            own = {k.removeprefix(begin): v for k, v in state_dict.items() if k.startswith(begin)}
            series.load_state_dict(own)
        self.events, self.snapshots.items, self.seconds = events, snapshots, seconds
        self.keep_checkpoint(state)

    def curves(self) -> dict[str, Curve]:
        return self._steps.curves() | self._measures.curves()
