"""What a run can be taken along as: a script of its own, its curves, its pictures."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import MakeConfig, MakeRun
from wgan import cli, losses
from wgan.config import ConfigError, ExperimentConfig, choices, from_json
from wgan.export.curves import COLUMNS, curves_csv
from wgan.export.film import GAP, film, sheet
from wgan.export.script import MAX_LINES, MAX_POINTS, refusal, script
from wgan.lab.frame import Curve, Event
from wgan.lab.history import Snapshot
from wgan.networks import build_critic, build_generator
from wgan.presets import PRESETS

Capture = pytest.CaptureFixture[str]
ALLOWED = {"argparse", "copy", "math", "numpy", "torch", "sklearn"}
CPU = torch.device("cpu")


@contextlib.contextmanager
def loaded(text: str):
    """The names that a script defines; the random numbers that it draws are nobody else's."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        names: dict[str, Any] = {"__name__": "exported"}
        exec(compile(text, "exported.py", "exec"), names)
        yield names


def some(objective: str, constraint: str, at: int) -> dict[str, Any]:
    """Fields of a small experiment; the choices that do not depend on each other take turns."""

    def turn(name: str, shift: int = 0) -> Any:
        return choices(name)[(at + shift) % len(choices(name))]

    data = ("ring8", "digits", "grid25", "swissroll", "digits", "moons", "spiral", "twolines")
    name = data[at % len(data)]
    images = name == "digits"
    network = "dcgan" if at % 16 == 1 else "mlp"
    fields = {
        "data": name,
        "objective": objective,
        "constraint": constraint,
        "norm_g": turn("norm_g"),
        "norm_d": turn("norm_d", 2),
        "optimizer_g": turn("optimizer_g"),
        "optimizer_d": turn("optimizer_d", 1),
        "activation": turn("activation"),
        "latent": turn("latent"),
        "network": network,
        "output": ("tanh", "sigmoid", "linear")[at % 3] if images else "linear",
        "image_size": (8, 16)[at // 8 % 2],
        "ema": (0.0, 0.5)[at // 2 % 2],
        "limit": (0, 300)[at % 2],
    }
    return fields | {"width": 8, "depth": 2, "latent_dim": 3, "batch_size": 6, "critic_steps": 2}


PAIRS = list(itertools.product(choices("objective"), choices("constraint")))


@pytest.mark.parametrize("at", range(len(PAIRS)), ids=["-".join(pair) for pair in PAIRS])
def test_a_script_has_our_networks_and_our_losses_and_trains(at: int, capsys: Capture):
    config = ExperimentConfig(**some(*PAIRS[at], at=at))
    text = script(config, steps=3)
    lines = text.splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= 100
    assert not any(line != line.rstrip() for line in lines)
    with loaded(text) as names:
        for make, build in (("make_generator", build_generator), ("make_critic", build_critic)):
            theirs = names[make]()
            ours = build(config, CPU, torch.Generator().manual_seed(0))
            # Spectral normalisation may keep a bias and its weight in another order.
            shapes = [sorted(map(str, (p.shape for p in n.parameters()))) for n in (theirs, ours)]
            assert shapes[0] == shapes[1]
        _same_losses(config, names)
        for parameter in names["train"](3).parameters():
            assert parameter.isfinite().all()
        real = names["sample_real"](5)
        assert real.shape == (5, *config.sample_shape)
        if config.data in ("ring8", "grid25", "digits"):
            names["report"](real * 2 - 1 if config.output == "sigmoid" else real)
    told = capsys.readouterr().out
    assert "step 3: critic" in told
    if config.data in ("ring8", "grid25", "digits"):
        assert float(re.findall(r"high quality (\S+)", told)[0]) >= 0.8  # of real data


def _same_losses(config: ExperimentConfig, names: dict[str, Any]) -> None:
    scores = torch.randn(2, 7, generator=torch.Generator().manual_seed(1)) * 2
    real, fake = scores
    ours = losses.critic_loss(config.objective, real, fake)
    torch.testing.assert_close(names["critic_loss"](real, fake), ours)
    ours = losses.generator_loss(config.objective, fake)
    torch.testing.assert_close(names["generator_loss"](fake), ours)
    if config.constraint in ("none", "clip"):
        assert "penalty" not in names
        return
    critic = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(4), torch.nn.Tanh(),
                                 torch.nn.Linear(4, 1), torch.nn.Flatten(0))  # fmt: skip
    real, fake = torch.randn(2, 5, *config.sample_shape)
    critic(real)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        theirs = names["penalty"](critic, real, fake)
        torch.manual_seed(3)
        alpha = torch.rand(5, *[1] * (real.dim() - 1))
    ours = losses.penalty(
        config.constraint, critic, real, fake, alpha, weight=config.gp_weight,
        target=config.gp_target,
    )  # fmt: skip
    torch.testing.assert_close(theirs, ours)


def test_real_data_of_a_script_is_ours(make_config: MakeConfig):
    for data in ("ring8", "grid25", "swissroll", "moons", "spiral", "twolines", "digits"):
        images = {"output": "tanh"} if data == "digits" else {}
        config = make_config("mlp" if images else "points", data=data, **images)
        from wgan.data import load

        ours = load(config, CPU).sample(4000, torch.Generator().manual_seed(1)).flatten(1)
        with loaded(script(config)) as names:
            theirs = names["sample_real"](4000).flatten(1)
        # Moments and reach of the same distribution; 4,000 samples each.
        torch.testing.assert_close(theirs.mean(0), ours.mean(0), atol=0.08, rtol=0)
        torch.testing.assert_close(theirs.T.cov(), ours.T.cov(), atol=0.08, rtol=0)
        assert abs(theirs.abs().max() - ours.abs().max()) < 0.12


def test_drawn_points_and_patches_come_along():
    points = ExperimentConfig(data="points", points=((0.5, 1), (-1, 0.25)), width=8)
    with loaded(script(points)) as names:
        samples = names["sample_real"](400)
        distance = torch.cdist(samples, torch.tensor([[0.5, 1], [-1, 0.25]])).min(1).values
        assert distance.max() < 0.1
    patches = ExperimentConfig(data="patches", image_size=8, output="tanh", width=8, limit=50)
    with loaded(script(patches)) as names:
        from wgan.data.patches import load_patches

        assert torch.equal(names["IMAGES"], load_patches(8)[:50])
        assert -1 <= names["sample_real"](20).min() < names["sample_real"](20).max() <= 1


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_has_a_script_or_a_sentence(name: str):
    config = PRESETS[name].config
    if (why := refusal(config)) is not None:
        assert config.data in ("avatars", "mnist", "cifar10", "celeba", "lsun")
        assert why.endswith(".")
        with pytest.raises(ConfigError, match="script"):
            script(config)
        return
    tree = ast.parse(script(config))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    modules = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in imports
        for alias in node.names
    }
    assert {module.split(".")[0] for module in modules} <= ALLOWED
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert {name.split(".")[0] for name in names} <= used  # nothing is imported for nothing


