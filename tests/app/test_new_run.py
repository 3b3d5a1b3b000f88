"""What starts another run: the form of structural fields, a drawing, an uploaded config."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from lab_app import IMAGES, POINTS, LabApp, covers, wait_for

from wgan.cli import main
from wgan.config import (
    STRUCTURAL_FIELDS,
    WIDTHS,
    ExperimentConfig,
    from_json,
    parse_assignment,
)
from wgan.server.registry import lab
from wgan.zoo.checkpoint import zip_of_run
from wgan.zoo.upload import open_upload

START = "Start a new run"


def _submit(app: LabApp, values: dict[str, Any]) -> None:
    """Fills the form and sends it."""
    for field, value in values.items():
        app.widget(f"new_{field}_{app.id}").set_value(value)
    (button,) = (b for b in app.at.button if b.label == START)
    button.click()
    app.redraw()


# (base, what is filled in, what the new run's config is to have)
CONV = {"network": "dcgan", "width": 8, "image_size": 8}
FORM: list[tuple[ExperimentConfig, dict[str, Any]]] = [
    *((POINTS, {"data": name}) for name in ("grid25", "swissroll", "moons", "spiral", "twolines")),
    (IMAGES, {"network": "dcgan"}),
    (IMAGES, {"network": "resnet"}),
    (IMAGES.replace(CONV), {"network": "mlp"}),
    *((POINTS, {"activation": name}) for name in ("leaky_relu", "tanh", "elu", "softplus", "silu")),
    (IMAGES, {"output": "linear"}),
    (IMAGES, {"output": "sigmoid"}),
    (POINTS, {"width": 12}),
    (POINTS, {"depth": 2}),
    (POINTS, {"widths_g": "12, 16"}),
    (POINTS, {"widths_d": "[12]"}),
    (POINTS, {"maxout_d": 2}),
    (POINTS, {"latent_dim": 3}),
    (POINTS, {"latent": "uniform"}),
    (POINTS, {"fakes": "noisy_real"}),
    (IMAGES, {"image_size": 16}),
    (POINTS, {"precision": "bfloat16"}),
    (POINTS, {"device": "cpu"}),
    (POINTS, {"seed": 5}),
    (IMAGES, {"limit": 500}),
    (IMAGES, {"data": "patches", "image_size": 16, "limit": 50}),
    (POINTS, {"data": "moons", "width": 12, "depth": 2, "latent": "uniform", "seed": 3}),
]


@covers(
    f"FormSubmitter:new_run-{START}", *(f"new_{field}" for _, values in FORM for field in values)
)
@pytest.mark.parametrize(
    ("base", "values"), FORM, ids=lambda v: str(v) if isinstance(v, dict) else ""
)
def test_each_field_of_the_form_starts_a_run_with_it(
    base: ExperimentConfig, values: dict[str, Any], open_lab: Callable[..., LabApp]
):
    app = open_lab(base)
    old = app.run
    app.open_tab("New run")
    _submit(app, values)
    assert app.run is not old
    given = (f"{name}={value}" for name, value in values.items() if name in WIDTHS)
    assert app.run.config == base.replace(values | dict(map(parse_assignment, given)))
    assert old.config == base
    assert app.notices() == []
    wait_for(lambda: app.run.state != "loading")
    assert app.run.state == "playing", app.run.frame.message


def test_the_form_has_every_structural_field_and_says_what_it_does(points: LabApp):
    points.open_tab("New run")
    fields = {key.removeprefix("new_") for key in points.widgets() if key.startswith("new_")}
    assert fields == set(STRUCTURAL_FIELDS) - {"points", "folder"}
    assert any("starts a new run" in caption.value for caption in points.at.caption)


def test_live_settings_go_along_into_the_new_run(points: LabApp):
    points.set("switch_objective", "hinge")
    changed = points.run.config
    assert changed.objective == "hinge"
    points.open_tab("New run")
    _submit(points, {"data": "moons"})
    assert points.run.config == changed.replace({"data": "moons"})


def test_from_points_to_images_takes_shapes_that_suit(points: LabApp):
    points.open_tab("New run")
    _submit(points, {"data": "digits", "seed": 9})
    config = points.run.config
    assert (config.data, config.output, config.image_size, config.seed) == ("digits", "tanh", 8, 9)
    assert config.gp_weight == 10.0
    wait_for(lambda: points.run.frame.step > 0)
    points.redraw()
    assert not points.has("layers")
    assert points.has("look_back")


def test_from_images_to_points_takes_shapes_that_suit(images: LabApp):
    images.open_tab("New run")
    _submit(images, {"data": "swissroll", "width": 16})
    config = images.run.config
    assert (config.data, config.output, config.network) == ("swissroll", "linear", "mlp")
    assert config.width == 16
    wait_for(lambda: images.run.frame.step > 0)
    images.redraw()
    assert images.has("layers")


@pytest.mark.parametrize(
    ("base", "values", "field"),
    [
        (POINTS, {"network": "dcgan"}, "network"),
        (POINTS, {"output": "sigmoid"}, "output"),
        (IMAGES, {"network": "resnet", "image_size": 28}, "image_size"),
        (IMAGES, {"network": "dcgan", "width": 512}, "width"),
        (IMAGES, {"network": "dcgan", "width": 8, "widths_g": "8"}, "widths_g"),
        (POINTS, {"widths_d": "12, many"}, "widths_d"),
    ],
)
def test_a_refused_form_shows_one_sentence_and_keeps_the_run(
    base: ExperimentConfig, values: dict[str, Any], field: str, open_lab: Callable[..., LabApp]
):
    app = open_lab(base)
    id = app.id
    app.open_tab("New run")
    _submit(app, values)
    assert app.id == id
    assert lab().ids() == [id]
    assert app.run.config == base
    (sentence,) = app.notices()
    assert f"{field} is " in sentence


# Draw and train -------------------------------------------------------------------------------


def _draw(app: LabApp, points: list[list[float]], revision: int = 0) -> None:
    app.at.session_state["pad"] = {"drawing": {"revision": revision, "points": points}}
    app.redraw()


@covers("pad", "train_on_drawing")
@pytest.mark.parametrize("kind", ["points", "images"])
def test_train_on_a_drawing(kind: str, request: pytest.FixtureRequest):
    app: LabApp = request.getfixturevalue(kind)
    old = app.id
    app.open_tab("Your own data")
    assert app.widget("train_on_drawing").disabled
    _draw(app, [[0.5, 1.0], [-1.0, 0.25]])
    app.click("train_on_drawing")
    assert app.id != old
    assert app.run.config.data == "points"
    assert app.run.config.points == ((0.5, 1.0), (-1.0, 0.25))
    assert (app.run.config.objective, app.run.config.constraint) == ("wgan", "gp")
    wait_for(lambda: app.run.frame.step > 0)
    app.redraw()
    assert app.notices() == []


@covers("clear_drawing")
def test_clearing_forgets_the_drawing(points: LabApp):
    points.open_tab("Your own data")
    _draw(points, [[0.5, 1.0]])
    assert not points.widget("train_on_drawing").disabled
    points.click("clear_drawing")
    assert points.widget("train_on_drawing").disabled
    assert points.mounted("pad")["points"] == []
    _draw(points, [[1.0, 1.0]], revision=1)
    assert not points.widget("train_on_drawing").disabled


def test_the_drawing_in_use_can_be_drawn_on(open_lab: Callable[..., LabApp]):
    drawn = POINTS.replace({"data": "points", "points": [[0, 1], [1, 0]]})
    app = open_lab(drawn)
    app.open_tab("Your own data")
    assert app.mounted("pad")["points"] == [[0, 1], [1, 0]]
    app.click("train_on_drawing")
    assert app.run.config == drawn
    app.open_tab("New run")
    assert app.widget(f"new_data_{app.id}").value == "points"


# Share ----------------------------------------------------------------------------------------


@covers("download_config", "upload_config")
def test_a_config_goes_down_and_up_again(points: LabApp):
    points.open_tab("Share and repeat")
    button = points.widget("download_config")
    assert not button.disabled
    text = points.run.config.to_json()
    assert from_json(text) == POINTS
    other = POINTS.replace({"data": "moons", "lr": 3e-4})
    old = points.id
    points.widget("upload_config").upload("mine.json", other.to_json().encode())
    points.redraw()
    assert points.id != old
    assert points.run.config == other
    assert points.notices() == []
    points.redraw()  # the file is still there: it must not start a run again
    assert points.run.config == other
    assert len(lab().ids()) == 2


@covers("download_checkpoint")
def test_the_generator_is_handed_out_while_it_trains(open_lab: Callable[..., LabApp]):
    app = open_lab(POINTS, playing=True)
    app.open_tab("Share and repeat")
    assert not app.widget("download_checkpoint").disabled
    saved = app.run.save().result(timeout=30)  # what the button's click asks for
    assert app.run.state == "playing"
    step = app.run.frame.step
    wait_for(lambda: app.run.frame.step > step)
    checkpoint = open_upload("mine.zip", zip_of_run(saved))
    assert checkpoint.steps == saved.steps
    assert checkpoint.experiment == app.run.first_config


def test_a_config_of_few_fields_takes_defaults(points: LabApp):
    points.open_tab("Share and repeat")
    points.widget("upload_config").upload("mine.json", b'{"lr": 0.01}')
    points.redraw()
    assert points.run.config == ExperimentConfig(lr_g=0.01, lr_d=0.01)


def test_the_command_line_repeats_the_run(points: LabApp, capsys: pytest.CaptureFixture[str]):
    points.step()
    points.step()
    points.set("switch_objective", "lsgan")
    wait_for(lambda: points.run.events and not points.run.active)
    points.step()
    points.open_tab("Share and repeat")
    line = points.part("repeat")
    assert line.startswith("python -m wgan train")
    words = shlex.split(line)[3:]
    assert main([*words, "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["step"] == 3
    assert result["config"] == points.run.config.to_dict()
    assert [event["step"] for event in result["events"]] == [2]


def test_the_command_line_after_a_reset_repeats_the_settings_on_screen(points: LabApp):
    points.set("set_critic_steps", 3)
    wait_for(lambda: points.run.events)
    points.click("reset")
    wait_for(lambda: not points.run.events and points.run.frame.state == "playing")
    points.open_tab("Share and repeat")
    line = points.part("repeat")
    assert "critic_steps=3" in line
