"""The tab "Modes": the stack, what was lost in words, and the papers' table."""

from __future__ import annotations

import json
from collections.abc import Callable

from lab_app import IMAGES, POINTS, LabApp

from wgan.protocol.methods import METHODS, PUBLISHED
from wgan.ui.modes import table_rows


def _captions(app: LabApp) -> list[str]:
    return [caption.value for caption in app.at.container(key="modes_place").caption]


def test_the_stack_has_a_band_a_mode_and_words_for_those_not_covered(points: LabApp):
    points.step()
    points.open_tab("Modes")
    figure = json.loads(points.figure("mode_shares"))
    assert len(figure["data"]) == 8 + 1  # and those of low quality
    (told,) = _captions(points)
    measures = points.run.frame.measures
    assert measures is not None
    assert measures.modes == 0  # after a step of this tiny run
    assert "Never covered so far" in told
    assert "315°" in told


def test_digits_are_called_digits_and_data_without_modes_say_so(
    open_lab: Callable[..., LabApp],
):
    app = open_lab(IMAGES)
    app.open_tab("Modes")
    (told,) = _captions(app)
    assert "digit" in told
    app = open_lab(POINTS.replace({"data": "moons"}))
    app.open_tab("Modes")
    assert _captions(app) == ["This data set has no modes that can be counted."]
    assert not any(getattr(c, "key", "") == "mode_shares" for c in app.at.get("bidi_component"))


def test_the_stack_is_drawn_only_where_its_tab_is_open(points: LabApp):
    points.open_tab("Modes")
    assert points.figure("mode_shares")
    points.open_tab("More curves")
    assert not any(getattr(c, "key", "") == "mode_shares" for c in points.at.get("bidi_component"))
    assert not points.at.dataframe


def test_the_published_rows_stand_beside_ours(points: LabApp):
    points.open_tab("Modes")
    (shown,) = points.at.dataframe
    rows = [tuple(row) for row in shown.value.itertuples(index=False)]
    assert rows == table_rows()
    assert len(PUBLISHED) < len(rows) <= len(PUBLISHED) + len(METHODS)
    assert ("VEEGAN", "VEEGAN paper", "8", "52.9", "24.6", "40") in rows
    assert all(row[1].startswith("this lab, ") for row in rows[len(PUBLISHED) :])
