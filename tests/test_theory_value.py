"""The value function against scipy, and what reaches a generator."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import expit, log_expit
from scipy.stats import norm

from wgan.losses import generator_loss
from wgan.plots.theory import value as drawn
from wgan.theory import value as module
from wgan.theory.reach import run
from wgan.theory.value import DATA, LOG4, discriminator, value

means = st.floats(-3, 3)
deviations = st.floats(0.3, 2)


@pytest.mark.parametrize(("mean", "sigma", "t"), [(0, 1, 1), (1.5, 0.4, 0.5), (-3, 0.3, 2.5)])
def test_the_terms_are_the_integrals(mean: float, sigma: float, t: float):
    def p(x: float) -> float:
        return sum(w * float(norm.pdf(x, m, s)) for w, m, s in DATA)

    def q(x: float) -> float:
        return float(norm.pdf(x, mean, sigma))

    def log(x: float) -> float:
        return float(np.log(max(x, 1e-300)))

    def score(x: float) -> float:
        return t * (log(p(x)) - float(norm.logpdf(x, mean, sigma)))

    def whole(f) -> float:
        return integrate.quad(f, -8, 8, limit=400, points=[mean, -1.2, 1.0])[0]

    found = value(mean, sigma, t)
    assert found.real == pytest.approx(whole(lambda x: p(x) * log_expit(score(x))), abs=1e-6)
    assert found.fake == pytest.approx(whole(lambda x: q(x) * log_expit(-score(x))), abs=1e-6)
    js = whole(
        lambda x: (
            p(x) / 2 * (log(p(x)) - log((p(x) + q(x)) / 2))
            + q(x) / 2 * (log(q(x)) - log((p(x) + q(x)) / 2))
        )
    )
    assert found.js == pytest.approx(js, abs=1e-6)
    assert found.error < 1e-9
    at = np.array([0.3])
    assert discriminator(at, mean, sigma, t)[0] == pytest.approx(expit(score(0.3)))


@given(mean=means, sigma=deviations, t=st.floats(0, 2.5))
def test_no_discriminator_beats_the_optimal_one(mean: float, sigma: float, t: float):
    best = value(mean, sigma)
    # Theorem 1 of Goodfellow et al. 2014: V(D*, G) = 2 JS − log 4
    assert best.value == pytest.approx(best.best, abs=1e-9)
    assert value(mean, sigma, t).value <= best.value + 1e-9
    assert -LOG4 - 1e-9 <= best.value <= 0


def test_a_blind_discriminator_says_nothing():
    assert value(2.0, 0.5, 0.0).value == pytest.approx(-LOG4)
    assert value(60.0, 0.3).js < np.log(2) + 1e-9


@given(score=st.floats(-8, 8))
def test_losses_and_slopes_are_the_labs(score: float):
    s = torch.tensor([score], dtype=torch.float64, requires_grad=True)
    at = np.array([score])
    for name, loss, slope in (
        ("gan_saturating", module.saturating, module.saturating_slope),
        ("gan", module.non_saturating, module.non_saturating_slope),
    ):
        labs = generator_loss(name, s)
        (gradient,) = torch.autograd.grad(labs, s)
        assert loss(at)[0] == pytest.approx(labs.item(), abs=1e-12)
        assert slope(at)[0] == pytest.approx(gradient.item(), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_saturating_gradient_dies_and_the_other_grows(seed: int):
    *_, found = run(seed, steps=250)
    saturating, other = found.norms["gan_saturating"], found.norms["gan"]
    assert saturating[0] == pytest.approx(other[0], rel=0.5)  # D ≈ ½: both pull alike
    assert saturating[-1] < 0.1 * saturating.max()
    assert other[-1] > 5 * other[0]
    assert found.seen[-1] < 1e-3
    assert len(found.step) == 26


def test_the_figures_hold_what_was_computed():
    assert drawn.densities(0, 1, 1)["data"][-1]["name"] == "D"
    (*_, dot) = drawn.over_sharpness(0, 1, 2)["data"]
    assert dot["y"] == [pytest.approx(value(0, 1, 2).value)]
    assert len(drawn.losses(-4)["data"]) == 8
    assert len(drawn.terms(0, 1, 0.5)["data"]) == 2
