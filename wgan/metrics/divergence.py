"""Divergences between distributions, and bounds on them that a critic gives."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.spatial.distance import jensenshannon
from torch import Tensor

CELLS = 24  # an axis of the grid on which the JS divergence of 2-D samples is counted


def jensen_shannon(p: Tensor, q: Tensor) -> float:
    """Jensen-Shannon divergence of two histograms (K,), in nats: 0 (equal) .. log 2 (disjoint).

    JS = ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2 (Lin 1991), the square of scipy's distance. Counts
    are normalised; NaN for an empty one.
    """
    with np.errstate(invalid="ignore"):
        return float(jensenshannon(p.double().cpu().numpy(), q.double().cpu().numpy()) ** 2)


def grid_counts(points: Tensor, extent: float, cells: int = CELLS) -> Tensor:
    """Counts of 2-D points (N, 2) on a grid over ±extent, (cells²,).

    Points beyond it count in the cells at its edge, those that are not finite nowhere.
    """
    points = points[points.isfinite().all(1)]
    cell = ((points + extent) * (cells / (2 * extent))).long().clamp_(0, cells - 1)
    return torch.bincount(cell[:, 1] * cells + cell[:, 0], minlength=cells**2)


def jensen_shannon_of_loss(loss: float) -> float:
    """The JS divergence that a GAN critic's loss tells of, in nats; at most log 2.

    L = −E[log σ(D(x))] − E[log(1 − σ(D(x̃)))] is 2 log 2 − 2 JS for the best critic (Goodfellow et
    al. 2014, Theorem 1), so that JS ≥ log 2 − L/2 for any; below 0 for a critic worse than a guess.
    """
    return math.log(2) - loss / 2


def estimate_over_slope(estimate: float, slope: float) -> float:
    """E[D(x)] − E[D(x̃)] over the critic's slope: at most W1, in the data's units; NaN for slope 0.

    Kantorovich and Rubinstein: W1 is the largest estimate of a 1-Lipschitz function, and D/K is
    one when K is D's largest slope. So K is the *largest* gradient norm that was found, not a
    percentile: over a percentile the quotient could exceed W1 for any critic.
    """
    return estimate / slope if slope > 0 else math.nan
