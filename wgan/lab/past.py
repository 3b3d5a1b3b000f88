"""What a run remembers: curves, samples, events, and a state to fall back on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wgan.lab.frame import Curve, Event, ImageView, Measures, PointView
from wgan.lab.history import Series, Snapshot, Snapshots
from wgan.trainer import FIGURES

# New figures go to the end: runs that were saved without them have the columns before.
MEASURED_FIGURES = (
    "w1", "w1_floor", "modes", "high_quality", "gradient_norm",
    "gradient_decades", "pinned_share", "update_cosine", "mode_kl",
    "estimate_over_slope", "js", "js_floor", "js_critic",
    "gap_train", "gap_held_out", "loss_train", "loss_held_out",
)  # fmt: skip


class Past:
    """The past of one run, of bounded size; a reset begins a new one.

    state: the trainer's first good state (`Trainer.state()`).
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self.events: tuple[Event, ...] = ()
        self.snapshots = Snapshots()
        self._steps = Series(FIGURES)
        self._measures = Series(MEASURED_FIGURES)
        self.keep(state)

    def keep(self, state: dict[str, Any]) -> None:
        """`state` is good: fall back on it from now on."""
        self._good, self._good_events = state, len(self.events)

    def record(self, figures: Sequence[tuple[int, Tensor]]) -> tuple[int, str] | None:
        """Adds the figures of steps, (step, (len(FIGURES),)), with one wait for the device.

        Returns the first step whose figures are no longer finite, and why; None if all are.
        """
        rows = torch.stack([row for _, row in figures]).float().cpu().numpy()
        for (step, _), row in zip(figures, rows, strict=True):
            # The penalty is NaN where there is none; where there is, the critic's loss has it.
            broken = np.flatnonzero(~np.isfinite(row[: FIGURES.index("penalty")]))
            if len(broken):
                name = FIGURES[broken[0]].replace("_", " ")
                value = "NaN" if np.isnan(row[broken[0]]) else "infinite"
                return step, f"the {name} became {value}"
            self._steps.append(step, row)
        return None

    def measured(self, measures: Measures, view: PointView | ImageView) -> None:
        """Adds measured figures, and the samples seen with them."""
        row = [getattr(measures, name) for name in MEASURED_FIGURES]
        self._measures.append(measures.step, np.array(row, dtype=float))
        self.snapshots.add(Snapshot(measures.step, view, measures))

    def log(self, event: Event) -> None:
        self.events = (*self.events, event)  # replaced whole: readers keep theirs

    def go_back(self, failed: Event) -> dict[str, Any]:
        """The last good state; what was done after it is undone with it, and `failed` logged."""
        self.events = (*self.events[: self._good_events], failed)
        return self._good

    def truncate(self, step: int) -> None:
        """Forgets the curves and samples after `step`."""
        for past in (self._steps, self._measures, self.snapshots):
            past.truncate(step)

    def tables(self) -> dict[str, npt.NDArray[np.float64]]:
        """A copy of the curves' tables, for `put_back`."""
        parts = (("steps", self._steps), ("measures", self._measures))
        return {f"{part}.{k}": v for part, series in parts for k, v in series.tables().items()}

    def put_back(
        self,
        tables: Mapping[str, npt.NDArray[np.float64]],
        events: tuple[Event, ...],
        snapshots: tuple[Snapshot, ...],
        state: dict[str, Any],
    ) -> None:
        """Goes on from another past; `state` is good. Raises `ValueError` or `KeyError`."""
        for part, series in (("steps", self._steps), ("measures", self._measures)):
            begin = f"{part}."
            own = {k.removeprefix(begin): v for k, v in tables.items() if k.startswith(begin)}
            series.put_back(own)
        self.events, self.snapshots.items = events, snapshots
        self.keep(state)

    def curves(self) -> dict[str, Curve]:
        return self._steps.curves() | self._measures.curves()
