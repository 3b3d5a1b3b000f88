"""The Dirac-GAN: fields, which methods converge, and eigenvalues against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import norm
from torch.nn.functional import logsigmoid

from wgan.losses import critic_loss, generator_loss
from wgan.plots.theory import dirac as drawn
from wgan.theory.dirac import (
    GAMES,
    Game,
    Settings,
    eigenvalues,
    path,
    radius,
    update,
    update_matrix,
    verdict,
)

SMOOTH = [key for key, game in GAMES.items() if game.jacobian is not None]
# Mescheder et al. 2018, Fig. 3 and §§3–4: with finitely many critic steps only these arrive.
ARRIVING = {"r1", "noise", "consensus"}

points = st.floats(-2, 2)
settings = st.builds(
    Settings,
    step=st.floats(0.01, 0.5),
    critic_steps=st.integers(1, 5),
    momentum=st.floats(-0.8, 0.8),
    alternating=st.booleans(),
    strength=st.floats(0.1, 2),
)


def strength(key: str) -> float:
    return GAMES[key].strength or 0.0


@pytest.mark.parametrize("alternating", [True, False])
@pytest.mark.parametrize(("critic_steps", "start"), [(1, 1.0), (5, 0.1)])
@pytest.mark.parametrize("key", GAMES)
def test_it_converges_or_not_as_is_known(
    key: str, critic_steps: int, start: float, alternating: bool
):
    how = Settings(critic_steps=critic_steps, alternating=alternating, strength=strength(key))
    way = path(GAMES[key], (start, start), how, 800)
    assert (verdict(way) == "arrives") == (key in ARRIVING)


def test_convergence_is_local():
    """From (1, 1) five critic steps take consensus to where σ is flat, and it stays away."""
    how = Settings(critic_steps=5, strength=1.0)
    assert verdict(path(GAMES["consensus"], (1.0, 1.0), how, 800)) == "circles"


def test_a_simultaneous_wgan_leaves_and_a_clipped_one_stays_in_bounds():
    how = Settings(alternating=False, strength=1.0)
    assert verdict(path(GAMES["wgan"], (1.0, 1.0), how, 400)) == "leaves"
    way = path(GAMES["clip"], (1.0, 1.0), how, 400)
    assert verdict(way) == "circles"
    assert np.abs(way[:, 1]).max() <= 1


def test_a_non_saturating_gan_creeps():
    """d(θ² + ψ²)/dt = −2 θψ tanh(ψθ/2) ≤ 0: inwards, but slower than any power of a factor."""
    how = Settings(step=0.05)
    distance = np.hypot(*path(GAMES["ns"], (1.0, 1.0), how, 16_000).T)
    assert distance[-1] < 0.5 * distance[1000]
    # Like 1/√n: four times the rounds halve the distance.
    assert distance[16_000] / distance[4_000] == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("key", SMOOTH)
@given(how=settings)
def test_eigenvalues_agree_with_finite_differences(key: str, how: Settings):
    game = GAMES[key]
    h = 1e-5
    columns = [
        (update(game, h * unit, how) - update(game, -h * unit, how)) / (2 * h) for unit in np.eye(4)
    ]
    measured = np.stack(columns, axis=1)
    matrix = update_matrix(game, how)
    assert matrix is not None
    assert matrix == pytest.approx(measured, abs=1e-7)
    largest = radius(game, how)
    assert largest == pytest.approx(np.abs(np.linalg.eigvals(measured)).max(), abs=2e-3)


@pytest.mark.parametrize("key", SMOOTH)
def test_the_radius_is_the_rate(key: str):
    """Where training arrives, it does so by |λ| a round."""
    how = Settings(strength=strength(key))
    largest = radius(GAMES[key], how)
    assert largest is not None
    if key in ARRIVING:
        distance = np.hypot(*path(GAMES[key], (0.01, 0.01), how, 300).T)
        assert (distance[300] / distance[100]) ** (1 / 200) == pytest.approx(largest, abs=0.003)
    else:
        assert largest == pytest.approx(1, abs=1e-9)  # alternating: on the circle


def test_the_penalised_wgan_has_no_jacobian_at_the_equilibrium():
    assert eigenvalues(GAMES["gp"], Settings(strength=1.0)) is None
    above, below = (
        GAMES["gp"].field(np.array(0.0), np.array(psi), 1.0)[1] for psi in (1e-9, -1e-9)
    )
    assert above - below == pytest.approx(4)  # a jump of 4λ


def test_momentum_pushes_the_eigenvalues_of_a_turning_field_outwards():
    radii = [radius(GAMES["wgan"], Settings(momentum=beta)) for beta in (0.0, 0.5, 0.9)]
    assert radii == sorted(radii)  # pyright: ignore[reportArgumentType]
    assert radii[2] > 1.1  # pyright: ignore[reportOptionalOperand]
    braked = radius(GAMES["wgan"], Settings(step=0.5, momentum=-0.5))
    assert braked is not None
    assert braked < 1


@given(theta=points, psi=points)
@pytest.mark.parametrize(
    ("key", "objective"), [("gan", "gan_saturating"), ("ns", "gan"), ("wgan",) * 2]
)
def test_the_fields_are_the_losses_of_the_lab(key: str, objective: str, theta: float, psi: float):
    where = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
    slope = torch.tensor(psi, dtype=torch.float64, requires_grad=True)
    real, fake = 0 * slope, slope * where
    (back,) = torch.autograd.grad(
        -critic_loss(objective, real[None], fake[None]), slope, retain_graph=True
    )
    (forward,) = torch.autograd.grad(-generator_loss(objective, fake[None]), where)
    field = GAMES[key].field(np.array(theta), np.array(psi), 0.0)
    assert field == pytest.approx((forward.item(), back.item()), abs=1e-12)


@given(theta=points, psi=points, gamma=st.floats(0, 2))
def test_consensus_descends_on_the_fields_length(theta: float, psi: float, gamma: float):
    def length(theta: float, psi: float) -> float:
        return float(np.sum(np.square(GAMES["gan"].field(np.array(theta), np.array(psi), 0))) / 2)

    h = 1e-6
    slope = (
        (length(theta + h, psi) - length(theta - h, psi)) / (2 * h),
        (length(theta, psi + h) - length(theta, psi - h)) / (2 * h),
    )
    at = (np.array(theta), np.array(psi))
    plain, field = GAMES["gan"].field(*at, 0), GAMES["consensus"].field(*at, gamma)
    for axis in range(2):
        assert field[axis] == pytest.approx(plain[axis] - gamma * slope[axis], abs=1e-7)


@pytest.mark.parametrize(("theta", "psi", "sigma"), [(0.7, 1.3, 0.5), (-1.8, 2.0, 1.0), (2, -2, 2)])
def test_instance_noise_is_the_gan_between_two_normals(theta: float, psi: float, sigma: float):
    """Against the value integrated by scipy, and its slopes by finite differences."""

    def seen(theta: float, psi: float) -> float:
        def log_s(x: float) -> float:
            return logsigmoid(torch.tensor(x, dtype=torch.float64)).item()

        value = 0.0
        for mean, sign in ((0.0, 1), (theta, -1)):

            def weighted(x: float, mean: float = mean, sign: int = sign) -> float:
                return float(norm.pdf(x, mean, sigma)) * log_s(sign * psi * x)

            value += integrate.quad(weighted, mean - 12 * sigma, mean + 12 * sigma)[0]
        return value

    h = 1e-4
    by_theta = (seen(theta + h, psi) - seen(theta - h, psi)) / (2 * h)
    by_psi = (seen(theta, psi + h) - seen(theta, psi - h)) / (2 * h)
    field = GAMES["noise"].field(np.array(theta), np.array(psi), sigma)
    assert field == pytest.approx((-by_theta, by_psi), abs=1e-6)


@pytest.mark.parametrize("key", GAMES)
def test_it_is_drawn(key: str):
    game: Game = GAMES[key]
    how = Settings(strength=strength(key), momentum=0.5)
    way = path(game, (1.0, 1.0), how, 50)
    figure = drawn.phase_plane(game, way, how)
    assert figure["frames"][-1]["data"][1]["x"] == [pytest.approx(way[-1, 0])]
    assert len(drawn.eigenvalue_plane(game, how)["data"]) == (3 if game.jacobian else 1)
    assert len(drawn.momentum_curve(game, how)["data"]) == (2 if game.jacobian else 0)
