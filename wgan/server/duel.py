"""A duel: experiments that run one after the other, as long as each other, and what came of them.

One run of the lab at a time: the duel starts it, waits for its last step, keeps what it came to and
ends it. It moves on when `tend` is called, by anybody who watches; unwatched it rests like a run.
"""

from __future__ import annotations

import functools
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from wgan.config import ConfigError, ExperimentConfig
from wgan.runs.export import RunExport
from wgan.runs.run import Run
from wgan.server.limits import LimitError
from wgan.server.registry import Lab, lab
from wgan.types import ImageView, Metrics, PointView

Key = tuple[str, str]  # row and column
MAX_DUELS = 200  # kept in memory; the ones not seen for the longest go first


@dataclass(frozen=True)
class Outcome:
    """What a cell came to. view, metrics: None where the run could not begin.

    steps: generator steps done. steps_per_second: of its own training time. message: why it
    failed, or that it was stopped; empty for a run that came to its end. cut: it was stopped, so
    that it cannot be compared with the others.
    """

    steps: int
    steps_per_second: float
    view: PointView | ImageView | None
    metrics: Metrics | None
    message: str = ""
    cut: bool = False

    @property
    def modes(self) -> int | None:
        """Modes covered; None where nothing was counted."""
        return self.metrics.modes if self.metrics else None


class Duel:
    """Cells of experiments, in the order in which they run. Thread-safe.

    cells: at least one. steps: generator steps of each. visitor: whose runs they are, as in
    `Lab.create`.
    """

    def __init__(
        self,
        lab: Lab,
        cells: Mapping[Key, ExperimentConfig],
        steps: int,
        *,
        visitor: str = "",
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.id = secrets.token_urlsafe(6)
        self.cells = dict(cells)
        self.steps = steps
        self.visitor = visitor
        self.about = dict(about or {})  # whatever the page needs to draw it again
        self.seen = time.monotonic()
        self.stopped = False
        self.message = ""  # why it cannot go on just now
        self._lab = lab
        self._outcomes: dict[Key, Outcome] = {}
        self._run: Run | None = None
        self._saved: Future[RunExport] | None = None
        self._lock = threading.Lock()

    @property
    def outcomes(self) -> Mapping[Key, Outcome]:
        """What the cells came to that are through."""
        return dict(self._outcomes)

    @property
    def current(self) -> Key | None:
        """The cell whose turn it is; None when the duel is over."""
        if self.stopped:
            return None
        return next((key for key in self.cells if key not in self._outcomes), None)

    @property
    def run(self) -> Run | None:
        """The run of the current cell, once it has been started."""
        return self._run

    @property
    def state(self) -> tuple[int, Key | None, bool, str]:
        """Differs when there is something new to show, but for the current run's own frames."""
        return (len(self._outcomes), self.current, self.stopped, self.message)

    def extremes(self) -> tuple[set[Key], set[Key]]:
        """The cells with the most and with the fewest modes, of those that were counted.

        Empty until two cells differ. A run that failed counts as it was when it failed; one that
        was stopped does not count.
        """
        through = {key: o for key, o in self._outcomes.items() if not o.cut}
        counted = {key: o.modes for key, o in through.items() if o.modes is not None}
        if len(set(counted.values())) < 2:
            return set(), set()
        most, fewest = max(counted.values()), min(counted.values())
        best = {key for key, modes in counted.items() if modes == most}
        return best, {key for key, modes in counted.items() if modes == fewest}

    def tend(self) -> None:
        """Looks after the current run: starts it, or takes what it came to and starts the next."""
        self.seen = time.monotonic()
        if not self._lock.acquire(blocking=False):
            return  # somebody else is at it
        try:
            if (key := self.current) is not None:
                self._tend(key)
        except LimitError as error:
            self.message = str(error)
        finally:
            self._lock.release()

    def stop(self) -> None:
        """Ends the duel; the current cell keeps what it has come to."""
        with self._lock:
            key, run = self.current, self._run
            self.stopped = True
            if key is not None and run is not None and run.frame.view is not None:
                self._outcomes[key] = _outcome(run, "Stopped before its end.", cut=True)
            self._end_run()

    def _tend(self, key: Key) -> None:
        if self._run is None:
            self._start(key)
            return
        run = self._lab.get(self._run.id)  # asking says that somebody watches
        self.message = ""
        if run is None:  # it is gone for good: its cell begins again
            self._run = self._saved = None
            return
        self._run = run
        if run.frame.state == "failed":  # the run's own state is ahead of what it says of it
            self._through(key, _outcome(run, run.frame.message))
        elif self._saved is not None and self._saved.done():
            saved = self._saved.result()
            pace = saved.steps / run.seconds if run.seconds else 0.0
            self._through(key, Outcome(saved.steps, pace, saved.view, saved.metrics))
        elif self._saved is None and run.state == "paused" and run.frame.step >= self.steps:
            self._saved = run.save()  # measured at its last step, before it is ended
        elif run.stop_at is None:  # it came back from the disk
            run.stop_after(self.steps)

    def _start(self, key: Key) -> None:
        try:
            # Nobody knows the secret: a cell's run is changed by nobody.
            secret = secrets.token_urlsafe(16)
            config = self.cells[key]
            run = self._lab.create(config, playing=False, secret=secret, visitor=self.visitor)
        except LimitError:
            raise
        except ConfigError as error:
            self._outcomes[key] = Outcome(0, 0.0, None, None, str(error))
            return
        run.stop_after(self.steps)
        run.play()
        self._run, self.message = run, ""

    def _through(self, key: Key, outcome: Outcome) -> None:
        self._outcomes[key] = outcome
        self._end_run()
        if (following := self.current) is not None:
            self._start(following)

    def _end_run(self) -> None:
        if self._run is not None:
            self._lab.close(self._run.id)
        self._run = self._saved = None


def _outcome(run: Run, message: str, *, cut: bool = False) -> Outcome:
    frame = run.frame
    pace = frame.step / frame.seconds if frame.seconds else 0.0
    return Outcome(frame.step, pace, frame.view, frame.metrics, message, cut)


class Duels:
    """The duels of a server, found by id. Thread-safe."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._duels: dict[str, Duel] = {}
        self._shared = ""  # the id of the one that is nobody's
        self._lock = threading.Lock()

    def start(
        self,
        cells: Mapping[Key, ExperimentConfig],
        steps: int,
        *,
        visitor: str = "",
        about: Mapping[str, str] | None = None,
    ) -> Duel:
        """A new duel; the visitor's others are stopped, so that each has one run at most."""
        duel = Duel(self._lab, cells, steps, visitor=visitor, about=about)
        with self._lock:
            others = [d for d in self._duels.values() if visitor and d.visitor == visitor]
            self._duels[duel.id] = duel
            for old in sorted(self._duels.values(), key=lambda d: d.seen)[:-MAX_DUELS]:
                others.append(self._duels.pop(old.id))
        for other in others:
            other.stop()
        return duel

    def shared(
        self, cells: Mapping[Key, ExperimentConfig], steps: int, about: Mapping[str, str]
    ) -> Duel:
        """The duel of those who have started none: nobody's, and made once for all of them."""
        with self._lock:
            if (duel := self._duels.get(self._shared)) is None:
                duel = Duel(self._lab, cells, steps, about=about)
                self._duels[duel.id], self._shared = duel, duel.id
            return duel

    def get(self, id: str) -> Duel | None:
        """The duel of this id, while it is in memory."""
        with self._lock:
            return self._duels.get(id)


@functools.cache
def duels() -> Duels:
    """The duels of this process."""
    return Duels(lab())
