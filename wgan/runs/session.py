"""One way from step 0 to where a run is: the trainer, its past, and how it is looked at.

A reset begins another one. All of it belongs to the one thread that advances the run.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

from wgan.config import ExperimentConfig, diff
from wgan.data import Dataset
from wgan.diagnostics.inspections import Inspections
from wgan.diagnostics.inspector import Inspector
from wgan.diagnostics.viewer_requests import ViewerRequests
from wgan.labels import describe
from wgan.runs.checkpoints import ReplayPlan
from wgan.runs.evaluation_schedule import EvaluationSchedule
from wgan.runs.export import RunExport, weights
from wgan.runs.history import History, first_checkpoint
from wgan.runs.state import RunState, fill_in, with_real
from wgan.runs.stepper import Stepper
from wgan.trainer import Trainer
from wgan.types import Event, Metrics

log = logging.getLogger("wgan.lab")


class TrainingSession:
    """What is trained, and what is remembered of it.

    run: the id of the run, for the log. attention: what people look at. record: where to go on
    from; many sessions may share it. Raises what `Trainer` raises, and `RuntimeError` for a record
    that does not fit.
    """

    def __init__(
        self,
        run: str,
        config: ExperimentConfig,
        data: Dataset,
        attention: ViewerRequests,
        record: RunState | None = None,
    ) -> None:
        self.run, self.first_config = run, config
        self.trainer = Trainer(config, data)
        checkpoints = record.checkpoints if record is not None else ()
        self.history = History(checkpoints or (first_checkpoint(self.trainer.state_dict()),))
        self.evaluation = EvaluationSchedule(self.trainer, data, self.history)
        self.stepper = Stepper(self.trainer)
        self.inspections = Inspections(Inspector(self.trainer, data), attention)
        self._since = time.monotonic()  # when the present slice of training began
        # Of each step its number, the seconds so far, and the figures, still on the device.
        self._unread: list[tuple[int, float, Tensor]] = []
        self._again: deque[Event] = deque()  # to be done again on a way back
        self._replay: ReplayPlan | None = None
        self._pace: deque[tuple[float, int]] = deque(maxlen=64)
        if record is not None:
            self._resume(record)

    # Training -----------------------------------------------------------------------------------

    def step(self) -> None:
        """One step at full speed."""
        self._done(self.trainer.step())

    def advance_stepper(self) -> None:
        """One stage of a step, for slow motion."""
        self._done(self.stepper.advance())

    def finish_step(self) -> None:
        """Changes come between steps: a step begun in slow motion is finished first."""
        self._done(self.stepper.finish())

    def _done(self, figures: Tensor | None) -> None:
        if figures is not None:
            seconds = self.history.seconds + time.monotonic() - self._since
            self._unread.append((self.trainer.steps, seconds, figures))

    def change(self, given: Mapping[str, Any]) -> None:
        """Sets these live fields before the next step, and logs those that differ."""
        self.finish_step()
        trainer = self.trainer
        new = trainer.config.replace(given)
        changes = diff(trainer.config, new)
        if changes:
            trainer.change(new)
            self.log(Event(trainer.steps, "change", describe(changes), changes))

    def update(self, which: Literal["critic", "generator"]) -> None:
        """One update of one network alone, logged."""
        trainer = self.trainer
        figures = trainer.update_critic() if which == "critic" else trainer.update_generator()
        self.log(Event(trainer.steps, "update", f"{which} only", update=which))
        self._done(figures)

    def log(self, event: Event) -> None:
        self.history.log(event)
        log.info("applied run=%s step=%d %s", self.run, event.step, event.text)

    # The past -----------------------------------------------------------------------------------

    def read(self) -> tuple[int, str] | None:
        """Reads the figures so far at once; the first step where they broke, and why, or None."""
        if not self._unread:
            return None
        unread, self._unread = self._unread, []
        return self.history.record(unread)

    def fall_back(self, failed: Event) -> None:
        """To the last good state: what was done after it is undone."""
        self._leave()
        self.trainer.load_state_dict(self.history.fall_back(failed))

    def _leave(self) -> None:
        """What is under way goes no further."""
        self.stepper.leave()  # a walk holds the step that broke
        self._unread.clear()
        self._again.clear()
        self._replay = None

    def export(self, metrics: Metrics) -> RunExport:
        """A copy of this moment, with figures that were measured for it."""
        self.evaluation.update_view()
        assert self.evaluation.view is not None
        return RunExport(
            first_config=self.first_config,
            config=self.trainer.config,
            steps=self.trainer.steps,
            events=self.history.events,
            curves=self.history.curves(),
            weights=weights(self.trainer),
            metrics=metrics,
            view=self.evaluation.view,
            shares=self.evaluation.shares(),
        )

    def _resume(self, record: RunState) -> None:
        """Goes on from where another session was. Raises `RuntimeError` if that does not fit."""
        try:
            self.trainer.change(record.config)
            state = fill_in(record.trainer, self.trainer)
            self.trainer.load_state_dict(state)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            # Another device has another kind of randomness, another version other layers.
            log.warning("run=%s does not fit: %s", self.run, str(error).split("\n")[0])
            raise RuntimeError(
                "The saved run does not fit this server; start a new one with its settings."
            ) from None
        self.evaluation.update_view()
        assert self.evaluation.view is not None
        snapshots = with_real(record.snapshots, self.evaluation.view)
        self.history.load_state_dict(record.curves, record.events, snapshots, record.seconds, state)
        if snapshots:
            self.evaluation.resume(snapshots[-1].metrics)

    # Back to an earlier step --------------------------------------------------------------------

    def go_back(self, replay: ReplayPlan) -> None:
        """Begins a way: loads the state that it starts from. `advance_replay` does the rest."""
        came_from = self.trainer.steps
        self._leave()
        self.trainer.load_state_dict(replay.start.trainer)
        self.history.go_back(replay)
        self._again.extend(replay.changes)
        self._replay, self._came_from = replay, came_from

    @property
    def replay(self) -> ReplayPlan | None:
        """The way that it is on; None when it has arrived."""
        return self._replay

    def advance_replay(self) -> None:
        """One step, or one change, further on the way; the last one is logged as an event."""
        assert self._replay is not None
        if self._again and self._again[0].step <= self.trainer.steps:
            event = self._again.popleft()
            if event.update:
                self.update(event.update)
            else:
                self.change({name: new for name, (_, new) in event.changes.items()})
        elif self.trainer.steps < self._replay.step:
            self.step()
        else:
            self._replay = None
            text = f"back from step {self._came_from:,}"
            self.log(Event(self.trainer.steps, "back", text))

    # Time ---------------------------------------------------------------------------------------

    def begin_slice(self) -> None:
        """From now on it is trained."""
        self._since = time.monotonic()

    def end_slice(self) -> None:
        """The time since `begin_slice` was spent training."""
        now = time.monotonic()
        self.history.seconds += now - self._since
        self._pace.append((now, self.trainer.steps))
        self._since = now

    def begin_pace(self) -> None:
        """Forgets how fast it was: it stood still."""
        self._pace.clear()

    @property
    def steps_per_second(self) -> float:
        """Over the last slices; 0 before there are two."""
        if len(self._pace) < 2:
            return 0.0
        (t0, s0), (t1, s1) = self._pace[0], self._pace[-1]
        return (s1 - s0) / (t1 - t0) if t1 > t0 else 0.0
