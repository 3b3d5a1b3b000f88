"""The page Critic: every section, every control, and what stands there when there is nothing."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any

import live_parts
import numpy as np
import pytest
import streamlit as st
from lab_app import IMAGES, POINTS, LabApp, wait_for

from wgan.config import ExperimentConfig
from wgan.live.critic import BATCHES, SECTIONS
from wgan.live.table import PARTS
from wgan.plots import OVERLAYS
from wgan.presets import PRESETS
from wgan.server.registry import lab
from wgan.server.stream import source
from wgan.studies import experiments
from wgan.types import Anatomy
from wgan.ui import compare, shell
from wgan.ui.critic.experiments import offer
from wgan.ui.words import sections

FIGURES = {
    "surface": ("value", "landscape"),
    "layers": ("layers",),
    "weights": ("weights",),
    "slopes": ("slopes",),
    "truth": ("curve_truth", "curve_js"),
    "overfitting": ("curve_overfitting",),
    "anatomy": ("step", "norms"),
}
INSPECTED = ("layers", "weights", "slopes", "anatomy")
TITLES = {key: sections("critic")[key].partition("\n")[0] for key in SECTIONS}


class CriticApp(LabApp):
    """The page on one run, with one section open."""

    script = "pages/critic.py"

    def look(self, section: str) -> None:
        """Opens a section and waits until it is there."""
        self.at.session_state["critic_tab"] = TITLES[section]
        self.redraw()
        if section in INSPECTED and self.run.frame.state != "failed":
            wait_for(self.is_measured)

    def is_measured(self) -> bool:
        """Watches the open section, as the stream does; whether it has been measured."""
        channel = self.mounted(self.place)["channel"]
        source(PARTS, channel).urgent()
        return not any("wgan-progress" in b.get("html", "") for b in self.blocks())

    @property
    def place(self) -> str:
        """The key of the open section."""
        (found,) = (key for key in live_parts.places(self.at) if key.startswith("critic_"))
        return found

    def blocks(self) -> live_parts.Blocks:
        return live_parts.blocks(self.at, self.place)

    def figures(self) -> set[str]:
        return set(live_parts.charts(self.blocks()))

    def data(self, name: str) -> dict[str, Any]:
        return self.chart(self.place, name)

    def numbers(self) -> str:
        """The figures in the row above the charts, as HTML."""
        (found,) = (b["html"] for b in self.blocks() if "wgan-numbers" in b.get("html", ""))
        return found

    def told(self) -> str:
        """Why there is nothing to see."""
        (block,) = self.blocks()
        assert "wgan-empty" in block["html"]
        return live_parts.text([block])


@pytest.fixture
def points() -> CriticApp:
    return CriticApp(POINTS)


@pytest.fixture
def images() -> CriticApp:
    return CriticApp(IMAGES.replace({"limit": 100}))


def values(array: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(array["bdata"]), "<f4")


@pytest.mark.parametrize("section", SECTIONS)
def test_only_the_open_section_is_drawn_and_inspected(points: CriticApp, section: str):
    points.look(section)
    expected = set() if section == "overfitting" else set(FIGURES[section])
    assert points.figures() == expected
    # The first section was open before.
    assert {wish.section for wish in points.run.frame.inspections} <= {section}
    assert TITLES[section] in [tab.label for tab in points.at.tabs]
    assert points.run.events == ()


def test_the_page_opens_with_a_figure(points: CriticApp, images: CriticApp):
    assert points.place == "critic_surface"
    assert images.place == "critic_anatomy"
    assert images.at.tabs[0].label == TITLES["anatomy"]  # in sight on a phone


def test_images_have_every_section_but_the_surface(images: CriticApp):
    images.look("surface")
    assert images.figures() == set()
    assert "2-D" in images.told()
    for section in ("layers", "weights", "slopes"):
        images.look(section)
        assert images.figures() == set(FIGURES[section])
    images.look("anatomy")
    assert images.figures() == {"norms"}
    (picture,) = live_parts.pictures(images.blocks())
    assert picture["alt"].startswith("Rows: real images, interpolates, generated images")
    assert picture["count"] == 3 * picture["columns"]
    images.look("truth")
    assert images.figures() == set(FIGURES["truth"])
    assert "by their classes" in images.part(images.place)
    images.look("overfitting")
    assert images.figures() == {"curve_overfitting", "curve_losses_apart"}
    assert "100 images" in images.numbers()


def test_the_numbers_are_the_runs(points: CriticApp):
    points.look("truth")
    metrics = points.run.frame.metrics
    assert metrics is not None
    assert metrics.w1 is not None
    assert f"{metrics.w1:.3g}"[:4] in points.numbers()
    assert "ceiling log 2 = 0.693" in points.numbers()
    points.look("slopes")
    for word in ("Interpolates", "Real", "Generated", "95%", "largest"):
        assert word in points.numbers()


def test_the_clip_shows_in_the_weights():
    app = CriticApp(POINTS.replace({"constraint": "clip", "clip_value": 0.02}))
    app.look("weights")
    assert "±c = ±0.02" in app.numbers()
    assert [shape["x0"] for shape in app.data("weights")["layout"]["shapes"]] == [
        -0.02,
        0.02,
    ]


def test_the_bars_are_the_norms_of_the_step(points: CriticApp):
    points.look("anatomy")
    (found,) = points.run.frame.inspections.values()
    assert isinstance(found, Anatomy)
    (bars,) = points.data("norms")["data"]
    assert values(bars["y"]) == pytest.approx(found.norms, abs=1e-6)
    assert len(points.data("step")["data"]) == 6


# The controls: every one is named here, and tested below.
CONTROLS = {
    "critic_tab",
    "critic_smoothing",
    "critic_another",
    "critic_data",
    "critic_beside",
    *(f"critic_experiment_{number}" for number in range(4)),
}


def test_every_control_of_the_page_is_known(points: CriticApp):
    found = set()
    for section in SECTIONS:
        points.look(section)
        found |= {key for key in points.widgets() if not key.startswith("wgan")}
    assert {key for key in found if key.startswith("critic")} | {"critic_tab"} == CONTROLS
    assert not {key for key in found if not key.startswith("critic")} - set(TITLES.values())


def test_another_batch_shows_other_samples_and_changes_nothing(points: CriticApp):
    points.look("anatomy")
    before = points.data("step")
    points.redraw()
    assert points.data("step") == before
    points.click("critic_another")
    wait_for(points.is_measured)
    assert points.data("step") != before
    assert (points.run.frame.step, points.run.events) == (0, ())
    points.at.session_state["critic_batch"] = BATCHES - 1
    points.click("critic_another")
    assert points.at.session_state["critic_batch"] == 0


def test_a_hundred_digits_are_a_new_run(points: CriticApp):
    old = points.id
    points.look("overfitting")
    assert "all of it is held out" in points.told()
    assert points.widget("critic_experiment_0").label == "Train on 100 digits only"
    points.click("critic_experiment_0")
    assert points.id != old
    assert points.run.config == PRESETS["digits-wgan-gp"].config.replace({"limit": 100})
    wait_for(lambda: points.run.frame.metrics is not None)
    points.redraw()
    wait_for(lambda: points.figures() == {"curve_overfitting"})
    assert points.widget("critic_experiment_0").disabled
    assert not points.widget("critic_experiment_1").disabled
    assert lab().get(old) is not None


def test_the_papers_critics_are_the_figures(points: CriticApp):
    points.look("surface")
    points.set("critic_data", "grid25")
    points.click("critic_experiment_1")
    assert points.run.config == experiments.surface("grid25", "gp")
    assert points.run.config.fakes == "noisy_real"
    wait_for(lambda: points.run.frame.step > 0)
    points.redraw()
    assert points.figures() == set(FIGURES["surface"])
    assert points.widget("critic_experiment_1").disabled
    points.run.pause()
    points.look("layers")
    points.click("critic_experiment_2")
    points.run.pause()
    assert points.run.config == experiments.layers("clip_0.001")
    points.look("layers")
    assert len(values(points.data("layers")["data"][0]["y"])) == 12
    points.look("weights")
    points.click("critic_experiment_0")
    points.run.pause()
    assert points.run.config == experiments.weights("clip")


@pytest.mark.parametrize("section", ["surface", "layers", "weights"])
def test_the_papers_critics_stand_side_by_side(
    points: CriticApp, section: str, monkeypatch: pytest.MonkeyPatch
):
    went: list[tuple[str, Mapping[str, str]]] = []

    def go_to(file: str, query: Mapping[str, str]) -> None:  # AppTest cannot; the browser test does
        went.append((file, query))
        st.stop()

    points.look(section)
    monkeypatch.setattr(shell, "go_to", go_to)
    points.click("critic_beside")
    ((file, query),) = went
    runs = [run for id in query["runs"].split(",") if (run := lab().get(id))]
    for run in runs:
        run.pause()
    offered = offer(section)
    assert offered is not None
    assert file == "compare.py"
    assert [run.config for run in runs] == list(offered.configs.values())
    assert points.at.session_state[compare.CURVES] == list(offered.curves)
    assert set(offered.curves) <= set(OVERLAYS)


def test_what_is_refused_is_one_sentence(points: CriticApp, monkeypatch: pytest.MonkeyPatch):
    points.look("layers")
    old = points.id
    refused = dataclasses.replace(lab().limits, max_parameters=5000)
    monkeypatch.setattr(lab(), "limits", refused)
    points.click("critic_experiment_3")
    assert points.id == old
    (sentence,) = points.notices()
    assert "parameters" in sentence


def test_all_digits_leave_none_out():
    app = CriticApp(IMAGES)
    app.look("overfitting")
    assert "none are held out" in app.told()


def test_smoothing_smooths(points: CriticApp):
    lab_page = points.run
    lab_page.stop_after(40)
    lab_page.play()
    wait_for(lambda: lab_page.frame.step >= 40 and lab_page.state == "paused")
    points.look("truth")
    rough = points.data("curve_truth")
    points.set("critic_smoothing", 51)
    assert points.data("curve_truth") != rough
    points.set("critic_smoothing", 1)
    assert points.data("curve_truth") == rough


# When there is nothing to see.


def test_a_run_that_could_not_begin_says_so_in_every_section():
    config = IMAGES.replace({"data": "folder", "folder": "0" * 64})
    app = CriticApp(config)
    for section in SECTIONS:
        app.at.session_state["critic_tab"] = TITLES[section]
        app.redraw()
        assert app.figures() == set()
        assert app.told()
        assert len(app.at.error) == 1


def test_a_watcher_may_look_and_a_new_address_makes_a_run():
    owned = CriticApp(POINTS, secret="own")
    owned.look("anatomy")
    assert not owned.widget("critic_another").disabled
    assert owned.figures() == set(FIGURES["anatomy"])
    app = CriticApp(None)
    assert app.run.config == PRESETS["digits-gan"].config


def test_the_smallest_critic_has_no_hidden_layer_but_one():
    app = CriticApp(
        ExperimentConfig(**{**IMAGES.to_dict(), "network": "dcgan", "width": 4, "points": ()})
    )
    app.look("layers")
    assert app.figures() == {"layers"}
