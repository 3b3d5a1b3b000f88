"""The GAN's value function between two densities on a line (Goodfellow et al. 2014, §4.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LOG4 = float(np.log(4))
REACH, NODES = 20.0, 8001  # the integrals' grid, ±reach: ten deviations of the widest q
DATA = ((0.5, -1.2, 0.5), (0.5, 1.0, 0.7))  # the data's density: (weight, mean, deviation) each
# log 0 of two densities that share nothing: kept finite so that 0 · log 0 is 0.
LOWEST = -700.0


@dataclass(frozen=True)
class Value:
    """V(D, G) and what it is made of, in nats.

    real: E[log D(x)]; fake: E[log(1 − D(x̃))]; value: their sum. js: the Jensen-Shannon divergence
    of the densities. best: 2 JS − log 4, the value at D = p/(p + q). error: how much any of them
    changes on a grid half as fine.
    """

    real: float
    fake: float
    js: float
    error: float

    @property
    def value(self) -> float:
        return self.real + self.fake

    @property
    def best(self) -> float:
        return 2 * self.js - LOG4


def grid(reach: float = REACH, nodes: int = NODES) -> Array:
    return np.linspace(-reach, reach, nodes)


def log_data(x: Array) -> Array:
    """log p of the data's mixture."""
    parts = [np.log(weight) + log_normal(x, mean, sigma) for weight, mean, sigma in DATA]
    return np.logaddexp.reduce(parts, axis=0)


def log_normal(x: Array, mean: float, sigma: float) -> Array:
    return -(((x - mean) / sigma) ** 2) / 2 - np.log(sigma * np.sqrt(2 * np.pi))


def log_ratio(x: Array, mean: float, sigma: float) -> Array:
    """log p(x) − log q(x), for the generator's q = N(mean, σ²); σ of it is the optimal D."""
    return log_data(x) - log_normal(x, mean, sigma)


def discriminator(x: Array, mean: float, sigma: float, sharpness: float) -> Array:
    """D = σ(t · log(p/q)): blind at t = 0, p/(p + q) at t = 1, too sure of itself beyond."""
    return 1 / (1 + np.exp(np.clip(-sharpness * log_ratio(x, mean, sigma), LOWEST, -LOWEST)))


def value(mean: float, sigma: float, sharpness: float = 1.0) -> Value:
    """V(D, G) = E[log D(x)] + E[log(1 − D(x̃))] for D = σ(t · log(p/q))."""
    fine = _integrals(grid(), mean, sigma, sharpness)
    coarse = _integrals(grid()[::2], mean, sigma, sharpness)
    error = max(abs(a - b) for a, b in zip(fine, coarse, strict=True))
    return Value(*fine, error=error)


def _integrals(x: Array, mean: float, sigma: float, sharpness: float) -> tuple[float, ...]:
    log_p, log_q = log_data(x), log_normal(x, mean, sigma)
    p, q, ratio = np.exp(log_p), np.exp(log_q), log_p - log_q
    log_m = np.logaddexp(log_p, log_q) - np.log(2)
    integrands = (
        p * -np.logaddexp(0, -sharpness * ratio),  # log σ(s) = −log(1 + exp(−s))
        q * -np.logaddexp(0, sharpness * ratio),  # log(1 − σ(s)) = log σ(−s)
        0.5 * p * (log_p - log_m) + 0.5 * q * (log_q - log_m),
    )
    width = x[1] - x[0]
    return tuple(float(np.sum(f) * width) for f in integrands)


# The generator's two losses -----------------------------------------------------------------------


def saturating(score: Array) -> Array:
    """log(1 − D(x̃)), D = σ(score)."""
    return -np.logaddexp(0, score)


def non_saturating(score: Array) -> Array:
    """−log D(x̃)."""
    return np.logaddexp(0, -score)


def saturating_slope(score: Array) -> Array:
    """∂/∂score log(1 − σ(score)) = −σ(score): nothing while D is sure of a fake."""
    return -1 / (1 + np.exp(-score))


def non_saturating_slope(score: Array) -> Array:
    """∂/∂score −log σ(score) = −(1 − σ(score))."""
    return -1 / (1 + np.exp(score))
