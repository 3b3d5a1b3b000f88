"""Figures: what is drawn is what was given, in bounded size, and never breaks on bad numbers."""

from __future__ import annotations

import base64
import io
import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy.ndimage import median_filter

from wgan import plots
from wgan.plots import curves as curves_module
from wgan.plots.curves import MAX_POINTS, round_range, round_up, smoothed, thinned
from wgan.plots.meter import GROWN
from wgan.types import Curve, Event, Metrics, PointView

ANY_FLOATS = hnp.arrays(
    np.float32,
    st.integers(1, 2000).map(lambda n: (n,)),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)


def decode(spec: dict) -> np.ndarray:
    array = np.frombuffer(base64.b64decode(spec["bdata"]), "<f4")
    assert spec["dtype"] == "f4"
    if "shape" in spec:
        return array.reshape([int(n) for n in spec["shape"].split(",")])
    return array


def strict(figure: plots.Figure) -> None:
    """What a browser's JSON.parse takes: no NaN, no infinity outside the typed arrays."""
    json.dumps(figure, allow_nan=False)


def trace(figure: plots.Figure, uid: str) -> dict:
    return next(t for t in figure["data"] if t["uid"] == uid)


def curve(values, step=None) -> Curve:
    mean = np.asarray(values, np.float32)
    at = np.arange(1, len(mean) + 1, dtype=np.float32) if step is None else np.asarray(step)
    return Curve(at, mean, mean - 1, mean + 1)


def view(seed: int = 0, **changes) -> PointView:
    rng = np.random.default_rng(seed)
    values = {
        "real": rng.normal(size=(50, 2)),
        "fake": rng.normal(size=(50, 2)),
        "surface": rng.normal(size=(16, 16)),
        "manifold": rng.normal(size=(4, 9, 2)),
        "arrow_tails": rng.normal(size=(10, 2)),
        "arrow_tips": rng.normal(size=(10, 2)),
    } | changes
    arrays = {name: np.asarray(value, np.float32) for name, value in values.items()}
    return PointView(extent=2.0, **arrays)


def show(given: PointView, **switches: bool) -> plots.Figure:
    return plots.points(
        given,
        surface=switches.get("surface", True),
        manifold=switches.get("manifold", True),
        arrows=switches.get("arrows", True),
    )


# ---- 2-D


SEEN = 2**-12  # what rounding to `DRAWN` bits leaves: far less than a pixel


def test_points_carry_the_values_they_were_given():
    given_view = view()
    figure = show(given_view)
    strict(figure)
    for name, xy in (("real", given_view.real), ("generated", given_view.fake)):
        drawn = trace(figure, name)
        assert decode(drawn["x"]) == pytest.approx(xy[:, 0], rel=SEEN)
        assert decode(drawn["y"]) == pytest.approx(xy[:, 1], rel=SEEN)
    surface = trace(figure, "surface")
    assert decode(surface["z"]) == pytest.approx(given_view.surface, rel=SEEN)
    assert surface["zmid"] == pytest.approx(np.median(given_view.surface), abs=1e-6)
    assert surface["zmid"] - surface["zmin"] == pytest.approx(surface["zmax"] - surface["zmid"])


def test_real_and_generated_differ_in_shape_and_in_colour():
    real, fake = (trace(show(view()), uid)["marker"] for uid in ("real", "generated"))
    assert (real["color"], fake["color"]) == (plots.REAL, plots.GENERATED)
    assert "open" in real["symbol"]
    assert "open" not in fake["symbol"]


def test_axes_are_fixed_square_and_show_zero():
    layout = show(view())["layout"]
    assert layout["xaxis"]["range"] == layout["yaxis"]["range"] == [-2.0, 2.0]
    assert layout["yaxis"]["scaleanchor"] == "x"
    assert layout["xaxis"]["zeroline"]
    assert layout["yaxis"]["zeroline"]
    assert layout["uirevision"] == show(view(1))["layout"]["uirevision"]


def test_switches_hide_layers_but_keep_the_traces():
    everything, nothing = show(view()), show(view(), surface=False, manifold=False, arrows=False)
    order = [t["uid"] for t in everything["data"]]
    assert order == [t["uid"] for t in nothing["data"]]
    assert len(set(order)) == len(order)
    assert all(t.get("visible", True) for t in everything["data"])
    visible = [t["uid"] for t in nothing["data"] if t.get("visible", True)]
    assert visible == ["real", "generated"]


