"""The runs of those who have asked for none: young, shared by all who come in a minute, nobody's.

A class that opens the bare address needs one run, not thirty. Everybody sees its beginning, where a
GAN collapses; on the page Compare, a WGAN-GP beside it. Nobody may change them: the first thing
that a visitor changes is done to a fork, which is their own from that moment on.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence

from wgan.presets import PRESETS
from wgan.runs.access import Access
from wgan.runs.run import Run
from wgan.server.limits import LimitError

MOST = 8  # in memory at once, beside all runs that somebody owns
COMPARED = ("digits-gan", "digits-wgan-gp")  # presets that are shown beside each other
YOUNG = 60.0  # seconds after its beginning in which it is given to those who come


class Demonstrations:
    """Which runs those get who come now, of these presets, begun together. Thread-safe.

    admit: takes a new one; raises `LimitError` while all of them are watched. there: those in
    memory. clock: seconds, never going back.
    """

    def __init__(
        self,
        admit: Callable[[Run], None],
        there: Callable[[], Sequence[Run]],
        presets: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admit, self._there, self._presets, self._clock = admit, there, presets, clock
        self._lock = threading.Lock()
        self._ids: list[str] = []
        self._began: float | None = None  # when the newest ones began to train

    def current(self, *, watched: bool = True) -> list[Run]:
        """Those made last, or new ones where they have left their beginning behind.

        watched: False when nobody has come yet: they are made ready and do not begin to age.
        Raises `LimitError` where there is room for none, new or old.
        """
        with self._lock:
            runs = self._last()
            if not runs or self._age > YOUNG or any(run.state == "failed" for run in runs):
                try:
                    new = [_nobodys_run(name) for name in self._presets]
                    for run in new:
                        self._admit(run)
                    runs, self._ids, self._began = new, [run.id for run in new], None
                except LimitError:
                    if not runs:
                        raise
            if watched and (self._began is None or any(run.state == "loading" for run in runs)):
                self._began = self._clock()
            return runs

    def _last(self) -> list[Run]:
        """Those made last, if all of them are still there."""
        there = {run.id: run for run in self._there()}
        runs = [there[id] for id in self._ids if id in there]
        return runs if len(runs) == len(self._presets) else []

    @property
    def _age(self) -> float:
        return 0.0 if self._began is None else self._clock() - self._began


def _nobodys_run(preset: str) -> Run:
    access = Access(secrets.token_urlsafe(16), demonstration=True)  # nobody is told this secret
    return Run(secrets.token_urlsafe(6), PRESETS[preset].config, access=access)
