"""A run: one experiment with a past, which any number of people watch and change.

Its life: *loading* until `prepare` has brought data and networks; then *playing* or *paused*, and
*failed* from a blow-up or fault until somebody plays on; `release` ends it, saved.

**Who may call what.** Everybody, from any thread, may read the properties and call the verbs, from
`play` to `copy_state`: they put what is asked for in a queue and touch no tensor. One thread may
call the rest, from `prepare` to `measure_now`: it carries the queue out between two steps, trains,
and publishes an immutable `Frame` that all readers share. What is settled before the run is
prepared (`schedule`, `restrict`, `on_wake`, `mirror`) is settled by whoever makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from wgan.config import ExperimentConfig
from wgan.frame import Frame
from wgan.runs.access import Access
from wgan.runs.checkpoints import ReplayPlan
from wgan.runs.export import RunExport
from wgan.runs.loop import RunLoop, Update
from wgan.runs.schedule import ScheduledChange
from wgan.runs.series import Snapshots
from wgan.runs.state import RunState
from wgan.types import Event, InspectionRequest, Metrics, State

__all__ = ["Run", "ScheduledChange", "Update"]


class Run:
    """One experiment that is alive, by the rules above.

    id: its name in the URL. access: who may change it; without one everybody may.
    playing: whether it plays as soon as it is prepared.
    """

    __slots__ = ("__weakref__", "_loop")  # nobody sets anything from outside

    def __init__(
        self,
        id: str,
        config: ExperimentConfig,
        *,
        access: Access | None = None,
        playing: bool = True,
    ) -> None:
        self._loop = RunLoop(id, config, access or Access(), playing=playing)

    # For everybody: what there is to see --------------------------------------------------------

    @property
    def id(self) -> str:
        """Its name in the URL."""
        return self._loop.id

    @property
    def access(self) -> Access:
        """Who may change it, and the poll of those who watch."""
        return self._loop.access

    @property
    def frame(self) -> Frame:
        """What it published last."""
        return self._loop.frame

    @property
    def config(self) -> ExperimentConfig:
        """The config as asked for last; it governs the next step."""
        return self._loop.requested

    @property
    def first_config(self) -> ExperimentConfig:
        """The settings that it began with; with the log of changes they repeat the run."""
        return self._loop.first_config

    @property
    def state(self) -> State:
        return self._loop.state

    @property
    def steps(self) -> int:
        """Generator steps done; a frame tells them too, but only as often as it is published."""
        return self._loop.steps

    @property
    def seconds(self) -> float:
        """Spent training."""
        return self._loop.seconds

    @property
    def slow(self) -> float | None:
        """Seconds a stage in slow motion; None is full speed."""
        return self._loop.slow

    @property
    def stop_at(self) -> int | None:
        """It pauses when this many steps are done; None if it does not."""
        return self._loop.stop_at

    @property
    def scheduled(self) -> tuple[ScheduledChange, ...]:
        """What is planned and still to come."""
        return tuple(self._loop.scheduled)

    @property
    def events(self) -> tuple[Event, ...]:
        """What was done to the run so far, in order."""
        return self._loop.events

    @property
    def snapshots(self) -> Snapshots:
        """The samples of the past."""
        return self._loop.snapshots

    def replay_plan(self, step: int) -> ReplayPlan:
        """How the run would come to an earlier step again, and from which state."""
        return self._loop.history.replay_plan(step)

    # For everybody: verbs -----------------------------------------------------------------------

    def play(self) -> None:
        """Goes on; a failed run goes on from its last good snapshot."""
        self._loop.switch("paused", "playing")
        self._loop.request(self._loop.do_play)

    def pause(self) -> None:
        self._loop.switch("playing", "paused")
        self._loop.request(self._loop.do_pause)

    def slow_down(self, seconds: float | None) -> None:
        """Slow motion, so many seconds a stage; None is full speed again."""
        self._loop.slow = seconds

    def stop_after(self, steps: int | None) -> None:
        """Pauses when this many steps are done in all; None: not any more."""
        self._loop.stop_at = steps

    def update(self, which: Update) -> None:
        """One update of the critic, of the generator, or one whole step; then the run is paused."""
        self._loop.request(lambda: self._loop.do_update(which))

    def reset(self) -> None:
        """Starts again from step 0 with the settings on screen and an empty past."""
        self._loop.request(self._loop.do_reset)

    def go_back(self, step: int) -> None:
        """Goes on from an earlier step, exactly as it was when the run came to it.

        Curves, samples and events after it are forgotten; where the way there is too long, it
        goes on from an earlier one still, see `replay_plan`.
        """
        self._loop.request(lambda: self._loop.do_go_back(step))

    def apply(self, changes: Mapping[str, Any]) -> ExperimentConfig:
        """Changes live fields before the next step; the event is logged with its step.

        Returns the config that results. Raises `ConfigError` and changes nothing when a value is
        not allowed or a field is structural.
        """
        new = self._loop.request_change(changes)
        self._loop.on_wake()
        return new

    def inspect(self, request: InspectionRequest) -> None:
        """Somebody looks at this part of the critic: for a few seconds, frames have it."""
        if self._loop.viewers.look(request):
            self._loop.request(lambda: None)  # a run that stands still has to be woken for it

    def save(self) -> Future[RunExport]:
        """Everything that a checkpoint of the run holds, copied before its next step."""
        export: Future[RunExport] = Future()
        self._loop.request(lambda: export.set_result(self._loop.export_now()))
        return export

    def copy_state(self) -> Future[RunState]:
        """All that a copy of the run needs to go on from here, taken before its next step."""
        copy: Future[RunState] = Future()
        self._loop.request(lambda: self._loop.do_copy(copy))
        return copy

    # For its maker, before it is prepared -------------------------------------------------------

    def schedule(self, due: ScheduledChange) -> None:
        """Plans a change."""
        self._loop.scheduled = sorted([*self._loop.scheduled, due], key=lambda due: due.step)

    def restrict(self, check: Callable[[ExperimentConfig], None]) -> None:
        """`check` raises `ConfigError` for a change that is not allowed here."""
        self._loop.allow = check

    def on_wake(self, wake: Callable[[], None]) -> None:
        """`wake` is called whenever there may be something to do."""
        self._loop.on_wake = wake

    def mirror(self, origin: Run) -> None:
        """Shows what `origin` shows until this run, a copy of it, is prepared and has its own."""
        self._loop.mirror(origin._loop)

    # For the one thread that advances it --------------------------------------------------------

    def prepare(self, record: RunState | None = None) -> None:
        """Loads the data and builds the trainer; a fault leaves the run failed, with a sentence.

        record: what the run was when it left memory; it goes on from there, exactly.
        """
        self._loop.prepare(record)

    @property
    def has_requests(self) -> bool:
        """Whether something was asked for that is not done yet."""
        return self._loop.has_requests

    @property
    def active(self) -> bool:
        """Whether `advance` has something to do now."""
        return self._loop.active

    def advance(self, budget: float, sharing: int = 1) -> None:
        """Works for about `budget` seconds: carries out what was asked for, trains, publishes.

        budget: 0 only does what was asked for; what there is to see of a run that trains is renewed
        in its turn. sharing: how many runs train by turns, this one included.
        """
        self._loop.advance(budget, sharing)

    def fail_with(self, error: Exception) -> None:
        """Fails the run with one sentence; only a fault of ours leaves a traceback in the log."""
        self._loop.fail_with(error)

    def save_key(self) -> tuple[Any, ...] | None:
        """What differs when there is something new to save; None before there is anything.

        The steps done first, then the rest.
        """
        return self._loop.save_key()

    @property
    def mid_step(self) -> bool:
        """Whether slow motion has stopped in the midst of a step."""
        return self._loop.mid_step

    def record(self, *, finish: bool = False) -> RunState | None:
        """Everything that the run needs to go on elsewhere.

        None in the midst of a step in slow motion, unless `finish`: then that step is done first.
        """
        return self._loop.record(finish=finish)

    def release(self) -> None:
        """Lets go of all that takes memory, once a prepared run is saved and no thread advances it.

        Whoever still holds the run sees one that loads, and finds another of its id in the lab.
        """
        self._loop.release()

    def export_now(self) -> RunExport:
        """What `save` gives, at once."""
        return self._loop.export_now()

    def measure_now(self) -> Metrics:
        """The metrics of this moment.

        A run whose networks have blown up fails now: the metrics are those of its last good state.
        """
        return self._loop.measure_now()
