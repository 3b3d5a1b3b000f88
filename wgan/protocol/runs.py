"""The protocol's runs: each trains once, is judged once, and is kept in a file of JSON lines."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from wgan.config import ExperimentConfig
from wgan.data import load
from wgan.files import read_bounded
from wgan.metrics.coverage import coverage
from wgan.protocol.methods import DRAWN, Method
from wgan.trainer import Trainer, stream

JUDGED = 9  # the purpose of the latents that are judged, apart from those of training
_PIECE = 50  # steps between two reports of progress
_MAX_RUNS = 20_000_000  # bytes of the file of runs


@dataclass(frozen=True)
class Result:
    """One run, judged. modes: with at least one high-quality sample. high_quality: share, 0..1.

    mode_kl: KL of the histogram over modes from uniform, in nats. key: the settings' digest.
    """

    data: str
    method: str
    seed: int
    key: str
    modes: int
    high_quality: float
    mode_kl: float
    finite: bool
    seconds: float


def key(method: Method, data: str) -> str:
    """A digest of a run's settings, all but the seed.

    Fields at their defaults are left out: a field that a later version adds changes no run.
    """
    config, defaults = method.config(data, 0).to_dict(), ExperimentConfig().to_dict()
    settings = {
        "config": {name: value for name, value in config.items() if value != defaults[name]},
        "data": data,
        "plan": [[step, dict(changes)] for step, changes in method.plan],
        "steps": method.steps,
        "drawn": DRAWN,
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def train(
    method: Method, data: str, seed: int, progress: Callable[[int], object] = lambda steps: None
) -> Trainer:
    """A method's trainer at its end. progress(n): n more steps are done.

    The same steps as `python -m wgan train` with the plan as `--at`: bit for bit the same weights.
    Stops early when the weights are no longer finite.
    """
    config = method.config(data, seed)
    trainer = Trainer(config, load(config, torch.device("cpu")))
    due = sorted(method.plan, key=lambda item: item[0])
    while trainer.steps < method.steps:
        while due and due[0][0] <= trainer.steps:
            trainer.change(trainer.config.replace(due.pop(0)[1]))
        ends = [method.steps, trainer.steps + _PIECE, *(step for step, _ in due[:1])]
        piece = min(ends) - trainer.steps
        for _ in range(piece):
            trainer.step()
        progress(piece)
        if not trainer.is_finite():
            progress(method.steps - trainer.steps)
            break
    return trainer


def run(
    method: Method, data: str, seed: int, progress: Callable[[int], object] = lambda steps: None
) -> Result:
    """Trains a method on "ring" or "grid" and judges 2,500 samples of its (averaged) generator."""
    started = time.process_time()
    trainer = train(method, data, seed, progress)
    modes = load(trainer.config, trainer.device).modes
    assert modes is not None  # both mixtures have them
    latents = trainer.draw_latents(DRAWN, stream(seed, JUDGED, trainer.device))
    found = coverage(modes, trainer.sample(latents))
    return Result(
        data=data,
        method=method.name,
        seed=seed,
        key=key(method, data),
        modes=found.modes_any,
        high_quality=found.high_quality,
        mode_kl=round(found.mode_kl, 5),
        finite=trainer.is_finite(),
        seconds=round(time.process_time() - started, 2),
    )


class Store:
    """Finished runs in a file of JSON lines: a command that was broken off goes on from there.

    A line that is not whole (the process ended while it was written) counts as not there.
    Raises `OSError` when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._results: dict[tuple[str, str, int], Result] = {}
        if path.exists():
            for line in read_bounded(path, _MAX_RUNS).decode().splitlines():
                self._take(line)

    def _take(self, line: str) -> None:
        try:
            result = Result(**json.loads(line))
        except (ValueError, TypeError):
            return
        self._results[result.data, result.key, result.seed] = result

    def get(self, method: Method, data: str, seed: int) -> Result | None:
        """The run with exactly these settings, None when there is none."""
        return self._results.get((data, key(method, data), seed))

    def add(self, result: Result) -> None:
        """Keeps a run, on disk before this returns."""
        self._results[result.data, result.key, result.seed] = result
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = not self.path.exists() or self.path.read_bytes()[-1:] in (b"", b"\n")
        with self.path.open("a") as file:
            file.write(("" if whole else "\n") + json.dumps(plain(result)) + "\n")


def plain(result: Result) -> dict[str, Any]:
    """A result as JSON has it."""
    return asdict(result)
