"""Runs on disk and on the command line: trained, saved, and repeated bit for bit."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import MakeRun
from tests.test_changes import GENTLE
from wgan import cli
from wgan.cli.train import experiment
from wgan.config import ExperimentConfig, from_json
from wgan.persistence import run_files
from wgan.presets import PRESETS
from wgan.runs.export import weights
from wgan.types import Event
from wgan.zoo.checkpoint import FILES

TINY = ["--set", "width=8", "depth=1", "batch_size=8"]
KEYS = {
    *("preset", "config", "step", "seconds", "steps_per_second", "finite", "modes", "modes_any"),
    *("modes_total", "high_quality", "w1", "w1_floor", "critic_estimate", "events", "out"),
}
Capture = pytest.CaptureFixture[str]


def strict(text: str) -> Any:
    """The last line of a text as strict JSON: no NaN, no Infinity."""

    def refuse(name: str) -> Any:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text.strip().split("\n")[-1], parse_constant=refuse)


def run_json(capsys: Capture, *words: str) -> Any:
    assert cli.main([*words, "--json"]) == 0
    return strict(capsys.readouterr().out)


# Training.


def test_presets_lists_every_one(capsys: Capture):
    listed = run_json(capsys, "presets")
    assert set(listed) == set(PRESETS)
    assert from_json(json.dumps(listed["digits-gan"])) == PRESETS["digits-gan"].config
    assert cli.main(["presets"]) == 0
    lines = capsys.readouterr().out.strip().split("\n")
    assert [line.split()[0] for line in lines] == list(PRESETS)


def test_the_figures_are_complete_and_strict_json(capsys: Capture, tmp_path: Path):
    out = str(tmp_path / "a" / "run")
    result = run_json(capsys, "train", "ring-wgan-gp", *TINY, "--steps", "5", "--out", out)
    assert set(result) >= KEYS
    assert (result["preset"], result["step"], result["out"]) == ("ring-wgan-gp", 5, out)
    assert (result["modes_total"], result["finite"], result["events"]) == (8, True, [])
    assert from_json(json.dumps(result["config"])).width == 8
    assert result["w1"] > result["w1_floor"] > 0
    assert 0 <= result["modes"] <= result["modes_any"] <= 8
    assert 0 <= result["high_quality"] <= 1
    swiss = run_json(capsys, "train", "swissroll-wgan-gp", *TINY, "--steps", "2")
    assert set(swiss) >= KEYS
    assert swiss["modes"] is swiss["modes_total"] is swiss["high_quality"] is swiss["out"] is None


def test_words_instead_of_json(capsys: Capture):
    assert cli.main(["train", "ring-gan", *TINY, "--steps", "2"]) == 0
    out, err = capsys.readouterr()
    assert "modes_total       8" in out
    assert "Traceback" not in err


def test_an_experiment_is_a_preset_json_or_a_file(capsys: Capture, tmp_path: Path):
    config = ExperimentConfig(width=8, depth=1, batch_size=8, seed=4)
    path = tmp_path / "my.json"
    path.write_text(config.to_json())
    for text in (str(path), config.to_json(), json.dumps(config.to_dict())):
        result = run_json(capsys, "train", text, "--steps", "2")
        assert from_json(json.dumps(result["config"])) == config
        assert result["preset"] is None


def test_set_seed_and_device(capsys: Capture):
    words = ["--set", "lr=1e-4", "norm_d=layer", "--set", "width=8,depth=1,batch_size=8"]
    result = run_json(
        capsys, "train", "ring-gan", *words, "--seed", "7", "--device", "cpu", "--steps", "1"
    )
    config = result["config"]
    assert (config["lr_g"], config["lr_d"], config["norm_g"]) == (1e-4, 1e-4, "none")
    assert (config["norm_d"], config["seed"], config["device"]) == ("layer", 7, "cpu")
    assert (config["width"], config["depth"], config["batch_size"]) == (8, 1, 8)


AT = [
    ["--at", "2:objective=wgan", "constraint=gp", "4:lr=0.01"],
    ["--at", "2:objective=wgan,constraint=gp", "--at", "4:lr=0.01"],
    ["--at", "4:lr=0.01", "--at", "2:objective=wgan", "constraint=gp"],
    ["--at", "2:objective=wgan,constraint=gp", "4:lr_g=0.01,lr_d=0.01"],
]


@pytest.mark.parametrize("at", AT, ids=" ".join)
def test_changes_are_planned_in_every_form(capsys: Capture, at: list[str]):
    result = run_json(capsys, "train", "ring-gan", *TINY, *at, "--steps", "6")
    assert [event["step"] for event in result["events"]] == [2, 4]
    assert result["events"][0]["changes"] == {
        "objective": ["gan", "wgan"],
        "constraint": ["none", "gp"],
    }
    assert set(result["events"][1]["changes"]) == {"lr_g", "lr_d"}
    assert result["config"]["lr_d"] == 0.01


def test_lists_in_a_plan_keep_their_commas():
    (due,) = run_files.parse_plan(["3:faults=raw_log,sign_flipped,lr=0.5"])
    assert (due.step, due.changes["faults"]) == (3, ["raw_log", "sign_flipped"])
    assert due.changes["lr"] == 0.5


def test_a_plan_beyond_the_end_is_said(capsys: Capture):
    words = ["train", "ring-gan", *TINY, "--at", "2:lr=0", "--at", "3:lr=1", "--steps", "2"]
    assert cli.main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert [event["step"] for event in strict(out)["events"]] == [2]
    assert "step 3 of --at was not reached" in err
    assert "step 2 of" not in err


def test_seconds_end_a_run(capsys: Capture):
    result = run_json(capsys, "train", "ring-gan", *TINY, "--seconds", "0.3")
    assert result["step"] > 5
    assert 0.3 <= result["seconds"] < 3
    assert result["steps_per_second"] == pytest.approx(result["step"] / result["seconds"], rel=0.02)


WILD = ["--set", "lr=10", "optimizer=sgd", "objective=lsgan", "width=64", "batch_size=8"]


@pytest.mark.parametrize("steps", [*range(1, 7), 40])
def test_a_blow_up_ends_with_what_was_good(capsys: Capture, tmp_path: Path, steps: int):
    words = ["train", "ring-gan", *WILD, "--steps", str(steps), "--out", str(tmp_path), "--json"]
    assert cli.main(words) == 0
    out, err = capsys.readouterr()
    result = strict(out)
    assert result["finite"] == ("Stopped at step" not in err)
    assert result["finite"] or steps > 1
    strict((tmp_path / "history.json").read_text())
    assert all(w.isfinite().all() for w in run_files.open_run(tmp_path)[1].values())
    assert run_json(capsys, "replay", str(tmp_path))["identical"]


# Repeating a run.


def test_a_replay_has_the_same_bits(capsys: Capture, tmp_path: Path):
    at = ["--at", "3:norm=batch", "5:norm_d=spectral", "optimizer_g=rmsprop"]
    at += ["--at", "7:update=critic", "7:update=generator", "9:norm=none,optimizer=adam,ema=0.9"]
    at += ["--at", "11:update=critic", "12:norm=layer", "--at", "12:update=generator"]
    words = ["train", "digits-gan", *TINY, *at, "--steps", "12", "--out", str(tmp_path)]
    result = run_json(capsys, *words)
    assert len(result["events"]) == 8
    assert {p.name for p in tmp_path.iterdir()} == set(FILES)
    repeated = run_json(capsys, "replay", str(tmp_path))
    assert repeated["identical"] is True
    assert repeated["events"] == result["events"]
    assert repeated["step"] == 12
    for name in ("w1", "critic_estimate", "mode_kl", "high_quality"):  # and so has the card
        assert repeated[name] == result[name]
        saved = json.loads((tmp_path / "config.json").read_text())["figures"]
        assert saved[name] == pytest.approx(result[name], abs=1e-5)


def test_a_run_of_the_page_is_repeated_too(make_run: MakeRun, tmp_path: Path, capsys: Capture):
    """Its changes come while it plays, at whatever step; it was reset, and paused at the end."""
    run = make_run()
    run.apply({"lr": 0.002})
    run.advance(0.02)
    run.reset()
    run.advance(0.02)
    for changes in ({"norm": "spectral"}, {"optimizer_d": "sgd"}, {"norm": "none", "ema": 0.5}):
        run.apply(changes)
        run.advance(0.02)
    for which in ("critic", "both", "generator"):
        run.update(which)
        run.advance(0.02)
    assert run.state == "paused"
    assert len(run.events) == 5
    run_files.save(run.export_now(), tmp_path)
    assert run_json(capsys, "replay", str(tmp_path))["identical"]
    line = shlex.split(run_files.command(run.first_config, run.events, run._loop.trainer.steps))
    again = tmp_path / "again"
    run_json(capsys, *line[3:], "--out", str(again))
    a, b = weights(run._loop.trainer), run_files.open_run(again)[1]
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_of_no_steps_is_repeated(make_run: MakeRun, tmp_path: Path, capsys: Capture):
    run_files.save(make_run(playing=False).export_now(), tmp_path)
    result = run_json(capsys, "replay", str(tmp_path))
    assert (result["identical"], result["step"]) == (True, 0)


def test_a_replay_notices_other_weights(capsys: Capture, tmp_path: Path):
    run_json(capsys, "train", "ring-gan", *TINY, "--steps", "3", "--out", str(tmp_path))
    record = json.loads((tmp_path / "events.json").read_text())
    (tmp_path / "events.json").write_text(json.dumps(record | {"steps": 4}))
    assert cli.main(["replay", str(tmp_path), "--json"]) == 1
    out, err = capsys.readouterr()
    assert strict(out)["identical"] is False
    assert "differ" in err


@settings(max_examples=60, deadline=None)
@given(
    preset=st.sampled_from(list(PRESETS)),
    start=st.fixed_dictionaries(
        {"seed": st.integers(0, 2**31 - 1)},
        optional={**GENTLE, "width": st.integers(4, 256), "device": st.just("cpu")},
    ),
    plan=st.lists(
        st.one_of(
            st.sampled_from(["critic", "generator"]), st.fixed_dictionaries({}, optional=GENTLE)
        ),
        max_size=4,
    ),
)
@example("ring-gan", {"seed": 0, "data": "points", "points": [[0.5, -1], [1e-5, 2]]}, [])
def test_the_command_line_of_a_run_means_the_same(
    preset: str, start: dict[str, Any], plan: list[Any]
):
    first = config = PRESETS[preset].config.replace(start)
    events: list[Event] = []
    for step, due in enumerate(plan):
        if isinstance(due, str):
            events.append(Event(step, "update", "", update=due))  # pyright: ignore
            continue
        new = config.replace(due)
        changes = {
            name: (getattr(config, name), getattr(new, name))
            for name in due
            if getattr(config, name) != getattr(new, name)
        }
        config = new
        if changes:
            events.append(Event(step, "change", "", changes))
    line = shlex.split(run_files.command(first, events, 9))
    assert line[:3] == ["python", "-m", "wgan"]
    options = cli.parser().parse_args(line[3:])
    parsed = experiment(options.experiment).replace(run_files.parse_assignments(options.set))
    given = {"seed": options.seed, "device": options.device}
    parsed = parsed.replace({name: value for name, value in given.items() if value is not None})
    assert parsed == first
    assert options.steps == 9
    planned = run_files.parse_plan(options.at)
    assert [(due.step, due.update) for due in planned] == [(e.step, e.update) for e in events]
    for due in planned:
        parsed = parsed.replace(due.changes)
    assert parsed == config
