"""A new control needs a test: every widget of the lab page is named by a test's `covers`."""

from __future__ import annotations

import test_branch
import test_doctor_card
import test_front_door
import test_lab_page
import test_modes_tab
import test_new_run
import test_own_data
import test_room
import test_settings
import test_share
from lab_app import COVERED, IMAGES, POINTS, TABS, LabApp

from wgan.config import choices

# They fill COVERED when they are imported.
TESTS = (
    test_branch,
    test_doctor_card,
    test_front_door,
    test_lab_page,
    test_room,
    test_settings,
    test_new_run,
    test_own_data,
    test_modes_tab,
    test_share,
)

STATES = {
    **{
        f"constraint {name}": POINTS.replace({"constraint": name}) for name in choices("constraint")
    },
    "gan": POINTS.replace({"objective": "gan"}),
    "digits": IMAGES,
    "an alarm": POINTS.replace({"norm_d": "batch"}),
    "drawn": POINTS.replace({"data": "points", "points": [[0, 0]]}),
    "not to be had": IMAGES.replace({"data": "folder", "folder": "0" * 64}),
    "no Adam": POINTS.replace({"optimizer": "sgd"}),
}


def _widgets() -> set[str]:
    found: set[str] = set()
    for config in STATES.values():
        app = LabApp(config)
        for tab in TABS:
            app.open_tab(tab)
            found.update(app.widgets())
    past = LabApp(POINTS)
    past.step()
    past.set("look_back", 0)
    owner = LabApp(POINTS, secret="own", owner="own")
    owner.open_tab("Classroom")
    found.update(owner.widgets())
    owner.run.access.ask("What now?", ["this", "that"])
    owner.redraw()
    watcher = LabApp(None, run=owner.id)
    visitor = LabApp(None)
    visitor.open_tab("Classroom")
    apps = (past, owner, watcher, visitor)
    return found.union(*(app.widgets() for app in apps))


def test_every_widget_of_the_page_has_a_test_and_every_test_a_widget():
    found = _widgets()
    assert sorted(found - COVERED) == []
    assert sorted(COVERED - found) == []
