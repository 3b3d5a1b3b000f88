"""Distances between parallel lines (Arjovsky et al. 2017, Example 1), in closed form.

Z is uniform on [0, 1]; the data is P₀ = (0, Z), the generator's P_θ = (θ, Z): two segments at a
distance |θ|. With noise of standard deviation σ on their first coordinate, as in instance noise,
both have densities, and every distance becomes smooth in θ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LOG2 = float(np.log(2))
LONGEST = 0.1  # step of a descent
# Standard normal quadrature: for analytic integrands the trapezoidal rule's error falls faster than
# any power of its step; here it is below 1e-9, see the tests.
_T = np.linspace(-12, 12, 2401)
_WEIGHT = np.exp(-(_T**2) / 2) / np.sqrt(2 * np.pi) * (_T[1] - _T[0])


@dataclass(frozen=True)
class Distance:
    """One way to measure how far P_θ is from P₀.

    value, slope: of (θ (N,), σ ≥ 0), each (N,); infinite where the distance is, and NaN where it
    has no slope. ceiling: the largest value it can have.
    """

    name: str
    equation: str
    value: Callable[[Array, float], Array]
    slope: Callable[[Array, float], Array]
    ceiling: float


def total_variation(theta: Array, sigma: float) -> Array:
    """sup_A |P₀(A) − P_θ(A)|: 1 as soon as the segments differ; with noise 2Φ(|θ|/2σ) − 1."""
    if sigma == 0:
        return np.where(theta == 0, 0.0, 1.0)
    # 2Φ(r/2) − 1 is the mass of a standard normal between −r/2 and r/2.
    return _erf(np.abs(theta) / (2 * np.sqrt(2) * sigma))


def total_variation_slope(theta: Array, sigma: float) -> Array:
    if sigma == 0:
        return np.where(theta == 0, np.nan, 0.0)
    normal = np.exp(-((theta / sigma) ** 2) / 8) / np.sqrt(2 * np.pi)
    return np.where(theta == 0, np.nan, np.sign(theta) * normal / sigma)


def kullback_leibler(theta: Array, sigma: float) -> Array:
    """E_{P₀}[log p₀/p_θ]: infinite as soon as the segments differ; with noise θ²/2σ²."""
    if sigma == 0:
        return np.where(theta == 0, 0.0, np.inf)
    return theta**2 / (2 * sigma**2)


def kullback_leibler_slope(theta: Array, sigma: float) -> Array:
    if sigma == 0:
        return np.full_like(theta, np.nan)  # ∞ − ∞ on either side
    return theta / sigma**2


def jensen_shannon(theta: Array, sigma: float) -> Array:
    """½ KL(P₀‖M) + ½ KL(P_θ‖M), M their mean: log 2 as soon as the segments differ.

    With noise log 2 − E_t[log(1 + exp(rt − r²/2))], t standard normal, r = θ/σ.
    """
    if sigma == 0:
        return np.where(theta == 0, 0.0, LOG2)
    r = theta[:, None] / sigma
    return LOG2 - np.logaddexp(0, r * _T - r**2 / 2) @ _WEIGHT


def jensen_shannon_slope(theta: Array, sigma: float) -> Array:
    if sigma == 0:
        return np.where(theta == 0, np.nan, 0.0)
    r = theta[:, None] / sigma
    share = 1 / (1 + np.exp(np.clip(r**2 / 2 - r * _T, -700, 700)))  # q/(p + q)
    return -((share * (_T - r)) @ _WEIGHT) / sigma


def earth_mover(theta: Array, sigma: float) -> Array:
    """W₁: every grain of P_θ travels |θ|, with noise or without."""
    return np.abs(theta)


def earth_mover_slope(theta: Array, sigma: float) -> Array:
    return np.where(theta == 0, np.nan, np.sign(theta))


DISTANCES: dict[str, Distance] = {
    "tv": Distance(
        "TV",
        r"\mathrm{TV}=\sup_A |P_0(A)-P_\theta(A)|",
        total_variation,
        total_variation_slope,
        1.0,
    ),
    "kl": Distance(
        "KL",
        r"\mathrm{KL}=\mathbb{E}_{x\sim P_0}\!\left[\log\tfrac{p_0(x)}{p_\theta(x)}\right]",
        kullback_leibler,
        kullback_leibler_slope,
        np.inf,
    ),
    "js": Distance(
        "JS",
        r"\mathrm{JS}=\tfrac12\mathrm{KL}(P_0\Vert M)+\tfrac12\mathrm{KL}(P_\theta\Vert M)",
        jensen_shannon,
        jensen_shannon_slope,
        LOG2,
    ),
    "em": Distance(
        "EM",
        r"\mathrm{EM}=\inf_\gamma \mathbb{E}_{(x,y)\sim\gamma}\lVert x-y\rVert",
        earth_mover,
        earth_mover_slope,
        np.inf,
    ),
}


def descend(distance: Distance, start: float, sigma: float, step: float, steps: int) -> Array:
    """θ₀ … θ_steps of gradient descent θ ← θ − h d′(θ), (steps + 1,).

    No step is longer than `LONGEST`: KL's slope θ/σ² would otherwise throw the particle off the
    page. Where there is no slope the particle stays.
    """
    path = [start]
    for _ in range(steps):
        slope = float(distance.slope(np.array([path[-1]]), sigma)[0])
        move = step * slope if np.isfinite(slope) else 0.0
        path.append(path[-1] - float(np.clip(move, -LONGEST, LONGEST)))
    return np.array(path)


def _erf(x: Array) -> Array:
    from math import erf  # numpy has none, and scipy takes half a second to import

    return np.vectorize(erf, otypes=[np.float64])(x)
