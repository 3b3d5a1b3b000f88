"""The load test itself, with three viewers for a few seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.classroom import log_figures, seen_figures, training_figures
from benchmarks.listener import Heard
from benchmarks.server import Progress
from benchmarks.viewer import Seen

ROOT = Path(__file__).parents[2]


def run(*words: str) -> dict:
    command = [sys.executable, "-m", "benchmarks.classroom", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("own", [False, True])
def test_three_viewers_see_runs_advance(own: bool) -> None:
    words = ["--viewers", "3", "--seconds", "6", "--join-within", "1"]
    found = run(*words, *(["--own-runs"] if own else []))
    assert found["errors"] == 0, found["first_errors"]
    assert found["tracebacks"] == 0, found["first_tracebacks"]
    assert found["messages"] > 5
    assert found["steps_seen"] > 0
    assert found["steps_s"] > 0
    assert 0 < found["slowest_to_mean"] <= 1
    assert found["memory_mb"][0] > 100


@pytest.mark.slow
def test_visitors_come_act_and_go() -> None:
    found = run("--soak", "0.5", "--viewers", "2")
    assert found["errors"] == 0, found["first_errors"]
    assert found["tracebacks"] == 0, found["first_tracebacks"]
    assert found["pages_opened"] >= 2
    assert found["runs_made"] >= 1


def test_lateness_is_the_time_since_the_grids_last_tick() -> None:
    ahead = time.time() - time.monotonic()  # the grid is of the other clock
    times = [[9.4, 10.51, 11.25, 11.52], [12.03]]
    heard = Heard(at=[[ahead + at for at in page] for page in times], size=[5000, 7000, 6000])
    seen = Seen(page=[1.0, 2.0], page_bytes=[1000, 1000], heard=heard)
    found = seen_figures(seen, since=ahead + 10)  # two pages: half a second is their pace
    assert found["messages"] == 4
    assert found["lateness_ms"]["max"] == 250
    assert found["lateness_ms"]["p50"] == 20
    assert found["message_kb"] == 6.0


def test_speeds_and_stalls_come_from_the_steps() -> None:
    progress = [Progress(float(t), 4 * t) for t in range(1, 10)]
    progress += [Progress(10.0, 36), Progress(11.0, 36), Progress(12.0, 48)]
    found = training_figures(progress, joined=5.0, alone=8.0)
    assert found["steps_s"] == 4.0
    assert found["ratio"] == 0.5
    assert found["stall_joining_s"] == 1.0
    assert found["stall_after_s"] == 3.0


def test_tracebacks_are_counted_and_named() -> None:
    log = "fine\nTraceback (most recent call last):\n  File x\n    y\nValueError: no\nfine\n"
    assert log_figures(log * 2) == {"tracebacks": 2, "first_tracebacks": ["ValueError: no"]}
