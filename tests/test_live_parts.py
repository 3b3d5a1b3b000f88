"""The live parts against frames made by hand: what they say is what the frame says."""

from __future__ import annotations

import base64
import re
from html import unescape
from typing import Any

import numpy as np
import pytest

from wgan.config import ExperimentConfig
from wgan.frame import Frame
from wgan.live import blocks, critic, lab
from wgan.live.recording import BEFORE, TOLD, frame_of, moment
from wgan.presets import DEFAULT, PRESETS, cure
from wgan.runs.run import Run
from wgan.runs.series import Snapshot, Snapshots
from wgan.types import (
    Curve,
    Event,
    ImageView,
    InspectionRequest,
    Layers,
    Metrics,
    PointView,
    Slopes,
    Stage,
    Weights,
)

POINTS = ExperimentConfig(data="ring8")
DIGITS = ExperimentConfig(data="digits", network="dcgan")
EVIL = "<img src=x onerror=alert(1)>&"
MEASURES = Metrics(
    step=120,
    critic_estimate=1.25,
    gradient_norm=0.5,
    w1=0.75,
    w1_floor=0.0625,
    mode_names=("a", EVIL),
    counts=(1500, 7),
    modes=1,
    modes_any=2,
    modes_total=2,
    high_quality=0.6,
    high_quality_real=0.99,
    slope_max=2.5,
    estimate_over_slope=0.5,
    js=0.321,
    js_floor=0.01,
    gap_train=3.5,
    gap_held_out=1.5,
)
STEPS = np.array([10, 20, 30], np.float32)


def curve(*values: float) -> Curve:
    mean = np.array(values, np.float32)
    return Curve(STEPS, mean, mean - 1, mean + 1)


def frame(config: ExperimentConfig = POINTS, **fields: Any) -> Frame:
    given = {"version": 1, "run": "abc", "state": "paused", "step": 1234, **fields}
    return Frame(config=config, **given)


def images(count: int, side: int = 4) -> np.ndarray:
    return np.arange(count * side * side, dtype=np.uint8).reshape(count, side, side, 1)


def plane(count: int = 5) -> PointView:
    xy: Any = np.linspace(-1, 1, 2 * count, dtype=np.float32).reshape(count, 2)
    surface: Any = np.arange(16, dtype=np.float32).reshape(4, 4)
    return PointView(xy, -xy, 2.0, surface, np.zeros((0, 2, 2), np.float32), xy[:2], xy[:2] / 2)


@pytest.fixture
def run() -> Run:
    return Run("abc", POINTS)


def html(shown: Any) -> str:
    return "".join(block.get("html", "") for block in shown)


def words(shown: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html(shown))).split())


def charts(shown: Any) -> dict[str, Any]:
    return {one["name"]: one for block in shown for one in block.get("figures", ())}


def numbers(array: Any) -> list[float]:
    """Of a figure's array, as a browser reads it."""
    if isinstance(array, dict):
        return np.frombuffer(base64.b64decode(array["bdata"]), array["dtype"]).tolist()
    return np.asarray(array).tolist()


# The lab --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"device": "cpu"}, "● paused · step 1,234 · on cpu"),
        ({"state": "playing", "steps_per_second": 56.78}, "● playing · step 1,234 · 56.8 steps/s"),
        ({"state": "loading", "message": EVIL}, f"● {EVIL}"),
        (
            {"view": plane(), "message": EVIL, "progress": 0.42},
            f"● going back · {EVIL} : 42%",
        ),
    ],
)
def test_the_status_line(fields: dict[str, Any], said: str):
    line = lab.status_line(frame(**fields), slow=False)
    assert words([{"html": line}]).replace(f"{EVIL}:", f"{EVIL} :") == said
    assert "<img" not in line


def test_the_status_line_in_slow_motion_and_beside_other_runs():
    playing = frame(state="playing", steps_per_second=9.0)
    assert "slow motion" in lab.status_line(playing, slow=True)
    assert "3 runs share this device" in lab.status_line(playing, slow=False, sharing=3)


