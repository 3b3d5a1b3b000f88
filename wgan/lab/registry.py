"""The runs of this process: made here, found by id, cleared away on the registry's own clock."""

from __future__ import annotations

import atexit
import functools
import logging
import secrets
import threading
import time

from wgan.config import ConfigError, ExperimentConfig
from wgan.data.uploads import is_upload
from wgan.lab.room import Room
from wgan.lab.run import Run
from wgan.lab.scheduler import Scheduler
from wgan.trainer import resolve_device

log = logging.getLogger("wgan.lab")

MAX_RUNS = 64
SLEEPS_AFTER = 60.0  # seconds without a watcher until a run stops training
LEAVES_AFTER = 30 * 60.0  # seconds without a watcher until it leaves memory
FORGETS_AFTER = 120.0  # the same for a run that its maker left for another


class Lab:
    """All runs of a server. Thread-safe."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._watched: dict[str, float] = {}
        self._schedulers: dict[str, Scheduler] = {}
        self._loaders: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def create(
        self, config: ExperimentConfig, *, playing: bool = True, secret: str | None = None
    ) -> Run:
        """A new run; it loads in the background and then plays. The oldest unwatched may leave.

        secret: its owner's, see `Room`; without one everybody may change the run.

        Raises `ConfigError` for a config that would read a path of the server's disk: configs
        come from anybody.
        """
        if config.data == "folder" and not is_upload(config.folder):
            raise ConfigError(
                f"folder is {config.folder[:60]!r}; allowed here: the name of an uploaded set, "
                "because a server reads no paths."
            )
        run = Run(secrets.token_urlsafe(6), config, playing=playing)
        run.room = Room(secret)
        with self._lock:
            while len(self._runs) >= MAX_RUNS:
                self._close(min(self._watched, key=self._watched.__getitem__))
            self._runs[run.id] = run
            self._watched[run.id] = time.monotonic()
        log.info("made run=%s data=%s objective=%s", run.id, config.data, config.objective)
        # Loading may take minutes (a download): it must not hold up the training of others.
        loader = threading.Thread(target=self._load, args=(run,), name="loader", daemon=True)
        self._loaders.add(loader)
        loader.start()
        return run

    def _load(self, run: Run) -> None:
        run.prepare()
        with self._lock:
            self._loaders.discard(threading.current_thread())
            if self._runs.get(run.id) is run:
                self._scheduler_of(run).add(run)

    def _scheduler_of(self, run: Run) -> Scheduler:
        try:
            device = str(resolve_device(run.config.device))
        except RuntimeError:
            device = "cpu"  # the run has failed and said so; it only waits to be closed
        if device not in self._schedulers:
            self._schedulers[device] = Scheduler(device, self._asleep, self._keep_house)
        return self._schedulers[device]

    def get(self, id: str) -> Run | None:
        """The run of this id, and a note that somebody watches it; None when there is none."""
        run = self._runs.get(id)
        if run is not None:
            self._watched[id] = time.monotonic()
        return run

    def leave(self, id: str) -> None:
        """Its maker goes on to another run: it sleeps now and soon leaves, unless it is watched."""
        if id in self._runs:
            self._watched[id] = time.monotonic() - LEAVES_AFTER + FORGETS_AFTER

    def close(self, id: str) -> None:
        """Ends a run and frees its memory; an unknown id is no error."""
        with self._lock:
            self._close(id)

    def _close(self, id: str) -> None:
        run = self._runs.pop(id, None)
        self._watched.pop(id, None)
        if run is not None:
            for scheduler in self._schedulers.values():
                scheduler.remove(run)
            log.info("closed run=%s", id)

    def ids(self) -> list[str]:
        return list(self._runs)

    def _asleep(self, run: Run) -> bool:
        watched = self._watched.get(run.id, 0.0)
        return time.monotonic() - watched > SLEEPS_AFTER

    def shut_down(self) -> None:
        """Ends all runs, and waits for the threads: torch must not compute as the process exits."""
        for id in self.ids():
            self.close(id)
        for loader in filter(threading.Thread.is_alive, list(self._loaders)):
            loader.join(timeout=5.0)
        for scheduler in self._schedulers.values():
            scheduler.join(timeout=5.0)

    def _keep_house(self) -> None:
        """Lets go of the runs that nobody has watched for long."""
        now = time.monotonic()
        with self._lock:
            for id, seen in list(self._watched.items()):
                if now - seen > LEAVES_AFTER:
                    self._close(id)


@functools.cache
def lab() -> Lab:
    """The one lab of this process; it is shut down when the process exits."""
    lab = Lab()
    atexit.register(lab.shut_down)
    return lab
