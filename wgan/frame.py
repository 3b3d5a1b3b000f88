"""What a run publishes: an immutable picture of itself that any number of readers may share.

The training thread builds a frame, everybody else only reads it; so no reader ever waits for the
trainer or sees it half-way. All arrays are numpy, read-only by agreement, and of bounded size.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from wgan.config import ExperimentConfig
from wgan.types import (
    Curve,
    Event,
    ImageView,
    Inspection,
    InspectionRequest,
    Metrics,
    PointView,
    Stage,
    State,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Frame:
    """One published state of a run. `version` grows by one at every publication.

    curves: name -> Curve; the names are critic_loss, generator_loss, critic_estimate, penalty,
    seconds (training time when a step was done) and `wgan.metrics.table.COLUMNS`, each
    there only when there is something to show. message: what is being loaded, or why the run
    failed. progress: 0..1 while it loads, or trains again to the step that it goes back to.
    seconds: training time. inspections: what somebody wants to see of the critic.
    """

    version: int
    run: str
    state: State
    config: ExperimentConfig
    step: int = 0
    seconds: float = 0.0
    steps_per_second: float = 0.0
    device: str = ""
    message: str = ""
    progress: float | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    metrics: Metrics | None = None
    view: PointView | ImageView | None = None
    stage: Stage | None = None
    inspections: Mapping[InspectionRequest, Inspection] = field(default_factory=dict)
    _built: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def behind(self) -> bool:
        """Whether the run has gone on for more than a little since its metrics were measured."""
        m = self.metrics
        return m is not None and self.step - m.step > max(50, self.step // 10)

    def once(self, key: Any, build: Callable[[], T]) -> T:
        """`build()`, computed once a frame and key, then shared by all readers."""
        with self._lock:
            if key not in self._built:
                self._built[key] = build()
            return self._built[key]