def test_the_meter_counts_and_names_the_modes(run: Run):
    shown = lab.meter(run, frame(metrics=MEASURES), {})
    assert "1 / 2 modes" in words(shown)
    assert "1,500 of 2,500 samples" in html(shown)
    assert "<img" not in html(shown)
    assert EVIL in words(shown)
    assert lab.meter(run, frame(state="failed"), {}) == []


def test_samples_of_images_are_their_bytes(run: Run):
    view = ImageView(images(64), images(24) + 1)
    (found,) = lab.samples(run, frame(DIGITS, view=view), {})
    fake, real = (column[0]["pixels"] for column in found["columns"])
    assert base64.b64decode(fake["raw"]) == view.fake.tobytes()
    assert base64.b64decode(real["raw"]) == view.real.tobytes()
    assert (fake["count"], fake["columns"], real["columns"], real["rows"]) == (64, 8, 3, 8)


def test_samples_of_points_are_the_frames_and_the_past_is_the_snapshots(
    run: Run, monkeypatch: pytest.MonkeyPatch
):
    past = Snapshots()
    past.add(Snapshot(100, plane(9), MEASURES))
    monkeypatch.setattr(Run, "snapshots", past)
    now = frame(view=plane(5))
    for at, count in ((None, 5), (90, 9)):
        chart = charts(lab.samples(run, now, {"at": at, "layers": ("surface",)}))["samples"]
        lengths = {len(numbers(trace["x"])) for trace in chart["data"]}
        assert count in lengths
        assert ("as at step 100 of 1,234" in chart["note"]) == (at is not None)


def test_samples_that_are_not_there_yet_say_why(run: Run):
    assert EVIL in words(lab.samples(run, frame(state="loading", message=EVIL), {}))
    assert "<img" not in html(lab.samples(run, frame(state="loading", message=EVIL), {}))
    assert "could not begin" in words(lab.samples(run, frame(state="failed"), {}))


def test_curves_have_the_frames_numbers_and_its_events(run: Run):
    now = frame(
        curves={"critic_loss": curve(3, 2, 1), "generator_loss": curve(4, 5, 6)},
        events=(Event(20, "change", "n_critic: 1 → 5"),),
    )
    found = charts(lab.curves(run, now, {"names": ("losses",), "smoothing": 1, "at": 25}))
    assert list(found) == ["losses"]
    data, layout = found["losses"]["data"], found["losses"]["layout"]
    drawn = [numbers(trace["y"]) for trace in data if "y" in trace]
    assert [3.0, 2.0, 1.0] in drawn
    assert [4.0, 5.0, 6.0] in drawn
    assert {20, 25} <= {shape["x0"] for shape in layout["shapes"]}


def test_a_stage_is_marked_with_its_numbers(run: Run):
    stage = Stage("penalty", 2, 5, {"penalty": 0.25, "critic_loss": float("nan")})
    config = POINTS.replace({"constraint": "gp"})
    shown = lab.stages(run, frame(config, stage=stage), {})
    assert "Critic update 2 of 5 · penalty 0.25" in words(shown)
    assert "nan" not in words(shown)
    assert 'data-term="constraint"' in html(shown)
    assert html(shown).count('class="now"') == 1


def test_votes_are_counted_and_answers_escaped(run: Run):
    assert lab.votes(run, frame(), {}) == []
    run.access.ask("Why?", ("yes", EVIL))
    for voter, answer in enumerate((0, 0, 0, 1)):
        run.access.vote(str(voter), answer)
    run.access.close_poll()
    shown = lab.votes(run, frame(), {})
    assert words(shown).endswith("4 votes · closed")
    assert "width:75%" in html(shown)
    assert "<img" not in html(shown)
    assert EVIL in words(shown)


def test_the_command_that_repeats_the_run_is_escaped(run: Run):
    shown = lab.repeat(run, frame(), {})
    assert "--steps 1234" in words(shown)


# The critic -----------------------------------------------------------------------------------

CRITIC = {"batch": 0, "smoothing": 1}


