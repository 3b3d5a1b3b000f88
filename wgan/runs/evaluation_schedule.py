"""How often a run is looked at, measured and kept, so that all of it takes little of its time."""

from __future__ import annotations

import time

from wgan.data import Dataset
from wgan.runs.evaluation import Evaluator
from wgan.runs.history import History
from wgan.trainer import Trainer
from wgan.types import ImageView, Metrics, PointView

# At most this share of the training time, however expensive evaluation is.
EVALUATION_SHARE = 0.04
VIEW_EVERY = 0.4  # seconds at least between two views, and twice that between two measurements
CHECKPOINT_EVERY = 2.0  # seconds at least between two copies of the state to fall back on
_NEVER = -1e9


class EvaluationSchedule:
    """The view and the figures of a trainer, renewed when their time has come."""

    def __init__(self, trainer: Trainer, data: Dataset, history: History) -> None:
        self.view: PointView | ImageView | None = None
        self.metrics: Metrics | None = None
        self._trainer, self._past = trainer, history
        self._evaluator = Evaluator(trainer, data)
        self._looked_at = self._measured_at = self._kept_at = _NEVER
        self._look_cost = self._measure_cost = self._keep_cost = 0.0  # seconds, of the last time
        self.sharing = 1  # how many runs train by turns: each looks so many times less often

    @property
    def due(self) -> bool:
        """Whether it is time for a new view."""
        return _since(self._looked_at) >= max(VIEW_EVERY, self._rest(self._look_cost))

    @property
    def measurement_due(self) -> bool:
        """Whether it is time for new figures."""
        often = max(2 * VIEW_EVERY, self._rest(self._measure_cost))
        return _since(self._measured_at) >= often

    def _rest(self, cost: float) -> float:
        """Seconds until something of this cost may be done again, for its share of the time."""
        return cost * self.sharing / EVALUATION_SHARE

    def invalidate(self) -> None:
        """What is seen no longer holds: the next view is due at once."""
        self._looked_at = _NEVER

    def update_view(self) -> None:
        """A new view."""
        started = time.monotonic()
        self.view = self._evaluator.view()
        self._looked_at = time.monotonic()
        self._look_cost = self._looked_at - started

    def update_metrics(self) -> None:
        """New figures, remembered with the view. Raises `FloatingPointError` after a blow-up."""
        started = time.monotonic()
        self.metrics = self._evaluator.measure()
        if self.view is not None:
            self._past.measured(self.metrics, self.view)
        self._measured_at = time.monotonic()
        self._measure_cost = self._measured_at - started

    def resume(self, metrics: Metrics | None) -> None:
        """Figures that were measured elsewhere, just now: the next are due in their time."""
        self.metrics = metrics
        self._evaluator.know_floor(metrics.w1_floor if metrics else None)
        self._measured_at = time.monotonic()

    def measure_aside(self) -> Metrics:
        """Figures of this moment that are not remembered. Raises `FloatingPointError`."""
        return self._evaluator.measure()

    def shares(self) -> dict[str, dict[str, float]]:
        """How samples spread over the attributes of drawn faces; empty for other data."""
        return self._evaluator.shares()

    def keep_checkpoint(self) -> None:
        """Keeps the trainer's state to fall back on, when its time has come."""
        if _since(self._kept_at) >= max(CHECKPOINT_EVERY, self._rest(self._keep_cost)):
            started = time.monotonic()
            self._past.keep_checkpoint(self._trainer.state_dict())
            self._kept_at = time.monotonic()
            self._keep_cost = self._kept_at - started


def _since(moment: float) -> float:
    return time.monotonic() - moment
