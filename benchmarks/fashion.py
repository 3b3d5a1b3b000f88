"""Fashion-MNIST under three losses: modes by the meter, and the gauge that needs no labels.

    .venv/bin/python -m benchmarks.fashion [--steps 900] [--seeds 3] [--json FILE]

Linear layers, the settings of the digits' presets. Each run is measured at a third of its steps
and at the end; the last line is Spearman's rank correlation of the gauge's coverage with the number
of classes that the samples spread over, over all measured generators and real images.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from scipy.stats import spearmanr

from wgan.config import ExperimentConfig
from wgan.data import load
from wgan.metrics.coverage import coverage
from wgan.metrics.spread import SpreadGauge
from wgan.presets import PRESETS
from wgan.threads import use_training_threads
from wgan.trainer import Trainer

SAMPLES = 2500
FASHION = {"data": "fashion", "image_size": 28}
METHODS: dict[str, tuple[ExperimentConfig, int]] = {  # with how many times the steps
    "GAN": (PRESETS["digits-gan"].config.replace(FASHION), 5),
    "WGAN, clipped": (PRESETS["digits-wgan-clip"].config.replace(FASHION), 1),
    "WGAN-GP": (PRESETS["digits-wgan-gp"].config.replace(FASHION), 1),
}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--steps", type=int, default=900)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    use_training_threads()
    data = load(METHODS["GAN"][0], torch.device("cpu"))
    rng = torch.Generator().manual_seed(0)
    gauge = SpreadGauge(data.sample(2000, rng))
    rows = [_row("real images", 0, 0, data.sample(SAMPLES, rng), data, gauge)]
    for name, (config, times) in METHODS.items():
        for seed in range(asked.seeds):
            trainer = Trainer(config.replace({"seed": seed}), data)
            started = time.monotonic()
            for steps in (asked.steps * times // 3, asked.steps * times):
                while trainer.steps < steps:
                    trainer.step()
                latents = trainer.draw_latents(SAMPLES, torch.Generator().manual_seed(1))
                fake = trainer.to_shown_range(trainer.generate(latents))
                rows.append(_row(name, seed, steps, fake, data, gauge))
            print(f"  {time.monotonic() - started:.0f} s", flush=True)
    spread = [row["spread"] for row in rows]
    ranked: Any = spearmanr([row["coverage"] for row in rows], spread)
    rank = float(ranked.statistic)
    print(f"rank correlation over {len(rows)}: {rank:.2f}")
    if asked.json:
        asked.json.write_text(json.dumps({"rows": rows, "rank_correlation": rank}, indent=1))


def _row(name: str, seed: int, steps: int, samples: Any, data: Any, gauge: Any) -> dict[str, Any]:
    covered, now = coverage(data.modes, samples), gauge.measure(samples)
    spread = covered.modes_total * math.exp(-covered.mode_kl)
    print(
        f"{name:14} seed {seed} step {steps:5}: {covered.modes:2} classes, "
        f"spread over {spread:4.1f}, "
        f"high quality {covered.high_quality:.2f}, density {now.density:.2f}, coverage "
        f"{now.coverage:.2f}, near-duplicates {now.duplicates:.2f}",
        flush=True,
    )
    return {
        "name": name, "seed": seed, "steps": steps, "modes": covered.modes, "spread": spread,
        "high_quality": covered.high_quality, "density": now.density, "coverage": now.coverage,
        "duplicates": now.duplicates,
    }  # fmt: skip


if __name__ == "__main__":
    main()
