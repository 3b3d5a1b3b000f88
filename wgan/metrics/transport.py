"""Exact optimal transport between samples, and what a perfect generator would score."""

from __future__ import annotations

import math

import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from wgan.data.base import Dataset


def w1(a: Tensor, b: Tensor) -> float:
    """Exact 1-Wasserstein distance of two samples of equal size, with Euclidean ground cost.

    a, b: (n, *shape), flattened. Between n points and n points some optimal plan is an assignment,
    so that W1 = min over permutations π of 1/n Σ ‖aᵢ − b_π(i)‖ (Kantorovich; Birkhoff's theorem).
    In the data's units, ≥ 0; NaN when a sample is not finite. The cost grows like n³.

    Raises `ValueError` when the shapes differ or the samples are empty.
    """
    if a.shape != b.shape or len(a) == 0:
        raise ValueError(
            f"W1 needs two samples of equal size, not {tuple(a.shape)} and {tuple(b.shape)}."
        )
    cost = cdist(_rows(a), _rows(b))
    if not math.isfinite(cost.sum()):
        return math.nan
    return float(cost[linear_sum_assignment(cost)].mean())


def w1_floor(dataset: Dataset, n: int, generator: torch.Generator, repeats: int = 4) -> float:
    """Mean W1 between two independent real batches of n: what a perfect generator would score.

    It is above 0 because a batch is not the distribution (see Stanczuk et al. 2021).
    """
    pairs = ((dataset.sample(n, generator), dataset.sample(n, generator)) for _ in range(repeats))
    return sum(w1(a, b) for a, b in pairs) / repeats


def _rows(samples: Tensor):
    """(n, *shape) as a numpy array (n, D) of float64, which scipy computes in."""
    return samples.detach().flatten(1).double().cpu().numpy()
