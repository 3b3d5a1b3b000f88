"""The runs of this process: made here, found by id, put to sleep and to disk on its own clock."""

from __future__ import annotations

import atexit
import dataclasses
import functools
import logging
import secrets
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wgan.config import ConfigError, ExperimentConfig, from_dict, replace_live
from wgan.data.uploads import is_upload
from wgan.persistence.autosave import Autosaver
from wgan.persistence.store import Store
from wgan.presets import DEFAULT
from wgan.runs.access import Access
from wgan.runs.run import Run
from wgan.server.demonstration import COMPARED, Demonstrations
from wgan.server.eviction import Slot, select_evictions
from wgan.server.limits import LimitError, Limits
from wgan.server.limits import limits as limits_of_the_server
from wgan.server.scheduler import Schedulers
from wgan.sizes import count_parameters
from wgan.threads import use_training_threads

log = logging.getLogger("wgan.lab")

FORGETS_AFTER = 120.0  # seconds until a run leaves memory that its maker left for another
FORKS_WITHIN = 30.0  # seconds for a run to hand out a copy of itself
SHUTS_DOWN_IN = 10.0  # seconds for saving all runs when the process ends


class Lab:
    """All runs of a server. Thread-safe."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or limits_of_the_server()
        self._autosaver = Autosaver(_store_of(self.limits))
        self._slots: dict[str, Slot] = {}
        # Runs that had to leave unsaved: while somebody holds them, they come back as they are.
        self._departed: weakref.WeakValueDictionary[str, Run] = weakref.WeakValueDictionary()
        self._schedulers = Schedulers(self._asleep, self._keep_house)
        self._loaders: set[threading.Thread] = set()
        self._may_load = threading.Event()
        self._may_load.set()
        self._copying = threading.Lock()  # one at a time: a class of thirty makes as many at once
        self._demonstrations = Demonstrations(self._admit, self._shared, (DEFAULT,))
        self._pairs = Demonstrations(self._admit, self._shared, COMPARED)
        self._lock = threading.Lock()

    @property
    def warning(self) -> str | None:
        """One sentence while runs are not being saved; None when they are."""
        return self._autosaver.warning

    @property
    def save_failure(self) -> str | None:
        """The warning while saving fails; None where it works, or was switched off on purpose."""
        return self.warning if self._autosaver.store is not None else None

    def create(
        self,
        config: ExperimentConfig,
        *,
        playing: bool = True,
        secret: str | None = None,
        visitor: str = "",
        address: str = "",
    ) -> Run:
        """A new run; it loads in the background and then plays. Unwatched ones may leave for it.

        secret: its owner's, see `Access`; without one everybody may change the run.
        visitor, address: who makes it, any name that is the visitor's own, and from which network
        address; without them nobody's are counted.

        Raises `LimitError` when the server is full, and `ConfigError` for a config that would
        read a path of the server's disk: configs come from anybody.
        """
        if config.data == "folder" and not is_upload(config.folder):
            raise ConfigError(
                f"folder is {config.folder[:60]!r}; allowed here: the name of an uploaded set, "
                "because a server reads no paths."
            )
        run = Run(secrets.token_urlsafe(6), config, access=Access(secret), playing=playing)
        self._add(Slot(run, self.limits.check(config), time.monotonic(), visitor, address))
        log.info("made run=%s data=%s objective=%s", run.id, config.data, config.objective)
        self._start_loading(run, run.prepare)
        return run

    def demonstration(self, *, watched: bool = True) -> Run:
        """The run of whoever has asked for none; visitors of one minute share it, see `Access`.

        They are few and take nobody's room: it never raises `LimitError`. watched: False makes it
        ready before the first visitor comes, who will see its beginning.
        """
        try:
            (run,) = self._demonstrations.current(watched=watched)
        except LimitError:
            run = self._shared()[-1]  # better an old one than none
        return (self.get(run.id) or run) if watched else run

    def demonstration_pair(self) -> list[Run]:
        """A GAN that collapses and a WGAN-GP on the same data, shared in the same way.

        Raises `LimitError` while all demonstration runs are watched.
        """
        return [self.get(run.id) or run for run in self._pairs.current()]

    def _admit(self, run: Run) -> None:
        """A new demonstration run, which sleeps until somebody watches. Raises `LimitError`."""
        asleep_since = time.monotonic() - self.limits.sleep_after - 0.001
        self._add(Slot(run, count_parameters(run.config), asleep_since))
        log.info("made run=%s, a demonstration", run.id)
        self._start_loading(run, run.prepare)

    def _shared(self) -> list[Run]:
        with self._lock:
            return [p.run for p in self._slots.values() if p.demonstration and not p.leaving]

    def fork(
        self,
        id: str,
        *,
        step: int | None = None,
        changes: Mapping[str, Any] | None = None,
        playing: bool = True,
        secret: str | None = None,
        visitor: str = "",
        address: str = "",
    ) -> Run:
        """A run that goes on from where another one is: its networks, past, log and randomness.

        So two branches of a run see the same data and noise, and only what is changed differs.

        step: an earlier one to go on from, see `Run.go_back`; None is the present one.
        changes: live fields that the new run goes on with.
        secret, visitor, address: as for `create`.

        Raises `LimitError` when the server is full, and `ConfigError` when there is no such run
        or a change is not allowed.
        """
        origin = self.get(id)
        if origin is None or (step is not None and origin.state == "loading"):
            raise ConfigError(f"The run {id[:20]!r} is gone, so it cannot be forked.")
        begins = origin.config if step is None else origin.replay_plan(step).config
        parameters = self.limits.check(replace_live(begins, changes or {}))
        run = Run(secrets.token_urlsafe(6), begins, access=Access(secret))
        run.mirror(origin)
        self._add(Slot(run, parameters, time.monotonic(), visitor, address))
        log.info("forked run=%s from=%s", run.id, id)
        copy_state = origin.copy_state()
        if step is not None:
            run.go_back(step)
        if changes:
            run.apply(changes)

        def load() -> None:
            try:
                record = copy_state.result(timeout=FORKS_WITHIN)
            except TimeoutError:
                run.fail_with(RuntimeError("The run could not be copied; try again."))
            else:
                state = "playing" if playing else "paused"
                with self._copying:
                    run.prepare(dataclasses.replace(record, state=state, message="", slow=run.slow))

        self._start_loading(run, load)
        return run

    def get(self, id: str) -> Run | None:
        """The run of this id, and a note that somebody watches it; None when there is none.

        A run that left memory comes back, at the step and in the state that it had: at first it
        is loading. Raises `LimitError` when there is no room for it.
        """
        with self._lock:
            if (slot := self._slots.get(id)) is not None:
                if slot.watch() > self.limits.sleep_after:
                    self._schedulers.wake()
                return slot.run
            if (run := self._departed.pop(id, None)) is not None:
                slot = Slot(run, count_parameters(run.config), time.monotonic())
                self._make_room(slot)
                self._settle(slot)
                self._schedulers.add(run)
                log.info("woke run=%s from memory", id)
                return run
        return self._restore(id)

    def why_missing(self, id: str) -> str:
        """One sentence on why `get` finds no run of this id."""
        return self._autosaver.why_missing(id)

    def peek(self, id: str) -> Run | None:
        """The run of this id if it is in memory; nobody watches it for that."""
        with self._lock:
            slot = self._slots.get(id)
        return None if slot is None or slot.leaving else slot.run

    def _restore(self, id: str) -> Run | None:
        store = self._autosaver.store
        if store is None or (about := store.read_about(id)) is None:
            return None
        try:
            config, access = from_dict(about["config"]), Access.from_dict(about["room"])
        except (ConfigError, KeyError, TypeError) as error:
            store.set_aside(id, error)
            return None
        run = Run(id, config, access=access)
        slot = Slot(run, count_parameters(config), time.monotonic())
        with self._lock:
            if id in self._slots:  # somebody else asked at the same moment
                return self._slots[id].run
            self._make_room(slot)
            self._settle(slot)
        self._start_loading(run, lambda: self._autosaver.load(run), saved=True)
        return run

    def leave(self, id: str) -> None:
        """Its maker goes on to another run: it sleeps now and soon leaves, unless it is watched."""
        with self._lock:
            if (slot := self._slots.get(id)) is not None:
                idle = max(self.limits.sleep_after, self.limits.leave_after - FORGETS_AFTER)
                slot.seen = time.monotonic() - idle - 0.001

    def close(self, id: str) -> None:
        """Ends a run for good, in memory and on disk; an unknown id is no error."""
        with self._lock:
            if (slot := self._slots.pop(id, None)) is not None:
                self._schedulers.remove(slot.run)
                log.info("closed run=%s", id)
            self._departed.pop(id, None)
        self._autosaver.forget(id)

    def runs_of(self, visitor: str, keys: Mapping[str, str]) -> list[Run]:
        """The runs in memory that a visitor has made or has the secret of: {run id: secret}."""
        with self._lock:
            return [p.run for p in self._slots.values() if p.belongs_to(visitor, keys)]

    def ids(self) -> list[str]:
        """The runs in memory, the oldest first."""
        with self._lock:
            return [id for id, slot in self._slots.items() if not slot.leaving]

    def training(self) -> int:
        """How many runs take turns now: those that play and that somebody watches."""
        with self._lock:
            return sum(p.run.state == "playing" and not p.asleep for p in self._slots.values())

    # Room -----------------------------------------------------------------------------------

    def _add(self, slot: Slot) -> None:
        """A new run, where there is room. Raises `LimitError`."""
        with self._lock:
            self._make_room(slot)
            self._settle(slot)

    def _settle(self, slot: Slot) -> None:
        slot.run.restrict(self.limits.check_live)
        self._slots[slot.run.id] = slot
        self._autosaver.arrived(slot.run)

    def _make_room(self, new: Slot) -> None:
        """Sends unwatched runs away until there is room. Raises `LimitError` for too few."""
        for slot in select_evictions(self._slots.values(), new, self.limits):
            self._send_away(slot)

    def _send_away(self, slot: Slot) -> None:
        """The run leaves once it is saved: its own thread sees to that."""
        slot.leaving = True
        if slot.run.state == "loading":  # there is nothing to save, and no thread yet
            self._drop(slot)
        self._schedulers.wake()

    def _drop(self, slot: Slot) -> None:
        run = slot.run
        del self._slots[run.id]
        self._schedulers.remove(run)
        saved = self._autosaver.store is not None and self._autosaver.is_saved(run)
        self._autosaver.on_evicted(run.id)
        if run.save_key() is None:
            pass  # there was nothing yet
        elif saved:
            run.release()  # for minutes the sessions of visitors who have left still hold it
        else:
            self._departed[run.id] = run
        log.info("left run=%s", run.id)

    # Loading --------------------------------------------------------------------------------

    def hold_loading(self) -> None:
        """Until `begin_loading` runs are made and listed, and what they need is not loaded."""
        self._may_load.clear()

    def begin_loading(self) -> None:
        self._may_load.set()

    def _start_loading(self, run: Run, load: Callable[[], None], saved: bool = False) -> None:
        # Loading may take minutes (a download): it must not hold up the training of others.
        arguments = (run, load, saved)
        loader = threading.Thread(target=self._load, args=arguments, name="loader", daemon=True)
        self._loaders.add(loader)
        loader.start()

    def _load(self, run: Run, load: Callable[[], None], saved: bool) -> None:
        self._may_load.wait()
        use_training_threads()
        load()
        with self._lock:
            self._loaders.discard(threading.current_thread())
            slot = self._slots.get(run.id)
            if slot is not None and slot.run is run:
                if saved:
                    self._autosaver.came_back(run)
                self._schedulers.add(run)

    # On the training threads ----------------------------------------------------------------

    def _asleep(self, run: Run) -> bool:
        slot = self._slots.get(run.id)
        return slot is None or slot.idle > self.limits.sleep_after

    def _is_idle(self, run: Run) -> bool:
        slot = self._slots.get(run.id)
        return slot is not None and (slot.asleep or slot.leaving)

    def _keep_house(self, runs: Sequence[Run]) -> None:
        """Saves what is due, and lets go of runs that nobody watches. `runs`: of this thread."""
        for run in runs:
            asleep = self._asleep(run)
            slot = self._slots.get(run.id)
            if slot is not None and slot.asleep != asleep:
                slot.asleep = asleep
                log.info("%s run=%s", "slept" if asleep else "woke", run.id)
        self._autosaver.save_due(runs, self._is_idle)
        for run in runs:
            slot = self._slots.get(run.id)
            if slot is not None and slot.run is run and self._may_go(slot):
                with self._lock:
                    if self._slots.get(run.id) is slot and self._may_go(slot):
                        self._drop(slot)

    def _may_go(self, slot: Slot) -> bool:
        """Whether nobody watches the run and nothing is lost with it, or there is no other way."""
        idle = slot.idle > self.limits.leave_after
        if not (idle or slot.leaving):
            return False
        hopeless = self._autosaver.store is None or (slot.leaving and not self._autosaver.works)
        return hopeless or self._autosaver.is_saved(slot.run)

    def shut_down(self) -> None:
        """Saves and ends all runs, and waits for the threads: torch must not compute at exit."""
        with self._lock:
            runs = [slot.run for slot in self._slots.values()]
            self._slots.clear()
            for run in runs:
                self._schedulers.remove(run)
        self.begin_loading()
        for loader in filter(threading.Thread.is_alive, list(self._loaders)):
            loader.join(timeout=5.0)
        ended = self._schedulers.join(timeout=5.0)
        deadline = time.monotonic() + SHUTS_DOWN_IN
        for run in runs:
            # A thread that would not end may still be in the midst of a step.
            if ended and time.monotonic() < deadline:
                self._autosaver.save_now(run, deadline)
        self._autosaver.wait(deadline)


def _store_of(limits: Limits) -> Store | None:
    """The store that a server's limits speak of; None where runs are not saved."""
    if limits.folder is None:
        return None
    return Store(limits.folder, limits.autosave_runs, limits.autosave_mb * 10**6)


@functools.cache
def lab() -> Lab:
    """The one lab of this process; it is shut down when the process exits."""
    lab = Lab()
    atexit.register(lab.shut_down)
    return lab
