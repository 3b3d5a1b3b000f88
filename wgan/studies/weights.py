"""Where the weights of a critic end up (WGAN-GP, Fig. 1b, right).

Under clipping an optimal critic wants all the slope it can get, so that its weights are pushed
against the two ends, −c and c: two values where there could be a network. Under the penalty they
spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wgan.metrics.vitals import pinned_share, weighted_layers
from wgan.plots import papers
from wgan.plots.base import Figure
from wgan.studies import experiments
from wgan.studies.base import Numbers, Progress, Steps, in_turns
from wgan.studies.experiments import WEIGHT_CRITICS, C
from wgan.studies.trainers import trainer_of
from wgan.trainer import Trainer
from wgan.types import Floats

BINS = 80


@dataclass(frozen=True)
class Histogram:
    """edges: (BINS + 1,), in the weights' own units. share: of the weights in each bin, (BINS,)."""

    edges: Floats
    share: Floats


@dataclass(frozen=True)
class Weights:
    """The weights of all layers, by critic; `pinned`: the share within 1% of ±c, 0..1."""

    histograms: dict[str, Histogram]
    pinned: dict[str, float]

    @property
    def numbers(self) -> Numbers:
        return {f"{name}_pinned": share for name, share in self.pinned.items()} | {"c": C}


def run(seed: int, steps: int) -> Steps[Weights]:
    """Trains two critics of twelve hidden layers, with their generators, for `steps` steps each."""
    histograms: dict[str, Histogram] = {}
    pinned: dict[str, float] = {}
    for i, name in enumerate(WEIGHT_CRITICS):
        trainer = trainer_of(experiments.weights(name, seed))
        trained = 0
        for turn in in_turns(steps, 50):
            for _ in range(turn):
                trainer.step()
            trained += turn
            yield Progress((i + trained / steps) / len(WEIGHT_CRITICS), name)
        histograms[name] = _histogram(trainer)
        pinned[name] = pinned_share(trainer.critic, C)
    return Weights(histograms, pinned)


def _histogram(trainer: Trainer) -> Histogram:
    layers = (layer.weight for _, layer in weighted_layers(trainer.critic))
    values = np.concatenate([weight.detach().flatten().numpy() for weight in layers])
    # The outermost thousandth on either side would make all bins wide.
    reach = max(float(np.quantile(np.abs(values), 0.999)), 1e-6) * 1.05
    counts, edges = np.histogram(values, BINS, (-reach, reach))
    return Histogram(edges.astype(np.float32), (counts / len(values)).astype(np.float32))


def draw(result: Weights) -> Figure:
    """The histograms, one beside the other."""
    return papers.weight_histograms(
        {name: (h.edges, h.share) for name, h in result.histograms.items()}, C
    )
