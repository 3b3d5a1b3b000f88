"""The tab "Share and repeat": a run to take along, in the forms that it can take."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from lab_app import IMAGES, POINTS, LabApp, covers, wait_for
from PIL import Image

from wgan.export.script import script
from wgan.ui import share

FORMS = ("download_script", "download_csv", "download_gif", "download_png")


@covers(*FORMS)
def test_everything_can_be_taken_along_once_there_is_something(points: LabApp):
    points.step()
    points.open_tab("Share and repeat")
    for key in FORMS:
        assert not points.widget(key).disabled, key


def test_what_the_buttons_hand_out_is_of_this_run(points: LabApp):
    points.step()
    points.set("switch_objective", "lsgan")
    wait_for(lambda: points.run.events and not points.run.active)
    points.step()
    run = points.run
    text = share.run_script(run)
    assert text == script(run.config, steps=2, events=run.events, file="ring8-lsgan-gp.py")
    assert "step 1: LSGAN" in text
    with Image.open(io.BytesIO(share.drawn(share.film, run))) as gif:
        assert getattr(gif, "n_frames", 1) == len(run.snapshots.items) >= 1
    with Image.open(io.BytesIO(share.drawn(share.sheet, run))) as png:
        assert png.format == "PNG"
    rows = list(csv.DictReader(io.StringIO(share.curves_csv(run.frame.curves))))
    assert [row["step"] for row in rows if row["curve"] == "critic_loss"] == ["1", "2"]


def test_a_run_without_a_script_says_why(open_lab: Callable[..., LabApp]):
    app = open_lab(POINTS.replace({"faults": ["sign_flipped"]}))
    app.open_tab("Share and repeat")
    assert app.widget("download_script").disabled
    told = [caption.value for caption in app.at.caption if caption.value.startswith("No script")]
    assert len(told) == 1
    assert "deliberate bugs" in told[0]
    assert not app.widget("download_config").disabled


def test_a_run_that_could_not_begin_hands_out_no_pictures(open_lab: Callable[..., LabApp]):
    app = open_lab(IMAGES.replace({"data": "folder", "folder": "0" * 64}))
    app.open_tab("Share and repeat")
    for key in FORMS:
        assert app.widget(key).disabled, key
