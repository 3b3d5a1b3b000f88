"""The duel page under AppTest: every control, the empty state, a duel from start to end."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import live_parts
import pytest
from lab_app import wait_for
from streamlit.testing.v1 import AppTest

from wgan.server import duel as lab_duel
from wgan.server.duel import Duel, duels
from wgan.server.registry import lab
from wgan.studies.cells import METHODS, cell
from wgan.types import PointView
from wgan.words import format_3_digits

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_duels():
    duels.cache_clear()
    yield
    duels.cache_clear()


class DuelApp:
    def __init__(self, **query: str) -> None:
        self.at = AppTest.from_file(str(ROOT / "pages/duel.py"), default_timeout=60)
        for name, value in query.items():
            self.at.query_params[name] = value
        self.redraw()

    def redraw(self) -> None:
        self.at.run()
        assert not self.at.exception, self.at.exception

    def set(self, key: str, value: Any) -> None:
        self.widget(key).set_value(value)
        self.redraw()

    def widget(self, key: str) -> Any:
        (found,) = (node for node in self.at._tree if getattr(node, "key", None) == key)
        return found

    def widgets(self) -> set[str]:
        found = {getattr(node, "key", None) for node in self.at._tree}
        return {
            key
            for key in found
            if key and key.startswith("duel_") and key not in ("duel_form", "duel_heads")
        } - live_parts.places(self.at)

    def click(self, key: str) -> None:
        self.widget(key).click()
        self.redraw()

    @property
    def duel(self) -> Duel:
        id = self.at.query_params["duel"]
        assert isinstance(id, str)
        found = duels().get(id)
        assert found is not None
        return found

    def html(self) -> str:
        """The summary and all cells, in the page's order."""
        keys = [c.key for c in self.at.get("bidi_component") if c.key in live_parts.places(self.at)]
        return "\n".join(live_parts.html(live_parts.blocks(self.at, key)) for key in keys)

    def through(self) -> None:
        def over() -> bool:
            self.duel.tend()
            return self.duel.current is None

        wait_for(over, timeout=90)
        self.redraw()


def test_it_opens_with_a_duel_that_all_share():
    app = DuelApp()
    assert "0 of 2 runs" in app.html()
    assert "duel" not in app.at.query_params
    assert "duel_stop" not in app.widgets()
    assert "Fig. 2" in app.at.caption[0].value
    channel = live_parts.mounted(app.at, "duel_summary")["channel"]
    assert live_parts.mounted(DuelApp().at, "duel_summary")["channel"] == channel
    wait_for(lambda: "<img" in app.html())  # whoever looks on has it go on


def test_one_click_starts_ones_own():
    app = DuelApp()
    assert app.widget("duel_start").label == "Start 8 runs"
    app.click("duel_start")
    assert list(app.duel.cells) == [(row, m) for row in ("mlp", "deep") for m in METHODS]
    assert app.duel.cells["mlp", "gp"] == cell("mlp", "gp", "digits", 0)
    assert app.duel.steps == 200
    app.duel.stop()


def test_every_choice_arrives_and_the_cells_fill():
    app = DuelApp()
    app.set("duel_data", "ring8")
    app.set("duel_rows_ring8", ["narrow", "mlp"])
    app.set("duel_methods", ["clip", "gan"])
    app.set("duel_steps", 50)
    app.click("duel_start")
    duel = app.duel
    # In their own order, however they were clicked.
    pairs = [("mlp", "gan"), ("mlp", "clip"), ("narrow", "gan"), ("narrow", "clip")]
    assert list(duel.cells) == pairs
    assert duel.steps == 50
    app.through()
    html = app.html()
    assert "4 of 4 runs" in html
    assert html.count("<img") == 4
    modes = {key: outcome.modes for key, outcome in duel.outcomes.items()}
    shown = [int(found) for found in re.findall(r"<b>(\d+) / 8</b> modes", html)]
    assert shown == [modes[pair] for pair in pairs]
    if len(set(modes.values())) > 1:
        assert html.count("best-word") > 0
        assert html.count("worst-word") > 0
    assert "steps/s" in html
    distances = re.findall(r"W1 ([\d.]+)", html)
    assert distances == [
        format_3_digits(outcome.metrics.w1)
        for outcome in duel.outcomes.values()
        if outcome.metrics and outcome.metrics.w1
    ]
    assert len(distances) == 4
    assert lab().ids() == []


def test_samples_outside_the_picture_are_said():
    app = DuelApp()
    app.set("duel_data", "ring8")
    app.set("duel_rows_ring8", ["narrow"])
    app.set("duel_methods", ["gan"])
    app.set("duel_steps", 50)
    app.click("duel_start")
    app.through()
    assert "outside" not in app.html()
    ((key, outcome),) = app.duel.outcomes.items()
    assert isinstance(outcome.view, PointView)
    gone = dataclasses.replace(outcome.view, fake=outcome.view.fake + 100)
    app.duel._outcomes[key] = dataclasses.replace(outcome, view=gone)
    app.redraw()
    assert "most samples lie outside the picture" in app.html()


def test_a_reload_finds_the_duel_by_its_address():
    app = DuelApp()
    app.set("duel_data", "ring8")
    app.click("duel_start")
    again = DuelApp(duel=app.duel.id)
    assert again.duel is app.duel
    assert "runs" in again.html()
    # Another browser may look, and not stop it.
    assert "duel_stop" not in again.widgets()
    app.duel.stop()


def test_its_maker_stops_it():
    app = DuelApp()
    app.set("duel_data", "ring8")
    app.click("duel_start")
    app.click("duel_stop")
    assert app.duel.stopped
    assert "0 of 8 runs" in app.html()
    assert "stopped" in app.html()
    assert "waits" not in app.html()
    assert lab().ids() == []
    assert "duel_stop" not in app.widgets()


def test_nothing_chosen_starts_nothing():
    app = DuelApp()
    app.set("duel_methods", [])
    assert app.widget("duel_start").disabled
    assert app.widget("duel_start").label == "Choose a row and a method"


@pytest.mark.parametrize("id", ["gone", "<script>", "x" * 5000])
def test_an_unknown_address_says_so_once(id: str):
    app = DuelApp(duel=id)
    assert "not in memory" in app.at.warning[0].value
    app.redraw()
    assert len(app.at.warning) == 0


def test_every_widget_is_tested():
    app = DuelApp()
    app.click("duel_start")
    source = Path(__file__).read_text()
    for key in app.widgets():
        name = key.replace("digits", "ring8")
        assert json.dumps(name) in source, f"{key} has no test"
    app.duel.stop()


def test_old_duels_go_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lab_duel, "MAX_DUELS", 2)
    cells = {("mlp", "gp"): cell("mlp", "gp", "ring8", 0)}
    made = [duels().start(cells, 1, visitor=str(i)) for i in range(3)]
    assert [duels().get(duel.id) is duel for duel in made] == [False, True, True]
    assert made[0].stopped
