"""What the one thread does that advances a run: it trains, looks, records, fails and publishes.

`Run` puts a safe face on it. Nothing here may be called by anybody else.

A run is there before torch is, which takes seconds to import: `prepare` brings it, on a thread on
which nobody waits.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from wgan.config import ExperimentConfig, expand, replace_live
from wgan.data import load
from wgan.diagnostics.viewer_requests import ViewerRequests
from wgan.frame import Frame
from wgan.runs.access import Access
from wgan.runs.errors import explain
from wgan.runs.export import RunExport
from wgan.runs.schedule import ScheduledChange
from wgan.runs.state import RunState
from wgan.types import Event, Metrics, State

if TYPE_CHECKING:
    from wgan.runs.checkpoints import ReplayPlan
    from wgan.runs.history import History
    from wgan.runs.session import Course
    from wgan.trainer import Trainer

log = logging.getLogger("wgan.lab")

Update = Literal["critic", "generator", "both"]


class Engine:
    """A run without its verbs: its state, and the work on it. `frame` is what it published last."""

    def __init__(self, id: str, config: ExperimentConfig, *, playing: bool = True) -> None:
        self.id = id
        self.access = Access()  # who may change it: everybody, unless its maker owns it
        self.slow: float | None = None  # seconds a stage in slow motion; None is full speed
        self.allow: Callable[[ExperimentConfig], None] = lambda config: None  # raises ConfigError
        self.stop_at: int | None = None  # pauses when this many steps are done
        self.scheduled: list[ScheduledChange] = []  # what is planned and still to come
        self._wanted = config  # the config as asked for; the trainer follows before its next step
        self._state: State = "loading"
        self._play_when_ready = playing
        self._message = "Preparing"
        self._progress: float | None = None
        self._lock = threading.Lock()
        self._queue: deque[Callable[[], None]] = deque()
        self._wake: Callable[[], None] = lambda: None
        self._course: Course | None = None
        self._first: ExperimentConfig | None = None  # of the run that it goes on from
        self._version = 0
        self._attention = ViewerRequests()
        self._changed = False  # since the last publication
        self.frame = Frame(version=0, run=id, state="loading", config=config)

    @property
    def course(self) -> Course:
        """What is trained; for the thread that advances the run, or when no thread does."""
        assert self._course is not None, "prepare() has not run"
        return self._course

    @property
    def trainer(self) -> Trainer:
        """The course's trainer, for the same thread."""
        return self.course.trainer

    @property
    def past(self) -> History:
        return self.course.past

    @property
    def first_config(self) -> ExperimentConfig:
        """The settings that it began with; with the log of changes they repeat the run."""
        return self._course.first_config if self._course else self._first or self._wanted

    @property
    def seconds(self) -> float:
        """Spent training."""
        return self._course.past.seconds if self._course else 0.0

    def follow(self, origin: Engine) -> None:
        """Shows what `origin` shows until this run, a copy of it, is prepared and has its own."""
        self.slow, self._first = origin.slow, origin.first_config
        self.frame = dataclasses.replace(
            origin.frame, version=0, run=self.id, _built={}, _lock=threading.Lock()
        )

    def prepare(self, record: RunState | None = None) -> None:
        """Loads the data and builds the trainer; a fault leaves the run failed, with a sentence.

        record: what the run was when it left memory; it goes on from there, exactly.
        """
        config = record.first_config if record else self._wanted  # its first state is kept too
        if record is not None:
            self.slow = record.slow  # first: somebody may change it meanwhile
        try:
            from wgan.trainer import resolve_device

            self._data = load(config, resolve_device(config.device), self._show_progress)
            self._begin(config)
            if record is not None:
                self.course.put_back(record)
                self._state = record.state
                self._message = record.message
            else:
                self._state = "playing" if self._play_when_ready else "paused"
                self._message = ""
            self._progress = None
            self._look(measure=record is None)
        except Exception as error:
            if record is not None:
                self._course = None  # half of a run is none, and must not be saved
            self.break_off(error)
            return
        log.info("ready run=%s data=%s device=%s", self.id, config.data, self.trainer.device)

    def release(self) -> None:
        """Lets go of all that takes memory, once a prepared run is saved and no thread advances it.

        Whoever still holds the run sees one that loads, and finds another of its id in the lab.
        """
        self._course = None
        del self._data
        self._state, self._message = "loading", "Saved; it comes back when it is watched"
        self._version += 1
        self.frame = Frame(self._version, self.id, "loading", self._wanted, message=self._message)

    def mark(self) -> tuple[Any, ...] | None:
        """What differs when there is something new to save; None before there is anything.

        The steps done first, then the rest. For the thread that advances the run.
        """
        if self._course is None or self._state == "loading":
            return None
        access = tuple(self.access.to_dict().values())
        return (self.trainer.steps, self.past.events, self._state, self.slow, access)

    @property
    def in_step(self) -> bool:
        """Whether slow motion has stopped in the midst of a step."""
        return self._course is not None and self._course.walk.under_way

    def record(self, *, finish: bool = False) -> RunState | None:
        """Everything that the run needs to go on elsewhere, for the thread that advances it.

        None in the midst of a step in slow motion, unless `finish`: then that step is done first.
        """
        if self.course.walk.under_way and not finish:
            return None
        self.course.finish_step()
        self._read()
        if not self.trainer.is_finite():
            # Broken weights show in the figures one step later: too late for what is saved.
            self._fail(self.trainer.steps, "the weights are no longer finite numbers")
            self._publish()
        return RunState(
            config=self.trainer.config,
            first_config=self.first_config,
            state=self._state,
            message=self._message if self._state == "failed" else "",
            seconds=self.seconds,
            slow=self.slow,
            events=self.past.events,
            access=self.access.to_dict(),
            trainer=self.trainer.state(),
            tables=self.past.tables(),
            snapshots=self.past.snapshots.items,
            states=self.past.states.items,
        )

    def break_off(self, error: Exception) -> None:
        """Fails the run with one sentence; only a fault of ours leaves a traceback in the log."""
        why, ours = explain(error)
        log.warning("failed run=%s why=%s", self.id, why, exc_info=ours)
        self._state, self._message = "failed", why
        if self._course is not None:
            try:
                self._go_back(Event(self.trainer.steps, "failed", why.rstrip(".")))
            except Exception:
                log.exception("run=%s cannot go back", self.id)
        self._publish()

    def _show_progress(self, text: str, share: float | None) -> None:
        self._message, self._progress = text, share
        if self.frame.view is None:  # a copy shows its origin's picture meanwhile
            self._publish()

    def _begin(self, config: ExperimentConfig) -> None:
        from wgan.runs.session import Course

        self._course = Course(self.id, config, self._data, self._attention)
        self._changed = True

    @property
    def asked(self) -> bool:
        """Whether something was asked for that is not done yet."""
        return bool(self._queue)

    @property
    def active(self) -> bool:
        """Whether `advance` has something to do now."""
        way = self._course.way if self._course else None
        return bool(self._queue) or self._state == "playing" or way is not None

    def advance(self, budget: float, sharing: int = 1) -> None:
        """Works for about `budget` seconds: carries out what was asked for, trains, publishes.

        budget: 0 only does what was asked for; what there is to see of a run that trains is renewed
        in its turn. sharing: how many runs train by turns, this one included.
        """
        if self._course is None:
            self._queue.clear()  # it failed to load: there is nothing to play
            return
        started = time.monotonic()
        self.course.watch.sharing = sharing
        self.course.begin_slice()
        self._train(started + budget)
        self._read()
        self.course.end_slice()
        if budget or self._state != "playing" or self.course.way is not None:
            self._maybe_look()
        elif self._changed:
            self._publish()

    def _train(self, until: float) -> None:
        """Until a moment on the monotonic clock; what was asked for comes between two steps."""
        self._carry_out()
        while self.course.way is not None and time.monotonic() < until:
            self.course.go_on()
            if self.course.way is None:
                self._arrive()
        while self._state == "playing" and self.course.way is None and time.monotonic() < until:
            self._apply_scheduled()
            if self._state != "playing":
                break
            if self.stop_at is not None and self.trainer.steps >= self.stop_at:
                self._state, self._changed = "paused", True
            elif self.slow is not None or self.course.walk.under_way:
                if self.course.walk.due(self.slow):
                    self.course.walk_on()
                    self._changed = True
                if self.slow is not None:
                    break
            else:
                self.course.step()
            self._carry_out()

    def _carry_out(self) -> None:
        """Does what was asked for; while it is on its way back, that waits."""
        while self._queue and self.course.way is None:
            with self._lock:
                action = self._queue.popleft()
            action()
            self._changed = True
            self.course.inspections.invalidate()
            with self._lock:
                if not self._queue:  # nothing else was asked for meanwhile
                    way = self.course.way
                    self._wanted = way.config if way else self.trainer.config

    def _apply_scheduled(self) -> None:
        while self.scheduled and self.scheduled[0].step <= self.trainer.steps:
            due = self.scheduled.pop(0)
            if due.update:
                self._update_one(due.update)
            else:
                self._want(due.changes)
                self._carry_out()

    def _want(self, changes: Mapping[str, Any]) -> ExperimentConfig:
        """Queues a change; raises `ConfigError` and changes nothing when it is not allowed."""
        with self._lock:
            new = replace_live(self._wanted, changes)
            self.allow(new)
            self._wanted = new
            given = {name: getattr(new, name) for name in expand(changes)}
            self._queue.append(lambda: self.course.change(given))
        return new

    def _do_play(self) -> None:
        self._recover()
        self._state = "playing"
        self.course.begin_pace()

    def _recover(self) -> None:
        """From a failure: the past after the last good state is forgotten."""
        if self._state == "failed":
            self.past.truncate(self.trainer.steps)
        self._message = ""

    def _do_pause(self) -> None:
        if self._state == "playing":
            self._state = "paused"
        self.course.watch.invalidate()  # so that what is seen is of the step it stopped at

    def _do_reset(self) -> None:
        self._begin(self._wanted)
        self._do_play()

    def _do_go_back(self, step: int) -> None:
        """The way begins here; a run that played plays on at its end, any other is paused."""
        self._message = ""
        if self._state == "failed":
            self._state = "paused"
        self.course.go_back(self.past.replay_plan(step))
        log.info("went back run=%s to=%d", self.id, step)

    def _arrive(self) -> None:
        self._read()
        self._message, self._progress = "", None
        self.course.begin_pace()
        self._look(measure=True)
        self._carry_out()

    def _do_update(self, which: Update) -> None:
        self._recover()
        self._state = "paused"
        self.course.finish_step()
        if which == "both":
            self.course.step()
            self._read()
        else:
            self._update_one(which)
        self._look(measure=True)

    def _update_one(self, which: Literal["critic", "generator"]) -> None:
        self.course.update(which)
        self._read()

    # The past -----------------------------------------------------------------------------------

    def _read(self) -> None:
        """Reads the figures so far and watches for blow-ups."""
        if (broken := self.course.read()) is not None:
            self._fail(*broken)

    def _fail(self, step: int, why: str) -> None:
        """Stops, goes back to the last good snapshot, and says so."""
        self._go_back(Event(step, "failed", why))
        back = self.trainer.steps
        self._message = (
            f"Stopped at step {step:,}: {why}. The networks and settings of step {back:,}, "
            "the last good ones, are kept: change a setting and press play to go on from there."
        )
        self.course.watch.invalidate()
        log.warning("failed run=%s step=%d why=%s", self.id, step, why)

    def _go_back(self, failed: Event) -> None:
        """To the last good snapshot: what was done after it, or asked for, is undone."""
        self.course.fall_back(failed)
        self._progress = None
        with self._lock:
            self._wanted = self.trainer.config
            self._queue.clear()
            self._state = "failed"

    def _maybe_look(self) -> None:
        if self.course.inspections.renew(playing=self._state == "playing"):
            self._changed = True
        if (way := self.course.way) is not None:
            self._tell_of(way)
        elif self.course.watch.due:
            self._look(measure=self.course.watch.measurement_due)
        elif self._changed:
            self._publish()

    def _tell_of(self, way: ReplayPlan) -> None:
        """Looks wait until it has arrived: they would come in the midst of samples it has."""
        begin = way.start.step
        self._progress = (self.trainer.steps - begin) / max(way.step - begin, 1)
        self._message = f"Training again from step {begin:,} to step {way.step:,}"
        self._publish()

    def _look(self, measure: bool) -> None:
        """Takes a view, and figures if asked for; then publishes."""
        self.course.watch.look()
        if measure and self._state != "failed":
            try:
                self.course.watch.measure()
                # The state of half a step is none to fall back on.
                if not self.course.walk.under_way:
                    self.course.watch.keep()
            except FloatingPointError as error:
                self._fail(self.trainer.steps, str(error))
                self.course.watch.look()
        self._publish()

    def capture(self) -> RunExport:
        """What `save` gives, for the thread that advances the run, or when no thread does."""
        self.course.finish_step()
        return self.course.saved(self.measure_now())

    def measure_now(self) -> Metrics:
        """The figures of this moment, for the thread that advances the run.

        A run whose networks have blown up fails now: the figures are those of its last good state.
        """
        try:
            return self.course.watch.measure_aside()
        except FloatingPointError as error:
            self._fail(self.trainer.steps, str(error))
            self._publish()
            return self.course.watch.measure_aside()

    def _publish(self) -> None:
        self._changed = False
        self._version += 1
        if self._course is None:
            self.frame = Frame(
                self._version,
                self.id,
                self._state,
                self._wanted,
                message=self._message,
                progress=self._progress,
            )
            return
        course, trainer = self._course, self.trainer
        self.frame = Frame(
            version=self._version,
            run=self.id,
            state=self._state,
            config=trainer.config,
            step=trainer.steps,
            seconds=self.seconds,
            steps_per_second=course.steps_per_second if self._state == "playing" else 0.0,
            device=str(trainer.device),
            message=self._message,
            progress=self._progress,
            curves=course.past.curves(),
            events=self.past.events,
            metrics=course.watch.metrics,
            view=course.watch.view,
            stage=course.walk.stage,
            inspections=course.inspections.found,
        )