def test_lines_lift_the_pen_between_polylines():
    given_view = view()
    x = decode(trace(show(given_view), "manifold")["x"]).reshape(4, 10)
    assert x[:, :9] == pytest.approx(given_view.manifold[:, :, 0], rel=SEEN)
    assert np.isnan(x[:, 9]).all()
    shafts = decode(trace(show(given_view), "shafts")["y"]).reshape(10, 3)
    assert shafts[:, 0] == pytest.approx(given_view.arrow_tails[:, 1], rel=SEEN)
    assert shafts[:, 1] == pytest.approx(given_view.arrow_tips[:, 1], rel=SEEN)


def test_arrow_heads_point_along_their_shafts():
    tails, tips = np.zeros((4, 2)), [[0, 1], [1, 0], [0, -1], [-1, 0]]
    heads = trace(show(view(arrow_tails=tails, arrow_tips=tips)), "heads")
    # clockwise from straight up
    assert decode(heads["marker"]["angle"]) % 360 == pytest.approx([0, 90, 180, 270])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 0.0])
def test_points_survive_a_broken_critic(value):
    surface, few = np.full((16, 16), value), np.full((10, 2), value)
    strict(show(view(surface=surface, arrow_tips=few, fake=few)))
    assert len(show(view(manifold=np.zeros((0, 9, 2))))["data"]) == 6


# ---- curves


def test_a_curve_carries_its_mean_and_its_band():
    given_curve = curve([3, 1, 2])
    figure = plots.curve_losses({"critic_loss": given_curve}, [], 1)
    strict(figure)
    line, band = trace(figure, "critic_loss"), trace(figure, "critic_loss-band")
    assert np.array_equal(decode(line["x"]), [1, 2, 3])
    assert np.array_equal(decode(line["y"]), [3, 1, 2])
    assert np.array_equal(decode(band["y"])[:-1], [4, 2, 3, 1, 0, 2])
    assert band["fillcolor"] == line["line"]["color"]


def test_missing_curves_are_absent():
    for draw in (plots.curve_losses, plots.curve_distance):
        assert draw({}, [], 1)["data"] == []
    assert [t["uid"] for t in plots.curve_gradient({}, [], 1)["data"]] == ["level"]
    assert [t["uid"] for t in plots.curve_modes({}, [], None, 1)["data"]] == []


def test_a_gap_splits_the_band_and_stays_in_the_line():
    figure = plots.curve_losses({"penalty": curve([1, np.nan, np.inf, 4, 5])}, [], 1)
    line = decode(trace(figure, "penalty")["y"])
    assert np.array_equal(np.isnan(line), [False, True, True, False, False])
    band = decode(trace(figure, "penalty-band")["x"])
    assert np.array_equal(np.flatnonzero(np.isnan(band)), [2, 7])


@given(ANY_FLOATS)
def test_thinning_keeps_the_extremes_and_the_end(values):
    step = np.arange(1, len(values) + 1, dtype=np.float32)
    thin = thinned(Curve(step, values, values, values))
    assert len(thin.step) <= MAX_POINTS
    assert thin.step[-1] == len(values)
    known = values[np.isfinite(values)]
    if len(known):
        assert np.nanmin(thin.low) == known.min()
        assert np.nanmax(thin.high) == known.max()
    else:
        assert np.isnan(thin.mean).all()


@given(ANY_FLOATS, st.integers(1, 40))
def test_no_numbers_break_a_curve(values, window):
    broken = Curve(np.arange(1, len(values) + 1, dtype=np.float32), values, values, values)
    names = ["critic_loss", "critic_estimate", "w1", "modes", "high_quality", "gradient_norm"]
    given_curves = dict.fromkeys(names, broken)
    strict(plots.curve_losses(given_curves, [], window))
    strict(plots.curve_distance(given_curves, [], window))
    strict(plots.curve_modes(given_curves, [], 8, window))
    strict(plots.curve_gradient(given_curves, [], window))


