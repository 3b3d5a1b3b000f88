"""The lab's way back: the line on the curves, going on from an earlier step, branching."""

from __future__ import annotations

from typing import Any

from lab_app import POINTS, LabApp, covers, wait_for

from wgan.runs.branches import quick_changes
from wgan.server.registry import lab


def shapes(app: LabApp) -> list[Any]:
    return app.chart("curve_main")["layout"]["shapes"]


def looking_back(app: LabApp, steps: int = 3) -> int:
    """Trains some steps and looks at the second of all; returns its number."""
    for _ in range(steps):
        app.step()
    app.set("look_back", round(100 * 2 / app.run.frame.step))
    return 2


def test_the_curves_show_the_step_that_is_looked_at(points: LabApp):
    points.step()
    assert shapes(points) == []
    step = looking_back(points)
    (line,) = shapes(points)
    assert line["x0"] == line["x1"] == step
    points.set("look_back", 100)
    assert shapes(points) == []


@covers("go_back")
def test_the_run_goes_on_from_the_step_that_is_looked_at(points: LabApp):
    assert not points.has("go_back")
    points.step()
    points.set("switch_objective", "lsgan")
    step = looking_back(points)
    assert points.widget("go_back").label == "Go on from step 2"
    points.click("go_back")
    wait_for(lambda: points.run.frame.step == step and not points.run.active)
    points.redraw()
    assert points.widget("look_back").value == 100
    assert not points.has("go_back")
    assert points.run.config.objective == "lsgan"
    assert [event.kind for event in points.run.events] == ["change", "back"]
    assert len(points.run.frame.curves["critic_loss"].step) == 2


def test_a_watcher_cannot_send_the_run_back():
    owner = LabApp(POINTS, secret="own", owner="own")
    watcher = LabApp(None, run=owner.id)
    for _ in range(3):
        owner.step()
    watcher.redraw()
    watcher.set("look_back", 0)
    button = watcher.widget("go_back")
    assert button.disabled
    button.proto.disabled = False  # whatever a browser sends
    watcher.click("go_back")
    assert not owner.run.active
    assert owner.run.frame.step == 3


@covers("branch_change", "branch")
def test_a_branch_with_a_change_is_made_from_the_step_that_is_looked_at(points: LabApp):
    step = looking_back(points)
    offered = list(quick_changes(points.run.config))
    assert len(points.widget("branch_change").options) == len(offered)
    points.set("branch_change", "constraint=clip")
    origin = points.id
    points.widget("branch").click()
    points.at.run()  # it goes on to the page Compare
    (new,) = (id for id in lab().ids() if id != origin)
    branch = lab().get(new)
    assert branch is not None
    wait_for(lambda: len(branch.frame.events) == 2)
    assert [(e.kind, e.step) for e in branch.events] == [("back", step), ("change", step)]
    assert branch.config == POINTS.replace({"constraint": "clip"})
    parent = lab().get(origin)
    assert parent is not None
    assert (parent.config.constraint, parent.frame.step) == ("gp", 3)
