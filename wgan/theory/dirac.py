"""The Dirac-GAN (Mescheder et al. 2018, §2): the smallest GAN that does not converge.

The data is one point at 0, the generator one point at θ, the critic D(x) = ψx. Everything that
training does is a path in the plane (θ, ψ); the equilibrium is (0, 0). A method is a vector field
v(θ, ψ) = (θ̇, ψ̇): what the generator and the critic add to their parameter, per unit of step size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Field = Callable[[Array, Array, float], tuple[Array, Array]]
Verdict = Literal["arrives", "circles", "leaves"]

FAR = 1e6  # a path that has gone so far is kept there: infinities cannot be drawn
# Nodes and weights of E[g(t)], t standard normal: the trapezoidal rule, whose error on such smooth
# functions falls exponentially with the nodes; below 1e-9 for all that the page can set.
_NODES = np.linspace(-8, 8, 81)
_WEIGHTS = np.exp(-(_NODES**2) / 2)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Game:
    """A method on the Dirac-GAN.

    field: of (θ, ψ, strength), arrays of one shape. jacobian: of the field at (0, 0), of the
    strength, [[∂θ̇/∂θ, ∂θ̇/∂ψ], [∂ψ̇/∂θ, ∂ψ̇/∂ψ]]; None where the field breaks there. strength: the
    usual one of what keeps the critic in check, and its symbol; None where nothing does. clips:
    whether ψ is clipped to ± the strength after each update.
    """

    label: str
    equation: str
    field: Field
    jacobian: Callable[[float], Array] | None
    symbol: str = ""
    strength: float | None = None
    most: float = 2.0
    clips: bool = False


@dataclass(frozen=True)
class Settings:
    """How the players move. step: size h > 0. critic_steps: ≥ 1 for each of the generator's.

    momentum: β of m ← βm + v, x ← x + hm; may be negative. alternating: the generator sees the
    critic as it is after its steps; otherwise as it was before them. strength: see `Game`.
    """

    step: float = 0.2
    critic_steps: int = 1
    momentum: float = 0.0
    alternating: bool = True
    strength: float = 0.0


def sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(x / 2))


# The fields -------------------------------------------------------------------------------------
# The critic maximises E[log σ(D(x))] + E[log(1 − σ(D(x̃)))] = log σ(0) + log σ(−ψθ), or for a WGAN
# E[D(x)] − E[D(x̃)] = −ψθ; the generator descends on its loss.


def gan(theta: Array, psi: Array, strength: float) -> tuple[Array, Array]:
    """Saturating: the generator minimises log σ(−ψθ)."""
    s = sigmoid(psi * theta)
    return psi * s, -theta * s


def non_saturating(theta: Array, psi: Array, strength: float) -> tuple[Array, Array]:
    """The generator minimises −log σ(ψθ)."""
    return psi * sigmoid(-psi * theta), -theta * sigmoid(psi * theta)


def wgan(theta: Array, psi: Array, strength: float) -> tuple[Array, Array]:
    return psi, -theta


def gradient_penalty(theta: Array, psi: Array, strength: float) -> tuple[Array, Array]:
    """λ(‖∇D‖ − 1)² with ‖∇D‖ = |ψ| everywhere."""
    return psi, -theta - 2 * strength * (np.abs(psi) - 1) * np.sign(psi)


def r1(theta: Array, psi: Array, strength: float) -> tuple[Array, Array]:
    """½γ‖∇D(x)‖² = ½γψ² at the data."""
    forward, back = gan(theta, psi, strength)
    return forward, back - strength * psi


def instance_noise(theta: Array, psi: Array, strength: float) -> tuple[Array, Array]:
    """The GAN on N(0, σ²) and N(θ, σ²): expectations by quadrature."""
    theta, psi = np.asarray(theta)[..., None], np.asarray(psi)[..., None]
    real, fake = strength * _NODES, theta + strength * _NODES
    seen = sigmoid(psi * fake)
    forward = (psi * seen) @ _WEIGHTS
    return forward, (real * sigmoid(-psi * real) - fake * seen) @ _WEIGHTS


def consensus(theta: Array, psi: Array, strength: float) -> tuple[Array, Array]:
    """Both also descend on ½γ‖v‖² = ½γ(θ² + ψ²) s², s = σ(ψθ) (Mescheder et al. 2017)."""
    forward, back = gan(theta, psi, strength)
    s = sigmoid(psi * theta)
    square, slope = theta**2 + psi**2, s * (1 - s)
    # ∂/∂θ ½(θ² + ψ²)s² = θs² + (θ² + ψ²) s s′ ψ, and the same with θ and ψ exchanged
    forward = forward - strength * (theta * s**2 + square * s * slope * psi)
    return forward, back - strength * (psi * s**2 + square * s * slope * theta)


def _turn(rate: float, **damping: float) -> Array:
    """A rotation at this rate, with what is added on the diagonal."""
    return np.array([[damping.get("theta", 0.0), rate], [-rate, damping.get("psi", 0.0)]])


GAMES: dict[str, Game] = {
    "gan": Game(
        "saturating GAN",
        r"\dot\theta=\psi\,\sigma(\psi\theta),\quad\dot\psi=-\theta\,\sigma(\psi\theta)",
        gan,
        lambda strength: _turn(0.5),
    ),
    "ns": Game(
        "GAN, non-saturating",
        r"\dot\theta=\psi\,\sigma(-\psi\theta),\quad\dot\psi=-\theta\,\sigma(\psi\theta)",
        non_saturating,
        lambda strength: _turn(0.5),
    ),
    "wgan": Game(
        "WGAN, no constraint",
        r"\dot\theta=\psi,\quad\dot\psi=-\theta",
        wgan,
        lambda strength: _turn(1.0),
    ),
    "clip": Game(
        "WGAN, clipping",
        r"\dot\theta=\psi,\quad\dot\psi=-\theta,\quad\psi\leftarrow\mathrm{clip}(\psi,-c,c)",
        wgan,
        lambda strength: _turn(1.0),
        "c",
        1.0,
        clips=True,
    ),
    "gp": Game(
        "WGAN-GP",
        r"\dot\theta=\psi,\quad\dot\psi=-\theta-2\lambda(|\psi|-1)\,\mathrm{sgn}\,\psi",
        gradient_penalty,
        None,
        "λ",
        0.5,
    ),
    "r1": Game(
        "GAN, R1",
        r"\dot\theta=\psi\,\sigma(\psi\theta),\quad\dot\psi=-\theta\,\sigma(\psi\theta)-\gamma\psi",
        r1,
        lambda strength: _turn(0.5, psi=-strength),
        "γ",
        0.5,
    ),
    "noise": Game(
        "GAN, instance noise",
        r"\dot\theta=\psi\,\mathbb{E}[\sigma(\psi\tilde x)],\quad"
        r"\dot\psi=\mathbb{E}[x\,\sigma(-\psi x)]-\mathbb{E}[\tilde x\,\sigma(\psi\tilde x)]",
        instance_noise,
        lambda strength: _turn(0.5, psi=-(strength**2) / 2),
        "σ",
        1.0,
    ),
    "consensus": Game(
        "GAN, consensus",
        r"(\dot\theta,\dot\psi)=v-\tfrac{\gamma}{2}\nabla\lVert v\rVert^2,\quad"
        r"v=(\psi,-\theta)\,\sigma(\psi\theta)",
        consensus,
        lambda strength: _turn(0.5, theta=-strength / 4, psi=-strength / 4),
        "γ",
        1.0,
    ),
}


# Training ---------------------------------------------------------------------------------------


def update(game: Game, state: Array, how: Settings) -> Array:
    """One round, critic's steps and the generator's: (θ, ψ, m_θ, m_ψ) -> the same, (4,)."""
    theta, psi, m_theta, m_psi = state
    before = psi
    for _ in range(how.critic_steps):
        m_psi = how.momentum * m_psi + game.field(theta, psi, how.strength)[1]
        psi = psi + how.step * m_psi
        if game.clips:
            psi = np.clip(psi, -how.strength, how.strength)
    seen = psi if how.alternating else before
    m_theta = how.momentum * m_theta + game.field(theta, seen, how.strength)[0]
    theta = theta + how.step * m_theta
    return np.clip(np.array([theta, psi, m_theta, m_psi]), -FAR, FAR)


def path(game: Game, start: tuple[float, float], how: Settings, rounds: int) -> Array:
    """(θ, ψ) before and after each round, (rounds + 1, 2)."""
    state = np.array([*start, 0.0, 0.0])
    states = [state]
    for _ in range(rounds):
        state = update(game, state, how)
        states.append(state)
    return np.array(states)[:, :2]


def verdict(way: Array) -> Verdict:
    """Where a path goes, by its last quarter: to the equilibrium, away from it, or neither."""
    distance = np.hypot(*way.T)
    last = distance[-max(2, len(distance) // 4) :]
    if last.max() < 0.01 * distance[0]:
        return "arrives"
    return "leaves" if last.max() > 10 * distance[0] else "circles"


# The equilibrium --------------------------------------------------------------------------------


def update_matrix(game: Game, how: Settings) -> Array | None:
    """The Jacobian of `update` at the equilibrium, (4, 4); None where the field breaks there.

    Each step of a player is linear there: m ← βm + J x, x ← x + hm, with its row of the field's
    Jacobian J; a round is the product of its steps. Clipping does nothing near 0.
    """
    if game.jacobian is None:
        return None
    field = game.jacobian(how.strength)
    critic = _player(field, 1, how)
    critics = np.linalg.matrix_power(critic, how.critic_steps)
    if how.alternating:
        return _player(field, 0, how) @ critics
    # The generator's rows see the state before the critic's steps, the critic's rows are its own.
    both = critics.copy()
    both[[0, 2]] = _player(field, 0, how)[[0, 2]]
    return both


def _player(field: Array, who: int, how: Settings) -> Array:
    """One step of the generator (0) or the critic (1) on (θ, ψ, m_θ, m_ψ)."""
    matrix = np.eye(4)
    momentum = np.zeros(4)
    momentum[:2] = field[who]
    momentum[2 + who] = how.momentum
    matrix[2 + who] = momentum
    matrix[who] += how.step * momentum
    return matrix


def eigenvalues(game: Game, how: Settings) -> npt.NDArray[np.complex128] | None:
    """Of the update's Jacobian at the equilibrium, complex, (4,) or without momentum (2,).

    Training converges to it when all are inside the unit circle, and no faster than |λ|^n.
    """
    matrix = update_matrix(game, how)
    if matrix is None:
        return None
    # Without momentum the rows of m are forgotten at once: two eigenvalues are 0 and say nothing.
    return np.linalg.eigvals(matrix if how.momentum else matrix[:2, :2]).astype(np.complex128)


def radius(game: Game, how: Settings) -> float | None:
    """The largest |λ|."""
    found = eigenvalues(game, how)
    return None if found is None else float(np.abs(found).max())
