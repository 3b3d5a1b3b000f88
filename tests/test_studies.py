"""The papers' figures: each shows its finding as numbers, repeats, and draws."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.test_refusals import refused
from wgan import cli
from wgan.config import DATA, POINT_DATA
from wgan.data import load
from wgan.metrics.transport import w1_floor
from wgan.studies import STUDIES, finish, grid, plain, surface
from wgan.studies.base import Progress, in_turns
from wgan.studies.cells import METHODS, cell, rows_for
from wgan.studies.overfit import HELD_OUT, split_digits
from wgan.studies.surface import gaps_of
from wgan.studies.trainers import CPU

# Enough steps for the finding, few enough for every day; the others are left to the slow tests.
STEPS = {"surface": 200, "layers": 15, "weights": 15, "overfit": 80}
# The expensive ones, in part.
PARTS: dict[str, Callable[[int, int], Any]] = {
    name: study.run for name, study in STUDIES.items()
} | {
    "surface": partial(surface.run, sets=["ring8"]),
    "grid": partial(grid.run, rows=["mlp"]),
}


def numbers(name: str, seed: int = 0, steps: int | None = None) -> dict[str, Any]:
    if steps is None:
        return dict(finish(STUDIES[name].run(seed, STUDIES[name].steps)).numbers)
    return dict(finish(PARTS[name](seed, steps)).numbers)


# The findings.


def check_surface(found: dict[str, Any]) -> None:
    """Under GP the surface dips between the Gaussians; clipped it dips nowhere."""
    sets = {name.split("_")[0] for name in found}
    assert all(found[f"{data}_clip_dip"] < 0.02 for data in sets)
    for data in sets - {"swissroll"}:
        assert found[f"{data}_clip_dip"] < found[f"{data}_gp_dip"] - 0.05, data


def check_layers(found: dict[str, Any]) -> None:
    clipped = [found[f"clip_{c}_decades"] for c in ("0.1", "0.01", "0.001")]
    assert max(map(abs, clipped)) >= 3
    assert abs(found["gp_decades"]) <= 1


def check_weights(found: dict[str, Any]) -> None:
    assert found["clip_pinned"] >= 0.5
    assert found["gp_pinned"] < 0.01


def check_overfit(found: dict[str, Any]) -> None:
    assert found["gap_100"] > 2 * max(found["gap_1400"], 0.0)
    assert found["gap_share_100"] > 0.03


def check_race(found: dict[str, Any]) -> None:
    names = ("clip", "gp_rmsprop", "gp_adam", "gan")
    assert all(found["w1_floor"] < found[f"{name}_w1"] for name in names)
    assert found["price"] > 1
    assert found["gp_adam_w1"] < found["clip_w1"]
    assert found["gp_adam_w1_in_time"] < found["clip_w1_in_time"]


def check_grid(found: dict[str, Any]) -> None:
    others = [found[f"{method}_mean"] for method in METHODS if method != "gp"]
    assert found["gp_mean"] > max(others)


FINDINGS = {
    "surface": check_surface,
    "layers": check_layers,
    "weights": check_weights,
    "overfit": check_overfit,
    "race": check_race,
    "grid": check_grid,
}


@pytest.mark.parametrize("name", STEPS)
def test_the_finding_shows_after_few_steps(name: str):
    FINDINGS[name](numbers(name, steps=STEPS[name]))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", STUDIES)
def test_the_finding_holds_at_full_length(name: str, seed: int):
    FINDINGS[name](numbers(name, seed))


def test_every_study_has_a_finding_that_is_tested():
    assert set(FINDINGS) == set(STUDIES)


# What they are made of.


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_repeats_and_is_drawn(name: str):
    """The same seed gives the same arrays, but for the seconds; another seed gives others."""
    study = STUDIES[name]
    told: list[Progress] = []
    first = finish(PARTS[name](3, 1), told.append)
    again = finish(PARTS[name](3, 1))
    other = finish(PARTS[name](4, 1))
    assert untimed(plain(first)) == untimed(plain(again)) != untimed(plain(other))
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    figure = study.draw(first)
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure
    assert figure["data"]


def untimed(value: Any) -> Any:
    if isinstance(value, dict):
        timed = ("seconds_per_step", "ms_per_step")
        return {name: untimed(item) for name, item in value.items() if name not in timed}
    return [untimed(item) for item in value] if isinstance(value, list) else value


def test_gaps_are_far_from_the_data_and_parts_are_in_it():
    for data in ("ring8", "grid25", "swissroll"):
        gaps, parts = gaps_of(data)
        real = load(cell("mlp", "gp", data, 0), CPU).sample(4000, torch.Generator().manual_seed(0))
        to_gaps = torch.cdist(gaps, real).min(1).values
        to_parts = torch.cdist(parts.reshape(-1, 2), real).min(1).values
        assert to_parts.max() < 0.08 < 0.15 < to_gaps.min(), data


def test_held_out_digits_are_others_and_the_same_for_both_sizes():
    few, held_out = split_digits(0, 100)
    many, again = split_digits(0, 1400)
    assert torch.equal(held_out, again)
    assert len(held_out) == HELD_OUT
    assert torch.equal(few.pixels, many.pixels[:100])
    distance = torch.cdist(held_out.flatten(1), many.pixels.flatten(1))
    assert (distance.min(1).values > 0).float().mean() > 0.99  # but for twins in the data


def test_every_cell_is_an_experiment_of_its_own():
    for data in DATA:
        if data not in ("points", "folder", "celeba", "lsun", "mnist", "fashion", "cifar10"):
            configs = {cell(row, method, data, 0) for row in rows_for(data) for method in METHODS}
            assert len(configs) == len(rows_for(data)) * len(METHODS)
            assert all(c.norm_d != "batch" for c in configs if c.constraint == "gp")
    assert {"ring8", "digits"} <= set(DATA)
    assert set(rows_for("ring8")) != set(rows_for("digits"))
    assert "ring8" in POINT_DATA


@pytest.mark.parametrize(("total", "parts"), [(7, 3), (3, 7), (1, 1), (400, 50)])
def test_turns_add_up(total: int, parts: int):
    turns = in_turns(total, parts)
    assert sum(turns) == total
    assert len(turns) == min(total, parts)
    assert max(turns) - min(turns) <= 1
    assert min(turns) >= 1


def test_plain_values_are_json():
    value = {"a": np.array([1.0, np.nan], np.float32), "b": (np.inf, 2), "c": None}
    assert plain(value) == {"a": [1.0, None], "b": [None, 2], "c": None}


# The command.


def test_figure_writes_a_page_and_its_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    name = "weights"
    words = ["figure", name, "--out", str(tmp_path / "new"), "--steps", "2", "--seed", "5"]
    assert cli.main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out.splitlines()[-1])
    assert told["figure"] == name
    assert (told["steps"], told["seed"]) == (2, 5)
    assert told["numbers"] == plain(numbers(name, 5, 2))
    assert "100%" in err
    saved = json.loads((tmp_path / "new" / f"{name}.json").read_text())
    assert saved["numbers"] == told["numbers"]
    assert len(saved["arrays"]["histograms"]["gp"]["share"]) == 80
    page = (tmp_path / "new" / f"{name}.html").read_text()
    assert "Plotly.newPlot" in page
    assert STUDIES[name].finding in page
    assert "src=" not in page.split("<body>")[1]  # nothing comes from elsewhere


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "There is no figure"),
        (["race", "--steps", "0"], "--steps is 0"),
        (["race", "--steps", "x"], "--steps"),
        (["race", "--seed", "-1"], "--seed is -1"),
        (["race", "--out", "/dev/null/x"], "cannot be written"),
        ([], "NAME"),
    ],
)
def test_bad_input_is_refused_with_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = [] if "--out" in words else ["--out", str(tmp_path)]
    assert said in refused(capsys, "figure", *words, *out)


def test_the_floor_of_the_race_is_that_of_the_data():
    found = numbers("race", steps=1)
    data = load(cell("mlp", "gp", "ring8", 0), CPU)
    floor = w1_floor(data, 256, torch.Generator().manual_seed(7), repeats=8)
    assert found["w1_floor"] == pytest.approx(floor, rel=0.3)