def test_smoothing_is_a_median_filter():
    values = np.array([1, 9, 2, 8, 3, 7, 100, 5], np.float32)
    assert np.array_equal(
        smoothed(curve(values), 3).mean, median_filter(values, size=3, mode="nearest")
    )
    assert np.array_equal(smoothed(curve(values), 1).mean, values)
    gap = np.array([1, 9, np.nan, 2, 8], np.float32)
    assert np.isnan(smoothed(curve(gap), 3).mean[2])
    assert np.isfinite(np.delete(smoothed(curve(gap), 3).mean, 2)).all()


@given(st.floats(0, 1e12))
def test_the_axis_of_steps_ends_at_a_round_number_and_never_shrinks(value):
    end = round_up(value)
    assert value * (1 - 1e-6) <= end <= max(10, value * 1.51)
    assert re.fullmatch(r"([1-8]|15)0*", f"{end:.0f}")
    assert round_up(value * 1.1) >= end


def test_the_value_axis_holds_zero_and_ignores_one_spike():
    low, high = round_range([np.linspace(-3, -1, 500, dtype=np.float32)])
    assert low <= -3
    assert high == 0
    spike = np.r_[np.full(999, 2.0), 1e6].astype(np.float32)
    assert round_range([spike])[1] <= 5
    rare = np.array([6.8, 5.2], np.float32)  # measured twice while the other has a thousand points
    assert round_range([spike, rare])[1] >= 6.8
    assert round_range([]) == [-1.0, 1.0]


def test_events_are_lines_with_short_labels_and_the_full_text_on_hover():
    long = "objective: gan → wgan, constraint: none → gp, norm_d: batch → none"
    events = [
        Event(100, "change", "lr_g: 0.001 → 0.0001"),
        Event(300, "failed", "x < y & z"),
        Event(100, "change", long),
        Event(120, "change", long),
    ]
    layout = plots.curve_losses({"critic_loss": curve(range(400))}, events, 1)["layout"]
    assert [line["x0"] for line in layout["shapes"]] == [100, 120, 300]
    colors = [line["line"]["color"] for line in layout["shapes"]]
    assert colors == [plots.EVENT, plots.EVENT, plots.ALARM]
    assert all(line["line"]["dash"] == "dash" for line in layout["shapes"])
    first, second, failed = layout["annotations"]
    assert first["text"] == "lr_g: 0.001 → 0.0001 +1"
    assert first["hovertext"] == "lr_g: 0.001 → 0.0001<br>" + long
    assert len(second["text"]) <= 28
    assert second["text"].endswith("…")
    assert second["yshift"] < first.get("yshift", 0)  # neighbours do not overlap
    assert failed["text"] == "x &lt; y &amp; z"  # Plotly reads markup


def test_a_late_label_stays_inside_and_many_events_stay_bounded():
    events = [Event(step, "change", f"change {step}") for step in range(0, 1000, 2)]
    layout = plots.curve_losses({"critic_loss": curve(range(1000))}, events, 1)["layout"]
    assert len(layout["shapes"]) == curves_module.MAX_EVENTS
    assert len(layout["annotations"]) <= curves_module.LABEL_ROWS * 2
    assert layout["annotations"][-1]["xanchor"] == "right"


def test_an_event_after_the_last_point_is_inside_the_axis():
    event = Event(900, "change", "later")
    layout = plots.curve_losses({"critic_loss": curve([1, 2])}, [event], 1)["layout"]
    assert layout["xaxis"]["range"] == [0, 1000]


def test_distance_shares_a_panel_only_at_the_same_scale():
    w1 = curve(np.full(50, 0.5))
    near = plots.curve_distance({"critic_estimate": curve(np.full(50, 0.9)), "w1": w1}, [], 1)
    assert "yaxis2" not in near["layout"]
    far = plots.curve_distance({"critic_estimate": curve(np.full(50, 90)), "w1": w1}, [], 1)
    assert trace(far, "critic_estimate")["yaxis"] == "y2"
    assert trace(far, "w1")["yaxis"] == "y"
    upper, lower = (far["layout"][axis]["domain"] for axis in ("yaxis2", "yaxis"))
    assert upper[0] > lower[1], "each has a panel: no two scales in one"
    assert "side" not in far["layout"]["yaxis2"]


