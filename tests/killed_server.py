"""A server that trains three runs and is killed, again and again: every third time after several
saves, else at random moments.

`python -m tests.killed_server FOLDER KILLS SEED`: prints a line at each kill, and goes on when it
gets one. The folder's `saves` has a line `id steps` of every save that was done.
"""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

# With torch, for all that are forked: importing it each time would take seconds.
import wgan.runs.session  # noqa: F401
from wgan.config import ExperimentConfig
from wgan.persistence import autosave
from wgan.persistence.store import Store
from wgan.runs.run import Run
from wgan.server.limits import Limits
from wgan.server.registry import Lab

CONFIG = ExperimentConfig(width=8, depth=1, batch_size=8, critic_steps=2, device="cpu")
RUNS = 3
SEVERAL = 3 * RUNS  # saves


def serve(folder: Path) -> None:
    """Opens what is there, up to three runs in all, and trains until it is killed."""
    autosave.FIRST = autosave.CHANGED = 0.05
    autosave.EVERY = 0.2
    saves = os.open(folder / "saves", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    write = Store.write

    def noting(store: Store, id: str, about: dict[str, Any], tensors: Any) -> None:
        write(store, id, about, tensors)
        os.write(saves, f"{id} {about['steps']}\n".encode())

    Store.write = noting  # pyright: ignore[reportAttributeAccessIssue]
    lab = Lab(dataclasses.replace(Limits(), autosave=str(folder)))
    runs: list[Run] = []
    for path in folder.glob("*.safetensors"):
        run = lab.get(path.stem)
        assert run is not None, f"{path.stem} does not open"
        runs.append(run)
    runs += [lab.create(CONFIG.replace({"seed": seed})) for seed in range(len(runs), RUNS)]
    while True:
        for run in runs:
            assert run.state in ("loading", "playing"), run.frame.message
        time.sleep(0.02)


def main() -> None:
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    moments = random.Random(seed)
    for kill in range(kills):
        # Forked before torch has computed anything.
        child = os.fork()
        if child == 0:
            try:
                serve(folder)
            finally:
                os._exit(1)
        if kill % 3 == 0:
            wait_for_saves(folder, SEVERAL)
        elif kill % 4 != 3:  # now and then while it still opens the runs
            wait_for_saves(folder, 1)
        time.sleep(moments.uniform(0.1, 0.8))
        os.kill(child, signal.SIGKILL)
        print("killed", flush=True)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "it ended by itself"
        sys.stdin.readline()


def wait_for_saves(folder: Path, count: int) -> None:
    """Waits until the newest server has saved so often."""
    path = folder / "saves"
    while not path.exists() or path.read_text().count("\n") < count:
        time.sleep(0.01)


if __name__ == "__main__":
    main()
