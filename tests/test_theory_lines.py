"""Distances between parallel lines against scipy, and a generator that crosses them or does not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import norm, wasserstein_distance

from wgan.plots.theory import lines as drawn
from wgan.theory.line_run import run
from wgan.theory.lines import DISTANCES, LOG2, descend

GRID = np.linspace(-1.2, 1.2, 13)  # holds 0
SIGMAS = (0.05, 0.2, 0.4)


def value(key: str, theta: float, sigma: float) -> float:
    return float(DISTANCES[key].value(np.array([theta]), sigma)[0])


def slope(key: str, theta: float, sigma: float) -> float:
    return float(DISTANCES[key].slope(np.array([theta]), sigma)[0])


def by_quadrature(key: str, theta: float, sigma: float) -> float:
    """The definition, integrated by scipy; the second coordinate cancels."""

    def integrand(x: float) -> float:
        p, q = norm.pdf(x, 0, sigma), norm.pdf(x, theta, sigma)
        log_p, log_q = norm.logpdf(x, 0, sigma), norm.logpdf(x, theta, sigma)
        if key == "tv":
            return float(abs(p - q) / 2)
        if key == "kl":
            return float(p * (log_p - log_q))
        log_m = np.logaddexp(log_p, log_q) - LOG2
        return float(p * (log_p - log_m) / 2 + q * (log_q - log_m) / 2)

    ends = (min(0, theta) - 10 * sigma, max(0, theta) + 10 * sigma)
    return integrate.quad(integrand, *ends, limit=400, points=[0, theta / 2, theta])[0]


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("key", ["tv", "kl", "js"])
def test_noisy_lines_agree_with_the_definition(key: str, sigma: float):
    for theta in GRID:
        assert value(key, theta, sigma) == pytest.approx(by_quadrature(key, theta, sigma), abs=1e-7)


@pytest.mark.parametrize("theta", GRID)
def test_lines_without_noise_are_example_1(theta: float):
    apart = theta != 0
    assert value("tv", theta, 0) == float(apart)
    assert value("js", theta, 0) == pytest.approx(LOG2 * apart)
    assert value("kl", theta, 0) == (np.inf if apart else 0)
    z = np.linspace(0, 1, 50)
    one, other = np.stack([0 * z, z], 1), np.stack([0 * z + theta, z], 1)
    # Exact between point clouds; by the first coordinate, as the second is the same.
    assert value("em", theta, 0) == pytest.approx(wasserstein_distance(one[:, 0], other[:, 0]))


@given(
    key=st.sampled_from(list(DISTANCES)),
    theta=st.floats(0.01, 1.2),
    sign=st.sampled_from([-1, 1]),
    sigma=st.sampled_from([0.05, 0.1, 0.2, 0.4]),
)
def test_slopes_are_derivatives(key: str, theta: float, sign: int, sigma: float):
    theta, h = sign * theta, 1e-5
    by_difference = (value(key, theta + h, sigma) - value(key, theta - h, sigma)) / (2 * h)
    assert slope(key, theta, sigma) == pytest.approx(by_difference, rel=1e-4, abs=1e-5)


@given(theta=st.floats(-1.2, 1.2), sigma=st.sampled_from(SIGMAS))
def test_bounds_and_symmetry(theta: float, sigma: float):
    for key, distance in DISTANCES.items():
        assert -1e-12 <= value(key, theta, sigma) <= distance.ceiling + 1e-12
        assert value(key, theta, sigma) == pytest.approx(value(key, -theta, sigma), abs=1e-12)
    # Pinsker: TV ≤ √(KL/2)
    assert value("tv", theta, sigma) <= np.sqrt(value("kl", theta, sigma) / 2) + 1e-9


def test_without_noise_only_the_earth_movers_particle_arrives():
    ends = {key: descend(d, 0.75, 0, 0.05, 40)[-1] for key, d in DISTANCES.items()}
    assert abs(ends.pop("em")) <= 0.05
    assert set(ends.values()) == {0.75}


def test_with_noise_all_particles_move_home():
    for distance in DISTANCES.values():
        assert abs(descend(distance, 0.5, 0.4, 0.05, 400)[-1]) < 0.1


def test_the_particles_are_drawn_frame_by_frame():
    figure = drawn.particles({k: descend(d, 0.75, 0, 0.05, 40) for k, d in DISTANCES.items()})
    assert len(figure["frames"]) == len(figure["layout"]["sliders"][0]["steps"]) == 41
    last = dict(zip(DISTANCES, figure["frames"][-1]["data"][0]["x"], strict=True))
    assert last["tv"] == 0.75
    assert abs(last["em"]) < 0.051


@pytest.mark.parametrize("seed", range(5))
def test_a_saturating_gan_stands_still_and_a_wgan_gp_arrives(seed: int):
    *_, stuck = run("gan_saturating", start=1.0, seed=seed, steps=60, critic_steps=5)
    assert stuck.theta[-1] > 0.9
    assert stuck.gradient[-1] < 1e-3
    *_, arrived = run("wgan_gp", start=1.0, seed=seed, steps=100, critic_steps=5)
    assert abs(arrived.theta[-30:].mean()) < 0.15
    # The penalised critic's slope is 1 + W₁/2λ: 1.05 at the start.
    assert arrived.gradient[5:20] == pytest.approx(1.05, abs=0.1)


def test_a_run_repeats_and_leaves_the_global_randomness_alone():
    import torch

    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, other = (list(run("wgan_gp", start=0.5, seed=1, steps=3, critic_steps=1)) for _ in "ab")
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(one[-1].theta, other[-1].theta)
    assert len(one) == 4


def test_uids_are_words_that_a_selector_takes():
    names = [trace["uid"] for trace in drawn.segments(0.5, 0.2)["data"]]
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"[\w-]+", name) for name in names)
