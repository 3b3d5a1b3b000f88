"""Optimal transport between two small weighted clouds, and the potential that proves it optimal.

W₁ = min over plans γ of E_γ‖x − y‖ (Kantorovich) = max over 1-Lipschitz f of E f(x) − E f(y)
(Kantorovich & Rubinstein). Both sides come from one linear program: its solution is the plan, its
dual variables are the potential.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

BINS = 24
CENTRES = np.linspace(-1, 1, BINS)  # of a histogram
POINTS = 16  # of a cloud
MASS = 1e-9  # of a part of the plan that counts


@dataclass(frozen=True)
class Pair:
    """Data x (n, d) with weights p (n,), samples y (m, d) with weights q (m,); both sum to 1."""

    x: Array
    p: Array
    y: Array
    q: Array


@dataclass(frozen=True)
class Transport:
    """What was solved. plan: (n, m), how much of y_j goes to x_i. cost: ‖x_i − y_j‖, (n, m).

    distance: W₁, exact but for the solver's tolerance of 1e-7. dual: v (m,), from which the
    potential is made everywhere.
    """

    pair: Pair
    plan: Array
    cost: Array
    distance: float
    dual: Array

    def potential(self, at: Array) -> Array:
        """f(x) = min_j ‖x − y_j‖ − v_j at points (k, d), (k,): 1-Lipschitz on the whole space, as a
        minimum of cones of slope 1."""
        return (_lengths(at, self.pair.y) - self.dual).min(1)

    @property
    def parts(self) -> Array:
        """What each part of the plan costs, (n, m); the sum is W₁."""
        return self.plan * self.cost

    @property
    def pairs(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """(i, j) of all parts of the plan that carry mass over a distance."""
        i, j = np.nonzero((self.plan > MASS) & (self.cost > 1e-9))
        return i, j

    @property
    def gain(self) -> float:
        """E f(x) − E f(y) of the potential; equal to W₁ by duality."""
        x, y = self.potential(self.pair.x), self.potential(self.pair.y)
        return float(self.pair.p @ x - self.pair.q @ y)

    def slopes(self) -> Array:
        """(f(x) − f(y))/‖x − y‖ along every optimal pair: 1, by complementary slackness
        (Gulrajani et al. 2017, Proposition 1 and Corollary 1)."""
        i, j = self.pairs
        rise = self.potential(self.pair.x[i]) - self.potential(self.pair.y[j])
        return rise / self.cost[i, j]


def solve(pair: Pair) -> Transport:
    """The optimal plan and its dual. Raises `ValueError` where a weight is negative or the sums
    are not 1."""
    from scipy import sparse  # here: half a second, which no other section waits for
    from scipy.optimize import linprog

    for weights in (pair.p, pair.q):
        if (weights < 0).any() or not np.isclose(weights.sum(), 1):
            raise ValueError("The weights of a distribution are at least 0 and sum to 1.")
    n, m = len(pair.p), len(pair.q)
    cost = _lengths(pair.x, pair.y)
    # Σ_j γ_ij = p_i and Σ_i γ_ij = q_j, with γ as one long vector, row after row
    rows = sparse.kron(sparse.eye(n), np.ones((1, m)))
    columns = sparse.kron(np.ones((1, n)), sparse.eye(m))
    found = linprog(
        cost.ravel(),
        A_eq=sparse.vstack([rows, columns]).tocsr(),
        b_eq=np.concatenate([pair.p, pair.q]),
        method="highs",
    )
    if not found.success:
        raise ValueError(f"The linear program was not solved: {found.message}")
    # On a line many plans are optimal; of them the one whose ways do not cross.
    plan = found.x.reshape(n, m) if pair.x.shape[1] > 1 else _in_order(pair)
    return Transport(pair, plan, cost, float((plan * cost).sum()), found.eqlin.marginals[n:])


def _in_order(pair: Pair) -> Array:
    """The plan on a line that moves the first of the mass to the first of the places, and so on;
    both sides sorted. Optimal for every convex cost, so for the distance."""
    p, q = np.cumsum(pair.p), np.cumsum(pair.q)
    lower = np.maximum(p[:, None] - pair.p[:, None], q[None] - pair.q[None])
    return np.maximum(0, np.minimum(p[:, None], q[None]) - lower)


def _lengths(a: Array, b: Array) -> Array:
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))


# What can be transported --------------------------------------------------------------------------


def gaussian(mean: float, sigma: float) -> str:
    """A Gaussian's histogram, as text."""
    return as_text(np.exp(-(((CENTRES - mean) / sigma) ** 2) / 2))


LEVELS = "0123456789abcdefghijklmnopqrstuvwxyz"  # of a histogram's bars, one character each


def as_text(weights: Array) -> str:
    """A histogram as BINS characters, the highest bar `z`: short enough for an address."""
    top = max(float(weights.max()), 1e-12)
    return "".join(LEVELS[round(35 * max(0.0, float(w)) / top)] for w in weights)


def named(name: str) -> Pair:
    """The pair of this name: one of `CLOUDS`, or two histograms, `as_text`, with a dot between.

    Raises `ValueError` for another name, and for a histogram without any bar.
    """
    if name in CLOUDS:
        x, y = CLOUDS[name]()
        even = np.full(POINTS, 1 / POINTS)
        return Pair(x, even, y, even)
    first, _, second = name.partition(".")
    levels = []
    for text in (first, second):
        if len(text) != BINS or set(text) - set(LEVELS) or not text.strip("0"):
            raise ValueError(f"{name[:60]!r} is neither a pair of clouds nor of histograms.")
        bars = np.array([LEVELS.index(c) for c in text], np.float64)
        levels.append(bars / bars.sum())
    at = CENTRES[:, None]
    return Pair(at, levels[0], at, levels[1])


def _blobs() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    x, y = (0.15 * rng.normal(size=(POINTS, 2)) for _ in "xy")
    return x + np.array([0.4, 0.3]), y - np.array([0.4, 0.2])


def _ring() -> tuple[Array, Array]:
    angle = 2 * np.pi * np.arange(POINTS) / POINTS
    rng = np.random.default_rng(1)
    return 0.8 * np.stack([np.cos(angle), np.sin(angle)], 1), 0.12 * rng.normal(size=(POINTS, 2))


def _lines() -> tuple[Array, Array]:
    z = np.linspace(-0.7, 0.7, POINTS)
    return np.stack([0 * z - 0.4, z], 1), np.stack([0 * z + 0.4, z], 1)


def _halves() -> tuple[Array, Array]:
    """The data has two modes, the samples are on one of them."""
    rng = np.random.default_rng(3)
    x, y = (0.1 * rng.normal(size=(POINTS, 2)) for _ in "xy")
    x[:, 0] += np.where(np.arange(POINTS) % 2, 0.6, -0.6)
    return x, y - np.array([0.6, 0.0])


CLOUDS = {"blobs": _blobs, "ring": _ring, "lines": _lines, "collapsed": _halves}
