"""How often pages redraw themselves: the more tabs watch, the less often each of them does."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import streamlit as st

PACES = (0.5, 1.0, 2.0, 4.0)  # seconds between two redrawings of a tab
REDRAWINGS = 30.0  # a second, of all tabs together
GONE = 10.0  # seconds after which a tab that redraws nothing has been closed
# A tab follows a new pace so many seconds after it was drawn, each a little later than the other:
# the whole page is drawn for it, and a class that comes in must not do so all at once.
PATIENCE, SPREAD = 4.0, 6.0
_TAB = "tab_name"


class Crowd:
    """The tabs that redraw themselves. Thread-safe. clock: seconds, never going back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, tab: str) -> None:
        """This tab redraws itself now."""
        with self._lock:
            self._seen[tab] = self._clock()

    @property
    def pace(self) -> float:
        """Seconds between two redrawings that suit as many tabs as there are."""
        with self._lock:
            since = self._clock() - GONE
            self._seen = {tab: when for tab, when in self._seen.items() if when > since}
            tabs = len(self._seen)
        return next((pace for pace in PACES if tabs / pace <= REDRAWINGS), PACES[-1])


@dataclass(frozen=True)
class Beat:
    """The pace of a page as it was drawn. until: when it may be drawn again for another pace.

    tab: its name in the crowd. least: the shortest pace of this page, however few watch.
    """

    pace: float
    until: float
    tab: str
    least: float = PACES[0]

    @property
    def outlived(self) -> bool:
        """Whether another pace suits better by now; asking says that the tab is there."""
        crowd().note(self.tab)
        return time.monotonic() > self.until and max(crowd().pace, self.least) != self.pace


def beat(least: float = PACES[0]) -> Beat:
    """The pace for a page that is being drawn.

    least: seconds between two redrawings of a page that takes long to draw, however few watch.
    """
    tab = st.session_state.setdefault(_TAB, secrets.token_hex(8))
    crowd().note(tab)
    patience = PATIENCE + SPREAD * int(tab[:2], 16) / 255
    return Beat(max(crowd().pace, least), time.monotonic() + patience, tab, least)


@cache
def crowd() -> Crowd:
    """The tabs of this process."""
    return Crowd()
