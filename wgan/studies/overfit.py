"""A critic that learns its training images by heart (WGAN-GP, Fig. 5b).

Trained on few images, a penalised critic tells them from others that it has never seen: its
estimate of the distance keeps growing on the images it trains on and falls behind on those held
out. The difference of the two is the *gap*, E[D(x)] over training images − over held-out ones; the
generated images cancel. Beside it the same with most of the digits to train on.

The digits are split at random: in their own order other people wrote the last ones, and the critic
would tell the writers apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wgan.config import from_dict
from wgan.data import load
from wgan.data.images import ImageData
from wgan.plots import papers
from wgan.plots.base import Figure
from wgan.presets import PRESETS
from wgan.studies.base import Numbers, Progress, Steps, in_turns
from wgan.studies.experiments import FEW, MANY
from wgan.studies.trainers import CPU
from wgan.trainer import Trainer, stream
from wgan.types import Floats

HELD_OUT = 397  # the same images for both, in neither training set
LOOKS = 40  # points of a curve
FAKES = 500  # generated images an estimate


@dataclass(frozen=True)
class Split:
    """E[D(x)] − E[D(x̃)] over generator steps, in the critic's units; each (K,).

    train: over the images that are trained on (all of them); held_out: over those that are not.
    """

    images: int
    step: Floats
    train: Floats
    held_out: Floats

    @property
    def gap(self) -> float:
        """train − held_out, mean over the last quarter of the curve."""
        last = max(1, len(self.step) // 4)
        return float((self.train - self.held_out)[-last:].mean())

    @property
    def share(self) -> float:
        """The gap as a share of the estimate on the training images."""
        last = max(1, len(self.step) // 4)
        return self.gap / float(self.train[-last:].mean())


@dataclass(frozen=True)
class Overfit:
    """The curves with few images to train on, and with many."""

    few: Split
    many: Split

    @property
    def numbers(self) -> Numbers:
        found: dict[str, float | int] = {}
        for split in (self.few, self.many):
            found[f"gap_{split.images}"] = split.gap
            found[f"gap_share_{split.images}"] = split.share
        return found | {"held_out": HELD_OUT}


def run(seed: int, steps: int) -> Steps[Overfit]:
    """Trains WGAN-GP on 100 digits and on 1,400, for `steps` generator steps each."""
    splits = []
    for i, count in enumerate((FEW, MANY)):
        split = yield from _train(seed, steps, count, i / 2)
        splits.append(split)
    return Overfit(*splits)


def _train(seed: int, steps: int, count: int, done: float) -> Steps[Split]:
    fields: Mapping[str, Any] = PRESETS["digits-wgan-gp"].fields
    config = from_dict({**fields, "seed": seed})
    train, held_out = split_digits(seed, count)
    trainer = Trainer(config, train)
    rng = stream(seed, 22, CPU)
    step, on_train, on_held_out = [], [], []
    for turn in in_turns(steps, LOOKS):
        for _ in range(turn):
            trainer.step()
        fake = trainer.generate(trainer.draw_latents(FAKES, rng))
        base = trainer.score(fake).mean()
        step.append(trainer.steps)
        on_train.append((trainer.score(train.pixels).mean() - base).item())
        on_held_out.append((trainer.score(held_out).mean() - base).item())
        yield Progress(done + trainer.steps / steps / 2, f"{count:,} digits to train on")
    curves = (np.array(values, np.float32) for values in (step, on_train, on_held_out))
    return Split(count, *curves)


def split_digits(seed: int, count: int) -> tuple[ImageData, Tensor]:
    """`count` digits to train on, and HELD_OUT others, (HELD_OUT, 1, 8, 8), the same for a seed."""
    digits = load(from_dict(PRESETS["digits-wgan-gp"].fields), CPU)
    assert isinstance(digits, ImageData)
    order = torch.randperm(len(digits.pixels), generator=stream(seed, 23, CPU))
    held_out, rest = digits.pixels[order[:HELD_OUT]], digits.pixels[order[HELD_OUT:]]
    return ImageData(rest[:count], None, 0.0), held_out


def draw(result: Overfit) -> Figure:
    """The estimates over the steps, on training and on held-out images."""
    return papers.held_out_curves(
        [
            (f"{s.images:,} training images: gap {s.share:.0%}", s.step, s.train, s.held_out)
            for s in (result.few, result.many)
        ]
    )
