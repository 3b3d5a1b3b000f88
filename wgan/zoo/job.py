"""Work that takes its time (a pull, a push), off the page's thread and shared by visitors.

A job lives in the process, not in a page: reruns and reloads find it again by its key, and two
people who pull the same repository wait for the same pull.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from wgan.config import ConfigError
from wgan.data.base import DataError, Progress
from wgan.hub import Cancelled, HubError
from wgan.zoo.architecture import ZooError

State = Literal["running", "done", "failed", "cancelled"]
# work(report, cancelled) -> result. report(text, share) raises `Cancelled` when it is to end.
Work = Callable[[Progress, Callable[[], bool]], Any]

KEEP = 600.0  # seconds that a finished job can still be looked at
MAX_RUNNING = 16
MAX_KEPT = 64

_SENTENCES = (HubError, ZooError, DataError, ConfigError)  # written for people
_log = logging.getLogger(__name__)


class Job:
    """One piece of work in a thread of its own. Reading it never raises and never waits.

    result is what the work returned once `state` is "done"; error is one sentence once it is
    "failed"; progress is (what is going on, how much of it is done: 0..1 or None).
    """

    def __init__(self, key: str, work: Work) -> None:
        self.key = key
        self.id = hashlib.sha256(key.encode()).hexdigest()[:16]  # short, and says nothing of it
        self.work = work
        self.progress: tuple[str, float | None] = ("Starting", None)
        self.result: Any = None
        self.error: str | None = None
        self.finished_at: float | None = None  # time.monotonic
        self._state: State = "running"
        self._wanted_by: set[str] = set()
        self._cancel = threading.Event()
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._run, name=f"job {key}", daemon=True)

    @property
    def state(self) -> State:
        return self._state

    def cancel(self, who: str | None = None) -> None:
        """`who` no longer wants it; it ends when nobody does. None speaks for everybody.

        The state changes at once; the thread ends when the work next looks.
        """
        with self._lock:
            self._wanted_by = self._wanted_by - {who} if who is not None else set()
            if not self._wanted_by:
                self._cancel.set()
                self._finish("cancelled")

    def wait(self, seconds: float | None = None) -> State:
        """The state once the thread has ended, or after so many seconds."""
        self._thread.join(seconds)
        return self._state

    def begin(self, who: str) -> None:
        """Starts the thread, once."""
        self._wanted_by.add(who)
        self._thread.start()

    def join(self, who: str) -> bool:
        """Somebody else wants it too; False when it is over already."""
        with self._lock:
            if self._state == "running":
                self._wanted_by.add(who)
            return self._state == "running"

    def _run(self) -> None:
        try:
            result = self.work(self._report, self._cancel.is_set)
        except Cancelled:
            self._finish("cancelled")
        except _SENTENCES as error:
            self._finish("failed", error=" ".join(str(error).split()))
        except BaseException as error:
            _log.exception("job %s", self.key)
            what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            self._finish(
                "failed",
                error=f"This failed in a way that nobody foresaw ({what}); "
                "the server's log has the details.",
            )
        else:
            self._finish("done", result=result)

    def _report(self, text: str, share: float | None) -> None:
        if self._cancel.is_set():
            raise Cancelled
        self.progress = (text, share)

    def _finish(self, state: State, result: Any = None, error: str | None = None) -> None:
        with self._lock:
            if self._state != "running":
                return  # cancelled meanwhile: what came after is not wanted
            # The state is what readers look at first, so it is written last.
            self.result, self.error = result, error
            self.finished_at = time.monotonic()
            self._state = state


class Jobs:
    """The jobs of a process by their keys."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, key: str, work: Work, who: str = "") -> Job:
        """The running job of this key, or a new one that does `work`; who: a name for `cancel`.

        With `MAX_RUNNING` others at work the job that comes back has failed, and says so.
        """
        with self._lock:
            self._forget()
            known = self._jobs.get(key)
            if known is not None and known.join(who):
                return known
            job = Job(key, work)
            if sum(other.state == "running" for other in self._jobs.values()) >= MAX_RUNNING:
                too_many = f"{MAX_RUNNING} transfers are going on already; try again in a minute."
                job._finish("failed", error=too_many)
                return job
            self._jobs.pop(key, None)  # so that the newest is the last
            self._jobs[key] = job
            job.begin(who)
            return job

    def find(self, id: str) -> Job | None:
        """The job of this id, while it is remembered."""
        with self._lock:
            return next((job for job in self._jobs.values() if job.id == id), None)

    def get(self, key: str) -> Job | None:
        """The job of this key while it runs and for `KEEP` seconds after."""
        with self._lock:
            self._forget()
            return self._jobs.get(key)

    def _forget(self) -> None:
        """Drops what finished long ago, and the oldest of too many."""
        finished = [job for job in self._jobs.values() if job.finished_at is not None]
        surplus = len(self._jobs) - MAX_KEPT
        now = time.monotonic()
        for number, job in enumerate(finished):
            if number < surplus or now - (job.finished_at or now) > KEEP:
                del self._jobs[job.key]


jobs = Jobs()
