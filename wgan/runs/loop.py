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
from concurrent.futures import Future
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
    from wgan.runs.session import TrainingSession
    from wgan.trainer import Trainer

log = logging.getLogger("wgan.lab")

Update = Literal["critic", "generator", "both"]


class RunLoop:
    """A run without its verbs: its state, and the work on it. `frame` is what it published last."""

    def __init__(self, id: str, config: ExperimentConfig, *, playing: bool = True) -> None:
        self.id = id
        self.access = Access()  # who may change it: everybody, unless its maker owns it
        self.slow: float | None = None  # seconds a stage in slow motion; None is full speed
        self.allow: Callable[[ExperimentConfig], None] = lambda config: None  # raises ConfigError
        self.stop_at: int | None = None  # pauses when this many steps are done
        self.scheduled: list[ScheduledChange] = []  # what is planned and still to come
        self._requested = (
            config  # the config as asked for; the trainer follows before its next step
        )
        self._state: State = "loading"
        self._play_when_ready = playing
        self._message = "Preparing"
        self._progress: float | None = None
        self._lock = threading.Lock()
        self._queue: deque[Callable[[], None]] = deque()
        self._wake: Callable[[], None] = lambda: None
        self._session: TrainingSession | None = None
        self._first: ExperimentConfig | None = None  # of the run that it goes on from
        self._version = 0
        self._attention = ViewerRequests()
        self._changed = False  # since the last publication
        self._copied: tuple[Any, RunState] | None = None  # while what was asked for is done
        self.frame = Frame(version=0, run=id, state="loading", config=config)

    @property
    def session(self) -> TrainingSession:
        """What is trained; for the thread that advances the run, or when no thread does."""
        assert self._session is not None, "prepare() has not run"
        return self._session

    @property
    def trainer(self) -> Trainer:
        """The course's trainer, for the same thread."""
        return self.session.trainer

    @property
    def history(self) -> History:
        return self.session.history

    @property
    def first_config(self) -> ExperimentConfig:
        """The settings that it began with; with the log of changes they repeat the run."""
        return self._session.first_config if self._session else self._first or self._requested

    @property
    def seconds(self) -> float:
        """Spent training."""
        return self._session.history.seconds if self._session else 0.0

    def mirror(self, origin: RunLoop) -> None:
        """Shows what `origin` shows until this run, a copy of it, is prepared and has its own."""
        self.slow, self._first = origin.slow, origin.first_config
        # What is drawn of a frame is the same whose ever it is: a class of copies draws it once.
        self.frame = dataclasses.replace(origin.frame, version=0, run=self.id)

    def prepare(self, record: RunState | None = None) -> None:
        """Loads the data and builds the trainer; a fault leaves the run failed, with a sentence.

        record: what the run was when it left memory; it goes on from there, exactly.
        """
        config = record.first_config if record else self._requested  # its first state is kept too
        if record is not None:
            self.slow = record.slow  # first: somebody may change it meanwhile
        try:
            from wgan.trainer import resolve_device

            self._data = load(config, resolve_device(config.device), self._show_progress)
            self._begin(config, record)
            if record is not None:
                self._state = record.state
                self._message = record.message
            else:
                self._state = "playing" if self._play_when_ready else "paused"
                self._message = ""
            self._progress = None
            self._evaluate(measure=record is None)
        except Exception as error:
            if record is not None:
                self._session = None  # half of a run is none, and must not be saved
            self.fail_with(error)
            return
        log.info("ready run=%s data=%s device=%s", self.id, config.data, self.trainer.device)

    def release(self) -> None:
        """Lets go of all that takes memory, once a prepared run is saved and no thread advances it.

        Whoever still holds the run sees one that loads, and finds another of its id in the lab.
        """
        self._session = None
        del self._data
        self._state, self._message = "loading", "Saved; it comes back when it is watched"
        self._version += 1
        self.frame = Frame(
            self._version, self.id, "loading", self._requested, message=self._message
        )

    def save_key(self) -> tuple[Any, ...] | None:
        """What differs when there is something new to save; None before there is anything.

        The steps done first, then the rest. For the thread that advances the run.
        """
        if self._session is None or self._state == "loading":
            return None
        access = tuple(self.access.to_dict().values())
        return (self.trainer.steps, self.history.events, self._state, self.slow, access)

    @property
    def mid_step(self) -> bool:
        """Whether slow motion has stopped in the midst of a step."""
        return self._session is not None and self._session.stepper.under_way

    def record(self, *, finish: bool = False) -> RunState | None:
        """Everything that the run needs to go on elsewhere, for the thread that advances it.

        None in the midst of a step in slow motion, unless `finish`: then that step is done first.
        """
        if self.session.stepper.under_way and not finish:
            return None
        self.session.finish_step()
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
            events=self.history.events,
            access=self.access.to_dict(),
            trainer=self.trainer.state_dict(),
            curves=self.history.state_dict(),
            snapshots=self.history.snapshots.items,
            checkpoints=self.history.checkpoints.items,
        )

    def fail_with(self, error: Exception) -> None:
        """Fails the run with one sentence; only a fault of ours leaves a traceback in the log."""
        why, ours = explain(error)
        log.warning("failed run=%s why=%s", self.id, why, exc_info=ours)
        self._state, self._message = "failed", why
        if self._session is not None:
            try:
                self._fall_back(Event(self.trainer.steps, "failed", why.rstrip(".")))
            except Exception:
                log.exception("run=%s cannot go back", self.id)
        self._publish()

    def _show_progress(self, text: str, share: float | None) -> None:
        self._message, self._progress = text, share
        if self.frame.view is None:  # a copy shows its origin's picture meanwhile
            self._publish()

    def _begin(self, config: ExperimentConfig, record: RunState | None = None) -> None:
        from wgan.runs.session import TrainingSession

        self._session = TrainingSession(self.id, config, self._data, self._attention, record)
        self._changed = True

    @property
    def has_requests(self) -> bool:
        """Whether something was asked for that is not done yet."""
        return bool(self._queue)

    @property
    def active(self) -> bool:
        """Whether `advance` has something to do now."""
        replay = self._session.replay if self._session else None
        return bool(self._queue) or self._state == "playing" or replay is not None

    def advance(self, budget: float, sharing: int = 1) -> None:
        """Works for about `budget` seconds: carries out what was asked for, trains, publishes.

        budget: 0 only does what was asked for; what there is to see of a run that trains is renewed
        in its turn. sharing: how many runs train by turns, this one included.
        """
        if self._session is None:
            self._queue.clear()  # it failed to load: there is nothing to play
            return
        started = time.monotonic()
        self.session.evaluation.sharing = sharing
        self.session.begin_slice()
        self._train(started + budget)
        self._read()
        self.session.end_slice()
        if budget or self._state != "playing" or self.session.replay is not None:
            self._evaluate_if_due()
        elif self._changed:
            self._publish()

    def _train(self, until: float) -> None:
        """Until a moment on the monotonic clock; what was asked for comes between two steps."""
        self._handle_requests()
        while self.session.replay is not None and time.monotonic() < until:
            self.session.advance_replay()
            if self.session.replay is None:
                self._arrive()
        while self._state == "playing" and self.session.replay is None and time.monotonic() < until:
            self._apply_scheduled()
            if self._state != "playing":
                break
            if self.stop_at is not None and self.trainer.steps >= self.stop_at:
                self._state, self._changed = "paused", True
            elif self.slow is not None or self.session.stepper.under_way:
                if self.session.stepper.due(self.slow):
                    self.session.advance_stepper()
                    self._changed = True
                if self.slow is not None:
                    break
            else:
                self.session.step()
            self._handle_requests()

    def _handle_requests(self) -> None:
        """Does what was asked for; while it is on its way back, that waits."""
        while self._queue and self.session.replay is None:
            with self._lock:
                action = self._queue.popleft()
            action()
            self._changed = True
            self.session.inspections.invalidate()
            with self._lock:
                if not self._queue:  # nothing else was asked for meanwhile
                    replay = self.session.replay
                    self._requested = replay.config if replay else self.trainer.config
        self._copied = None

    def _apply_scheduled(self) -> None:
        while self.scheduled and self.scheduled[0].step <= self.trainer.steps:
            due = self.scheduled.pop(0)
            if due.update:
                self._update_one(due.update)
            else:
                self._request_change(due.changes)
                self._handle_requests()

    def _request_change(self, changes: Mapping[str, Any]) -> ExperimentConfig:
        """Queues a change; raises `ConfigError` and changes nothing when it is not allowed."""
        with self._lock:
            new = replace_live(self._requested, changes)
            self.allow(new)
            self._requested = new
            given = {name: getattr(new, name) for name in expand(changes)}
            self._queue.append(lambda: self.session.change(given))
        return new

    def _do_play(self) -> None:
        self._recover()
        self._state = "playing"
        self.session.begin_pace()

    def _recover(self) -> None:
        """From a failure: the past after the last good state is forgotten."""
        if self._state == "failed":
            self.history.truncate(self.trainer.steps)
        self._message = ""

    def _do_pause(self) -> None:
        if self._state == "playing":
            self._state = "paused"
        self.session.evaluation.invalidate()  # so that what is seen is of the step it stopped at

    def _do_reset(self) -> None:
        self._begin(self._requested)
        self._do_play()

    def _do_copy(self, copy: Future[RunState]) -> None:
        """A class that asks for copies at one moment shares one."""
        self.session.finish_step()
        if self._copied is None or self._copied[0] != self.save_key():
            record = self.record(finish=True)
            assert record is not None
            self._copied = (self.save_key(), record)
        copy.set_result(self._copied[1])

    def _do_go_back(self, step: int) -> None:
        """The way begins here; a run that played plays on at its end, any other is paused."""
        self._message = ""
        if self._state == "failed":
            self._state = "paused"
        self.session.go_back(self.history.replay_plan(step))
        log.info("went back run=%s to=%d", self.id, step)

    def _arrive(self) -> None:
        self._read()
        self._message, self._progress = "", None
        self.session.begin_pace()
        self._evaluate(measure=True)
        self._handle_requests()

    def _do_update(self, which: Update) -> None:
        self._recover()
        self._state = "paused"
        self.session.finish_step()
        if which == "both":
            self.session.step()
            self._read()
        else:
            self._update_one(which)
        self._evaluate(measure=True)

    def _update_one(self, which: Literal["critic", "generator"]) -> None:
        self.session.update(which)
        self._read()

    # The past -----------------------------------------------------------------------------------

    def _read(self) -> None:
        """Reads the figures so far and watches for blow-ups."""
        if (broken := self.session.read()) is not None:
            self._fail(*broken)

    def _fail(self, step: int, why: str) -> None:
        """Stops, goes back to the last good snapshot, and says so."""
        self._fall_back(Event(step, "failed", why))
        back = self.trainer.steps
        self._message = (
            f"Stopped at step {step:,}: {why}. The networks and settings of step {back:,}, "
            "the last good ones, are kept: change a setting and press play to go on from there."
        )
        self.session.evaluation.invalidate()
        log.warning("failed run=%s step=%d why=%s", self.id, step, why)

    def _fall_back(self, failed: Event) -> None:
        """To the last good snapshot: what was done after it, or asked for, is undone."""
        self.session.fall_back(failed)
        self._progress = None
        with self._lock:
            self._requested = self.trainer.config
            self._queue.clear()
            self._state = "failed"

    def _evaluate_if_due(self) -> None:
        if self.session.inspections.renew(playing=self._state == "playing"):
            self._changed = True
        if (replay := self.session.replay) is not None:
            self._show_replay(replay)
        elif self.session.evaluation.due:
            self._evaluate(measure=self.session.evaluation.measurement_due)
        elif self._changed:
            self._publish()

    def _show_replay(self, replay: ReplayPlan) -> None:
        """Looks wait until it has arrived: they would come in the midst of samples it has."""
        begin = replay.start.step
        self._progress = (self.trainer.steps - begin) / max(replay.step - begin, 1)
        self._message = f"Training again from step {begin:,} to step {replay.step:,}"
        self._publish()

    def _evaluate(self, measure: bool) -> None:
        """Takes a view, and figures if asked for; then publishes."""
        self.session.evaluation.update_view()
        if measure and self._state != "failed":
            try:
                self.session.evaluation.update_metrics()
                # The state of half a step is none to fall back on.
                if not self.session.stepper.under_way:
                    self.session.evaluation.keep_checkpoint()
            except FloatingPointError as error:
                self._fail(self.trainer.steps, str(error))
                self.session.evaluation.update_view()
        self._publish()

    def export_now(self) -> RunExport:
        """What `save` gives, for the thread that advances the run, or when no thread does."""
        self.session.finish_step()
        return self.session.export(self.measure_now())

    def measure_now(self) -> Metrics:
        """The figures of this moment, for the thread that advances the run.

        A run whose networks have blown up fails now: the figures are those of its last good state.
        """
        try:
            return self.session.evaluation.measure_aside()
        except FloatingPointError as error:
            self._fail(self.trainer.steps, str(error))
            self._publish()
            return self.session.evaluation.measure_aside()

    def _publish(self) -> None:
        self._changed = False
        self._version += 1
        if self._session is None:
            self.frame = Frame(
                self._version,
                self.id,
                self._state,
                self._requested,
                message=self._message,
                progress=self._progress,
            )
            return
        session, trainer = self._session, self.trainer
        self.frame = Frame(
            version=self._version,
            run=self.id,
            state=self._state,
            config=trainer.config,
            step=trainer.steps,
            seconds=self.seconds,
            steps_per_second=session.steps_per_second if self._state == "playing" else 0.0,
            device=str(trainer.device),
            message=self._message,
            progress=self._progress,
            curves=session.history.curves(),
            events=self.history.events,
            metrics=session.evaluation.metrics,
            view=session.evaluation.view,
            stage=session.stepper.stage,
            inspections=session.inspections.found,
        )
