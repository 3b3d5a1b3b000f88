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
from wgan.inspection.attention import Attention
from wgan.inspection.inspector import Inspector
from wgan.inspection.pace import Inspections
from wgan.lab.frame import Event, describe
from wgan.lab.past import Past
from wgan.lab.record import Record, fill_in, with_real
from wgan.lab.walk import Walk
from wgan.lab.watch import Watch
from wgan.trainer import Trainer

log = logging.getLogger("wgan.lab")


class Course:
    """What is trained, and what is remembered of it.

    run: the id of the run, for the log. attention: what people look at. Raises what `Trainer`
    raises.
    """

    def __init__(
        self, run: str, config: ExperimentConfig, data: Dataset, attention: Attention
    ) -> None:
        self.run = run
        self.trainer = Trainer(config, data)
        self.past = Past(self.trainer.state())
        self.watch = Watch(self.trainer, data, self.past)
        self.walk = Walk(self.trainer)
        self.inspections = Inspections(Inspector(self.trainer, data), attention)
        self._unread: list[tuple[int, Tensor]] = []  # figures of steps, still on the device
        self._pace: deque[tuple[float, int]] = deque(maxlen=64)

    # Training -----------------------------------------------------------------------------------

    def step(self) -> None:
        """One step at full speed."""
        figures = self.trainer.step()
        self._unread.append((self.trainer.steps, figures))

    def walk_on(self) -> None:
        """One stage of a step, for slow motion."""
        self._finished(self.walk.on())

    def finish_step(self) -> None:
        """Changes come between steps: a step begun in slow motion is finished first."""
        self._finished(self.walk.finish())

    def _finished(self, figures: Tensor | None) -> None:
        if figures is not None:
            self._unread.append((self.trainer.steps, figures))

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
        self._unread.append((trainer.steps, figures))

    def log(self, event: Event) -> None:
        self.past.log(event)
        log.info("applied run=%s step=%d %s", self.run, event.step, event.text)

    # The past -----------------------------------------------------------------------------------

    def read(self) -> tuple[int, str] | None:
        """Reads the figures so far at once; the first step where they broke, and why, or None."""
        if not self._unread:
            return None
        unread, self._unread = self._unread, []
        return self.past.record(unread)

    def go_back(self, failed: Event) -> None:
        """To the last good state: what was done after it is undone."""
        self.walk.leave()  # first of all: a walk holds the step that broke
        self._unread.clear()
        self.trainer.load(self.past.go_back(failed))

    def put_back(self, record: Record) -> None:
        """Goes on from where another course was. Raises `RuntimeError` if that does not fit."""
        try:
            self.trainer.load(fill_in(record.trainer, self.trainer.state()))
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            # Another device has another kind of randomness, another version other layers.
            log.warning("run=%s does not fit: %s", self.run, str(error).split("\n")[0])
            raise RuntimeError(
                "The saved run does not fit this server; start a new one with its settings."
            ) from None
        self.watch.look()
        assert self.watch.view is not None
        snapshots = with_real(record.snapshots, self.watch.view)
        self.past.put_back(record.tables, record.events, snapshots, self.trainer.state())
        if snapshots:
            self.watch.measures = snapshots[-1].measures

    # Speed --------------------------------------------------------------------------------------

    def tick(self, now: float | None = None) -> None:
        """Notes how far it is at this moment of the monotonic clock."""
        self._pace.append((time.monotonic() if now is None else now, self.trainer.steps))

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
