"""A server that trains three runs and is killed, again and again: every third time after several
saves, else at random moments.

`python -m tests.killed_server FOLDER KILLS SEED`: prints the time of each kill, and goes on when it
gets a line. The folder's `progress` has a line `time id steps` of every run, many times a second.
"""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import sys
import time
from pathlib import Path

from wgan.config import ExperimentConfig
from wgan.lab import autosave
from wgan.lab.registry import Lab
from wgan.lab.run import Run
from wgan.limits import Limits

CONFIG = ExperimentConfig(width=8, depth=1, batch_size=8, critic_steps=2, device="cpu")
EVERY = 0.2  # seconds between two saves
SEVERAL = 15 * EVERY


def serve(folder: Path) -> None:
    """Opens what is there, up to three runs in all, and trains until it is killed."""
    autosave.FIRST = autosave.CHANGED = 0.05
    autosave.EVERY = EVERY
    lab = Lab(dataclasses.replace(Limits(), autosave=str(folder)))
    runs: list[Run] = []
    for path in folder.glob("*.safetensors"):
        run = lab.get(path.stem)
        assert run is not None, f"{path.stem} does not open"
        runs.append(run)
    runs += [lab.create(CONFIG.replace({"seed": seed})) for seed in range(len(runs), 3)]
    progress = os.open(folder / "progress", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        for run in runs:
            if run.state != "loading":
                assert run.state == "playing", run.frame.message
                line = f"{time.monotonic()} {run.id} {run.trainer.steps}\n"
                os.write(progress, line.encode())
        time.sleep(0.02)


def main() -> None:
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    moments = random.Random(seed)
    for kill in range(kills):
        # Forked before torch has computed anything: importing it each time takes seconds.
        child = os.fork()
        if child == 0:
            try:
                serve(folder)
            finally:
                os._exit(1)
        if kill % 4 != 3:  # now and then while it still opens the runs
            wait_for_progress(folder)
        time.sleep(moments.uniform(0.1, 1.5) if kill % 3 else SEVERAL)
        os.kill(child, signal.SIGKILL)
        print(time.monotonic(), flush=True)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "it ended by itself"
        sys.stdin.readline()


def wait_for_progress(folder: Path) -> None:
    """Waits until the newest server trains."""
    path, end = folder / "progress", time.monotonic() + 20
    size = path.stat().st_size if path.exists() else 0
    while time.monotonic() < end and not (path.exists() and path.stat().st_size > size):
        time.sleep(0.01)


if __name__ == "__main__":
    main()