def test_modes_are_steps_below_their_ceiling_beside_a_percentage():
    given_curves = {"modes": curve([0, 3, 8]), "high_quality": curve([0.1, 0.5, 0.9])}
    figure = plots.curve_modes(given_curves, [], 8, 1)
    assert np.array_equal(decode(trace(figure, "modes")["y"]), [0, 0, 3, 3, 8])
    assert np.array_equal(decode(trace(figure, "modes")["x"]), [1, 2, 2, 3, 3])
    assert np.array_equal(decode(trace(figure, "level")["y"]), [8, 8])
    assert decode(trace(figure, "high_quality")["y"]) == pytest.approx([10, 50, 90])
    assert "%" in figure["layout"]["yaxis2"]["title"]["text"]


def test_the_gradient_norm_has_its_target_at_one():
    figure = plots.curve_gradient({"gradient_norm": curve([2, 1])}, [], 1)
    assert np.array_equal(decode(trace(figure, "level")["y"]), [1, 1])


def test_layouts_leave_colours_to_the_theme():
    layout = plots.curve_losses({"critic_loss": curve([1, 2])}, [], 1)["layout"]
    assert "color" not in json.dumps(layout)


# ---- images


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_grid_is_a_png_of_the_right_size(channels):
    images = np.arange(5 * 4 * 4 * channels).astype(np.uint8).reshape(5, 4, 4, channels)
    png = plots.image_grid(images, columns=3, cell=16)
    decoded = np.asarray(Image.open(io.BytesIO(png)))
    assert decoded.shape == (2 * 16 + 2, 3 * 16 + 4, 4)
    assert (decoded[:16:4, :16:4, :3] == images[0]).all()
    assert (decoded[3:16:4, 3:16:4, :3] == images[0]).all()
    assert (decoded[:16, 18:34:4, 0][0] == images[1, 0, :, 0]).all()
    assert decoded[0, 16, 3] == 0  # the gap
    assert decoded[20, 40, 3] == 0  # the place of the sixth
    uri = plots.data_uri(png)
    assert base64.b64decode(uri.removeprefix("data:image/png;base64,")) == png


def test_an_image_grid_refuses_what_is_no_image():
    with pytest.raises(ValueError, match="Expected images"):
        plots.image_grid(np.zeros((3, 4, 4), np.uint8), 2, 8)


# ---- the meter


def metrics(**changes) -> Metrics:
    values = {
        "w1": 0.1234,
        "w1_floor": 0.0456,
        "counts": (300, 250, 20, 19, 0, 0, 0, 0, 0, 0),
        "modes": 3,
        "modes_total": 10,
        "high_quality": 0.93,
        "high_quality_real": 0.99,
        "averaged": True,
    }
    return Metrics(
        **({"step": 1, "critic_estimate": 1.0, "gradient_norm": 1.0} | values | changes)  # pyright: ignore
    )


def test_the_meter_says_how_many_modes():
    text = plots.mode_meter(metrics(), list("0123456789"))
    assert "3 / 10" in text
    assert text.count("✓") == 3  # 20 of 2,500 count, 19 do not
    assert "high quality 93% (real data 99%)" in text
    assert "averaged generator" in text
    assert 'role="img"' in text
    assert "3 of 10 modes covered" in text
    assert "averaged generator" not in plots.mode_meter(metrics(averaged=False), [])


def test_a_young_blob_is_no_collapse():
    one_mode = {"modes": 0, "mode_kl": math.log(10)}
    young, grown = metrics(**one_mode, step=GROWN - 1), metrics(**one_mode, step=GROWN)
    spread = metrics(modes=3, mode_kl=0.5, step=GROWN)
    told = ["collapsed" in plots.mode_meter(m) for m in (young, grown, spread)]
    assert told == [False, True, False]


def test_the_meter_escapes_names():
    assert "<script>" not in plots.mode_meter(metrics(), ["<script>"] * 10)


def test_the_meter_waits_and_falls_back_to_the_distance():
    assert "counting…" in plots.mode_meter(None, [])
    without = metrics(modes=None, modes_total=None, counts=())
    text = plots.mode_meter(without, [])
    assert "0.123" in text
    assert "floor 0.0456" in text
    assert "no modes to count" in plots.mode_meter(
        metrics(modes=None, modes_total=None, w1=None), []
    )
