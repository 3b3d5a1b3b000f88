"""Lipschitz constants, cones, class and score, and the slope that clipping allows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wgan.live.theory.clips import PAIR
from wgan.plots.theory import lipschitz as drawn
from wgan.theory.critic import small_critic
from wgan.theory.dual import WIDTH, run
from wgan.theory.lipschitz import (
    FUNCTIONS,
    clip_bound,
    discriminator,
    discriminator_slope,
    outside,
    pair,
)
from wgan.theory.transport import named

GRID = np.linspace(-1, 1, 20_001)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_constants_are_the_steepest_slopes(name: str):
    function = FUNCTIONS[name]
    steepest = np.abs(np.diff(function.value(GRID)) / np.diff(GRID)).max()
    if np.isinf(function.constant):
        assert steepest > 50
    else:
        assert steepest == pytest.approx(function.constant, rel=1e-3)


@given(name=st.sampled_from(list(FUNCTIONS)), at=st.floats(-1, 1))
def test_no_point_is_outside_a_cone_as_steep_as_the_constant(name: str, at: float):
    function = FUNCTIONS[name]
    if np.isfinite(function.constant):
        assert not outside(function, at, function.constant + 1e-6, GRID).any()
    assert outside(function, 0.0, 0.4, GRID).any()


@given(c=st.floats(1e-3, 1), seed=st.integers(0, 100))
def test_no_clipped_network_is_steeper_than_the_bound(c: float, seed: int):
    rng = torch.Generator().manual_seed(seed)
    network = small_critic(1, WIDTH, seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.uniform_(-c, c, generator=rng)
    x = torch.linspace(-1, 1, 50)[:, None].requires_grad_()
    (slope,) = torch.autograd.grad(network(x).sum(), x)
    assert slope.abs().max().item() <= clip_bound(c) * (1 + 1e-4)


def test_the_bound_is_reached_by_weights_all_at_c():
    network = small_critic(1, WIDTH, 0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(0.1)
    x = torch.tensor([[1.0]], requires_grad=True)
    (slope,) = torch.autograd.grad(network(x).sum(), x)
    assert slope.item() == pytest.approx(clip_bound(0.1), rel=1e-5)
    assert clip_bound(0.1) == pytest.approx(4096 * 0.1**3)


@pytest.mark.parametrize("c", [0.001, 0.1, 1.0])
def test_what_the_words_say_of_clipping_is_measured(c: float):
    *_, found = run(named(PAIR), "clip", c)
    assert 0.3 * clip_bound(c) < found.steepest <= clip_bound(c)
    if c == 0.001:
        assert found.slopes.mean() < 1e-5
    if c == 1.0:
        assert found.slopes.mean() > 500


@given(distance=st.floats(0.1, 2.5), at=st.floats(-1.5, 1.5))
def test_the_class_is_the_optimal_discriminator(distance: float, at: float):
    x = np.array([at])
    p, q = pair(distance, x)
    if (p + q)[0] > 1e-200:
        assert discriminator(distance, x) == pytest.approx(p / (p + q), abs=1e-9)
    h = 1e-6
    by_difference = (discriminator(distance, x + h) - discriminator(distance, x - h)) / (2 * h)
    assert discriminator_slope(distance, x) == pytest.approx(by_difference, abs=1e-4)


def test_it_is_drawn():
    assert len(drawn.cone(FUNCTIONS["sine"], 0.2, 1.0)["data"]) == 4
    assert drawn.scale(0.8, 2.0, 4.0)["data"][1]["y"] == [1.6]
    assert len(drawn.class_and_score(1.0)["data"]) == 4
    assert drawn.clips({0.1: 3.0, 1.0: 0.0}, 0.1)["data"][1]["marker"]["symbol"] == ["diamond"]
