"""What a run can be taken along as besides a script: its curves, its pictures, its settings."""

from __future__ import annotations

import ast
import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import MakeRun
from wgan import cli
from wgan.config import from_json
from wgan.export.curves import COLUMNS, curves_csv
from wgan.export.film import GAP, film, sheet
from wgan.export.script import script
from wgan.presets import PRESETS
from wgan.runs.series import Snapshot
from wgan.types import Curve

Capture = pytest.CaptureFixture[str]

# Curves and pictures ---------------------------------------------------------------------------


def test_curves_come_back_from_the_csv_as_they_were():
    values = np.array([0.1, np.nan, 3e-8], np.float32)
    curves = {
        "w1": Curve(np.array([1, 20, 3e6], np.float32), values, values - 1, values + 1),
        "modes": Curve(*(np.zeros(0, np.float32) for _ in range(4))),
    }
    rows = list(csv.reader(io.StringIO(curves_csv(curves))))
    assert tuple(rows[0]) == COLUMNS
    assert [row[0] for row in rows[1:]] == ["w1"] * 3
    assert [int(row[1]) for row in rows[1:]] == [1, 20, 3_000_000]
    for column, expected in zip((2, 3, 4), curves["w1"][1:], strict=True):
        found = np.array([float(row[column]) for row in rows[1:]], np.float32)
        np.testing.assert_array_equal(found, expected)


def snapshots(make_run: MakeRun, kind: str) -> list[Snapshot]:
    run = make_run(kind)
    taken = []
    for _ in range(3):
        run.update("both")
        run.advance(0.0)
        saved = run.export_now()
        taken.append(Snapshot(saved.steps, saved.view, saved.metrics))
    return taken


@pytest.mark.parametrize("kind", ["points", "mlp"])
def test_a_film_shows_every_snapshot_and_a_sheet_at_most_eight(make_run: MakeRun, kind: str):
    taken = snapshots(make_run, kind)
    with Image.open(io.BytesIO(film(taken))) as gif:
        assert (gif.format, getattr(gif, "n_frames", 1)) == ("GIF", 3)
        assert gif.info["loop"] == 0
        pictures, durations = [], []
        for frame in range(3):
            gif.seek(frame)
            durations.append(gif.info["duration"])
            pictures.append(np.array(gif.convert("RGB")))
    assert durations[0] < durations[-1]
    assert (pictures[0] != pictures[2]).any()
    with Image.open(io.BytesIO(sheet(taken))) as png:
        assert png.format == "PNG"
        height, width = pictures[0].shape[:2]
        assert png.size == (3 * width + 2 * GAP, height)
    with Image.open(io.BytesIO(sheet(taken * 7))) as png:
        assert png.size == (4 * width + 3 * GAP, 2 * height + GAP)


def test_no_snapshots_are_no_film():
    for draw in (film, sheet):
        with pytest.raises(ValueError, match="at least one"):
            draw([])


# The command -----------------------------------------------------------------------------------


def test_a_preset_is_exported_in_every_form(tmp_path: Path, capsys: Capture):
    names = ("config", "script", "csv", "gif", "png")
    files = {name: tmp_path / "deep" / f"ring.{name}" for name in names}
    words = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    assert cli.main(["export", "ring-wgan-gp", *words, "--steps", "4"]) == 0
    written = [str(files[name]) for name in ("config", "script", "gif", "png", "csv")]
    assert capsys.readouterr().out.split() == written
    preset = PRESETS["ring-wgan-gp"].config
    assert from_json(files["config"].read_text()) == preset
    assert files["script"].read_text() == script(preset, steps=4, file="ring.script")
    rows = list(csv.DictReader(files["csv"].open()))
    assert [row["step"] for row in rows if row["curve"] == "critic_loss"] == ["1", "2", "3", "4"]
    with Image.open(files["gif"]) as gif:
        assert getattr(gif, "n_frames", 1) == 5  # steps 0 to 4
    with Image.open(files["png"]) as png:
        assert png.format == "PNG"


def test_a_saved_run_is_exported_with_its_changes(tmp_path: Path, capsys: Capture):
    run = tmp_path / "run"
    words = ["--set", "width=8", "depth=1", "batch_size=8", "--at", "2:objective=wgan"]
    words += ["constraint=gp", "--steps", "5", "--out", str(run)]
    assert cli.main(["train", "ring-gan", *words]) == 0
    files = {name: tmp_path / name for name in ("config", "script", "csv", "gif")}
    words = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    assert cli.main(["export", str(run), *words]) == 0
    config = from_json(files["config"].read_text())
    assert (config.objective, config.constraint, config.width) == ("wgan", "gp", 8)
    told = ast.get_docstring(ast.parse(files["script"].read_text())) or ""
    assert "step 2: WGAN · GP" in told
    assert "--steps 5" in told
    steps = [int(row["step"]) for row in csv.DictReader(files["csv"].open())]
    assert max(steps) == 5
    saved = json.loads((run / "history.json").read_text())
    assert {row["curve"] for row in csv.DictReader(files["csv"].open())} == set(saved)


@pytest.mark.parametrize(
    "words",
    [
        ["ring-gan"],
        ["no-such-preset", "--config", "OUT"],
        ["OUT", "--config", "OUT"],
        ["celeba64-wgan-gp", "--script", "OUT"],
        ["ring-gan", "--script", "/dev/null/x.py"],
        ["ring-gan", "--gif", "OUT", "--steps", "0"],
    ],
)
def test_bad_input_ends_with_one_line(words: list[str], tmp_path: Path, capsys: Capture):
    words = [word.replace("OUT", str(tmp_path / "out")) for word in words]
    assert cli.main(["export", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.err.startswith("wgan: ")
