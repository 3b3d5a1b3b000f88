"""What an earlier version saved still opens: fixtures/opened_later was written in November 2026.

`runs/` holds the autosaves that a link `?run=ID` finds again: points in a room whose owner's secret
is the one below, and pictures that are everybody's. `train/` is what `train --out` wrote, a run and
a checkpoint in one. `expected.json` is what their runs said of themselves.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tests.test_lab import threads, until
from wgan.cli import main
from wgan.server.limits import Limits
from wgan.server.registry import Lab
from wgan.zoo.checkpoint import open_checkpoint
from wgan.zoo.explore import draw_latents

FOLDER = Path(__file__).parent / "fixtures" / "opened_later"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
SECRET = "the owner's secret"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    shutil.copytree(FOLDER / "runs", tmp_path / "runs")
    lab = Lab(dataclasses.replace(Limits(), autosave=str(tmp_path / "runs")))
    yield lab
    lab.shut_down()
    until(lambda: not threads())


@pytest.mark.parametrize("name", ["points", "pictures"])
def test_a_shared_link_finds_its_run_again(lab: Lab, name: str):
    run, expected = lab.get(f"{name}-run"), EXPECTED[name]
    assert run is not None
    assert run.access.is_owner(SECRET) == run.access.locked == (name == "points")
    assert run.access.may_control(None) == (name == "pictures")
    until(lambda: run.state != "loading" and run.frame.view is not None)
    assert (run.state, run.frame.message, run.slow) == (expected["state"], "", 0.5)
    assert run.frame.step == expected["step"]
    assert set(expected["curves"]) <= set(run.frame.curves)
    events = [dataclasses.asdict(event) for event in run.events]
    assert json.loads(json.dumps(events)) == expected["events"]
    assert len(run.snapshots.items) == expected["snapshots"]
    measured = run.snapshots.items[-1].metrics
    assert measured is not None
    assert measured.w1 == expected["w1"]
    # The weights as they were, and it goes on from them.
    path = FOLDER / "runs" / f"{name}-run.safetensors"
    saved, network = load_file(path), "averaged" if name == "points" else "generator"
    with safe_open(path, "pt") as file:
        inner = json.loads(file.metadata()["about"])["channels_last"]
    for key, tensor in run._loop.trainer.state_dict()[network].items():
        packed = saved[f"{network}.{key}"]
        packed = packed.permute(0, 3, 1, 2) if f"{network}.{key}" in inner else packed
        assert torch.equal(packed, tensor)
    run.slow_down(None)
    run.play()
    until(lambda: run.steps > expected["step"])
    assert run._loop.trainer.is_finite()


def test_a_saved_run_is_repeated(capsys: pytest.CaptureFixture[str]):
    """To the step; the bits are those of one kind of machine, which only it can repeat."""
    main(["replay", str(FOLDER / "train"), "--json"])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    saved = json.loads((FOLDER / "train" / "config.json").read_text())
    assert told["step"] == saved["steps"] == 60
    assert told["events"] == json.loads((FOLDER / "train" / "events.json").read_text())["events"]
    assert told["w1"] == pytest.approx(saved["figures"]["w1"], rel=0.05)


def test_a_checkpoint_opens():
    checkpoint = open_checkpoint(FOLDER / "train")
    weights = load_file(FOLDER / "train" / "model.safetensors")
    for name, tensor in checkpoint.generator.state_dict().items():
        assert torch.equal(tensor, weights[f"averaged.{name}"])
    assert checkpoint.sample(draw_latents(checkpoint.architecture, 3, seed=0)).shape == (3, 2)
