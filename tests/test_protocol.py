"""The papers' protocol: their data, the runs, what is kept of them, and the table."""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from wgan import cli
from wgan.data.modes import CentreModes
from wgan.data.points import grid25, ring8
from wgan.protocol.methods import DATA, METHODS, MODES, PUBLISHED, Method
from wgan.protocol.runs import Result, Store, key, run, train
from wgan.protocol.shipped import shipped
from wgan.protocol.table import cells_of, markdown, repeat_command, summary, table
from wgan.runs.export import weights

Capture = pytest.CaptureFixture[str]
CPU = torch.device("cpu")
TINY = Method(
    "tiny",
    "Tiny",
    {"width": 8, "depth": 1, "batch_size": 8, "critic_steps": 1},
    7,
    "a rehearsal",
    ((3, {"lr": 1e-4}), (5, {"lr": 1e-5, "ema": 0.5})),
)


def result(**fields: Any) -> Result:
    whole = Result("ring", "tiny", 0, "k", modes=8, high_quality=0.5, mode_kl=0.1, finite=True,
                   seconds=1.0)  # fmt: skip
    return replace(whole, **fields)


# The data --------------------------------------------------------------------------------------


def _papers(data: str) -> tuple[torch.Tensor, float, float]:
    """The papers' centres and σ, and the factor from their units to ours."""
    if data == "ring":
        angles = torch.arange(8) * math.pi / 4
        return torch.stack((angles.cos(), angles.sin()), 1), 0.01, 2 / 1.414
    places = [(x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)]
    return torch.tensor(places).float(), 0.05, 1 / 2.828


@pytest.mark.parametrize("data", list(DATA))
def test_our_mixtures_are_the_papers_but_for_a_factor(data: str):
    centres, sigma, factor = _papers(data)
    ours = (ring8 if data == "ring" else grid25)(CPU).modes
    assert isinstance(ours, CentreModes)
    assert len(ours.names) == MODES[data] == len(centres)
    assert ours.sigma == pytest.approx(sigma * factor, rel=1e-6)
    distances = torch.cdist(ours.centres, centres * factor)
    assert distances.min(1).values.max() < 1e-6
    assert sorted(distances.argmin(1).tolist()) == list(range(len(centres)))


@pytest.mark.parametrize("data", list(DATA))
def test_high_quality_is_the_same_share_in_either_units(data: str):
    centres, sigma, factor = _papers(data)
    ours = (ring8 if data == "ring" else grid25)(CPU).modes
    assert ours is not None
    rng = torch.Generator().manual_seed(1)
    which = torch.randint(len(centres), (2000,), generator=rng)
    samples = centres[which] + 2 * sigma * torch.randn(2000, 2, generator=rng)
    expected = torch.cdist(samples, centres).min(1).values < 3 * sigma
    _, found = ours.judge(samples * factor)
    assert 0.2 < expected.float().mean() < 0.95
    assert (found == expected).float().mean() > 0.999  # but for rounding at the border


# The methods -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize("data", list(DATA))
def test_every_method_can_be_run_to_its_end(name: str, data: str):
    method = METHODS[name]
    config = method.config(data, 3)
    assert (config.data, config.seed, config.device) == (DATA[data], 3, "cpu")
    for step, changes in method.plan:
        assert 0 < step < method.steps
        config = config.replace(changes)
    assert f"{method.steps:,} generator steps" in method.about


def test_the_baselines_are_what_their_papers_say():
    clip = METHODS["wgan-clip"].config("ring", 0)
    assert (clip.objective, clip.constraint, clip.clip_value) == ("wgan", "clip", 0.01)
    assert (clip.optimizer_g, clip.lr_d, clip.critic_steps) == ("rmsprop", 5e-5, 5)
    gp = METHODS["wgan-gp"].config("grid", 0)
    assert (gp.objective, gp.constraint, gp.gp_weight) == ("wgan", "gp", 0.1)
    assert (gp.critic_steps, gp.beta1, gp.beta2) == (5, 0.5, 0.9)
    gan, lsgan = (METHODS[name].config("ring", 0) for name in ("gan", "lsgan"))
    assert (gan.constraint, gan.ema, lsgan.objective) == ("none", 0.0, "lsgan")
    assert not any(METHODS[name].plan for name in ("gan", "lsgan", "wgan-clip", "wgan-gp"))


