"""Value surfaces of critics trained to optimality (WGAN-GP, Fig. 1a).

The fakes are real samples plus unit Gaussian noise, the authors' fixed generator, so that a critic
has all the time it needs. Clipped and penalised critics then differ in what they *can* be: under
clipping a critic spends itself on the first moments of the data, one smooth hill over all of it,
and never sees that the data is made of parts.

The measure is the *dip*: how far the surface falls between neighbouring parts of the data (midway
between two Gaussians, between four of the grid, between two turns of the roll), as a share of how
far it could fall over that distance at its own steepest slope. A critic that knows the parts has
a clear dip at every gap (0 < dip ≤ 1); a hill has none, it even bulges there (dip ≤ 0). Taking the
mean of the parts around each gap cancels the hill's own slope; dividing by the critic's own slope
makes critics comparable whose scores differ by a factor of a thousand, which clipping brings. A
correlation with the log-density ratio was tried first, and the rank of all parts against all gaps:
the hill alone scores well on both, because the outer parts lie low. Between the turns of the Swiss
roll, which lie closer than the noise is wide, no critic was found to dip, with up to 6,000 updates,
other rates, widths and λ: only the two sets of Gaussians tell the critics apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wgan.data.points import GRID_SCALE, RING_SCALE, ROLL_SCALE
from wgan.metrics.critic import critic_estimate, gradient_norms
from wgan.metrics.transport import w1
from wgan.plots import papers
from wgan.plots.base import Figure
from wgan.studies import experiments
from wgan.studies.base import Numbers, Progress, Steps, in_turns
from wgan.studies.experiments import SURFACE_CRITICS, SURFACE_DATA
from wgan.studies.trainers import CPU, trainer_of
from wgan.trainer import Trainer, stream
from wgan.types import Floats
from wgan.words import format_3_digits

REACH, PLACES = 3.0, 128  # the surface: ±3, 128 × 128 places, as in the authors' code
DRAWN = 600  # real samples drawn over it
COMPARED = 1000  # samples for W1 and for the steepest slope
STEEPEST = 0.99  # the quantile of ‖∇D‖ that stands for the critic's Lipschitz constant

_SETS = {"ring8": "8 Gaussians", "grid25": "25 Gaussians", "swissroll": "Swiss roll"}
_CRITICS = {"clip": "clipping", "gp": "GP"}


@dataclass(frozen=True)
class Surface:
    """One critic's surface over one data set.

    values: D on the grid, (PLACES, PLACES), row = y from −REACH up. real: (DRAWN, 2).
    dip: mean over the gaps, −1..1, see above. dips: share of the gaps at which the surface dips.
    optimal: the share of W1 that the critic reaches with its slope scaled to 1, E[D(x)] − E[D(x̃)]
    over steepest slope × exact W1; 1 is Kantorovich and Rubinstein's optimum.
    """

    data: str
    critic: str
    values: Floats
    real: Floats
    dip: float
    dips: float
    optimal: float


@dataclass(frozen=True)
class Surfaces:
    """All of them, data set by data set, clipping before GP."""

    surfaces: tuple[Surface, ...]

    @property
    def numbers(self) -> Numbers:
        found: dict[str, float] = {}
        for s in self.surfaces:
            found[f"{s.data}_{s.critic}_dip"] = s.dip
            found[f"{s.data}_{s.critic}_dips"] = s.dips
            found[f"{s.data}_{s.critic}_optimal"] = s.optimal
        return found


def run(seed: int, steps: int, sets: Sequence[str] = SURFACE_DATA) -> Steps[Surfaces]:
    """Trains two critics on each data set, `steps` updates each."""
    done, pairs = [], [(data, critic) for data in sets for critic in SURFACE_CRITICS]
    for i, (data, critic) in enumerate(pairs):
        trainer = trainer_of(experiments.surface(data, critic, seed))
        trained = 0
        for turn in in_turns(steps, 50):
            for _ in range(turn):
                trainer.update_critic()
            trained += turn
            yield Progress((i + trained / steps) / len(pairs), f"{data}, {critic}")
        done.append(_seen(trainer, critic))
    return Surfaces(tuple(done))


def _seen(trainer: Trainer, critic: str) -> Surface:
    data = trainer.config.data
    rng = stream(trainer.config.seed, 20, CPU)
    ticks = torch.linspace(-REACH, REACH, PLACES)
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    values = trainer.score(torch.stack([x, y], -1).reshape(-1, 2)).reshape(PLACES, PLACES)

    real = trainer.data.sample(COMPARED, rng)
    fake = trainer.draw_latents(COMPARED, rng)
    slope = gradient_norms(trainer.critic, real, fake, rng).quantile(STEEPEST).item()
    estimate = critic_estimate(trainer.critic, real, fake)

    gaps, parts = gaps_of(data)
    around = trainer.score(parts.reshape(-1, 2)).reshape(parts.shape[:2]).mean(1)
    falls = around - trainer.score(gaps)
    distance = (parts - gaps[:, None]).norm(dim=2).mean(1)
    return Surface(
        data=data,
        critic=critic,
        values=values.numpy(),
        real=real[:DRAWN].numpy(),
        dip=(falls / (slope * distance)).mean().item(),
        dips=(falls > 0).float().mean().item(),
        optimal=estimate / (slope * w1(real, fake)),
    )


def gaps_of(data: str) -> tuple[Tensor, Tensor]:
    """Places in the midst of gaps, (P, 2), and the parts of the data around each, (P, K, 2)."""
    if data == "ring8":  # between neighbours
        angle = torch.arange(8) * (math.pi / 4)
        centres = 2 / RING_SCALE * torch.stack((angle.cos(), angle.sin()), 1)
        parts = torch.stack((centres, centres.roll(-1, 0)), 1)
        return parts.mean(1), parts
    if data == "grid25":  # between four
        inner = torch.tensor([-3.0, -1.0, 1.0, 3.0])
        gaps = torch.cartesian_prod(inner, inner)
        corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 2)
        return gaps / GRID_SCALE, (gaps[:, None] + corners) / GRID_SCALE
    # The roll is t·(cos t, sin t) from 1.5π to 4.5π: midway between the turns t and t + 2π.
    angle = torch.tensor(np.linspace(1.6 * math.pi, 2.4 * math.pi, 24), dtype=torch.float32)
    ray = torch.stack((angle.cos(), angle.sin()), 1) / ROLL_SCALE
    turns = torch.stack((angle, angle + 2 * math.pi), 1)
    return ray * turns.mean(1, keepdim=True), ray[:, None] * turns[:, :, None]


def draw(result: Surfaces) -> Figure:
    """The surfaces, a column for each data set, clipping above GP."""
    ordered = sorted(result.surfaces, key=lambda s: list(_CRITICS).index(s.critic))
    shown = [
        (f"{_SETS[s.data]}, {_CRITICS[s.critic]}: dip {format_3_digits(s.dip)}", s.values, s.real)
        for s in ordered
    ]
    return papers.value_surfaces(shown, REACH, columns=len(_SETS))
