"""Do the two switches by hand, objective and constraint, heal a collapsed GAN?

`python -m benchmarks.by_hand --seeds 5` trains a preset until it has collapsed, sets objective and
constraint some steps apart as a person would, each with what belongs to it, and counts the modes
until all are there. One thread; the seconds are those of training alone.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import torch

from wgan.data import load
from wgan.presets import PRESETS
from wgan.recipes import switched
from wgan.runs.evaluation import Evaluator
from wgan.trainer import Trainer

# Steps until it has collapsed, and between the two switches: about ten and two seconds.
BEFORE = {"ring-gan": (2000, 300), "digits-gan": (1000, 150)}
LOOK = 50  # steps between two counts
ORDERS = {
    "objective first": (("objective", "wgan"), ("constraint", "gp")),
    "constraint first": (("constraint", "gp"), ("objective", "wgan")),
}


@dataclass(frozen=True)
class Healing:
    """modes: when it had collapsed, and at the end. steps, seconds: from the second switch on."""

    before: int
    modes: int
    total: int
    steps: int
    seconds: float


def heal(
    preset: str, seed: int, order: str, most: float = 60.0, steps: int = 10**6, collapse: int = 0
) -> Healing:
    """Collapse, two switches, and training until all modes are there, or for `most` seconds.

    steps: at most, after the second switch. collapse: steps before the first, if not the usual.
    """
    config = PRESETS[preset].config.replace({"seed": seed, "device": "cpu"})
    data = load(config, torch.device("cpu"))
    trainer = Trainer(config, data)
    observer = Evaluator(trainer, data)
    usual, between = BEFORE[preset]
    _train(trainer, collapse or usual)
    before = observer.measure().modes or 0
    for number, (field, value) in enumerate(ORDERS[order]):
        _train(trainer, between if number else 0)
        trainer.change(trainer.config.replace(switched(trainer.config, field, value)))
    spent, done, modes, total = 0.0, 0, 0, 1
    while modes < total and spent < most and done < steps:
        spent += _train(trainer, LOOK)
        done += LOOK
        metrics = observer.measure()
        modes, total = metrics.modes or 0, metrics.modes_total or 0
    return Healing(before, modes, total, done, spent)


def _train(trainer: Trainer, steps: int) -> float:
    """Seconds that it took."""
    since = time.perf_counter()
    for _ in range(steps):
        trainer.step()
    return time.perf_counter() - since


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--presets", nargs="+", default=list(BEFORE), choices=list(BEFORE))
    parser.add_argument("--orders", nargs="+", default=list(ORDERS), choices=list(ORDERS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for preset in given.presets:
        for order in given.orders:
            for seed in range(given.seeds):
                found = heal(preset, seed, order)
                print(
                    f"{preset} · {order} · seed {seed}: {found.before} modes, then {found.modes} of"
                    f" {found.total} after {found.steps} steps, {found.seconds:.0f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
