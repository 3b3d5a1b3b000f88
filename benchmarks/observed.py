"""The app, with a record of how its runs advance: `python -m benchmarks.observed FILE PORT`.

Twenty times a second it adds a line to FILE when a run has advanced: the time (`time.time`) and
the steps of every run in memory. What the pages show would tell the pages' delays too.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path

from streamlit.web import cli

from benchmarks.command import app_command
from wgan.lab.places import Place
from wgan.lab.registry import Lab
from wgan.lab.run import Run

EVERY = 0.05  # seconds between two looks


def main() -> None:
    file, port = Path(sys.argv[1]), sys.argv[2]
    runs: weakref.WeakSet[Run] = weakref.WeakSet()
    settle = Lab._settle

    def noting(lab: Lab, place: Place) -> None:
        settle(lab, place)
        runs.add(place.run)

    # Asking the lab for a run would tell it that somebody watches.
    Lab._settle = noting  # pyright: ignore[reportAttributeAccessIssue]
    threading.Thread(target=_record, args=(runs, file), name="observer", daemon=True).start()
    sys.argv = app_command(int(port))
    cli.main()


def _record(runs: weakref.WeakSet[Run], file: Path) -> None:
    last: dict[str, int] = {}
    with file.open("w", buffering=1) as out:
        while True:
            time.sleep(EVERY)
            if (steps := _steps(runs)) != last:
                out.write(json.dumps([round(time.time(), 3), steps]) + "\n")
                last = steps


def _steps(runs: weakref.WeakSet[Run]) -> dict[str, int]:
    """Apart, so that no local name holds a run while the thread sleeps: none could ever go."""
    # Not the frame's step: a run that trains publishes only about twice a second.
    steps = {}
    for run in list(runs):
        if run.state in ("playing", "paused"):
            with suppress(AssertionError):  # it leaves memory at this very moment
                steps[run.id] = run.trainer.steps
    return steps


if __name__ == "__main__":
    main()
