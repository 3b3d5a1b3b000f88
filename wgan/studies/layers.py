"""Gradients through a deep critic (WGAN-GP, Fig. 1b, left).

A critic of twelve hidden ReLU layers without normalisation, trained on the Swiss roll. Clipping to
c multiplies a gradient by about the same factor at every layer on its way back, so that over twelve
of them it explodes or vanishes exponentially, whatever c is; the penalty, which asks for a slope of
1 at the input, leaves it about the same from the last layer to the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from wgan.config import ExperimentConfig, from_dict
from wgan.lab.frame import Floats
from wgan.studies.base import CPU, Numbers, Progress, Steps, in_turns, trainer_of
from wgan.trainer import Trainer, stream
from wgan.vitals import gradient_decades, layer_gradient_norms

TINY = np.finfo(np.float32).tiny
SEEN = 1000  # real samples at which the gradients are taken

DEEP: dict[str, Any] = {"data": "swissroll", "width": 64, "depth": 12, "batch_size": 256}
CLIP: dict[str, Any] = {"constraint": "clip", "optimizer": "rmsprop", "lr": 5e-5}
CRITICS: dict[str, dict[str, Any]] = {
    "clip_0.1": CLIP | {"clip_value": 0.1},
    "clip_0.01": CLIP | {"clip_value": 0.01},
    "clip_0.001": CLIP | {"clip_value": 0.001},
    "gp": {"constraint": "gp", "gp_weight": 10.0, "optimizer": "adam", "lr": 1e-3},
}


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


def experiment(critic: str, seed: int = 0) -> ExperimentConfig:
    """The settings of one critic, a key of `CRITICS`, and its generator."""
    return from_dict(DEEP | CRITICS[critic] | {"seed": seed})


def run(seed: int, steps: int) -> Steps[Layers]:
    """Trains four critics, with their generators, for `steps` generator steps each."""
    norms: dict[str, Floats] = {}
    for i, name in enumerate(CRITICS):
        trainer = trainer_of(experiment(name, seed))
        trained = 0
        for turn in in_turns(steps, 50):
            for _ in range(turn):
                trainer.step()
            trained += turn
            yield Progress((i + trained / steps) / len(CRITICS), name.replace("_", " c = "))
        norms[name] = _norms(trainer)
    return Layers(norms)


def _norms(trainer: Trainer) -> Floats:
    real = trainer.data.sample(SEEN, stream(trainer.config.seed, 21, CPU))
    return layer_gradient_norms(trainer.critic, real).to(torch.float32).numpy()
