"""The figures of the page Critic: what they draw, also of a critic that has blown up."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np
import pytest

from wgan.plots import ALARM, HEALTHY, critic, space
from wgan.plots.base import Figure
from wgan.types import Anatomy, Curve, Layers, PointView, Slopes, Weights

G = 21


def values(array: dict[str, Any]) -> np.ndarray:
    found = np.frombuffer(base64.b64decode(array["bdata"]), "<f4")
    if shape := array.get("shape"):
        found = found.reshape([int(part) for part in shape.split(",")])
    return found


def sent(figure: Figure) -> Figure:
    """As a browser gets it: JSON has no NaN."""
    return json.loads(json.dumps(figure, allow_nan=False))


def plane(surface: np.ndarray) -> PointView:
    rng = np.random.default_rng(0)
    points = rng.uniform(-2, 2, (50, 2)).astype(np.float32)
    none = np.zeros((0, 2), np.float32)
    return PointView(points, -points, 2.0, surface, np.zeros((0, 5, 2), np.float32), none, none)


def tilted(a: float, b: float, c: float) -> np.ndarray:
    y, x = np.meshgrid(np.linspace(-2, 2, G), np.linspace(-2, 2, G), indexing="ij")
    return (a * x + b * y + c).astype(np.float32)


def step(**fields: Any) -> Anatomy:
    zeros = np.zeros((3, 2), np.float32)
    known: dict[str, Any] = {
        "step": 1,
        "batch": 0,
        "real": zeros,
        "fake": zeros + 1,
        "between": zeros + 0.5,
        "at": "between",
        "gradients": np.array([[1, 0], [0, 2], [0, 0]], np.float32),
        "norms": np.array([1, 2, 0], np.float32),
        "target": 1.0,
        "weight": 10.0,
        "penalty": 6.7,
        "constraint": "gp",
        "in_use": True,
        "extent": 2.0,
    }
    return Anatomy(**(known | fields))


def test_points_stand_on_the_landscape():
    view = plane(tilted(3.0, -2.0, 7.0))
    found = space.heights(view.surface, 2.0, view.real)
    assert found == pytest.approx(view.real @ [3.0, -2.0] + 7.0, abs=1e-4)
    beyond = np.array([[2.1, 0], [0, math.nan], [2.0, -2.0]], np.float32)
    found = space.heights(view.surface, 2.0, beyond)
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(3 * 2 + 2 * 2 + 7, abs=1e-4)
    figure = sent(space.landscape(view))
    assert [trace["uid"] for trace in figure["data"]] == ["landscape", "real-3d", "generated-3d"]
    assert values(figure["data"][0]["z"]).shape == (G, G)


def test_the_camera_is_the_viewers():
    flat, steep = (sent(space.landscape(plane(tilted(a, 0, 0)))) for a in (1.0, 100.0))
    for layout in (flat["layout"], steep["layout"]):
        assert layout["uirevision"] == "landscape"
    assert flat["layout"]["scene"]["camera"] == steep["layout"]["scene"]["camera"]


def test_the_map_is_filled():
    contour, *rest = sent(space.value_map(plane(tilted(1, 1, 0))))["data"]
    assert contour["contours"]["coloring"] == "fill"
    assert [trace["uid"] for trace in rest] == ["real", "generated"]


def test_bars_are_green_on_the_target_and_red_far_from_it():
    assert space.colors_of(step()) == [HEALTHY.upper(), ALARM.upper(), ALARM.upper()]
    # One-sided: below the target nothing is paid.
    assert space.colors_of(step(constraint="gp_onesided"))[2] == HEALTHY.upper()
    halfway = space.colors_of(step(norms=np.array([1.5], np.float32)))
    assert halfway == ["#9AA0A8"]
    strip = sent(space.norm_strip(step()))
    assert strip["layout"]["shapes"][0]["y0"] == 1.0
    assert strip["layout"]["yaxis"]["range"][1] >= 2.0


def test_the_longest_arrow_has_a_fixed_length():
    for factor in (1e-6, 1.0, 1e6):
        gradients = factor * np.array([[1, 0], [0, 2], [0, 0]], np.float32)
        lines = sent(space.step_plane(step(gradients=gradients)))["data"][1]
        x, y = values(lines["x"]).reshape(-1, 3), values(lines["y"]).reshape(-1, 3)
        lengths = np.hypot(x[:, 1] - x[:, 0], y[:, 1] - y[:, 0])
        assert lengths == pytest.approx([0.22, 0.44, 0.0], abs=1e-3)


def test_every_norm_is_in_the_histogram():
    norms = np.array([1e-9, 0.0, 1.0, 1.0, 250.0], np.float32)
    figure = sent(critic.slope_histograms(Slopes(1, norms, norms, norms)))
    low, high = figure["layout"]["xaxis"]["range"]
    assert (low, high) == (-6, 3)
    tops = values(figure["data"][0]["y"])[1:-2:2]
    # Heights are shares of the tallest bin: two at 1e-6 and two at 1, half of that at 250.
    assert sorted(round(float(top), 3) for top in tops if top > 0) == [0.425, 0.85, 0.85]


def test_axes_are_decades_around_one():
    assert critic.decades([0.9, 1.1], 0.1, 10.0) == (-1, 1)
    assert critic.decades([3e-4] * 10 + [0.5] * 10, 0.1, 10.0) == (-4, 1)
    assert critic.decades([], 0.1, 10.0) == (-1, 1)
    assert critic.decades([0.1, 10.0], 0.1, 10.0) == (-1, 1)


def test_the_clip_is_marked():
    shares = np.full(10, 0.1, np.float32)
    clipped = sent(critic.weight_histogram(Weights(1, shares, 0.012, 100, 0.01, 0.01, 0.5)))
    colors = clipped["data"][0]["marker"]["color"]
    assert colors == [ALARM, *[colors[1]] * 8, ALARM]
    free = sent(critic.weight_histogram(Weights(1, shares, 0.5, 100, 0.3)))
    assert free["layout"]["shapes"] == []
    assert ALARM not in free["data"][0]["marker"]["color"]


def test_curves_are_drawn_where_they_are():
    at = np.array([1, 2, 3], np.float32)
    names = ("w1", "w1_floor", "estimate_over_slope", "critic_estimate", "js", "js_critic")
    curves = {name: Curve(at, at, at, at) for name in names}
    truth = sent(critic.curve_truth(curves, ()))
    assert {trace["uid"] for trace in truth["data"]} >= set(names[:4])
    divergence = sent(critic.curve_js(curves, ()))
    (level,) = (trace for trace in divergence["data"] if trace["uid"] == "level")
    assert values(level["y"]) == pytest.approx(math.log(2))
    late = Curve(np.array([900], np.float32), *[np.ones(1, np.float32)] * 3)
    figures = (
        draw(curves | {"critic_loss": late}, ()) for draw in (critic.curve_truth, critic.curve_js)
    )
    (one, other) = (figure["layout"]["xaxis"]["range"] for figure in figures)
    assert one == other
    assert one[1] >= 900
    assert divergence["layout"]["margin"] == truth["layout"]["margin"]  # step below step
    for draw in (critic.curve_truth, critic.curve_overfitting, critic.curve_losses_apart):
        assert sent(draw({}, ()))["data"] == []


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e38])
def test_a_critic_that_has_blown_up_can_be_drawn(bad: float):
    broken = np.full(3, bad, np.float32)
    wide = np.full((3, 2), bad, np.float32)
    surface = np.full((G, G), bad, np.float32)
    sent(critic.layer_gradients(Layers(1, broken)))
    sent(critic.slope_histograms(Slopes(1, broken, broken, broken)))
    sent(critic.weight_histogram(Weights(1, np.zeros(10, np.float32), 1.0, 3, 0.0)))
    sent(space.landscape(plane(surface)))
    sent(space.value_map(plane(surface)))
    sent(space.step_plane(step(norms=broken, gradients=wide)))
    sent(space.norm_strip(step(norms=broken, gradients=wide)))
