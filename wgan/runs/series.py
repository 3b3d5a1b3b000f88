"""A run's past in bounded memory: curves that merge neighbours, samples thinned with age."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wgan.types import Curve, Floats, ImageView, Metrics, PointView


class Series:
    """Several figures over generator steps, kept as at most `capacity` stretches of steps.

    Each stretch keeps the mean, the lowest and the highest value of every figure. When the table
    is full, neighbours are merged in pairs and every later stretch is twice as long; so a spike
    is never lost and memory does not grow with time. NaN stands for "no value here".
    """

    def __init__(self, names: tuple[str, ...], capacity: int = 1024) -> None:
        if capacity % 2:
            raise ValueError(f"capacity is {capacity}; it must be even, so that pairs merge.")
        self.names = names
        self._step = np.zeros(capacity)
        # Per stretch and figure: how many values, their sum, the lowest, the highest.
        self._count, self._sum, self._low, self._high = np.zeros((4, capacity, len(names)))
        self._used = 0
        self._stride = 1  # rows a stretch
        self._open = 0  # rows in the last stretch; 0: it is full, the next row opens another

    def append(self, step: int, values: Floats) -> None:
        """Adds one row of figures, (len(names),); steps never go back (see `truncate`)."""
        if self._open == 0:
            if self._used == len(self._step):
                self._merge()
            self._count[self._used] = self._sum[self._used] = 0
            self._low[self._used], self._high[self._used] = np.inf, -np.inf
            self._used += 1
        i, there = self._used - 1, ~np.isnan(values)
        self._step[i] = step
        self._count[i] += there
        self._sum[i] += np.where(there, values, 0)
        self._low[i] = np.fmin(self._low[i], values)
        self._high[i] = np.fmax(self._high[i], values)
        self._open = (self._open + 1) % self._stride

    def _merge(self) -> None:
        half = self._used // 2
        self._step[:half] = self._step[1 : self._used : 2]
        for table, join in (
            (self._count, np.add),
            (self._sum, np.add),
            (self._low, np.minimum),
            (self._high, np.maximum),
        ):
            table[:half] = join(table[0 : self._used : 2], table[1 : self._used : 2])
        self._used = half
        self._stride *= 2

    def truncate(self, step: int) -> None:
        """Forgets everything after `step`, to within one stretch."""
        used = int(np.searchsorted(self._step[: self._used], step, side="right"))
        if used < self._used:
            self._used, self._open = used, 0

    def state_dict(self) -> dict[str, npt.NDArray[np.float64]]:
        """A copy for `load_state_dict`; (rows, …), and the stride and what is open."""
        rows = {name: table[: self._used].copy() for name, table in self._arrays().items()}
        return rows | {"open": np.array([self._stride, self._open], float)}

    def load_state_dict(self, state_dict: Mapping[str, npt.NDArray[np.float64]]) -> None:
        """Goes on from `state_dict()`; later columns than they have stay empty.

        Raises `ValueError` or `KeyError` for others.
        """
        rows = len(state_dict["step"])
        self._count[:rows] = self._sum[:rows] = 0
        self._low[:rows], self._high[:rows] = np.inf, -np.inf
        for name, table in self._arrays().items():
            columns = state_dict[name].shape[1:]
            table[(slice(rows), *map(slice, columns))] = state_dict[name]
        self._used = len(state_dict["step"])
        self._stride, self._open = (int(number) for number in state_dict["open"])

    def _arrays(self) -> dict[str, npt.NDArray[np.float64]]:
        names = ("step", "count", "sum", "low", "high")
        return {name: getattr(self, f"_{name}") for name in names}

    def high_at(self, name: str, step: float) -> float:
        """The highest value of a figure around a step; NaN where it has none."""
        used = self._used
        if not used:
            return math.nan
        i = min(int(np.searchsorted(self._step[:used], step)), used - 1)
        value = float(self._high[i, self.names.index(name)])
        return value if math.isfinite(value) else math.nan

    def curves(self) -> dict[str, Curve]:
        """Name -> Curve, for the figures that have a value somewhere."""
        found = {}
        for column, name in enumerate(self.names):
            at = np.flatnonzero(self._count[: self._used, column])
            if len(at):
                mean = self._sum[at, column] / self._count[at, column]
                columns = (self._step[at], mean, self._low[at, column], self._high[at, column])
                found[name] = Curve(*(values.astype(np.float32) for values in columns))
        return found


def least_missed(steps: Sequence[int]) -> int:
    """Which of at least three to forget: its neighbours are closest for its age. Not an end."""
    at = np.array(steps)
    gap, age = at[2:] - at[:-2], at[-1] - at[1:-1] + 1
    return 1 + int(np.argmin(gap / age))


@dataclass(frozen=True)
class Snapshot:
    """What was seen at a step: the samples, and the figures measured last before them."""

    step: int
    view: PointView | ImageView
    metrics: Metrics | None


class Snapshots:
    """Samples of the past: at most `capacity`, dense for the recent past and sparse for the old."""

    def __init__(self, capacity: int = 48) -> None:
        self.capacity = capacity
        self.items: tuple[Snapshot, ...] = ()

    def add(self, snapshot: Snapshot) -> None:
        """Keeps this snapshot; forgets the one whose neighbours are closest for their age."""
        kept = [item for item in self.items if item.step < snapshot.step] + [snapshot]
        if len(kept) > self.capacity:
            del kept[least_missed([item.step for item in kept])]
        self.items = tuple(kept)  # replaced whole: readers keep theirs

    def truncate(self, step: int) -> None:
        """Forgets everything after `step`."""
        self.items = tuple(item for item in self.items if item.step <= step)

    def nearest(self, step: float) -> Snapshot | None:
        """The snapshot closest to a step; None before the first."""
        return min(self.items, key=lambda item: abs(item.step - step), default=None)
