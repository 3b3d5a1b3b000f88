"""What a run does, in words: from frames made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from wgan.config import LIVE_FIELDS, ExperimentConfig, choices, diff
from wgan.frame import Frame
from wgan.live import narration
from wgan.presets import PRESETS
from wgan.recipes import switched
from wgan.types import Curve, Event, Metrics
from wgan.words import sections

GAN = PRESETS["ring-gan"].config
DIGITS = PRESETS["digits-gan"].config
NAMES = tuple("0123456789")


def curve(*points: tuple[float, float]) -> Curve:
    step, mean = np.array(points, np.float32).T
    return Curve(step, mean, mean, mean)


def frame(config: ExperimentConfig, **given: Any) -> Frame:
    return Frame(1, "test", "playing", config, **given)


def changed(config: ExperimentConfig, step: int, changes: dict[str, Any]) -> Event:
    return Event(step, "change", "", diff(config, config.replace(changes)))


# What one sees now.


def digits(counts: tuple[int, ...], **given: Any) -> Metrics:
    usual = {"modes": sum(c >= 20 for c in counts), "modes_total": 10, "high_quality": 0.9}
    return Metrics(500, 0.0, 1.0, mode_names=NAMES, counts=counts, **{**usual, **given})


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (digits((0,) * 3 + (2300,) + (0,) * 6), "the same digit (3): the generator has collapsed"),
        (digits((230,) * 10, mode_kl=0.02), "all 10 digits are covered evenly, and 90%"),
        (
            digits((500,) * 4 + (0,) * 6),
            "look real, but they show only 4 of the 10 digits",
        ),
        (digits((300,) * 4 + (0,) * 6, high_quality=0.4), "4 of 10 digits are covered, and 40%"),
        (digits((1,) * 10, high_quality=0.01), "hardly any sample looks real, so no digit counts"),
        (digits((30, 30) + (0,) * 8, high_quality=0.03), "looks real; 2 of 10 digits just count"),
        (replace(digits((2300,) + (0,) * 9), step=10), "the generator has only just started"),
        (Metrics(500, 0.0, 1.0, w1=0.4, w1_floor=0.1), "4.00 times as far from the data"),
        (Metrics(500, 0.0, 1.0, w1=0.1, w1_floor=0.1), "as near to the data as other real"),
        (Metrics(500, 0.0, 1.0, reached=0.01, reached_real=0.9), "nearly all samples look alike"),
        (Metrics(500, 0.0, 1.0), "nothing to count"),
        (None, "nothing has been measured yet"),
    ],
)
def test_the_samples_are_told_as_measured(metrics: Metrics | None, said: str):
    text = narration.sentence(frame(DIGITS, metrics=metrics))
    assert said in text
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("objective", "loss", "said"),
    [
        ("gan", 0.02, "with 99% certainty."),
        ("gan_saturating", 0.02, "99% certainty, so the generator gets almost no gradient."),
        ("gan", 2 * np.log(2), "the critic cannot tell"),
        ("lsgan", 0.02, "covered evenly, and 90% of the samples look real."),
    ],
)
def test_the_critic_is_told_where_its_loss_tells(objective: str, loss: float, said: str):
    config = DIGITS.replace({"objective": objective})
    metrics = digits((230,) * 10, mode_kl=0.02)
    told = frame(config, metrics=metrics, curves={"critic_loss": curve((500, loss))})
    assert narration.sentence(told).endswith(said) or said in narration.sentence(told)


def test_a_critics_penalty_is_no_part_of_its_certainty():
    config = DIGITS.replace({"constraint": "gp"})
    curves = {"critic_loss": curve((500, 1.02)), "penalty": curve((500, 1.0))}
    assert "99%" in narration.sentence(frame(config, metrics=digits((9,) * 10), curves=curves))


@pytest.mark.parametrize(("step", "when"), [(500, "Now"), (540, "Now"), (1622, "At step 500")])
def test_what_was_measured_long_ago_is_not_told_as_now(step: int, when: str):
    told = frame(DIGITS, metrics=digits((230,) * 10, mode_kl=0.02), step=step)
    (block,) = narration.now(None, told, {})  # pyright: ignore
    assert f"<b>{when}:</b> all 10 digits" in block["html"]


def test_the_critics_estimate_is_the_one_of_the_curve():
    curves = {"critic_estimate": curve((480, 0.7), (500, 0.34))}
    metrics = digits((230,) * 10, w1=0.41, estimate_over_slope=0.2)
    for constraint, said in (("gp", "is 0.340, the"), ("clip", "is 0.340 in its own units, the")):
        config = DIGITS.replace({"objective": "wgan", "constraint": constraint})
        told = frame(config, metrics=metrics, curves=curves, step=500)
        assert f"the critic's estimate {said} exact W1 0.410." in narration.sentence(told)


# The last change.


def test_a_switch_is_told_with_what_it_brought_and_left_alone():
    first = changed(GAN, 50, {"lr_d": 0.05})
    by_hand = GAN.replace({"lr_d": 0.05})
    changes = switched(by_hand, "constraint", "clip", [first.changes])
    event = changed(by_hand, 100, changes)
    told = narration.what_changed(frame(by_hand.replace(changes), events=(first, event)), event)
    assert told.startswith("No constraint → clipping; ")
    assert "generator rate 2e-3 → 5e-5" in told
    assert told.endswith("left alone, set by hand: critic rate 0.05")


def test_what_is_expected_comes_first_then_what_was_measured():
    changes = switched(GAN, "objective", "wgan")
    event = changed(GAN, 100, changes)
    curves = {
        "modes": curve((50, 0), (100, 1), (320, 8)),
        "w1": curve((90, 1.8), (310, 0.2)),
        "gradient_norm": curve((90, 9.0), (150, 1.0)),  # too soon
    }
    config = GAN.replace(changes)
    young = frame(config, events=(event,), curves={"modes": curve((50, 0), (150, 3))})
    assert narration.outcome(young, event) == ""
    assert "grows without bound" in shown(young)
    assert "WGAN" in shown(young)
    old = frame(config, events=(event,), curves=curves)
    assert narration.outcome(old, event) == ("Here, 220 steps later: modes 1 → 8 · W1 1.80 → 0.200")
    assert "Here, 220 steps later" in shown(old)


def test_the_last_change_counts_and_not_what_is_no_change():
    first, other = changed(GAN, 5, {"norm_d": "batch"}), Event(9, "update", "critic only")
    assert narration.last_change((first, other)) is first
    later = changed(GAN, 20, {"norm_d": "layer"})
    config = GAN.replace({"norm_d": "layer"})
    told = frame(config, events=(first, later))
    assert narration.config_after(told, first).norm_d == "batch"
    assert narration.config_after(told, later).norm_d == "layer"
    assert shown(frame(GAN)).count(narration.HINT) == 1


def shown(told: Frame) -> str:
    (block,) = narration.change(None, told, {})  # pyright: ignore[reportArgumentType]
    return block["html"]


@pytest.mark.parametrize("field", LIVE_FIELDS)
def test_every_live_field_has_an_expectation_or_needs_none(field: str):
    texts = sections("changes")
    for value in choices(field) or (None,):
        known = {f"{field}={value}", field} & texts.keys()
        paired = any(f"{value}+" in key or f"+{value}" in key for key in texts)
        assert known or paired or value == "instance", (field, value)
    assert all("_" not in text and len(text) < 120 for text in texts.values())