def section(name: str, now: Frame) -> Any:
    return critic.SECTIONS[name](now, {"section": name, **CRITIC})


def test_the_truth_has_the_measured_numbers():
    said = words(section("truth", frame(metrics=MEASURES)))
    for number in ("1.25", "2.5", "0.5", "at most W1 = 0.75", "floor 0.0625", "0.321", "0.01"):
        assert number in said, number
    assert "JS by the loss" not in said  # there is none


def test_overfitting_is_the_difference_of_the_gaps():
    said = words(section("overfitting", frame(DIGITS, metrics=MEASURES)))
    assert "Gap, training images 3.50" in said
    assert "Gap, held-out images 1.50" in said
    assert "Memorisation gap 2.00 " in said


@pytest.mark.parametrize(
    ("name", "found", "said"),
    [
        ("layers", Layers(5, np.array([8, 4, 2], np.float32)), "First ÷ last 4"),
        ("layers", Layers(5, np.zeros(0, np.float32)), "no hidden layer"),
        (
            "weights",
            Weights(5, np.full(4, 0.25, np.float32), 1.0, 5678, 0.75, 0.01, 0.5),
            "At ±c 50.0%",
        ),
        (
            "slopes",
            Slopes(5, *(np.full(4, v, np.float32) for v in (1.5, 2.5, 3.5))),
            "Real 2.50 95%: 2.50",
        ),
    ],
)
def test_inspections_say_their_numbers(name: str, found: Any, said: str):
    now = frame(inspections={InspectionRequest(name): found})  # pyright: ignore[reportArgumentType]
    assert said in words(section(name, now))


def test_the_value_surface_has_its_extremes_and_images_have_none():
    said = words(section("surface", frame(view=plane())))
    assert "Highest D 15" in said
    assert "Lowest D 0" in said
    assert "only 2-D data" in words(section("surface", frame(DIGITS)))


@pytest.mark.parametrize("name", ["layers", "weights", "slopes", "anatomy", "truth"])
def test_a_section_without_anything_to_see_says_so(name: str):
    loading = section(name, frame(state="loading", message=EVIL))
    assert EVIL in words(loading)
    assert "<img" not in html(loading)


def test_all_text_that_others_may_have_written_is_escaped():
    for made in (
        blocks.caption(EVIL),
        blocks.progress(EVIL, 0.5),
        blocks.numbers(blocks.Number(EVIL, EVIL, EVIL, EVIL + '"')),
        *blocks.empty(EVIL),
    ):
        assert "<img" not in made["html"]
        assert EVIL in words([made])


# The recorded first seconds -------------------------------------------------------------------


def test_the_recording_stands_in_for_the_default_run_while_it_loads():
    run = Run("abc", PRESETS[DEFAULT].config)
    assert run.frame.state == "loading"
    assert moment(run) == 0
    stand_in = frame_of(run)
    assert (stand_in.run, stand_in.message) == ("abc", TOLD)
    assert stand_in.metrics is not None
    assert stand_in.metrics.step == stand_in.step
    assert isinstance(stand_in.view, ImageView)
    assert stand_in.version < 0  # no frame of the run itself


def test_cured_while_the_recording_plays_it_goes_on_with_the_recorded_cure():
    run = Run("abc", PRESETS[DEFAULT].config)
    first = frame_of(run)
    run.apply(cure(run.config))
    healed = frame_of(run)
    assert moment(run) == len(BEFORE)
    assert healed.step > first.step
    assert healed.events
    assert healed.config == run.config


def test_no_other_run_has_a_stand_in():
    for config in (POINTS, PRESETS[DEFAULT].config.replace({"lr_g": 0.0123})):
        run = Run("abc", config)
        assert moment(run) is None
        assert frame_of(run) is run.frame


def test_the_stand_in_goes_when_the_run_has_something_of_its_own():
    run = Run("abc", PRESETS[DEFAULT].config)
    assert moment(run) is not None
    run.prepare()
    assert run.frame.view is not None
    assert moment(run) is None
    assert frame_of(run) is run.frame
