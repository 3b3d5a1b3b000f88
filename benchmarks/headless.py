"""Steps a second of an experiment that trains without a screen, in a process of its own.

python -m benchmarks.headless CONFIG SECONDS    the config as JSON
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wgan.config import ExperimentConfig, from_dict
from wgan.server.registry import Lab

ROOT = Path(__file__).parents[1]
WARM_UP = 3.0  # seconds of training before it counts
START = 120.0  # seconds for the run to begin


def in_own_process(config: ExperimentConfig, seconds: float) -> float:
    """Steps a second over so long, measured by another process."""
    told = json.dumps(config.to_dict())
    command = [sys.executable, "-m", "benchmarks.headless", told, str(seconds)]
    with tempfile.TemporaryDirectory(prefix="wgan-headless-") as saved:
        environment = {**os.environ, "WGAN_AUTOSAVE": saved}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
    return float(done.stdout)


def headless(config: ExperimentConfig, seconds: float) -> float:
    """The same in this process."""
    lab = Lab()
    run = lab.create(config)
    deadline = time.monotonic() + START
    while run.frame.step < 1:
        if time.monotonic() > deadline:
            raise SystemExit("The run does not begin.")
        time.sleep(0.05)
    time.sleep(WARM_UP)
    first, started = run.steps, time.monotonic()
    while time.monotonic() < started + seconds:
        time.sleep(0.5)
        lab.get(run.id)  # it is watched
    found = (run.steps - first) / (time.monotonic() - started)
    lab.shut_down()
    return found


if __name__ == "__main__":
    print(headless(from_dict(json.loads(sys.argv[1])), float(sys.argv[2])))
