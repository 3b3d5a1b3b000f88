"""What K-Lipschitz means, and what clipping a network's weights to [−c, c] allows.

f is K-Lipschitz when |f(x) − f(y)| ≤ K|x − y| for all x, y: from each of its points the graph stays
inside a cone of slope K.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

WIDTH = 64  # of the critic's two hidden layers, as in `dual`
APART = 0.25  # standard deviation of both Gaussians of `pair`


@dataclass(frozen=True)
class Function:
    """A function on [−1, 1]. constant: its smallest K, exact; infinite where there is none."""

    equation: str
    value: Callable[[Array], Array]
    constant: float


FUNCTIONS = {
    "sine": Function(r"f(x)=\tfrac12\sin 4x", lambda x: 0.5 * np.sin(4 * x), 2.0),
    "kink": Function(r"f(x)=|x|-\tfrac12", lambda x: np.abs(x) - 0.5, 1.0),
    "sigmoid": Function(
        r"f(x)=\sigma(12x)-\tfrac12", lambda x: 0.5 * np.tanh(6 * x), 3.0
    ),  # σ(s) − ½ = ½ tanh(s/2); its slope at 0 is 12/4
    "root": Function(
        r"f(x)=\mathrm{sgn}(x)\sqrt{|x|}", lambda x: np.sign(x) * np.sqrt(np.abs(x)), np.inf
    ),
}


def outside(function: Function, at: float, k: float, x: Array) -> npt.NDArray[np.bool_]:
    """Where the graph leaves the cone of slope k at the point `at`."""
    rise = np.abs(function.value(x) - function.value(np.array([at])))
    return rise > k * np.abs(x - at) + 1e-9


def clip_bound(c: float, inputs: int = 1) -> float:
    """The largest K of a critic inputs → 64 → 64 → 1 with all weights in [−c, c].

    K ≤ Π‖W_l‖₂ for activations of slope at most 1, and ‖W‖₂ ≤ c √(rows · columns), reached where
    all entries are ±c with signs in rank one.
    """
    return float(c**3 * np.sqrt(inputs * WIDTH) * WIDTH * np.sqrt(WIDTH))


# Two Gaussians on a line: a class and a score ----------------------------------------------------


def pair(distance: float, x: Array) -> tuple[Array, Array]:
    """Densities of the data, N(d/2, σ²), and of the samples, N(−d/2, σ²)."""
    norm = APART * np.sqrt(2 * np.pi)
    p, q = (np.exp(-(((x - s * distance / 2) / APART) ** 2) / 2) / norm for s in (1, -1))
    return p, q


def discriminator(distance: float, x: Array) -> Array:
    """The optimal D = p/(p + q) = σ(d x/σ²)."""
    return 0.5 * (1 + np.tanh(distance * x / (2 * APART**2)))


def discriminator_slope(distance: float, x: Array) -> Array:
    seen = discriminator(distance, x)
    return distance / APART**2 * seen * (1 - seen)
