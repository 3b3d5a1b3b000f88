"""The doctor's line on the lab page: it says what is ill, and its buttons try the remedy."""

from __future__ import annotations

from collections.abc import Callable

import live_parts
import pytest
from lab_app import POINTS, LabApp, covers, wait_for

from wgan.server.registry import lab
from wgan.ui import runbar
from wgan.ui.words import plain

ILL = POINTS.replace({"norm_d": "batch"})
BURSTING = POINTS.replace({"constraint": "none", "optimizer": "sgd", "lr": 10.0})


def test_a_healthy_run_has_a_quiet_line_and_no_button(points: LabApp):
    (line,) = points.at.container(key="doctor").caption
    assert line.value == plain(runbar.about(points.run))
    assert "doctor_line" not in live_parts.places(points.at)
    assert not points.has("doctor_try")


@covers("doctor_try", "try_batch_norm")
@pytest.mark.parametrize("button", ["doctor_try", "try_batch_norm"])
def test_the_button_tries_the_remedy_and_the_alarm_goes(
    button: str, open_lab: Callable[..., LabApp]
):
    app = open_lab(ILL)
    assert "BatchNorm under a penalty" in app.part("doctor_line")
    assert "LayerNorm" in app.part("doctor_details")
    assert not any("BatchNorm" in sentence for sentence in app.advice())  # not said twice
    assert app.widget(button).help.endswith("It changes critic BatchNorm → LayerNorm.")
    app.click(button)
    assert app.run.config == ILL.replace({"norm_d": "layer"})
    wait_for(lambda: app.run.frame.config.norm_d == "layer")
    app.redraw()
    assert "doctor_line" not in live_parts.places(app.at)
    assert not app.has(button)


def test_the_line_comes_and_goes_with_the_switch(points: LabApp):
    points.set("switch_norm_d", "batch")
    wait_for(lambda: points.run.frame.config.norm_d == "batch")
    points.redraw()
    assert "▲ BatchNorm" in points.part("doctor_line")
    assert points.run.config.norm_d == "batch"  # allowed all the same


def test_who_may_not_control_may_not_try(open_lab: Callable[..., LabApp]):
    owner = open_lab(ILL, secret="own", owner="own")
    watcher = open_lab(None, run=owner.id)
    assert "BatchNorm" in watcher.part("doctor_line")
    for key in ("doctor_try", "try_batch_norm"):
        assert watcher.widget(key).disabled
        owner.run.access.open = True
        watcher.redraw()
        assert not watcher.widget(key).disabled
        owner.run.access.open = False
        watcher.click(key)  # drawn while it was still allowed
        assert watcher.run.config == ILL
        assert any("Only its owner" in notice for notice in watcher.notices())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_run_that_blew_up_goes_on_with_the_remedy(open_lab: Callable[..., LabApp]):
    app = open_lab(BURSTING, playing=True)
    app.settle("failed")
    assert "The numbers blew up" in app.part("doctor_line")
    broken = app.run.frame.step
    app.click("doctor_try")
    wait_for(lambda: app.run.frame.step > broken and app.run.frame.state == "playing")
    assert app.run.config.constraint == "gp"
    assert lab().get(app.id) is app.run
