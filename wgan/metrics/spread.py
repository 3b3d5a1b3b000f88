"""Has a generator collapsed? Told without labels, by neighbours among real and generated images.

Density and coverage (Naeem et al. 2020): a ball around each real image reaches to its k-th
nearest other one. density = 1/(k·n) Σᵢ |{balls that hold sample i}|, coverage = the share of balls
that hold any sample. Near-duplicates (after the birthday test of Arora and Zhang 2017): the share
of samples whose nearest other one is closer than all but one in a hundred real images have theirs.
Distances are Euclidean over images averaged down to 16 pixels a side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

NEIGHBOURS = 5  # k, as in the paper
SIDE = 16  # pixels that images are compared at
LEAST = 100  # distinct real images a half, below which the figures say little
RARE = 0.01  # the share of real images whose nearest other one is a near-duplicate, by definition


@dataclass(frozen=True)
class Spread:
    """density: 0 or more, about 1 for real images. coverage, duplicates: shares, 0..1."""

    density: float
    coverage: float
    duplicates: float


class SpreadGauge:
    """Measures generated images against half of some real ones; `floor` is the other half's.

    real: (M, C, H, W) in [−1, 1]. Repeated images count once. Raises `ValueError` when fewer than
    `LEAST` a half are left.
    """

    def __init__(self, real: Tensor) -> None:
        distinct = _features(real).unique(dim=0)
        rng = torch.Generator().manual_seed(0)  # `unique` sorts
        distinct = distinct[torch.randperm(len(distinct), generator=rng).to(distinct.device)]
        half = len(distinct) // 2
        if half < LEAST:
            raise ValueError(f"{len(distinct)} distinct images are too few to judge by.")
        self._real, held_out = distinct[:half], distinct[half : 2 * half]
        distances = torch.cdist(self._real, self._real).fill_diagonal_(math.inf)
        self._radii = distances.kthvalue(NEIGHBOURS, dim=1).values
        self._close = distances.min(1).values.quantile(RARE)
        self.floor = self._measured(held_out)

    def measure(self, fake: Tensor) -> Spread:
        """The figures of generated images (N, C, H, W); as many as the real half at most count."""
        return self._measured(_features(fake[: len(self._real)]).to(self._real))

    def _measured(self, samples: Tensor) -> Spread:
        inside = torch.cdist(samples, self._real) <= self._radii  # (N, M)
        among = torch.cdist(samples, samples).fill_diagonal_(math.inf)
        return Spread(
            density=inside.float().sum(1).mean().item() / NEIGHBOURS,
            coverage=inside.any(0).float().mean().item(),
            duplicates=(among.min(1).values <= self._close).float().mean().item(),
        )


def _features(images: Tensor) -> Tensor:
    if images.shape[-1] > SIDE:
        images = adaptive_avg_pool2d(images, SIDE)
    return images.detach().float().flatten(1)