def test_all_networks_and_batches_are_alike():
    alike = ("width", "depth", "latent_dim", "latent", "activation", "batch_size")
    configs = [method.config("ring", 0) for method in METHODS.values()]
    assert len({tuple(getattr(c, name) for name in alike) for c in configs}) == 1


def test_a_rehearsal_keeps_the_order_of_the_plan():
    scaled = METHODS["gan-r1"].scaled(0.001)
    steps = [step for step, _ in scaled.plan]
    assert steps == sorted(steps)
    assert all(step >= 1 for step in (*steps, scaled.steps))
    assert METHODS["gan-r1"].scaled(1.0) == METHODS["gan-r1"]


# The runs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", list(DATA))
def test_a_run_has_the_weights_of_the_command_line_that_is_told(
    data: str, tmp_path: Path, capsys: Capture
):
    words = shlex.split(repeat_command(TINY, data))
    assert words[:4] == ["python", "-m", "wgan", "train"]
    assert cli.main([*words[3:], "--out", str(tmp_path / "run")]) == 0
    saved = load_file(tmp_path / "run" / "model.safetensors")
    ours = weights(train(TINY, data, 0))
    assert saved.keys() == ours.keys()
    assert any(name.startswith("averaged") for name in ours)  # the plan was carried out
    assert all(torch.equal(saved[name], ours[name]) for name in saved)


def test_progress_counts_every_step_once():
    told: list[int] = []
    trainer = train(TINY, "ring", 0, told.append)
    assert sum(told) == trainer.steps == 7


def test_a_run_is_repeatable_and_seeds_differ():
    one, again, other = (run(TINY, "grid", seed) for seed in (0, 0, 1))
    assert replace(one, seconds=0) == replace(again, seconds=0)
    assert (one.high_quality, one.mode_kl) != (other.high_quality, other.mode_kl)
    assert one.key == other.key == key(TINY, "grid") != key(TINY, "ring")


def test_a_run_that_blows_up_counts_nothing_and_says_so():
    wild = replace(TINY, fields={**TINY.fields, "optimizer": "sgd", "lr": 10.0}, steps=400, plan=())
    told: list[int] = []
    found = run(wild, "ring", 0, told.append)
    assert not found.finite
    assert (found.modes, found.high_quality) == (0, 0.0)
    assert sum(told) == 400


# What is kept ----------------------------------------------------------------------------------


def test_a_kept_run_is_found_by_exactly_its_settings(tmp_path: Path):
    path = tmp_path / "some" / "runs.jsonl"
    kept = result(key=key(TINY, "ring"), seed=4)
    Store(path).add(kept)
    store = Store(path)
    assert store.get(TINY, "ring", 4) == kept
    for method in (
        replace(TINY, steps=8),
        replace(TINY, plan=TINY.plan[:1]),
        replace(TINY, fields={**TINY.fields, "width": 9}),
    ):
        assert store.get(method, "ring", 4) is None
    assert store.get(TINY, "grid", 4) is store.get(TINY, "ring", 5) is None
    at_default = replace(TINY, fields={**TINY.fields, "latent": "normal"})
    assert store.get(at_default, "ring", 4) == kept
    renamed = replace(TINY, title="Another", about="words")
    assert store.get(renamed, "ring", 4) == kept


@pytest.mark.parametrize("broken", ["", "{", "[]", "null", '{"data": "ring"}', "\x00"])
def test_a_line_that_was_cut_off_costs_only_itself(tmp_path: Path, broken: str):
    path = tmp_path / "runs.jsonl"
    Store(path).add(result(key=key(TINY, "ring"), seed=1))
    with path.open("a") as file:
        file.write(broken)  # without its newline, as when the process was killed
    store = Store(path)
    assert store.get(TINY, "ring", 1) is not None
    store.add(result(key=key(TINY, "ring"), seed=2))
    assert {Store(path).get(TINY, "ring", seed) is not None for seed in (1, 2)} == {True}


