"""How soon the log of a sigmoid reaches NaN, and whether the loss of logits ever does.

`python -m benchmarks.raw_log` trains the vanilla GAN of the presets `…-gan-blog-sigmoid` and
`…-tanh` with either loss, one thread, and says at which step the first loss or weight was no finite
number. `--data mnist` takes the real files, which have to be at hand.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator

import torch

from wgan.config import ExperimentConfig
from wgan.data import load
from wgan.persistence.run_files import parse_assignments
from wgan.presets import PRESETS
from wgan.trainer import Trainer

BUGS = {"raw": ["raw_log"], "logits": []}
EVERY = 50  # steps between two looks at the weights, which never recover


def first_bad_step(config: ExperimentConfig, steps: int) -> int | None:
    """The step after which the losses were not finite, None when they were until the end."""
    trainer = Trainer(config, load(config, torch.device("cpu")))
    for _ in range(0, steps, EVERY):
        losses = torch.stack([trainer.step()[:2] for _ in range(min(EVERY, steps))])
        bad = (~losses.isfinite().all(1)).nonzero()
        if len(bad):
            return trainer.steps - len(losses) + int(bad[0]) + 1
        if not trainer.is_finite():
            return trainer.steps
    return None


def rows(given: argparse.Namespace) -> Iterator[dict[str, object]]:
    for loss in given.losses:
        for output in given.outputs:
            for seed in given.seeds:
                started = time.perf_counter()
                config = PRESETS[f"{given.data}-gan-blog-{output}"].config
                fields = {"faults": BUGS[loss], "seed": seed, "device": "cpu"}
                config = config.replace(fields | parse_assignments(given.set))
                step = first_bad_step(config, given.steps)
                seconds = round(time.perf_counter() - started, 1)
                yield {"loss": loss, "output": output, "seed": seed, "step": step, "s": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument(
        "--outputs", nargs="+", choices=("sigmoid", "tanh"), default=["sigmoid", "tanh"]
    )
    parser.add_argument("--losses", nargs="+", choices=tuple(BUGS), default=list(BUGS))
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for row in rows(given):
        print(json.dumps({"data": given.data, "steps": given.steps} | row), flush=True)


if __name__ == "__main__":
    main()
