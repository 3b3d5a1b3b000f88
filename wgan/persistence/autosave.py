"""When runs are saved, and by which thread.

The thread that advances the runs copies one between two of its turns, which takes milliseconds; a
thread of its own packs the copy and writes it. One copy is under way at a time: so memory is
bounded, and a slow disk means that runs are saved less often, not that they wait.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from wgan.persistence.store import Store, is_id
from wgan.runs.run import Run
from wgan.runs.state import RunState, pack, unpack

log = logging.getLogger("wgan.lab")

EVERY = 20.0  # seconds between two copies of a run that trains
FIRST = 3.0  # seconds until a new run is worth a file
CHANGED = 1.0  # seconds at least between two copies of a run that is being changed
RETRY = 15.0  # seconds until a disk that failed is tried again

OFF = "Saving runs is switched off on this server, so a restart loses them."


@dataclass
class _Note:
    """What is known of a run: what was saved (see `Run.mark`), and when that was tried last."""

    mark: tuple[Any, ...] | None
    tried: float
    forgotten: bool = False  # the run is over: nothing of it may be written any more


class Autosaver:
    """Saves runs into a store; None saves nothing. Thread-safe.

    warning: one sentence while runs are not being saved, else None.
    """

    def __init__(self, store: Store | None) -> None:
        self.store = store
        self.warning: str | None = OFF if store is None else None
        self._notes: dict[str, _Note] = {}
        self._lock = threading.Lock()
        self._writing = ""  # the id of the run that is under way
        self._writer: threading.Thread | None = None
        self._retry_at = 0.0

    @property
    def works(self) -> bool:
        """Whether what is unsaved will be saved soon."""
        return self.warning is None

    def is_saved(self, run: Run) -> bool:
        """Whether the disk has all of the run, or there is nothing to save.

        For the thread that advances the run, or when no thread does.
        """
        mark, note = run.save_key(), self._notes.get(run.id)
        return mark is None or (note is not None and note.mark == mark)

    def load(self, run: Run) -> None:
        """Prepares a run as the disk has it; where that is damaged, it fails and says so."""
        assert self.store is not None
        found, record = self.store.read(run.id), None
        try:
            record = unpack(*found) if found else None
        except (KeyError, TypeError, ValueError, IndexError) as error:
            self.store.set_aside(run.id, error)
        if record is None:
            run.fail_with(RuntimeError("The saved copy of this run is damaged; start a new one."))
            return
        run.prepare(record)
        if run.save_key() is not None:
            log.info("restored run=%s step=%d %s", run.id, run.steps, run.state)

    def why_missing(self, id: str) -> str:
        """One sentence on why there is no run of this id."""
        if self.store is not None and self.store.is_set_aside(id):
            return "This run's file was damaged and set aside."
        return f"There is no run {id[:20]!r} here, or no more."

    def arrived(self, run: Run) -> None:
        """The run is in memory now; what the disk has of it is older, or nothing."""
        self._notes[run.id] = _Note(None, time.monotonic())

    def came_back(self, run: Run) -> None:
        """The run was loaded: it is what the disk has of it."""
        self._notes[run.id] = _Note(run.save_key(), time.monotonic())

    def save_due(self, runs: Iterable[Run], is_idle: Callable[[Run], bool]) -> None:
        """Begins to save the run that has waited longest, if one is due.

        runs: those that the calling thread advances. rests: whether a run is about to leave, or
        asleep, and should be saved at once.
        """
        now = time.monotonic()
        if self.store is None or self._writing or now < self._retry_at:
            return
        late = [(self._late(run, now, is_idle(run)), run) for run in runs]
        lateness, run = max(late, key=lambda pair: pair[0], default=(-1.0, None))
        if run is not None and lateness >= 0:
            self._begin(run, finish=is_idle(run))

    def _late(self, run: Run, now: float, is_idle: bool) -> float:
        """Seconds since the run should have been saved; negative when it is not due."""
        mark, note = run.save_key(), self._notes.get(run.id)
        if mark is None or note is None or mark == note.mark or (run.mid_step and not is_idle):
            return -1.0
        wait = EVERY
        if is_idle:
            wait = 0.0
        elif note.mark is None:
            wait = FIRST
        elif mark[1:] != note.mark[1:] or run.state != "playing":
            wait = CHANGED
        return now - note.tried - wait

    def _begin(self, run: Run, finish: bool) -> None:
        note, mark = self._notes.get(run.id), run.save_key()
        if note is None:
            return
        try:
            record = run.record(finish=finish)
        except Exception as error:  # most of all, no memory for a copy
            note.tried = time.monotonic()
            self._failed(run.id, error)
            return
        if record is None:
            return
        with self._lock:
            if self._writing:
                return
            self._writing = run.id
        self._writer = threading.Thread(
            target=self._write, args=(run.id, record, mark, note), name="autosave", daemon=True
        )
        self._writer.start()

    def _write(self, id: str, record: RunState, mark: tuple[Any, ...] | None, note: _Note) -> None:
        assert self.store is not None
        try:
            self.store.write(id, *pack(record))
            with self._lock:
                note.mark = mark
                if note.forgotten:
                    self.store.delete(id)
            self.store.make_room(keep=list(self._notes))
            if not self.works:
                log.info("autosave works again")
                self.warning = None
        except Exception as error:
            self._failed(id, error)
        finally:
            note.tried = time.monotonic()
            with self._lock:
                self._writing = ""

    def _failed(self, id: str, error: Exception) -> None:
        """Says so once, not at every try."""
        self._retry_at = time.monotonic() + RETRY
        why = "of an unexpected error"
        if isinstance(error, OSError):
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "the disk is full" if full else f"the disk says: {error.strerror or error}"
        elif isinstance(error, (MemoryError, RuntimeError)):
            why = "memory is short"
        if self.works:
            ours = not isinstance(error, (OSError, MemoryError, RuntimeError))
            log.warning("autosave failed run=%s why=%s", id, why, exc_info=ours)
        self.warning = f"Runs are not being saved, because {why}; training goes on."

    def save_now(self, run: Run, deadline: float) -> None:
        """Saves a run that no thread advances any more, on the calling thread.

        deadline: on the monotonic clock, until which an earlier write is waited for.
        """
        self.wait(deadline)
        if self.store is None or self._writing or self.is_saved(run):
            return
        note = self._notes.setdefault(run.id, _Note(None, 0.0))
        mark = run.save_key()
        try:
            record = run.record(finish=True)
        except Exception as error:
            self._failed(run.id, error)
            return
        if record is not None:
            self._write(run.id, record, mark, note)

    def wait(self, deadline: float) -> None:
        """Waits for what is being written."""
        if (writer := self._writer) is not None:
            writer.join(max(0.0, deadline - time.monotonic()))

    def on_evicted(self, id: str) -> None:
        """The run is in memory no more; its file stays."""
        self._notes.pop(id, None)

    def forget(self, id: str) -> None:
        """The run is over: its file goes."""
        with self._lock:
            if (note := self._notes.pop(id, None)) is not None:
                note.forgotten = True
        if self.store is not None and is_id(id):
            self.store.delete(id)
