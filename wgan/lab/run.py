"""A run: one trainer with a past and a safe face.

People call `play`, `pause`, `apply`, `update`, `reset` from any thread; nothing they do touches the
trainer. The one thread that calls `advance` does the work, carries out what was asked for between
two steps, and publishes an immutable `Frame` that everybody reads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from wgan.config import ExperimentConfig, diff, expand, replace_live
from wgan.data import DataError, load
from wgan.inspection.attention import Attention
from wgan.inspection.inspector import Inspector
from wgan.inspection.pace import Inspections
from wgan.inspection.results import Wish
from wgan.lab.frame import Event, Frame, Measures, Stage, State, describe
from wgan.lab.history import Snapshots
from wgan.lab.past import Past
from wgan.lab.record import Record, fill_in, with_real
from wgan.lab.room import Room
from wgan.lab.saved import Saved, weights
from wgan.lab.watch import Watch
from wgan.trainer import Trainer, resolve_device

log = logging.getLogger("wgan.lab")

Update = Literal["critic", "generator", "both"]


@dataclass(frozen=True)
class Scheduled:
    """Changes, or an update of one network alone, once `step` steps are done."""

    step: int
    changes: Mapping[str, Any]
    update: Literal["", "critic", "generator"] = ""


class Run:
    """One experiment that is alive. See the module's words for who may call what.

    id: its name in the URL. owner threads: any for the verbs, one for `prepare` and `advance`.
    """

    def __init__(self, id: str, config: ExperimentConfig, *, playing: bool = True) -> None:
        self.id = id
        self.first_config = config
        self.room = Room()  # who may change it: everybody, unless its maker owns it
        self.slow: float | None = None  # seconds a stage in slow motion; None is full speed
        self.allow: Callable[[ExperimentConfig], None] = lambda config: None  # raises ConfigError
        self.stop_at: int | None = None  # pauses when this many steps are done
        self.scheduled: list[Scheduled] = []  # what is planned and still to come
        self.seconds = 0.0  # spent training
        self._wanted = config  # the config as asked for; the trainer follows before its next step
        self._state: State = "loading"
        self._play_when_ready = playing
        self._message = "Preparing"
        self._progress: float | None = None
        self._lock = threading.Lock()
        self._queue: deque[Callable[[], None]] = deque()
        self._wake: Callable[[], None] = lambda: None
        self._trainer: Trainer | None = None
        self._past: Past | None = None
        self._version = 0
        self._attention = Attention()
        self.frame = Frame(version=0, run=id, state="loading", config=config)

    # What anybody may call ----------------------------------------------------------------------

    @property
    def config(self) -> ExperimentConfig:
        """The config as asked for last; it governs the next step."""
        return self._wanted

    @property
    def state(self) -> State:
        return self._state

    @property
    def past(self) -> Past:
        assert self._past is not None, "prepare() has not run"
        return self._past

    @property
    def events(self) -> tuple[Event, ...]:
        """What was done to the run so far, in order."""
        return self._past.events if self._past else ()

    @property
    def snapshots(self) -> Snapshots:
        """The samples of the past."""
        return self._past.snapshots if self._past else Snapshots()

    @property
    def trainer(self) -> Trainer:
        """The trainer; for the thread that advances the run, or when no thread does."""
        assert self._trainer is not None, "prepare() has not run"
        return self._trainer

    def play(self) -> None:
        """Goes on; a failed run goes on from its last good snapshot."""
        self._switch("paused", "playing")
        self._ask(self._do_play)

    def pause(self) -> None:
        self._switch("playing", "paused")
        self._ask(self._do_pause)

    def _switch(self, old: State, new: State) -> None:
        """Plain transitions show at once, before the training thread comes to carry them out."""
        with self._lock:
            if self._state == old:
                self._state = new

    def update(self, which: Update) -> None:
        """One update of the critic, of the generator, or one whole step; then the run is paused."""
        self._ask(lambda: self._do_update(which))

    def reset(self) -> None:
        """Starts again from step 0 with the settings on screen and an empty past."""
        self._ask(self._do_reset)

    def apply(self, changes: Mapping[str, Any]) -> ExperimentConfig:
        """Changes live fields before the next step; the event is logged with its step.

        Returns the config that results. Raises `ConfigError` and changes nothing when a value is
        not allowed or a field is structural.
        """
        with self._lock:
            new = replace_live(self._wanted, changes)
            self.allow(new)
            self._wanted = new
            given = {name: getattr(new, name) for name in expand(changes)}
            self._queue.append(lambda: self._do_change(given))
        self._wake()
        return new

    def inspect(self, wish: Wish) -> None:
        """Somebody looks at this part of the critic: for a few seconds, frames have it."""
        if self._attention.look(wish):
            self._ask(lambda: None)  # a run that stands still has to be woken for it

    def save(self) -> Future[Saved]:
        """Everything that a checkpoint of the run holds, copied before its next step."""
        saved: Future[Saved] = Future()
        self._ask(lambda: saved.set_result(self.capture()))
        return saved

    def copied(self) -> Future[Record]:
        """All that a copy of the run needs to go on from here, taken before its next step."""
        record: Future[Record | None] = Future()
        self._ask(lambda: record.set_result(self.record(finish=True)))
        return record  # pyright: ignore[reportReturnType]  # with finish there always is one

    def schedule(self, due: Scheduled) -> None:
        """Plans a change; call it before the run is prepared."""
        self.scheduled.append(due)
        self.scheduled.sort(key=lambda due: due.step)

    def on_wake(self, wake: Callable[[], None]) -> None:
        """`wake` is called whenever there may be something to do."""
        self._wake = wake

    def _ask(self, action: Callable[[], None]) -> None:
        with self._lock:
            self._queue.append(action)
        self._wake()

    # What the one thread calls ------------------------------------------------------------------

    def prepare(self, record: Record | None = None) -> None:
        """Loads the data and builds the trainer; a fault leaves the run failed, with a sentence.

        record: what the run was when it left memory; it goes on from there, exactly.
        """
        config = record.config if record else self._wanted
        try:
            self._data = load(config, resolve_device(config.device), self._show_progress)
            self._begin(config)
            if record is not None:
                self._go_on_from(record)
            else:
                self._state = "playing" if self._play_when_ready else "paused"
                self._message = ""
            self._progress = None
            self._look(measure=record is None)
        except Exception as error:
            if record is not None:
                self._trainer = None  # half of a trainer is none, and must not be saved
            self.break_off(error)
            return
        log.info("ready run=%s data=%s device=%s", self.id, config.data, self.trainer.device)

    def _go_on_from(self, record: Record) -> None:
        try:
            self.trainer.load(fill_in(record.trainer, self.trainer.state()))
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            # Another device has another kind of randomness, another version other layers.
            log.warning("run=%s does not fit: %s", self.id, str(error).split("\n")[0])
            raise RuntimeError(
                "The saved run does not fit this server; start a new one with its settings."
            ) from None
        self._watch.look()
        assert self._watch.view is not None
        snapshots = with_real(record.snapshots, self._watch.view)
        self.past.put_back(record.tables, record.events, snapshots, self.trainer.state())
        if snapshots:
            self._watch.measures = snapshots[-1].measures
        self.first_config, self.seconds = record.first_config, record.seconds
        self.slow = record.slow
        self._state, self._message = record.state, record.message

    def mark(self) -> tuple[Any, ...] | None:
        """What differs when there is something new to save; None before there is anything.

        The steps done first, then the rest. For the thread that advances the run.
        """
        if self._trainer is None or self._past is None or self._state == "loading":
            return None
        room = tuple(self.room.to_dict().values())
        return (self._trainer.steps, self._past.events, self._state, self.slow, room)

    @property
    def in_step(self) -> bool:
        """Whether slow motion has stopped in the midst of a step."""
        return self._trainer is not None and self._walk is not None

    def record(self, *, finish: bool = False) -> Record | None:
        """Everything that the run needs to go on elsewhere, for the thread that advances it.

        None in the midst of a step in slow motion, unless `finish`: then that step is done first.
        """
        if self._walk is not None and not finish:
            return None
        self._finish_step()
        self._record()
        if not self.trainer.is_finite():
            # Broken weights show in the figures one step later: too late for what is saved.
            self._fail(self.trainer.steps, "the weights are no longer finite numbers")
            self._publish()
        return Record(
            config=self.trainer.config,
            first_config=self.first_config,
            state=self._state,
            message=self._message,
            seconds=self.seconds,
            slow=self.slow,
            events=self.past.events,
            room=self.room.to_dict(),
            trainer=self.trainer.state(),
            tables=self.past.tables(),
            snapshots=self.past.snapshots.items,
        )

    def break_off(self, error: Exception) -> None:
        """Fails the run with one sentence; only a fault of ours leaves a traceback in the log."""
        memory = isinstance(error, (MemoryError, torch.OutOfMemoryError))
        ours = not (memory or isinstance(error, (DataError, RuntimeError)))
        text = str(error).split("\n")[0].strip()
        if memory:
            text = "There is not enough memory for this; try a smaller batch or smaller networks."
        why = text if text and not ours else f"An unexpected {type(error).__name__}."
        log.warning("failed run=%s why=%s", self.id, why, exc_info=ours)
        self._state, self._message = "failed", why
        if self._past is not None and self._trainer is not None:
            self._unread.clear()
            try:
                self._go_back(Event(self._trainer.steps, "failed", why.rstrip(".")))
            except Exception:
                log.exception("run=%s cannot go back", self.id)
        self._publish()

    def _show_progress(self, text: str, share: float | None) -> None:
        self._message, self._progress = text, share
        self._publish()

    def _begin(self, config: ExperimentConfig) -> None:
        trainer = Trainer(config, self._data)
        past = Past(trainer.state())
        watch = Watch(trainer, self._data, past)
        self._trainer, self._past, self._watch = trainer, past, watch
        self._inspections = Inspections(Inspector(trainer, self._data), self._attention)
        self.first_config = config
        self.seconds = 0.0
        self._walk: Iterator[Stage] | None = None
        self._stage: Stage | None = None
        self._stage_at = 0.0
        self._unread: list[tuple[int, Tensor]] = []  # figures of steps, still on the device
        self._pace: deque[tuple[float, int]] = deque(maxlen=64)
        self._changed = True

    @property
    def active(self) -> bool:
        """Whether `advance` has something to do now."""
        return bool(self._queue) or self._state == "playing"

    def advance(self, budget: float) -> None:
        """Works for about `budget` seconds: carries out what was asked for, trains, publishes."""
        if self._trainer is None:
            self._queue.clear()  # it failed to load: there is nothing to play
            return
        started = time.monotonic()
        self._carry_out()
        while self._state == "playing" and time.monotonic() - started < budget:
            self._apply_scheduled()
            if self._state != "playing":
                break
            if self.stop_at is not None and self.trainer.steps >= self.stop_at:
                self._state, self._changed = "paused", True
            elif self.slow is not None or self._walk is not None:
                self._walk_on()
                if self.slow is not None:
                    break
            else:
                figures = self.trainer.step()
                self._unread.append((self.trainer.steps, figures))
            self._carry_out()
        self._record()
        now = time.monotonic()
        self.seconds += now - started
        self._pace.append((now, self.trainer.steps))
        self._maybe_look()

    def _carry_out(self) -> None:
        """Does what was asked for."""
        while self._queue:
            with self._lock:
                action = self._queue.popleft()
            action()
            self._changed = True
            self._inspections.hurry()

    def _apply_scheduled(self) -> None:
        while self.scheduled and self.scheduled[0].step <= self.trainer.steps:
            due = self.scheduled.pop(0)
            if due.update:
                self._update_one(due.update)
            else:
                self.apply(due.changes)
                self._carry_out()

    def _do_play(self) -> None:
        self._recover()
        self._state = "playing"
        self._pace.clear()

    def _recover(self) -> None:
        """From a failure: the past after the last good state is forgotten."""
        if self._state == "failed":
            self.past.truncate(self.trainer.steps)
        self._message = ""

    def _do_pause(self) -> None:
        if self._state == "playing":
            self._state = "paused"
        self._watch.hurry()  # so that what is seen is of the step it stopped at

    def _do_reset(self) -> None:
        self._begin(self._wanted)
        self._do_play()

    def _do_change(self, given: Mapping[str, Any]) -> None:
        self._finish_step()
        trainer = self.trainer
        new = trainer.config.replace(given)
        changes = diff(trainer.config, new)
        if not changes:
            return
        trainer.change(new)
        self._log_event(Event(trainer.steps, "change", describe(changes), changes))

    def _do_update(self, which: Update) -> None:
        self._recover()
        self._state = "paused"
        self._finish_step()
        if which == "both":
            figures = self.trainer.step()
            self._unread.append((self.trainer.steps, figures))
            self._record()
        else:
            self._update_one(which)
        self._look(measure=True)

    def _update_one(self, which: Literal["critic", "generator"]) -> None:
        trainer = self.trainer
        figures = trainer.update_critic() if which == "critic" else trainer.update_generator()
        self._log_event(Event(trainer.steps, "update", f"{which} only", update=which))
        self._unread.append((trainer.steps, figures))
        self._record()

    def _log_event(self, event: Event) -> None:
        self.past.log(event)
        log.info("applied run=%s step=%d %s", self.id, event.step, event.text)

    # Slow motion --------------------------------------------------------------------------------

    def _walk_on(self) -> None:
        """One stage further, when its time has come."""
        now = time.monotonic()
        if self.slow is not None and now - self._stage_at < self.slow:
            return
        self._stage_at, self._changed = now, True
        self._walk = self._walk or self.trainer.stages()
        stage = next(self._walk, None)
        if stage is None:
            self._end_walk()
        else:
            self._stage = Stage(stage.name, stage.update, stage.updates, self.trainer.figures())

    def _finish_step(self) -> None:
        """Changes come between steps: a step begun in slow motion is finished first."""
        if self._walk is not None:
            for _ in self._walk:
                pass
            self._end_walk()

    def _end_walk(self) -> None:
        self._walk = self._stage = None
        figures = torch.tensor(list(self.trainer.figures().values()))
        self._unread.append((self.trainer.steps, figures))

    # The past -----------------------------------------------------------------------------------

    def _record(self) -> None:
        """Reads the figures so far at once and watches for blow-ups."""
        if self._unread:
            unread, self._unread = self._unread, []
            if (broken := self.past.record(unread)) is not None:
                self._fail(*broken)

    def _fail(self, step: int, why: str) -> None:
        """Stops, goes back to the last good snapshot, and says so."""
        self._go_back(Event(step, "failed", why))
        back = self.trainer.steps
        self._message = (
            f"Stopped at step {step:,}: {why}. The networks and settings of step {back:,}, "
            "the last good ones, are kept: change a setting and press play to go on from there."
        )
        self._watch.hurry()
        log.warning("failed run=%s step=%d why=%s", self.id, step, why)

    def _go_back(self, failed: Event) -> None:
        """To the last good snapshot: what was done after it, or asked for, is undone."""
        self._walk = self._stage = None  # first of all: a walk holds the step that broke
        self.trainer.load(self.past.go_back(failed))
        with self._lock:
            self._wanted = self.trainer.config
            self._queue.clear()
            self._state = "failed"

    def _maybe_look(self) -> None:
        if self._inspections.renew(playing=self._state == "playing"):
            self._changed = True
        if self._watch.due:
            self._look(measure=self._watch.measurement_due)
        elif self._changed:
            self._publish()

    def _look(self, measure: bool) -> None:
        """Takes a view, and figures if asked for; then publishes."""
        self._watch.look()
        if measure and self._state != "failed":
            try:
                self._watch.measure()
                if self._walk is None:  # the state of half a step is none to fall back on
                    self._watch.keep()
            except FloatingPointError as error:
                self._fail(self.trainer.steps, str(error))
                self._watch.look()
        self._publish()

    def capture(self) -> Saved:
        """What `save` gives, for the thread that advances the run, or when no thread does."""
        self._finish_step()
        measures = self.measure_now()
        self._watch.look()
        assert self._watch.view is not None
        return Saved(
            first_config=self.first_config,
            config=self.trainer.config,
            steps=self.trainer.steps,
            events=self.events,
            curves=self.past.curves(),
            weights=weights(self.trainer),
            measures=measures,
            view=self._watch.view,
            shares=self._watch.shares(),
        )

    def measure_now(self) -> Measures:
        """The figures of this moment, for the thread that advances the run.

        A run whose networks have blown up fails now: the figures are those of its last good state.
        """
        try:
            return self._watch.measure_aside()
        except FloatingPointError as error:
            self._fail(self.trainer.steps, str(error))
            self._publish()
            return self._watch.measure_aside()

    def _publish(self) -> None:
        self._changed = False
        self._version += 1
        trainer = self._trainer
        if trainer is None:
            self.frame = Frame(
                self._version,
                self.id,
                self._state,
                self._wanted,
                message=self._message,
                progress=self._progress,
            )
            return
        self.frame = Frame(
            version=self._version,
            run=self.id,
            state=self._state,
            config=trainer.config,
            step=trainer.steps,
            seconds=self.seconds,
            steps_per_second=self._steps_per_second(),
            device=str(trainer.device),
            message=self._message,
            curves=self.past.curves(),
            events=self.events,
            measures=self._watch.measures,
            view=self._watch.view,
            stage=self._stage,
            inspections=self._inspections.found,
        )

    def _steps_per_second(self) -> float:
        if len(self._pace) < 2 or self._state != "playing":
            return 0.0
        (t0, s0), (t1, s1) = self._pace[0], self._pace[-1]
        return (s1 - s0) / (t1 - t0) if t1 > t0 else 0.0
