"""What the README, the docs and the cards claim: by steps, against the JSON, measured again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.cards import observer
from wgan.config import DATA, ExperimentConfig, choices
from wgan.data import load
from wgan.persistence.run_files import plain_figures
from wgan.presets import PRESETS, cure
from wgan.protocol.shipped import shipped
from wgan.protocol.table import markdown
from wgan.runs.evaluation import Evaluator
from wgan.studies import STUDIES
from wgan.trainer import Trainer
from wgan.zoo.bundled import FOLDER
from wgan.zoo.card import metric_rows

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
README = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
CARDS = sorted(path.parent.name for path in FOLDER.glob("*/config.json"))
NUMBERS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen")


def begun(config: ExperimentConfig) -> Evaluator:
    data = load(config, torch.device("cpu"))
    return Evaluator(Trainer(config, data), data)


def trained(observer: Evaluator, steps: int) -> int:
    """The modes that are covered after so many more steps."""
    for _ in range(steps):
        observer.trainer.step()
    modes = observer.measure().modes
    assert modes is not None
    return modes


# Seeds 0, 1 and 2 covered 8, 8, 8 modes at step 500 (0 at step 300), and 10, 10, 10 classes 225 to
# 250 steps after the cure; the digits' GAN covered none at steps 100 to 600.


def test_wgan_gp_covers_the_ring():
    assert trained(begun(PRESETS["ring-wgan-gp"].config.replace({"device": "cpu"})), 500) == 8


def test_the_digits_are_cured():
    config = PRESETS["digits-gan"].config.replace({"device": "cpu", "seed": 1})
    observer = begun(config)
    assert trained(observer, 300) <= 2
    observer.trainer.change(config.replace(cure(config)))
    assert trained(observer, 240) == 10


# Tables.


def test_the_table_of_modes_is_the_one_in_json():
    table = [line for line in markdown(shipped()).splitlines() if line.startswith("|")]
    assert "\n".join(table) in README
    assert len(table) > 10


def test_the_other_tables_name_what_is_there():
    lines = README.splitlines()
    first = [line.split("|")[1] for line in lines if line.startswith("| `")]
    names = {name for cell in first for name in cell.split("`")[1::2]}
    assert names >= set(STUDIES)
    assert names >= set(DATA) - {"points"}
    bugs = NUMBERS[len(choices("faults")) - 10]
    assert f"{bugs} deliberate bugs" in README


# Cards.


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * n.startswith("avatars")) for n in CARDS]
)
def test_a_card_says_what_is_measured_now(name: str):
    folder = FOLDER / name
    figures = json.loads((folder / "config.json").read_text())["figures"]
    found = plain_figures(observer(folder).measure())
    assert found.keys() == figures.keys()
    for figure, value in found.items():
        # On another processor a sample in a thousand falls on the other side.
        assert figures[figure] == pytest.approx(value, rel=0.01, abs=0.002), figure
    assert "\n".join(metric_rows(figures)) in (folder / "README.md").read_text(encoding="utf-8")
