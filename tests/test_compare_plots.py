"""Curves of several runs on the same axes, and how runs that are compared are told apart."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.test_plots import decode
from wgan.comparisons import COMPARISONS
from wgan.config import ExperimentConfig
from wgan.plots import COLORS, LETTERS, OVERLAYS, Lane, looking_at, overlay
from wgan.plots.curves import curve_losses
from wgan.presets import PRESETS
from wgan.runs.branches import MOST, differences, quick_changes
from wgan.types import Curve, Event


def curve(steps: list[float], values: list[float]) -> Curve:
    return Curve(np.array(steps, np.float32), *[np.array(values, np.float32)] * 3)


def lane(speed: float, **curves: list[float]) -> Lane:
    """A run whose steps took `1 / speed` seconds each; the curves are of steps 10, 20, 30."""
    steps = [10.0, 20.0, 30.0]
    known = {name: curve(steps, values) for name, values in curves.items()}
    known["seconds"] = curve(list(range(1, 31)), [step / speed for step in range(1, 31)])
    return Lane("run", known, modes_total=8)


def xs(figure: dict[str, Any]) -> dict[str, list[float]]:
    return {trace["uid"]: decode(trace["x"]).tolist() for trace in figure["data"]}


def test_the_axis_is_steps_or_the_seconds_that_they_took():
    lanes = [lane(10.0, w1=[3, 2, 1]), lane(2.0, w1=[3, 1, 0.5])]
    by_steps = xs(overlay("w1", lanes))
    assert by_steps["A"] == by_steps["B"] == [10, 20, 30]
    by_clock = xs(overlay("w1", lanes, by="seconds"))
    assert by_clock["A"] == pytest.approx([1, 2, 3])
    assert by_clock["B"] == pytest.approx([5, 10, 15])
    json.dumps(overlay("w1", lanes, by="seconds"), allow_nan=False)


def test_a_run_without_a_clock_has_no_place_on_the_axis_of_seconds():
    known = {"w1": curve([10, 20], [2, 1])}
    figure = overlay("w1", [Lane("old", known, [Event(5, "change", "x")])], by="seconds")
    assert np.isnan(xs(figure)["A"]).all()
    assert figure["layout"]["shapes"] == []
    json.dumps(figure, allow_nan=False)


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_run_keeps_its_colour_whatever_is_missing(name: str):
    there = {name: [1.0, 2.0, 3.0], "w1_floor": [0.1, 0.1, 0.1]}
    lanes = [lane(1.0), lane(1.0, **there), lane(1.0, **there)]
    figure = overlay(name, lanes)
    lines = {trace["uid"]: trace["line"]["color"] for trace in figure["data"]}
    assert {uid: lines[uid] for uid in lines if uid != "level"} == {"B": COLORS[1], "C": COLORS[2]}
    assert ("level" in lines) == (name in ("w1", "modes"))
    letters = [note["text"] for note in figure["layout"]["annotations"]]
    assert letters == ["<b>B</b>", "<b>C</b>"]
    assert overlay(name, [])["data"] == []
    assert len(COLORS) == len(LETTERS) == MOST


def test_a_branch_is_marked_where_it_left_and_its_words_are_escaped():
    events = [Event(15, "change", "<b>bold</b>")]
    lanes = [lane(10.0, w1=[3, 2, 1]), Lane("b", lane(5.0, w1=[3, 2, 1]).curves, events)]
    layout = overlay("w1", lanes, by="seconds")["layout"]
    (line,) = layout["shapes"]
    assert line["x0"] == pytest.approx(3.0)
    assert line["line"]["color"] == COLORS[1]
    assert layout["annotations"][0]["text"] == "B: &lt;b&gt;bold&lt;/b&gt;"


def test_the_step_that_is_looked_at_is_a_line_over_the_others():
    plain = curve_losses({"critic_loss": curve([1, 2, 3], [1, 2, 3])}, [Event(2, "change", "x")])
    marked = looking_at(plain, 3)
    assert [shape["x0"] for shape in plain["layout"]["shapes"]] == [2]
    assert [shape["x0"] for shape in marked["layout"]["shapes"]] == [2, 3]
    assert marked["layout"]["annotations"][-1]["text"] == "looking at step 3"
    assert marked["data"] is plain["data"]


# How they differ.


def test_differences_are_named_with_shorthands():
    first = ExperimentConfig()
    other = first.replace(
        {"constraint": "clip", "lr": 5e-5, "norm_d": "layer", "faults": ["raw_log"]}
    )
    assert differences(first, first) == ""
    words = differences(first, other).split("; ")
    assert set(words) == {
        "GP → clipping",
        "rate 1e-3 → 5e-5",
        "critic without normalisation → LayerNorm",
        "bugs none → raw log",
    }
    assert differences(first, first.replace({"lr_d": 0.1})) == "critic rate 1e-3 → 0.1"


@pytest.mark.parametrize("preset", ["ring-gan", "digits-wgan-gp", "celeba64-wgan-gp"])
def test_quick_changes_are_allowed_and_change_something(preset: str):
    config = PRESETS[preset].config
    found = quick_changes(config)
    assert len(found) > 12
    for changes in found.values():
        assert differences(config, config.replace(changes))
    assert ("objective=gan" in found) == (config.objective != "gan")


def test_the_runs_of_a_set_begin_with_the_same_networks():
    for comparison in COMPARISONS.values():
        configs = comparison.configs
        assert 2 <= len(configs) <= MOST
        shape = [(c.width, c.depth, c.activation, c.latent_dim, c.seed, c.data) for c in configs]
        assert len(set(shape)) == 1
        assert len(set(configs)) == len(configs)


def test_a_run_that_is_lost_does_not_flatten_the_others():
    lost = lane(1.0, w1=[1.5, 60, 80])
    assert overlay("w1", [lane(1.0, w1=[1.5, 1, 0.2]), lost])["layout"]["yaxis"]["range"] == [0, 3]
