"""What the one thread does that advances a run: it trains, looks, records, fails and publishes.

Private to `wgan.runs.run.Run`, which owns it and says who may call what. A run is there before
torch is, which takes seconds to import: `prepare` brings it, on a thread on which nobody waits.
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
from wgan.runs.series import Snapshots
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
    """The state of a run, the queue of what was asked for, and the work on both.

    `frame` is what it published last. What has a name of `Run` is described there; what begins with
    `do_` is passed to `request`.
    """

    def __init__(self, id: str, config: ExperimentConfig, access: Access, *, playing: bool) -> None:
        self.id, self.access = id, access
        self.slow: float | None = None  # seconds a stage in slow motion; None is full speed
        self.allow: Callable[[ExperimentConfig], None] = lambda config: None  # raises ConfigError
        self.stop_at: int | None = None  # pauses when this many steps are done
        self.scheduled: list[ScheduledChange] = []  # what is planned and still to come
        self.requested = config  # as asked for; the trainer follows before its next step
        self.viewers = ViewerRequests()
        self.on_wake: Callable[[], None] = lambda: None
        self.state: State = "loading"
        self._play_when_ready = playing
        self._message = "Preparing"
        self._progress: float | None = None
        self._lock = threading.Lock()
        self._queue: deque[Callable[[], None]] = deque()
        self._session: TrainingSession | None = None
        self._first: ExperimentConfig | None = None  # of the run that it goes on from
        self._version = 0
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
        """The trainer of the session, for the same thread."""
        return self.session.trainer

    @property
    def history(self) -> History:
        return self.session.history

    @property
    def first_config(self) -> ExperimentConfig:
        return self._session.first_config if self._session else self._first or self.requested

    @property
    def seconds(self) -> float:
        return self._session.history.seconds if self._session else 0.0

    @property
    def steps(self) -> int:
        return self._session.trainer.steps if self._session else 0

    @property
    def events(self) -> tuple[Event, ...]:
        return self._session.history.events if self._session else self.frame.events

    @property
    def snapshots(self) -> Snapshots:
        return self._session.history.snapshots if self._session else Snapshots()

    def mirror(self, origin: RunLoop) -> None:
        self.slow, self._first = origin.slow, origin.first_config
        # What is drawn of a frame is the same whose ever it is: a class of copies draws it once.
        self.frame = dataclasses.replace(origin.frame, version=0, run=self.id)

    def prepare(self, record: RunState | None = None) -> None:
        config = record.first_config if record else self.requested  # its first state is kept too
        if record is not None:
            self.slow = record.slow  # first: somebody may change it meanwhile
        try:
            from wgan.trainer import resolve_device

            self._data = load(config, resolve_device(config.device), self._show_progress)
            self._begin(config, record)
            if record is not None:
                self.state = record.state
                self._message = record.message
            else:
                self.state = "playing" if self._play_when_ready else "paused"
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
        self._session = None
        del self._data
        self.state, self._message = "loading", "Saved; it comes back when it is watched"
        self._version += 1
        self.frame = Frame(self._version, self.id, "loading", self.requested, message=self._message)

    def save_key(self) -> tuple[Any, ...] | None:
        if self._session is None or self.state == "loading":
            return None
        access = tuple(self.access.to_dict().values())
        return (self.trainer.steps, self.history.events, self.state, self.slow, access)

    @property
    def mid_step(self) -> bool:
        return self._session is not None and self._session.stepper.under_way

    def record(self, *, finish: bool = False) -> RunState | None:
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
            state=self.state,
            message=self._message if self.state == "failed" else "",
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
        why, ours = explain(error)
        log.warning("failed run=%s why=%s", self.id, why, exc_info=ours)
        self.state, self._message = "failed", why
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

        self._session = TrainingSession(self.id, config, self._data, self.viewers, record)
        self._changed = True

    @property
    def has_requests(self) -> bool:
        return bool(self._queue)

    @property
    def active(self) -> bool:
        replay = self._session.replay if self._session else None
        return bool(self._queue) or self.state == "playing" or replay is not None

    def advance(self, budget: float, sharing: int = 1) -> None:
        if self._session is None:
            self._queue.clear()  # it failed to load: there is nothing to play
            return
        started = time.monotonic()
        self.session.evaluation.sharing = sharing
        self.session.begin_slice()
        self._train(started + budget)
        self._read()
        self.session.end_slice()
        if budget or self.state != "playing" or self.session.replay is not None:
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
        while self.state == "playing" and self.session.replay is None and time.monotonic() < until:
            self._apply_scheduled()
            if self.state != "playing":
                break
            if self.stop_at is not None and self.trainer.steps >= self.stop_at:
                self.state, self._changed = "paused", True
            elif self.slow is not None or self.session.stepper.under_way:
                if self.session.stepper.due(self.slow):
                    self.session.advance_stepper()
                    self._changed = True
                if self.slow is not None:
                    break
            else:
                self.session.step()
            self._handle_requests()

    def request(self, action: Callable[[], None]) -> None:
        """Has the training thread do this between two steps."""
        with self._lock:
            self._queue.append(action)
        self.on_wake()

    def switch(self, old: State, new: State) -> None:
        """Plain transitions show at once, before the training thread comes to carry them out."""
        with self._lock:
            if self.state == old:
                self.state = new

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
                    self.requested = replay.config if replay else self.trainer.config
        self._copied = None

    def _apply_scheduled(self) -> None:
        while self.scheduled and self.scheduled[0].step <= self.trainer.steps:
            due = self.scheduled.pop(0)
            if due.update:
                self._update_one(due.update)
            else:
                self.request_change(due.changes)
                self._handle_requests()

    def request_change(self, changes: Mapping[str, Any]) -> ExperimentConfig:
        """Queues a change; raises `ConfigError` and changes nothing when it is not allowed."""
        with self._lock:
            new = replace_live(self.requested, changes)
            self.allow(new)
            self.requested = new
            given = {name: getattr(new, name) for name in expand(changes)}
            self._queue.append(lambda: self.session.change(given))
        return new

    def do_play(self) -> None:
        self._recover()
        self.state = "playing"
        self.session.begin_pace()

    def _recover(self) -> None:
        """From a failure: the past after the last good state is forgotten."""
        if self.state == "failed":
            self.history.truncate(self.trainer.steps)
        self._message = ""

    def do_pause(self) -> None:
        if self.state == "playing":
            self.state = "paused"
        self.session.evaluation.invalidate()  # so that what is seen is of the step it stopped at

    def do_reset(self) -> None:
        self._begin(self.requested)
        self.do_play()

    def do_copy(self, copy: Future[RunState]) -> None:
        """A class that asks for copies at one moment shares one."""
        self.session.finish_step()
        if self._copied is None or self._copied[0] != self.save_key():
            record = self.record(finish=True)
            assert record is not None
            self._copied = (self.save_key(), record)
        copy.set_result(self._copied[1])

    def do_go_back(self, step: int) -> None:
        """The way begins here; a run that played plays on at its end, any other is paused."""
        self._message = ""
        if self.state == "failed":
            self.state = "paused"
        self.session.go_back(self.history.replay_plan(step))
        log.info("went back run=%s to=%d", self.id, step)

    def _arrive(self) -> None:
        self._read()
        self._message, self._progress = "", None
        self.session.begin_pace()
        self._evaluate(measure=True)
        self._handle_requests()

    def do_update(self, which: Update) -> None:
        self._recover()
        self.state = "paused"
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
            self.requested = self.trainer.config
            self._queue.clear()
            self.state = "failed"

    def _evaluate_if_due(self) -> None:
        if self.session.inspections.renew(playing=self.state == "playing"):
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
        if measure and self.state != "failed":
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
        self.session.finish_step()
        return self.session.export(self.measure_now())

    def measure_now(self) -> Metrics:
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
                self.state,
                self.requested,
                message=self._message,
                progress=self._progress,
            )
            return
        session, trainer = self._session, self.trainer
        self.frame = Frame(
            version=self._version,
            run=self.id,
            state=self.state,
            config=trainer.config,
            step=trainer.steps,
            seconds=self.seconds,
            steps_per_second=session.steps_per_second if self.state == "playing" else 0.0,
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
