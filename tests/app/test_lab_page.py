"""The pages as a whole, the run bar, and the views of a run's past."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import live_parts
import pytest
from lab_app import POINTS, ROOT, TABS, LabApp, covers, wait_for
from streamlit.testing.v1 import AppTest

from wgan.config import LIVE_FIELDS, ConfigError
from wgan.constraints import CONSTRAINTS
from wgan.live.lab import status_line
from wgan.objectives import OBJECTIVES
from wgan.presets import PRESETS
from wgan.runs.run import Run
from wgan.server.registry import lab
from wgan.ui.words import sections

PAGES = ("lab", "critic", "compare", "gallery", "duel", "guide")


@pytest.mark.parametrize("script", ["wgan/ui/main.py", *(f"pages/{name}.py" for name in PAGES)])
def test_every_page_stands_on_its_own(script: str):
    at = AppTest.from_file(str(ROOT / script), default_timeout=60).run()
    assert not at.exception
    assert len(at.main.children) > 2


def test_the_first_visit_makes_one_playing_run_of_the_collapsing_gan():
    app = LabApp(None)
    assert lab().ids() == [app.id]
    assert app.run.config == PRESETS["digits-gan"].config
    wait_for(lambda: app.run.frame.step > 0)
    app.redraw()
    assert app.run.state == "playing"
    assert app.widget("play").label == "Pause"
    assert app.notices() == []
    assert lab().ids() == [app.id]


def test_another_tab_with_the_address_finds_the_same_run(points: LabApp):
    points.step()
    other = AppTest.from_file(str(ROOT / LabApp.script), default_timeout=60)
    other.query_params["run"] = points.id
    other.run()
    assert not other.exception
    assert lab().ids() == [points.id]
    assert "step 1" in live_parts.text(live_parts.blocks(other, "status_line"))


def test_a_preset_in_the_address_starts_it():
    at = AppTest.from_file(str(ROOT / LabApp.script), default_timeout=60)
    at.query_params["preset"] = "ring-wgan-gp"
    at.run()
    assert not at.exception
    (id,) = lab().ids()
    run = lab().get(id)
    assert run is not None
    assert run.config == PRESETS["ring-wgan-gp"].config
    assert at.query_params == {"run": id}


def test_the_guide_explains_every_objective_and_constraint():
    at = AppTest.from_file(str(ROOT / "pages/guide.py"), default_timeout=60).run()
    shown = " ".join(latex.value for latex in at.latex)
    assert set(sections("objectives_each")) == set(OBJECTIVES)
    assert set(sections("constraints_each")) == set(CONSTRAINTS)
    for objective in OBJECTIVES.values():
        assert objective.critic_equation in shown
        assert objective.generator_equation in shown
    for constraint in CONSTRAINTS.values():
        assert constraint.equation in shown


def test_every_live_field_has_a_label_and_one_line_of_help():
    for field in LIVE_FIELDS:
        name, _, help_text = sections("controls")[field].partition("\n")
        assert name
        assert help_text.strip()


# The run bar ----------------------------------------------------------------------------------


@covers("play")
def test_play_and_pause(points: LabApp):
    assert points.widget("play").label == "Play"
    points.click("play")
    points.settle("playing")
    assert points.widget("play").label == "Pause"
    at_first = points.run.frame.step
    wait_for(lambda: points.run.frame.step > at_first)
    points.click("play")
    points.settle("paused")
    assert points.widget("play").label == "Play"


@covers("step_both", "step_critic", "step_generator")
def test_step_buttons_make_one_update_and_pause(points: LabApp):
    points.step("both")
    assert points.run.frame.step == 1
    assert points.run.events == ()
    points.step("critic")
    points.step("generator")
    assert [event.update for event in points.run.events] == ["critic", "generator"]
    assert points.run.state == "paused"


@covers("reset")
def test_reset_begins_again_with_the_settings_on_screen(points: LabApp):
    points.set("set_lr_g", 0.5)
    points.step()
    points.click("reset")
    wait_for(lambda: points.run.events == () and points.run.frame.state == "playing")
    points.redraw()
    assert points.run.config.lr_g == 0.5
    assert points.widget("set_lr_g").value == 0.5


@covers("speed")
def test_slow_motion_shows_the_stages_of_a_step(points: LabApp):
    points.set("speed", "Slow motion")
    assert points.run.slow == 0.7
    points.click("play")
    wait_for(lambda: points.run.frame.stage is not None)
    assert "▸" in points.part("stages")
    term = re.search(r'data-term="(\w+)"', live_parts.html(live_parts.blocks(points.at, "stages")))
    assert term is not None
    (shown,) = points.at.container(key=f"equation_{term[1]}").latex  # the stylesheet hides the rest
    assert r"\textcolor" in shown.value
    points.set("speed", "Very slow")
    assert points.run.slow == 2.0
    points.set("speed", "Full speed")
    assert points.run.slow is None


@covers("preset")
def test_a_preset_starts_a_new_run_and_says_so(points: LabApp):
    old = points.id
    assert "starts a new run" in points.widget("preset").label
    assert points.widget("preset").options == [preset.title for preset in PRESETS.values()]
    points.set("preset", "ring-lsgan")
    assert points.id != old
    assert points.run.config == PRESETS["ring-lsgan"].config
    assert points.widget("preset").value == "ring-lsgan"
    assert lab().get(old) is not None


@covers("seed")
def test_a_seed_starts_a_new_run_and_says_so(points: LabApp):
    old = points.id
    assert "starts a new run" in points.widget("seed").label
    points.set("seed", 7)
    assert points.id != old
    assert points.run.config == POINTS.replace({"seed": 7})
    assert points.widget("seed").value == 7


def test_a_refused_change_shows_one_sentence_and_keeps_the_run(
    points: LabApp, monkeypatch: pytest.MonkeyPatch
):
    def refuse(run: Run, changes: object) -> None:
        raise ConfigError("objective is 'lsgan'; allowed: *wgan*, _today_.")

    old = points.id
    monkeypatch.setattr(Run, "apply", refuse)
    points.set("switch_objective", "lsgan")
    assert points.id == old
    assert points.run.config == POINTS
    assert points.widget("switch_objective").value == "wgan"
    (sentence,) = points.notices()
    assert sentence == "objective is 'lsgan'; allowed: *wgan*, _today_."
    shown = points.at.container(key="notices").warning[0].value
    assert r"\*wgan\*\, \_today\_" in shown  # as it was said, not as Markdown
    points.redraw()
    assert points.notices() == []


# Looking --------------------------------------------------------------------------------------


def _visible(app: LabApp) -> set[str]:
    """The kinds of traces that are drawn over the samples."""
    traces = app.chart("samples")["data"]
    return {trace["uid"] for trace in traces if trace.get("visible", True) is True}


@covers("layers")
def test_each_layer_can_be_switched_off(points: LabApp):
    everything = _visible(points)
    assert "surface" in everything
    gone = {}
    for layer in ("surface", "manifold", "arrows"):
        points.set("layers", [name for name in ("surface", "manifold", "arrows") if name != layer])
        gone[layer] = everything - _visible(points)
        assert gone[layer]
    assert gone["surface"] == {"surface"}
    assert sum(map(len, gone.values())) == len(set().union(*gone.values()))
    points.set("layers", [])
    assert _visible(points) == everything - set().union(*gone.values())


@covers("look_back")
@pytest.mark.parametrize("kind", ["points", "images"])
def test_looking_back_shows_the_samples_of_then(kind: str, request: pytest.FixtureRequest):
    app: LabApp = request.getfixturevalue(kind)

    def samples() -> Any:
        if kind == "points":
            return app.chart("samples")
        generated, real = app.pictures("samples")
        assert real["alt"] == "Real samples"
        return generated["raw"]

    app.set("set_lr_g", 0.5)
    first = samples()
    for _ in range(3):
        app.step()
    assert samples() != first
    app.set("look_back", 0)
    then = samples()
    if kind == "points":
        assert "Points and critic as at step 0 of 3" in then["note"]
        assert then["data"] == first["data"]
    else:
        assert then == first
        assert "as they were at step 0 of 3" in app.pictures("samples")[0]["note"]
    app.set("look_back", 100)
    assert samples() != first


@covers("smoothing")
def test_smoothing_puts_the_curves_through_a_median(points: LabApp):
    points.open_tab("More curves")
    points.click("play")
    wait_for(lambda: points.run.frame.step > 40)
    points.click("play")
    points.settle("paused")
    rough = points.chart("curve_main")
    more = points.chart("curve_more", "losses")
    points.set("smoothing", 51)
    assert points.chart("curve_more", "losses") != more
    assert points.chart("curve_main") != rough
    points.set("smoothing", 1)
    assert points.chart("curve_main") == rough


def test_the_curves_carry_a_marker_for_each_change(points: LabApp):
    points.step()
    points.set("switch_objective", "lsgan")
    wait_for(lambda: points.run.frame.events)
    points.redraw()
    layout = points.chart("curve_main")["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [1]
    assert "LSGAN" in layout["annotations"][0]["text"]


# What others do -------------------------------------------------------------------------------


def changed(app: LabApp) -> bool:
    """Whether the page is made of something else by now than when it was drawn."""
    return live_parts.state(app.mounted("wgan-page")["channel"])["changed"]


def test_training_alone_never_has_the_page_drawn_again(points: LabApp):
    points.click("play")
    points.settle("playing")
    assert not changed(points)
    step = points.run.frame.step
    wait_for(lambda: points.run.frame.step > step + 100)
    assert not changed(points)


OTHERS: dict[str, Callable[[Run], object]] = {
    "a setting": lambda run: run.apply({"critic_steps": 9}),
    "a switch": lambda run: run.apply({"objective": "lsgan"}),
    "play": Run.play,
    "slow motion": lambda run: run.slow_down(0.7),
    "the controls": lambda run: setattr(run.access, "open", False),
    "uploads": lambda run: setattr(run.access, "locked", True),
    "a poll": lambda run: run.access.ask("What now?", ["this", "that"]),
    "an alarm with its button": lambda run: run.apply({"norm_d": "batch"}),
    "that it ends": lambda run: lab().close(run.id),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_others_change_has_the_page_drawn_again(what: str, points: LabApp):
    assert not changed(points)
    OTHERS[what](points.run)
    wait_for(lambda: changed(points))
    points.redraw()
    wait_for(lambda: points.redraw() or not changed(points))  # frames follow the wish


def test_votes_come_without_drawing_the_page(points: LabApp):
    points.run.access.ask("What now?", ["this", "that"])
    points.redraw()
    assert not changed(points)
    assert "0 votes" in points.part("votes")
    points.run.access.vote("somebody", 1)
    assert "1 vote" in points.part("votes")
    assert not changed(points)


# When something goes wrong --------------------------------------------------------------------


def test_a_run_that_cannot_begin_says_why(open_lab: Callable[..., LabApp]):
    app = open_lab(POINTS.replace({"device": "cuda"}))
    assert app.run.state == "failed"
    assert any("cuda" in error.value.lower() for error in app.at.error)


def test_a_run_that_blows_up_says_so_and_can_go_on(open_lab: Callable[..., LabApp]):
    app = open_lab(POINTS.replace({"objective": "wgan", "constraint": "none", "lr_d": 10.0}))
    app.set("switch_optimizer", "sgd")
    app.click("play")
    app.settle("failed")
    assert len(app.at.error) == 1
    assert "Stopped at step" in app.at.error[0].value
    app.set("switch_optimizer", "adam")
    app.set("set_lr_d", 1e-5)
    app.click("play")
    app.settle("playing")
    assert not app.at.error


def test_a_run_that_has_left_is_replaced_with_a_sentence(points: LabApp):
    old = points.id
    lab().close(old)
    points.redraw()
    assert points.id != old
    (sentence,) = points.notices()
    assert "There is no run" in sentence


def test_the_status_says_how_fast_it_goes_and_how_many_runs_share_the_machine(points: LabApp):
    playing = replace(points.run.frame, state="playing")
    assert "3 runs share this CPU" in status_line(playing, slow=False, sharing=3)
    assert "share" not in status_line(playing, slow=False)
    assert "steps/s" in status_line(playing, slow=False)
    assert "slow motion" in status_line(playing, slow=True)


def test_all_tabs_open(points: LabApp):
    assert tuple(tab.label for tab in points.at.tabs) == TABS
    for name in TABS:
        points.open_tab(name)
