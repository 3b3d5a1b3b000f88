"""Optimal transport against scipy, its potential, and a critic that learns it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from wgan.plots.theory import transport as drawn
from wgan.theory.dual import run
from wgan.theory.transport import (
    BINS,
    CENTRES,
    CLOUDS,
    LEVELS,
    Pair,
    as_text,
    gaussian,
    named,
    solve,
)
from wgan.ui.theory.bars import drawn_bars

LINE = f"{gaussian(0.45, 0.2)}.{gaussian(-0.35, 0.15)}"
NAMES = [LINE, *CLOUDS]
bars = st.text(LEVELS, min_size=BINS, max_size=BINS).filter(lambda text: text.strip("0"))


@settings(max_examples=25, deadline=None)
@given(first=bars, second=bars)
def test_histograms_agree_with_scipy(first: str, second: str):
    found = solve(named(f"{first}.{second}"))
    exact = wasserstein_distance(CENTRES, CENTRES, found.pair.p, found.pair.q)
    assert found.distance == pytest.approx(exact, abs=1e-7)
    assert found.gain == pytest.approx(exact, abs=1e-7)
    assert found.plan.sum(1) == pytest.approx(found.pair.p)
    assert found.plan.sum(0) == pytest.approx(found.pair.q)
    # No two ways cross.
    i, j = np.nonzero(found.plan > 1e-12)
    assert (np.diff(j[np.argsort(i, kind="stable")]) >= 0).all()


@pytest.mark.parametrize("name", CLOUDS)
def test_clouds_agree_with_an_assignment(name: str):
    found = solve(named(name))
    cost = cdist(found.pair.x, found.pair.y)
    assert found.distance == pytest.approx(cost[linear_sum_assignment(cost)].mean(), abs=1e-7)
    assert found.gain == pytest.approx(found.distance, abs=1e-7)
    assert found.parts.sum() == pytest.approx(found.distance)


@settings(max_examples=25, deadline=None)
@given(at=arrays(float, (2, 2), elements=st.floats(-3, 3)), name=st.sampled_from(list(CLOUDS)))
def test_the_potential_is_1_lipschitz(at: np.ndarray, name: str):
    one, other = solve(named(name)).potential(at)
    assert abs(one - other) <= np.linalg.norm(at[0] - at[1]) + 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_along_optimal_pairs_the_slope_is_1(name: str):
    """Gulrajani et al. 2017, Proposition 1: at every point between an optimal pair, towards x."""
    found = solve(named(name))
    assert found.slopes() == pytest.approx(1, abs=0.02)
    i, j = found.pairs
    x, y = found.pair.x[i], found.pair.y[j]
    towards = (x - y) / np.linalg.norm(x - y, axis=1, keepdims=True)
    h = 1e-4
    for share in (0.25, 0.5, 0.75):
        between = share * x + (1 - share) * y
        rise = found.potential(between + h * towards) - found.potential(between - h * towards)
        assert rise / (2 * h) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", [LINE, "blobs", "ring"])
def test_a_penalised_critic_comes_within_5_percent(name: str):
    exact = solve(named(name)).distance
    *_, found = run(named(name), "gp", 10.0)
    assert found.estimate == pytest.approx(exact, rel=0.05)
    # The best slope under the penalty is 1 + W₁/2λ.
    assert np.median(found.slopes) == pytest.approx(1 + exact / 20, abs=0.03)


def test_a_clipped_critics_estimate_is_in_units_of_its_own():
    exact = solve(named(LINE)).distance
    *_, found = run(named(LINE), "clip", 0.1, steps=500)
    assert found.estimate > 1.5 * exact
    assert found.estimate / found.steepest <= exact * 1.001
    assert found.estimate / found.steepest == pytest.approx(exact, rel=0.15)
    assert found.saturated > 0.5


@pytest.mark.parametrize("name", ["", "magic", "0" * 24 + "." + "z" * 24, "z" * 24, "é" * 24])
def test_other_names_are_refused(name: str):
    with pytest.raises(ValueError, match="neither a pair"):
        named(name)


def test_weights_that_are_none_are_refused():
    pair = named(LINE)
    with pytest.raises(ValueError, match="at least 0 and sum to 1"):
        solve(Pair(pair.x, 2 * pair.p, pair.y, pair.q))


@given(st.lists(st.floats(0, 1), min_size=BINS, max_size=BINS).filter(lambda v: max(v) > 0.02))
def test_a_histogram_is_its_text(values: list[float]):
    bars = np.array(values)
    read = np.array([LEVELS.index(c) / 35 for c in as_text(bars)])
    assert read == pytest.approx(bars / bars.max(), abs=1 / 70 + 1e-9)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        {},
        {"bars": 3},
        {"bars": {"revision": "a", "bars": [1]}},
        {"bars": {"revision": "b", "bars": [1, 1]}},
        {"bars": {"revision": "a", "bars": [1, float("nan")]}},
        {"bars": {"revision": "a", "bars": [0, 0]}},
        {"bars": {"revision": "a", "bars": ["1", 1]}},
    ],
)
def test_a_browser_is_not_trusted(sent: object):
    assert drawn_bars(sent, "a", 2) is None
    assert drawn_bars({"bars": {"revision": "a", "bars": [0, 1]}}, "a", 2) == [0, 1]


def test_it_is_drawn():
    line, plane = solve(named(LINE)), solve(named("blobs"))
    assert drawn.plan_map(line)["data"][0]["zmax"] > 1
    assert len(drawn.potential_line(line)["data"]) == 3
    assert len(drawn.plane(plane)["data"]) == 4
    critic = drawn.plane(plane, np.zeros((33, 33)))["data"][0]
    assert critic["uid"] != drawn.plane(plane)["data"][0]["uid"]
    assert drawn.cost_by_parts(plane)["data"][0]["type"] == "bar"
