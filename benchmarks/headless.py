"""Steps a second of a preset that trains without a screen, in a process of its own.

python -m benchmarks.headless PRESET SECONDS
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wgan.lab.registry import Lab
from wgan.presets import PRESETS

ROOT = Path(__file__).parents[1]
WARM_UP = 3.0  # seconds of training before it counts
START = 120.0  # seconds for the run to begin


def in_own_process(preset: str, seconds: float) -> float:
    """Steps a second over so long, measured by another process."""
    command = [sys.executable, "-m", "benchmarks.headless", preset, str(seconds)]
    with tempfile.TemporaryDirectory(prefix="wgan-headless-") as saved:
        environment = {**os.environ, "WGAN_AUTOSAVE": saved}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
    return float(done.stdout)


def headless(preset: str, seconds: float) -> float:
    """The same in this process."""
    lab = Lab()
    run = lab.create(PRESETS[preset].config)
    deadline = time.monotonic() + START
    while run.frame.step < 1:
        if time.monotonic() > deadline:
            raise SystemExit("The run does not begin.")
        time.sleep(0.05)
    time.sleep(WARM_UP)
    first, started = run.trainer.steps, time.monotonic()
    while time.monotonic() < started + seconds:
        time.sleep(0.5)
        lab.get(run.id)  # it is watched
    found = (run.trainer.steps - first) / (time.monotonic() - started)
    lab.shut_down()
    return found


if __name__ == "__main__":
    print(headless(sys.argv[1], float(sys.argv[2])))
