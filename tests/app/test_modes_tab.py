"""The tab "Modes": the stack, what was lost in words, and the papers' table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import live_parts
from lab_app import IMAGES, POINTS, LabApp

from wgan.protocol.methods import METHODS, PUBLISHED
from wgan.runs.series import Snapshot
from wgan.types import ImageView, PointView
from wgan.ui.modes import table_rows


def _view(app: LabApp) -> ImageView | PointView:
    view = app.run.frame.view
    assert view is not None
    return view


def test_the_stack_has_a_band_a_mode_and_words_for_those_not_covered(points: LabApp):
    points.step()
    points.open_tab("Modes")
    assert len(points.chart("mode_shares")["data"]) == 8 + 1  # and those of low quality
    metrics = points.run.frame.metrics
    assert metrics is not None
    assert metrics.modes == 0  # after a step of this tiny run
    assert points.part("mode_shares") == "None of the 8 is covered so far."


def test_what_a_run_has_lost_is_said_in_the_words_of_its_data(open_lab: Callable[..., LabApp]):
    app = open_lab(IMAGES)
    now = app.run.frame.metrics
    assert now is not None
    all_but_two = tuple(250 * (digit not in (3, 7)) for digit in range(10))
    past = app.run.snapshots
    past.add(Snapshot(1, _view(app), replace(now, step=1, counts=(250,) * 10)))
    past.add(Snapshot(2, _view(app), replace(now, step=2, counts=all_but_two)))
    app.open_tab("Modes")
    assert app.part("mode_shares") == "Lost since step 2: digit 3, 7."


def test_data_without_modes_say_so(open_lab: Callable[..., LabApp]):
    app = open_lab(POINTS.replace({"data": "moons"}))
    app.open_tab("Modes")
    assert app.part("mode_shares") == "This data set has no countable modes."
    assert not live_parts.charts(live_parts.blocks(app.at, "mode_shares"))


def test_the_stack_is_asked_for_only_where_its_tab_is_open(points: LabApp):
    points.open_tab("Modes")
    assert "mode_shares" in live_parts.places(points.at)
    points.open_tab("More curves")
    assert "mode_shares" not in live_parts.places(points.at)
    assert not points.at.dataframe


def test_the_published_rows_stand_beside_ours(points: LabApp):
    points.open_tab("Modes")
    (shown,) = points.at.dataframe
    rows = [tuple(row) for row in shown.value.itertuples(index=False)]
    assert rows == table_rows()
    assert len(PUBLISHED) < len(rows) <= len(PUBLISHED) + len(METHODS)
    assert ("VEEGAN", "VEEGAN paper", "8", "52.9", "24.6", "40") in rows
    assert all(row[1].startswith("this lab, ") for row in rows[len(PUBLISHED) :])
