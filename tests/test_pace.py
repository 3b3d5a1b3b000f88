"""The more tabs there are, the less often each of them redraws."""

from __future__ import annotations

import pytest

from wgan.ui import pace
from wgan.ui.pace import GONE, PACES, REDRAWINGS, Crowd


@pytest.mark.parametrize(
    ("tabs", "pace"), [(0, 0.5), (1, 0.5), (15, 0.5), (16, 1.0), (30, 1.0), (31, 2.0), (500, 4.0)]
)
def test_the_pace_keeps_all_redrawings_together_below_a_limit(tabs: int, pace: float):
    crowd = Crowd(clock=lambda: 0.0)
    for number in range(tabs):
        crowd.note(f"tab {number}")
        crowd.note(f"tab {number}")  # the same tab counts once
    assert crowd.pace == pace
    assert tabs / pace <= REDRAWINGS or pace == PACES[-1]


def test_tabs_that_were_closed_no_longer_count():
    now = 0.0
    crowd = Crowd(clock=lambda: now)
    for number in range(30):
        crowd.note(f"tab {number}")
    now = GONE - 1
    crowd.note("tab 0")
    assert crowd.pace == 1.0
    now = GONE + 1
    assert crowd.pace == 0.5


def test_a_page_that_takes_long_to_draw_has_a_pace_of_its_own(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    here = Crowd(clock=lambda: now)
    monkeypatch.setattr(pace, "crowd", lambda: here)
    monkeypatch.setattr(pace.st, "session_state", {"tab_name": "00ff"})
    assert (pace.beat().pace, pace.beat(least=1.0).pace) == (0.5, 1.0)
    assert not pace.Beat(1.0, until=0.0, tab="a", least=1.0).outlived
    assert pace.Beat(1.0, until=0.0, tab="a").outlived
    for number in range(60):
        here.note(f"tab {number}")
    assert pace.beat(least=1.0).pace == 4.0
    assert pace.Beat(1.0, until=0.0, tab="a", least=1.0).outlived
