"""The doctor's line on the lab page: it says what is ill, and its buttons try the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from lab_app import POINTS, LabApp, covers, wait_for

from wgan.lab.registry import lab
from wgan.ui import runbar

ILL = POINTS.replace({"norm_d": "batch"})
BURSTING = POINTS.replace({"constraint": "none", "optimizer": "sgd", "lr": 10.0})


def said(app: LabApp, where: str = "doctor_line") -> str:
    """The words in a container of the card."""
    html = app.at.container(key=where).get("html")
    return unescape(re.sub(r"<[^>]+>", "", " ".join(node.proto.body for node in html)))


def test_a_healthy_run_has_a_quiet_line_and_no_button(points: LabApp):
    assert said(points) == runbar.about(points.run)
    assert not points.has("doctor_try")


@covers("doctor_try", "try_batch_norm")
@pytest.mark.parametrize("button", ["doctor_try", "try_batch_norm"])
def test_the_button_tries_the_remedy_and_the_alarm_goes(
    button: str, open_lab: Callable[..., LabApp]
):
    app = open_lab(ILL)
    assert "BatchNorm under a penalty" in said(app)
    assert "LayerNorm" in said(app, "doctor_details")
    assert not any("BatchNorm" in sentence for sentence in app.advice())  # not said twice
    assert app.widget(button).help.endswith("It changes norm_d: batch → layer.")
    app.click(button)
    assert app.run.config == ILL.replace({"norm_d": "layer"})
    wait_for(lambda: app.run.frame.config.norm_d == "layer")
    app.redraw()
    assert "▲" not in said(app)
    assert not app.has(button)


def test_the_line_comes_and_goes_with_the_switch(points: LabApp):
    points.set("switch_norm_d", "batch")
    wait_for(lambda: points.run.frame.config.norm_d == "batch")
    points.redraw()
    assert "▲ BatchNorm" in said(points)
    assert points.run.config.norm_d == "batch"  # allowed all the same


def test_who_may_not_control_may_not_try(open_lab: Callable[..., LabApp]):
    owner = open_lab(ILL, secret="own", owner="own")
    watcher = open_lab(None, run=owner.id)
    assert "BatchNorm" in said(watcher)
    for key in ("doctor_try", "try_batch_norm"):
        assert watcher.widget(key).disabled
        owner.run.room.open = True
        watcher.redraw()
        assert not watcher.widget(key).disabled
        owner.run.room.open = False
        watcher.click(key)  # drawn while it was still allowed
        assert watcher.run.config == ILL
        assert any("Only its owner" in notice for notice in watcher.notices())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_run_that_blew_up_goes_on_with_the_remedy(open_lab: Callable[..., LabApp]):
    app = open_lab(BURSTING, playing=True)
    app.settle("failed")
    assert "The numbers blew up" in said(app)
    broken = app.run.frame.step
    app.click("doctor_try")
    wait_for(lambda: app.run.frame.step > broken and app.run.frame.state == "playing")
    assert app.run.config.constraint == "gp"
    assert lab().get(app.id) is app.run
