"""Bad input: exit code 2, one line on standard error, and never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wgan import cli
from wgan.config import ConfigError, ExperimentConfig
from wgan.persistence import run_files
from wgan.runs.run import Run

Capture = pytest.CaptureFixture[str]


def refused(capsys: Capture, *words: str) -> str:
    """The one line on standard error of a command line that must end with exit code 2."""
    capsys.readouterr()
    assert cli.main(list(words)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert len(err.strip("\n").splitlines()) == 1, err
    assert err.startswith("wgan: ")
    return err


# Command lines.

WORDS = st.one_of(
    st.sampled_from(
        [
            *("train", "replay", "presets", "--set", "--at", "--steps", "--seconds", "--seed"),
            *("--device", "--out", "--json", "ring-gan", "lr=", "=", "3:", ":", "3:lr", "-1", "0"),
            *("3:lr=x", "lr=-1", "x:lr=1", "-3:lr=1", "3:update=both", "3:width=9", "{", "{}", "["),
            *("nan", "inf", "1e999", "9" * 5000, "9" * 5000 + ":lr=1", "", " ", "\n", "\0", "--"),
            *('{"lr": NaN}', '{"width": "a"}', "objective=wgann", "/", "~", "/nowhere/x", "é=ü"),
            *("--se", "--steps=", "--frobnicate", "faults=x", "points=[[9,9]]"),
        ]
    ),
    st.text(max_size=20),
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from([["train"], ["train", "ring-gan"], ["replay"], ["presets"], []]),
    st.lists(st.one_of(WORDS, st.sampled_from(["--set", "--at"])), max_size=6),
    # Nothing that ends like this is ever sound, so nothing trains.
    st.sampled_from([["--steps", "never"], ["--out", "/dev/null/x"]]),
)
def test_any_bad_command_line_is_refused_in_one_line(
    capsys: Capture, start: list[str], words: list[str], end: list[str]
):
    command = [*start, *words, *end]
    if any(word.startswith(("-h", "--h")) for word in command):
        return  # asks for help
    refused(capsys, *command)


BAD = [
    ["train"],
    [],
    ["fly"],
    ["train", "ring-gann"],
    ["train", "ring-gan", "--set", "lrr=1"],
    ["train", "ring-gan", "--set", "lr=fast"],
    ["train", "ring-gan", "--set", "lr"],
    ["train", "ring-gan", "--set", "network=dcgan"],
    ["train", "ring-gan", "--set", "norm=[]"],
    ["train", "ring-gan", "--steps", "0"],
    ["train", "ring-gan", "--steps", "1.5"],
    ["train", "ring-gan", "--seconds", "nan"],
    ["train", "ring-gan", "--seconds", "-1"],
    ["train", "ring-gan", "--steps", "5", "--seconds", "5"],
    ["train", "ring-gan", "--seed", "-1"],
    ["train", "ring-gan", "--seed", "9" * 30],
    ["train", "ring-gan", "--seed", "9" * 5000],
    ["train", "ring-gan", "--device", "tpu"],
    ["train", "ring-gan", "--at", "lr=1"],
    ["train", "ring-gan", "--at", "5"],
    ["train", "ring-gan", "--at", "5:"],
    ["train", "ring-gan", "--at", "x:lr=1"],
    ["train", "ring-gan", "--at", "-5:lr=1"],
    ["train", "ring-gan", "--at", "9" * 5000 + ":lr=1"],
    ["train", "ring-gan", "--at", "5:width=64"],
    ["train", "ring-gan", "--at", "5:update=both"],
    ["train", "ring-gan", "--at", "5:update=critic,lr=1"],
    ["train", "ring-gan", "--at", "5:update=[]"],
    ["train", "ring-gan", "--out", "/dev/null/x"],
    ["train", "ring-gan", "--out", "a\0b"],
    ["train", "{"],
    ["train", "[1]"],
    ["train", '{"lr": NaN}'],
    ["train", '{"faults": ' + "[" * 100_000],
    ["train", "/"],
    ["train", "x" * 5000],
    ["train", "a\0b"],
    ["replay"],
    ["replay", "/nowhere"],
    ["replay", "a\0b"],
    ["replay", "x" * 5000],
]


@pytest.mark.parametrize("words", BAD, ids=lambda words: " ".join(words)[:40].replace("\0", "0"))
def test_bad_input_is_refused_in_one_line(capsys: Capture, words: list[str]):
    refused(capsys, *words)


def test_a_gpu_that_is_not_there_is_refused(capsys: Capture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "no GPU" in refused(capsys, "train", "ring-gan", "--device", "cuda", "--steps", "1")


@pytest.mark.parametrize("words", [["train", "ring-gan", "--set", "lr=-1"], ["train", "a\udcff"]])
def test_a_real_process_ends_with_code_2_and_one_line(words: list[str]):
    done = subprocess.run(
        [sys.executable, "-m", "wgan", *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


# Damaged archives.


def saved(folder: Path) -> Path:
    run = Run("x", ExperimentConfig(width=8, depth=1, batch_size=8))
    run.prepare()
    run.stop_after(2)
    run.apply({"lr": 0.01})
    while run.active:
        run.advance(1)
    run_files.save(run.export_now(), folder)
    return folder


@pytest.mark.parametrize("name", ["config.json", "events.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "junk", "folder"])
def test_a_damaged_file_is_refused(capsys: Capture, tmp_path: Path, name: str, damage: str):
    path = saved(tmp_path) / name
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"empty": b"", "cut": content[:-9], "junk": b"\xff\x00{]" * 50}[damage])
    assert str(tmp_path) in refused(capsys, "replay", str(tmp_path)) or name == "config.json"


JUNK_LOGS: list[Any] = [
    *(None, [], 3, "x", {}, {"steps": 2}, {"events": []}, {"steps": -1, "events": []}),
    *({"steps": True, "events": []}, {"steps": 2.5, "events": []}, {"steps": "2", "events": []}),
    *({"steps": 2, "events": e} for e in (None, 3, "ab", [1], [[]], [{}], [{"kind": "change"}])),
    *(
        {"steps": 2, "events": [{"kind": "change", "step": 1} | event]}
        for event in (
            {"changes": 3},
            {"changes": {"lr": 3}},
            {"changes": {"lr_g": [1]}},
            {"changes": {"lr_g": [0.1, "fast"]}},
            {"changes": {"width": [8, 16]}},
            {"changes": {"nothing": [8, 16]}},
            {"changes": {"lr_g": [0.1, 0.2]}, "step": -1},
            {"changes": {"lr_g": [0.1, 0.2]}, "step": "1"},
            {"kind": "update"},
            {"kind": "update", "update": "both"},
            {"kind": "update", "update": []},
            {"kind": "explode"},
        )
    ),
]


def test_a_log_of_junk_is_refused(capsys: Capture, tmp_path: Path):
    saved(tmp_path)
    for junk in [*map(json.dumps, JUNK_LOGS), "[" * 100_000, '{"a":' * 100_000, "NaN", "9" * 5000]:
        (tmp_path / "events.json").write_text(junk)
        refused(capsys, "replay", str(tmp_path))
        with pytest.raises((run_files.ArchiveError, ConfigError)):
            run_files.open_run(tmp_path)
