"""Gradients through a deep critic (WGAN-GP, Fig. 1b, left).

A critic of twelve hidden ReLU layers without normalisation, trained on the Swiss roll. Clipping to
c multiplies a gradient by about the same factor at every layer on its way back, so that over twelve
of them it explodes or vanishes exponentially, whatever c is; the penalty, which asks for a slope of
1 at the input, leaves it about the same from the last layer to the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from wgan.metrics.vitals import gradient_decades, layer_gradient_norms
from wgan.plots import papers
from wgan.plots.base import Figure
from wgan.studies import experiments
from wgan.studies.base import Numbers, Progress, Steps, in_turns
from wgan.studies.experiments import LAYER_CRITICS
from wgan.studies.trainers import CPU, trainer_of
from wgan.trainer import Trainer, stream
from wgan.types import Floats

TINY = np.finfo(np.float32).tiny
SEEN = 1000  # real samples at which the gradients are taken


@dataclass(frozen=True)
class Layers:
    """Mean gradient norm of the score at the output of each layer, by critic, each (13,).

    From the input side; the last is the layer that gives the score, where it is 1.
    """

    norms: dict[str, Floats]

    @property
    def numbers(self) -> Numbers:
        """`…_decades`: log₁₀ of the first layer's norm over the last one's; 0 is flat.

        A norm of 0 counts as the smallest that float32 holds, 1.2e-38.
        """
        seen = {name: np.maximum(norms, TINY).tolist() for name, norms in self.norms.items()}
        return {f"{name}_decades": gradient_decades(norms) for name, norms in seen.items()}


def run(seed: int, steps: int) -> Steps[Layers]:
    """Trains four critics, with their generators, for `steps` generator steps each."""
    norms: dict[str, Floats] = {}
    for i, name in enumerate(LAYER_CRITICS):
        trainer = trainer_of(experiments.layers(name, seed))
        trained = 0
        for turn in in_turns(steps, 50):
            for _ in range(turn):
                trainer.step()
            trained += turn
            yield Progress((i + trained / steps) / len(LAYER_CRITICS), name.replace("_", " c = "))
        norms[name] = _norms(trainer)
    return Layers(norms)


def _norms(trainer: Trainer) -> Floats:
    real = trainer.data.sample(SEEN, stream(trainer.config.seed, 21, CPU))
    return layer_gradient_norms(trainer.critic, real).to(torch.float32).numpy()


def draw(result: Layers) -> Figure:
    """The norms over the layers, a line a critic."""
    return papers.layer_gradients(result.norms)