# The table -------------------------------------------------------------------------------------


def test_means_and_deviations_are_those_of_the_runs():
    found = summary([result(modes=7, high_quality=0.5), result(modes=8, high_quality=0.7)])
    assert (found["modes"], found["modes_std"]) == (7.5, round(math.sqrt(0.5), 3))
    assert found["high_quality"] == 0.6
    assert found["high_quality_std"] == pytest.approx(math.sqrt(0.02), abs=1e-5)
    assert summary([result()])["modes_std"] == 0
    assert summary([result(finite=False)])["diverged"] == 1
    assert cells_of(found) == ("7.5 ± 0.7", "60.0 ± 14.1")
    assert cells_of(summary([result()])) == ("8", "50.0")
    assert cells_of(None) == ("–", "–")
    with pytest.raises(ValueError, match="at least one run"):
        summary([])


@given(st.lists(st.tuples(st.integers(0, 8), st.floats(0, 1)), min_size=1, max_size=12))
def test_a_summary_lies_within_its_runs(runs: list[tuple[int, float]]):
    found = summary([result(modes=modes, high_quality=share) for modes, share in runs])
    for at, name in enumerate(("modes", "high_quality")):
        values = [values[at] for values in runs]
        assert min(values) - 1e-3 <= found[name] <= max(values) + 1e-3
        assert 0 <= found[f"{name}_std"] <= (max(values) - min(values)) + 1e-3


def test_the_table_has_the_published_rows_and_ours():
    found = table([TINY], [result(), result(seed=1, modes=6)])
    text = markdown(found)
    assert found["rows"][0]["grid"] is None
    assert "| **Tiny** | this project | 7.0 ± 1.4 | 50.0 ± 0.0 | – | – |" in text
    assert "- **Tiny**: a rehearsal." in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(PUBLISHED) + 1
    assert {row.count("|") for row in rows} == {7}
    assert "| VEEGAN | VEEGAN paper | 8 | 52.9 | 24.6 | 40 |" in text


def test_the_command_makes_the_table_and_goes_on_from_what_is_there(
    tmp_path: Path, capsys: Capture
):
    out = tmp_path / "t" / "modes.md"
    words = ["modes", "--methods", "gan-r1", "gan", "--scale", "0.0005", "--json"]
    words += ["--out", str(out)]
    assert cli.main([*words, "--data", "ring", "--seeds", "1"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["method"] for row in first["rows"]] == ["gan", "gan-r1"]
    assert all(row["ring"]["seeds"] == 1 and row["grid"] is None for row in first["rows"])
    lines = out.with_suffix(".jsonl").read_text()
    assert lines.count("\n") == 2

    assert cli.main([*words, "--seeds", "2"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out.splitlines()[-1])
    assert "2 of 8 runs are there already" in captured.err
    assert out.with_suffix(".jsonl").read_text().startswith(lines)
    assert {row[data]["seeds"] for row in found["rows"] for data in DATA} == {2}
    assert json.loads(out.with_suffix(".json").read_text()) == found
    assert out.read_text() == markdown(found)


@pytest.mark.parametrize(
    "words",
    [
        ["--seeds", "0"],
        ["--seeds", "many"],
        ["--data", "moons"],
        ["--methods", "vaegan"],
        ["--scale", "0"],
        ["--scale", "nan"],
        ["--out", "/dev/null/modes.md"],
    ],
)
def test_bad_input_ends_with_one_line(words: list[str], capsys: Capture):
    tiny = ["--seeds", "1", "--scale", "0.0001", "--methods", "gan", "--out", "/dev/null/x"]
    assert cli.main(["modes", *tiny, *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.strip().splitlines()[-1].startswith("wgan: ")
    assert "Traceback" not in captured.err


def test_the_shipped_table_is_of_these_methods():
    found = shipped()
    assert [row["method"] for row in found["rows"]] == list(METHODS)
    for row in found["rows"]:
        method = METHODS[row["method"]]
        assert (row["title"], row["about"]) == (method.title, method.about)
        assert row["command"] == repeat_command(method, "ring")