def test_only_the_branch_in_use_is_shown():
    clip = script(PRESETS["ring-wgan-clip"].config)
    gp = script(PRESETS["ring-wgan-gp"].config)
    assert "clip_weights" in clip
    assert "penalty" not in clip
    assert "RMSprop" in clip
    assert "penalty" in gp
    assert "clip_weights" not in gp
    assert "λ E[(‖∇D(x̂)‖ − k)²]" in gp
    assert "softplus" not in clip + gp
    assert "averaged" in gp
    assert "averaged" not in clip


@pytest.mark.parametrize(
    "fields",
    [
        {"data": "folder", "folder": "0" * 64, "output": "tanh"},
        {"data": "hub:owner/pictures", "output": "tanh"},
        {"data": "points", "points": [[0, 0]] * (MAX_POINTS + 1)},
        {"data": "digits", "network": "resnet", "output": "tanh"},
        {"fakes": "noisy_real"},
        {"faults": ["sign_flipped"]},
        {"freeze_g": True},
        {"precision": "bfloat16"},
    ],
)
def test_what_cannot_be_a_script_is_refused_in_one_sentence(fields: dict[str, Any]):
    why = refusal(ExperimentConfig().replace(fields))
    assert why is not None
    assert why.endswith(".")
    assert "\n" not in why


def test_as_many_points_as_it_takes_still_fit():
    config = ExperimentConfig(
        data="points",
        points=((1.23456, -2.34567),) * MAX_POINTS,
        constraint="gp_onesided",
        norm_g="batch",
        norm_d="layer",
        ema=0.9,
    )
    events = [Event(i, "change", "a change") for i in range(9)]
    lines = script(config, events=events).splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= 100


def test_changes_on_the_way_are_told_and_cannot_break_out_of_the_comment():
    events = [Event(10 * i, "change", f"change {i}") for i in range(1, 9)]
    events.append(Event(99, "change", 'x """\nimport os\\'))
    text = script(PRESETS["ring-gan"].config, events=events, file='"""; import os')
    tree = ast.parse(text)
    told = ast.get_docstring(tree) or ""
    assert "step 80: change 8" in told
    assert "3 earlier changes" in told
    assert "import os" in told
    assert not any(
        alias.name == "os"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    )


def alone(text: str, folder: Path, *words: str) -> str:
    """What a script prints in a process of its own that cannot see this project."""
    path = folder / "run.py"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(path), *words],
        cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def modes_of(printed: str) -> int:
    (modes,) = re.findall(r"^modes (\d+) of \d+ ", printed, re.MULTILINE)
    return int(modes)


def ours(preset: str, steps: int, capsys: Capture) -> int:
    capsys.readouterr()
    words = ["train", preset, "--steps", str(steps), "--device", "cpu", "--json"]
    assert cli.main(words) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])["modes"]


def test_a_script_alone_covers_the_modes_that_we_do(tmp_path: Path, capsys: Capture):
    text = script(PRESETS["digits-wgan-gp"].config, steps=2000)
    printed = alone(text, tmp_path, "--steps", "120", "--seed", "1")
    expected = ours("digits-wgan-gp", 120, capsys)
    assert "step 120:" in printed
    assert expected >= 5  # there is something to agree on
    assert abs(modes_of(printed) - expected) <= 1


LONG = {
    "ring-gan": 3000,
    "ring-wgan-clip": 1500,
    "ring-wgan-gp": 1500,
    "grid-wgan-gp": 3000,
    "digits-wgan-gp": 1000,
}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("preset", list(LONG))
def test_a_long_script_alone_covers_the_modes_that_we_do(
    preset: str, tmp_path: Path, capsys: Capture
):
    steps = LONG[preset]
    printed = alone(script(PRESETS[preset].config), tmp_path, "--steps", str(steps))
    expected = ours(preset, steps, capsys)
    print(f"{preset}: {modes_of(printed)} modes alone, {expected} ours, {steps} steps")
    assert abs(modes_of(printed) - expected) <= 1


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
        saved = run.capture()
        taken.append(Snapshot(saved.steps, saved.view, saved.measures))
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
