"""Does what the ready comparisons say come out?

`python -m benchmarks.comparisons [NAME …] --seeds 3` trains every run of each comparison for its
steps, on one thread, and says whether what was found before holds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch

from wgan.comparisons import COMPARISONS, Comparison, Found
from wgan.config import ExperimentConfig
from wgan.data import load
from wgan.runs.evaluation import Evaluator
from wgan.trainer import Trainer


def train(config: ExperimentConfig, steps: int, figures: Sequence[str]) -> Found:
    """What is measured of an experiment after so many steps."""
    data = load(config, torch.device("cpu"))
    trainer = Trainer(config, data)
    for _ in range(steps):
        trainer.step()
    metrics = Evaluator(trainer, data).measure()
    return {name: float(getattr(metrics, name)) for name in figures}


def findings(comparison: Comparison, seed: int) -> list[Found]:
    """Of each of its runs."""
    configs = (config.replace({"seed": seed, "device": "cpu"}) for config in comparison.configs)
    return [train(config, comparison.steps, comparison.figures) for config in configs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(COMPARISONS), metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.names:
        comparison = COMPARISONS[name]
        for seed in given.seeds:
            found = findings(comparison, seed)
            told = " | ".join(
                ", ".join(f"{figure} {value:.3g}" for figure, value in one.items()) for one in found
            )
            holds = "holds" if comparison.holds(found) else "DOES NOT HOLD"
            print(f"{name} · seed {seed}: {told} · {holds}", flush=True)


if __name__ == "__main__":
    main()
