"""A run: one trainer with a past and a safe face.

People call `play`, `pause`, `apply`, `update`, `reset` from any thread; nothing they do touches the
trainer. The one thread that calls `advance` does the work, carries out what was asked for between
two steps, and publishes an immutable `Frame` that everybody reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from wgan.config import ExperimentConfig
from wgan.runs.checkpoints import ReplayPlan
from wgan.runs.export import RunExport
from wgan.runs.loop import RunLoop, Update
from wgan.runs.schedule import ScheduledChange
from wgan.runs.series import Snapshots
from wgan.runs.state import RunState
from wgan.types import Event, InspectionRequest, State

__all__ = ["Run", "ScheduledChange", "Update"]


class Run(RunLoop):
    """One experiment that is alive; its verbs may be called by anybody, from any thread.

    id: its name in the URL. `prepare` and `advance` are for one thread, see `RunLoop`.
    """

    @property
    def config(self) -> ExperimentConfig:
        """The config as asked for last; it governs the next step."""
        return self._requested

    @property
    def state(self) -> State:
        return self._state

    @property
    def steps(self) -> int:
        """Generator steps done; a frame tells them too, but only as often as it is published."""
        session = self._session
        return session.trainer.steps if session else 0

    @property
    def events(self) -> tuple[Event, ...]:
        """What was done to the run so far, in order."""
        return self._session.history.events if self._session else self.frame.events

    @property
    def snapshots(self) -> Snapshots:
        """The samples of the past."""
        return self._session.history.snapshots if self._session else Snapshots()

    def play(self) -> None:
        """Goes on; a failed run goes on from its last good snapshot."""
        self._switch("paused", "playing")
        self._request(self._do_play)

    def pause(self) -> None:
        self._switch("playing", "paused")
        self._request(self._do_pause)

    def _switch(self, old: State, new: State) -> None:
        """Plain transitions show at once, before the training thread comes to carry them out."""
        with self._lock:
            if self._state == old:
                self._state = new

    def update(self, which: Update) -> None:
        """One update of the critic, of the generator, or one whole step; then the run is paused."""
        self._request(lambda: self._do_update(which))

    def reset(self) -> None:
        """Starts again from step 0 with the settings on screen and an empty past."""
        self._request(self._do_reset)

    def replay_plan(self, step: int) -> ReplayPlan:
        """How the run would come to an earlier step again, and from which state."""
        return self.history.replay_plan(step)

    def go_back(self, step: int) -> None:
        """Goes on from an earlier step, exactly as it was when the run came to it.

        Curves, samples and events after it are forgotten; where the way there is too long, it
        goes on from an earlier one still, see `replay_plan`.
        """
        self._request(lambda: self._do_go_back(step))

    def apply(self, changes: Mapping[str, Any]) -> ExperimentConfig:
        """Changes live fields before the next step; the event is logged with its step.

        Returns the config that results. Raises `ConfigError` and changes nothing when a value is
        not allowed or a field is structural.
        """
        new = self._request_change(changes)
        self._wake()
        return new

    def inspect(self, request: InspectionRequest) -> None:
        """Somebody looks at this part of the critic: for a few seconds, frames have it."""
        if self._attention.look(request):
            self._request(lambda: None)  # a run that stands still has to be woken for it

    def save(self) -> Future[RunExport]:
        """Everything that a checkpoint of the run holds, copied before its next step."""
        export: Future[RunExport] = Future()
        self._request(lambda: export.set_result(self.export_now()))
        return export

    def copy_state(self) -> Future[RunState]:
        """All that a copy of the run needs to go on from here, taken before its next step."""
        copy: Future[RunState] = Future()
        self._request(lambda: self._do_copy(copy))
        return copy

    def schedule(self, due: ScheduledChange) -> None:
        """Plans a change; call it before the run is prepared."""
        self.scheduled.append(due)
        self.scheduled.sort(key=lambda due: due.step)

    def on_wake(self, wake: Callable[[], None]) -> None:
        """`wake` is called whenever there may be something to do."""
        self._wake = wake

    def _request(self, action: Callable[[], None]) -> None:
        with self._lock:
            self._queue.append(action)
        self._wake()
