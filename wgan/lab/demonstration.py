"""The run of those who have asked for none: young, shared by all who come in a minute, nobody's.

A class that opens the bare address needs one run, not thirty. Everybody sees its beginning, where a
GAN collapses. Nobody may change it: the first thing that a visitor changes is done to a fork, which
is their own from that moment on.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence

from wgan.lab.room import Room
from wgan.lab.run import Run
from wgan.limits import LimitError
from wgan.presets import DEFAULT, PRESETS

MOST = 8  # in memory at once, beside all runs that somebody owns
YOUNG = 60.0  # seconds after its beginning in which it is given to those who come


class Demonstrations:
    """Which run those get who come now. Thread-safe.

    admit: takes a new one; raises `LimitError` while all of them are watched. there: those in
    memory. clock: seconds, never going back.
    """

    def __init__(
        self,
        admit: Callable[[Run], None],
        there: Callable[[], Sequence[Run]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admit, self._there, self._clock = admit, there, clock
        self._lock = threading.Lock()
        self._id = ""
        self._began: float | None = None  # when the newest one began to train

    def current(self, *, watched: bool = True) -> Run:
        """The last one made, or a new one where that has left its beginning behind.

        watched: False when nobody has come yet: it is made ready and does not begin to age.
        """
        with self._lock:
            there = self._there()
            run = next((run for run in there if run.id == self._id), None)
            if run is None or run.state == "failed" or self._age > YOUNG:
                try:
                    self._admit(new := _nobodys_run())
                except LimitError:
                    return run or there[-1]  # better an old one than none
                run, self._id, self._began = new, new.id, None
            if watched and (self._began is None or run.state == "loading"):
                self._began = self._clock()
            return run

    @property
    def _age(self) -> float:
        return 0.0 if self._began is None else self._clock() - self._began


def _nobodys_run() -> Run:
    run = Run(secrets.token_urlsafe(6), PRESETS[DEFAULT].config)
    run.room = Room(secrets.token_urlsafe(16))  # a secret that nobody is told
    run.room.demonstration = True
    return run
