"""Each switch and each setting in the sidebar does what it says to the run in progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lab_app import IMAGES, POINTS, LabApp, covers, wait_for

from wgan.config import SHORTHANDS, choices, diff
from wgan.objectives import OBJECTIVES
from wgan.presets import PRESETS, collapse, cure
from wgan.runs.run import Run
from wgan.server.registry import lab
from wgan.ui import runbar


def _fields(name: str) -> tuple[str, ...]:
    return SHORTHANDS.get(name, (name,))


# The story ------------------------------------------------------------------------------------


@covers("cure", "collapse")
@pytest.mark.parametrize("base", [POINTS.replace(collapse(POINTS)), IMAGES])
def test_cure_and_back(base: Any, open_lab: Callable[..., LabApp]):
    app = open_lab(base)
    id = app.id
    assert not app.has("collapse")
    assert "GAN → WGAN; no constraint → GP;" in app.widget("cure").help
    app.click("cure")
    assert app.run.config == base.replace(cure(base))
    assert (app.run.config.objective, app.run.config.constraint) == ("wgan", "gp")
    assert not app.has("cure")
    assert app.widget("switch_constraint").value == "gp"
    app.click("collapse")
    assert app.run.config.objective == "gan"
    assert app.run.config.constraint == "none"
    assert app.run.config.critic_steps == 1
    assert app.has("cure")
    assert app.id == id


def test_a_changed_run_is_no_preset_though_it_has_its_settings(open_lab: Callable[..., LabApp]):
    base = PRESETS["digits-gan"].config.replace({"seed": 3})
    app = open_lab(base)
    assert app.widget("preset").value == "digits-gan"
    app.click("cure")
    assert app.run.config == PRESETS["digits-wgan-gp"].config.replace({"seed": 3})
    assert app.widget("preset").value is None
    assert any("Began as" in caption.value for caption in app.at.caption)


def test_a_change_that_no_step_has_followed_yet_is_one():
    run = Run("test", PRESETS["digits-gan"].config, playing=False)
    run.prepare()
    assert runbar.about(run) == PRESETS["digits-gan"].about
    run.apply(cure(run.config))
    assert not run.events
    assert runbar.about(run) == f"Began as “{PRESETS['digits-gan'].title}”."


@covers("switch_objective", "switch_constraint", "switch_norm_d", "switch_optimizer")
@pytest.mark.parametrize(
    ("switch", "offered"),
    [
        ("objective", choices("objective")),
        ("constraint", choices("constraint")),
        ("norm_d", ("none", "batch", "layer")),
        ("optimizer", choices("optimizer_d")),
    ],
)
def test_each_segment_changes_the_run_in_progress(
    switch: str, offered: tuple[str, ...], points: LabApp
):
    id = points.id
    assert len(points.widget(f"switch_{switch}").options) == len(offered)
    for value in (*offered[1:], offered[0]):
        points.set(f"switch_{switch}", value)
        changed = {name: getattr(points.run.config, name) for name in _fields(switch)}
        assert changed == dict.fromkeys(_fields(switch), value)
        assert points.widget(f"switch_{switch}").value == value
    assert points.id == id
    wait_for(lambda: not points.run.active)
    assert len(points.run.events) >= len(offered) - 1


@covers("keep_rates")
def test_a_switch_brings_its_settings_and_one_button_puts_them_back(
    open_lab: Callable[..., LabApp],
):
    base = PRESETS["ring-gan"].config.replace({"width": 8, "depth": 1, "batch_size": 8})
    app = open_lab(base)
    assert app.widget("keep_rates").disabled
    app.set("set_lr_d", 0.05)
    wait_for(lambda: app.run.events)
    app.set("switch_objective", "wgan")
    assert app.run.config.optimizer_g == "rmsprop"
    assert (app.run.config.lr_g, app.run.config.lr_d) == (5e-5, 0.05)
    wait_for(lambda: len(app.run.frame.events) == 2)
    app.redraw()
    told = app.part("change_line")
    assert "GAN → WGAN" in told
    assert "generator rate 2e-3 → 5e-5" in told
    assert "left alone, set by hand: critic rate 0.05" in told
    app.click("keep_rates")
    assert app.run.config == base.replace({"objective": "wgan", "lr_d": 0.05})
    assert app.widget("keep_rates").disabled
    wait_for(lambda: len(app.run.events) == 3)
    app.set("switch_constraint", "gp")
    kept = {"lr_g": base.lr_g, "optimizer_g": "adam", "critic_steps": 1}
    assert {name: getattr(app.run.config, name) for name in kept} == kept
    assert app.run.config.beta1 == 0.5  # what was not put back still comes


def test_the_equation_follows_the_switches(points: LabApp):
    wait_for(lambda: not points.run.active)
    for objective in choices("objective"):
        points.set("switch_objective", objective)
        wait_for(lambda objective=objective: points.run.frame.config.objective == objective)
        points.redraw()
        assert OBJECTIVES[objective].critic_equation in points.equation()
    shown = set()
    for constraint in choices("constraint"):
        points.set("switch_constraint", constraint)
        wait_for(lambda constraint=constraint: points.run.frame.config.constraint == constraint)
        points.redraw()
        shown.add(points.equation())
        assert (r"\textcolor" in points.equation()) == (constraint != "none")
    assert len(shown) == len(choices("constraint"))


def test_a_value_set_elsewhere_joins_the_segments(open_lab: Callable[..., LabApp]):
    app = open_lab(POINTS.replace({"norm_d": "spectral"}))
    assert app.widget("switch_norm_d").value == "spectral"
    assert app.widget("switch_norm_d").options == ["None", "Batch", "Layer", "Spectral"]


# The sidebar ----------------------------------------------------------------------------------

# (widget's field, base settings, value to set)
SETTINGS: list[tuple[str, dict[str, Any], Any]] = [
    ("clip_value", {"constraint": "clip"}, 0.05),
    *(("gp_weight", {"constraint": name}, 20.0) for name in ("gp", "gp_onesided", "r1", "r2")),
    *(("gp_target", {"constraint": name}, 2.5) for name in ("gp", "gp_onesided")),
    *(("optimizer_d", {}, name) for name in ("rmsprop", "sgd")),
    *(("optimizer_g", {}, name) for name in ("rmsprop", "sgd")),
    ("optimizer_d", {"optimizer": "sgd"}, "adam"),
    ("optimizer_g", {"optimizer": "sgd"}, "adam"),
    ("lr_d", {}, 0.02),
    ("lr_g", {}, 1e-6),
    ("beta1", {}, 0.0),
    ("beta2", {"optimizer_d": "rmsprop"}, 0.999),
    ("critic_steps", {}, 7),
    ("generator_steps", {}, 2),
    ("shared_latents", {}, True),
    ("dropout_d", {}, 0.5),
    ("batch_size", {}, 32),
    ("ema", {}, 0.99),
    ("freeze_g", {}, True),
    ("freeze_d", {}, True),
    *(("norm_d", {}, name) for name in choices("norm_d")[1:]),
    *(("norm_g", {}, name) for name in choices("norm_g")[1:]),
    *(("faults", {}, [name]) for name in choices("faults")),
    ("faults", {"faults": ["raw_log"]}, []),
]


@covers(*(f"set_{field}" for field, _, _ in SETTINGS))
@pytest.mark.parametrize(
    ("field", "base", "value"), SETTINGS, ids=lambda v: v if isinstance(v, str) else None
)
def test_each_setting_changes_its_own_field_of_the_run(
    field: str, base: dict[str, Any], value: Any, open_lab: Callable[..., LabApp]
):
    config = POINTS.replace(base)
    app = open_lab(config)
    id = app.id
    app.set(f"set_{field}", value)
    expected = tuple(value) if isinstance(value, list) else value
    assert diff(config, app.run.config) == {field: (getattr(config, field), expected)}
    assert app.widget(f"set_{field}").value == value
    wait_for(lambda: app.run.events and not app.run.active)
    assert app.run.events[-1].changes == diff(config, app.run.config)
    assert app.id == id
    assert app.notices() == []


@pytest.mark.parametrize(
    ("base", "there", "not_there"),
    [
        ({"constraint": "none"}, [], ["clip_value", "gp_weight", "gp_target"]),
        ({"constraint": "clip"}, ["clip_value"], ["gp_weight", "gp_target"]),
        ({"constraint": "gp"}, ["gp_weight", "gp_target"], ["clip_value"]),
        ({"constraint": "gp_onesided"}, ["gp_weight", "gp_target"], ["clip_value"]),
        ({"constraint": "r1"}, ["gp_weight"], ["clip_value", "gp_target"]),
        ({"constraint": "r2"}, ["gp_weight"], ["clip_value", "gp_target"]),
        ({"optimizer": "rmsprop"}, [], ["beta1", "beta2"]),
        ({"optimizer_g": "sgd"}, ["beta1", "beta2"], []),
    ],
)
def test_only_settings_that_act_are_shown(
    base: dict[str, Any],
    there: list[str],
    not_there: list[str],
    open_lab: Callable[..., LabApp],
):
    app = open_lab(POINTS.replace(base))
    for field in there:
        assert app.has(f"set_{field}")
    for field in not_there:
        assert not app.has(f"set_{field}")


def test_a_value_between_the_rungs_is_shown_as_it_is(open_lab: Callable[..., LabApp]):
    app = open_lab(POINTS.replace({"lr_g": 3.3e-4, "batch_size": 100, "gp_weight": 3.0}))
    assert app.widget("set_lr_g").value == 3.3e-4
    assert app.widget("set_batch_size").value == 100
    assert app.widget("set_gp_weight").value == 3.0
    app.set("set_lr_d", 0.02)
    assert app.run.config.lr_g == 3.3e-4


def test_a_change_by_somebody_else_shows_here(points: LabApp):
    other = LabApp(None)
    mine = points.run
    other.at.query_params["run"] = points.id
    other.redraw()
    assert other.run is mine
    other.set("set_critic_steps", 9)
    points.redraw()
    assert points.widget("set_critic_steps").value == 9


def test_a_widget_whose_value_was_changed_elsewhere_is_replaced(points: LabApp):
    switch, mirrored = points.widget("switch_optimizer").key, points.widget("set_optimizer_d").key
    points.set("switch_optimizer", "rmsprop")
    assert points.widget("switch_optimizer").key == switch
    assert points.widget("set_optimizer_d").key != mirrored
    assert points.widget("set_optimizer_d").value == "rmsprop"


def test_a_late_message_of_a_replaced_widget_counts_for_nothing(points: LabApp):
    late = points.widget("set_lr_g")
    points.run.apply({"lr_g": 0.2})
    points.redraw()
    assert points.widget("set_lr_g").key != late.key
    message = points.at._tree.get_widget_states()
    message.widgets.append(late.set_value(0.5)._widget_state)
    points.at._run(message)
    assert points.run.config.lr_g == 0.2
    assert points.widget("set_lr_g").value == 0.2
    points.set("set_lr_g", 0.5)
    assert points.run.config.lr_g == 0.5


def test_a_number_out_of_range_changes_nothing(points: LabApp):
    for value in (0, 101):
        points.set("set_critic_steps", value)
        assert points.run.config == POINTS
        assert points.widget("set_critic_steps").value == POINTS.critic_steps


# Advice ---------------------------------------------------------------------------------------


def test_advice_on_momentum_with_clipping_comes_and_goes(points: LabApp):
    points.set("switch_constraint", "clip")  # it brings RMSProp
    assert not any("Momentum" in sentence for sentence in points.advice())
    points.set("switch_optimizer", "adam")
    assert any("Momentum" in sentence for sentence in points.advice())
    points.set("set_beta1", 0.0)
    assert not any("Momentum" in sentence for sentence in points.advice())


def test_settings_reach_the_networks(points: LabApp):
    points.set("switch_norm_d", "layer")
    points.set("set_freeze_g", True)
    wait_for(lambda: len(points.run.events) == 2 and not points.run.active)
    run = lab().get(points.id)
    assert run is not None
    assert "LayerNorm" in repr(run._loop.trainer.critic)
    before = [tensor.clone() for tensor in run._loop.trainer.generator.parameters()]
    points.step()
    after = list(run._loop.trainer.generator.parameters())
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
