"""The doctor: real runs that are ill are found out, healthy ones are left alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.conftest import MakeConfig, MakeRun
from wgan.config import ExperimentConfig, replace_live
from wgan.diagnostics.doctor import APART, HELD, RECENT, STEPS, Alarm, diagnose
from wgan.frame import Frame
from wgan.presets import PRESETS
from wgan.runs.run import Run
from wgan.types import Curve, Event, Metrics
from wgan.ui.words import sections


def live(run: Run, steps: int, every: int = APART, until: str = "") -> Run:
    """Trains to so many steps and measures as it goes; stops where it fails, or at an alarm."""
    run.play()
    for stop in range(run._loop.trainer.steps + every, steps + 1, every):
        run.stop_after(stop)
        run.play()
        while run.active:
            run.advance(60)
        if run.state == "failed":
            break
        run._loop._evaluate(measure=True)
        if until in alarms(run):
            break
    return run


def alarms(run: Run) -> dict[str, Alarm]:
    return {alarm.name: alarm for alarm in diagnose(run.frame)}


# Runs that are ill -------------------------------------------------------------------------------

GAN: dict[str, Any] = {"objective": "gan", "constraint": "none", "critic_steps": 1}
CLIP: dict[str, Any] = {"constraint": "clip", "optimizer": "rmsprop"}
MOMENTUM = {"beta1": 0.999, "beta2": 0.999, "lr_g": 0.0}
DEEP = {"depth": 6, "width": 16}
ILL: dict[str, tuple[dict[str, Any], int]] = {
    "non_finite": ({"constraint": "none", "optimizer": "sgd", "lr": 10.0}, 100),
    "batch_norm": ({"norm_d": "batch"}, 0),
    "collapse": (
        GAN | {"width": 32, "depth": 2, "batch_size": 32, "lr_g": 2e-3, "beta1": 0.9},
        700,
    ),
    "overpowered": (GAN | {"width": 32, "freeze_g": True, "lr_d": 1e-2}, 500),
    "negative": ({"freeze_d": True, "lr_g": 1e-2, "critic_steps": 1}, 400),
    "uphill": (MOMENTUM | {"gp_weight": 10.0, "critic_steps": 1, "batch_size": 64}, 600),
    "penalty": ({"faults": ["penalty_detached"], "lr_d": 1e-2, "width": 32, "depth": 2}, 400),
    "exploding": (CLIP | DEEP | {"clip_value": 1.0, "lr_d": 1e-2}, 300),
    "vanishing": (CLIP | DEEP | {"clip_value": 0.01, "lr_d": 1e-3}, 100),
    "pinned": (CLIP | {"clip_value": 0.01, "lr_d": 1e-3}, 100),
}


@pytest.mark.parametrize("name", ILL)
def test_an_ill_run_is_found_out_and_its_remedy_can_be_applied(make_run: MakeRun, name: str):
    fields, steps = ILL[name]
    run = live(make_run("points", **fields), steps, until=name)
    found = alarms(run)
    assert name in found, found
    alarm = found[name]
    assert alarm.title
    for sentence in (alarm.evidence, alarm.remedy):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    if name != "batch_norm":
        assert any(character.isdigit() for character in alarm.evidence)
    assert alarm.changes
    assert alarm.button
    assert replace_live(run.config, alarm.changes) != run.config
    run.stop_after(None)
    run.apply(alarm.changes)
    run.pause()
    run.play()
    run.advance(0)
    assert name not in alarms(run)  # what was measured before the change is no evidence now


def test_every_alarm_is_explained():
    assert set(sections("doctor")) == set(ILL)


def test_lost_modes_are_named_with_what_there_was():
    frame = _frame(
        ExperimentConfig(), modes=[(APART, [8] * 8 + [3] * 8)], mode_kl=[(APART, [0] * 16)]
    )
    (alarm,) = diagnose(frame)
    assert alarm.name == "collapse"
    assert alarm.evidence == "At best 8 of 8 modes were covered, lately only 38% of them."


def test_modes_that_came_late_were_not_lost_before():
    frame = _frame(ExperimentConfig(), modes=[(APART, [0] * 10 + [8] * 3)])
    assert diagnose(frame) == ()


def test_what_was_covered_before_a_change_can_be_lost_after_it():
    modes: Series = [(APART, [8] * 10 + [1] * 10)]
    (alarm,) = diagnose(_frame(ExperimentConfig(), 10 * APART, modes=modes))
    assert alarm.name == "collapse"


# Runs that are not -------------------------------------------------------------------------------

HEALTHY = ("ring-wgan-gp", "grid-wgan-gp", "digits-wgan-gp")


def watch(name: str, seed: int, steps: int, every: int = APART) -> dict[int, tuple[Alarm, ...]]:
    """The alarms of a preset's run, at the steps where there were any."""
    run = Run("test", PRESETS[name].config.replace({"seed": seed}))
    run.prepare()
    found = {}
    for stop in range(every, steps + 1, every):
        live(run, stop, every)
        assert run.frame.step == stop
        if told := diagnose(run.frame):
            found[stop] = told
    return found


def test_a_healthy_run_is_left_alone():
    enough = HELD * STEPS + 2 * APART  # for the checks to speak, if they would
    assert watch("ring-wgan-gp", seed=0, steps=enough, every=2 * APART) == {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_runs_stay_without_alarms(name: str, seed: int):
    """For as long as a class looks on: the digits' steps take five times as long."""
    steps = 500 if name.startswith("digits") else 1200
    assert watch(name, seed=seed, steps=steps, every=4 * APART) == {}


# What counts as evidence -------------------------------------------------------------------------

Series = Sequence[tuple[int, Sequence[float]]]  # stretches: (steps apart, values)


def _frame(config: ExperimentConfig, since: int = 0, **curves: Series) -> Frame:
    made, end = {}, 0
    for name, stretches in curves.items():
        steps, values, at = [], [], 0
        for apart, part in stretches:
            for value in part:
                at += apart
                steps.append(at - 1)
                values.append(value)
        # One more, which ends the last block.
        steps, values = [*steps, at + stretches[-1][0]], [*values, values[-1]]
        end = max(end, steps[-1])
        columns = np.array([steps, values, values, values], np.float32)
        made[name] = Curve(*columns)
    events = (Event(since, "change", "lr_g 0.1", {"lr_g": (1.0, 0.1)}),) if since else ()
    metrics = Metrics(end, 0.0, 1.0, modes_total=8)
    return Frame(
        1, "test", "playing", config, step=end, curves=made, events=events, metrics=metrics
    )


# Alarm -> fields, curve, steps a block, an ill value, a healthy one.
SIGNS: dict[str, tuple[dict[str, Any], str, int, float, float]] = {
    "overpowered": ({"objective": "gan", "constraint": "none"}, "critic_loss", STEPS, 0.01, 1.3),
    "negative": ({}, "critic_estimate", STEPS, -1.0, 1.0),
    "uphill": ({}, "update_cosine", APART, -0.5, 0.5),
    "penalty": ({}, "gradient_norm", APART, 100.0, 1.0),
    "exploding": ({}, "gradient_decades", APART, 4.0, 0.0),
    "vanishing": ({}, "gradient_decades", APART, -8.0, 0.0),
    "pinned": ({"constraint": "clip", "optimizer": "rmsprop"}, "pinned_share", APART, 0.9, 0.1),
}


@pytest.mark.parametrize("name", SIGNS)
def test_evidence_must_last_and_an_alarm_stays_for_a_while(name: str):
    fields, curve, apart, ill, well = SIGNS[name]
    config = ExperimentConfig().replace(fields)

    def told(*values: float, since: int = 0) -> list[str]:
        return [
            alarm.name for alarm in diagnose(_frame(config, since, **{curve: [(apart, values)]}))
        ]

    assert told(*[ill] * HELD) == [name]
    assert told(*[ill] * (HELD - 1)) == []
    assert told(*[well] * 50) == []
    assert told(*[ill, ill, ill, well] * 20) == []
    # It stays while the evidence is among the newest, and goes then.
    assert told(*[ill] * HELD, *[well] * (RECENT - HELD)) == [name]
    assert told(*[ill] * HELD, *[well] * (RECENT - HELD + 1)) == []
    # What was measured before the last change says nothing about the settings now.
    assert told(*[ill] * HELD, since=apart * HELD) == []
    assert told(*[ill] * HELD, since=apart) == []
    assert told(*[ill] * (2 * HELD), since=apart * HELD) == [name]


def test_a_factor_reads_as_a_number():
    read = {}
    for decades in (-3.8, 3.8, -12.0):
        (alarm,) = diagnose(
            _frame(ExperimentConfig(), gradient_decades=[(APART, [decades] * HELD)])
        )
        read[decades] = alarm.evidence.partition("about ")[2].partition(" than")[0]
    assert read == {
        -3.8: "6,000 times smaller",
        3.8: "6,000 times larger",
        -12.0: "10¹² times smaller",
    }


def test_a_collapse_is_one_only_when_the_generator_is_grown_up():
    one_mode = math.log(8)
    config = ExperimentConfig()
    young = _frame(config, mode_kl=[(APART, [one_mode] * 20)])
    assert diagnose(young) == ()
    old = _frame(config, mode_kl=[(APART, [0.0] * 40 + [one_mode] * 20)])
    (alarm,) = diagnose(old)
    assert alarm.name == "collapse"
    assert "1.0 of 8" in alarm.evidence
    frozen = _frame(config.replace({"freeze_g": True}), mode_kl=[(APART, [one_mode] * 60)])
    assert diagnose(frozen) == ()


def test_a_critic_that_stays_flat_is_told_of_when_it_has_had_time():
    config = ExperimentConfig(gp_weight=10)
    assert diagnose(_frame(config, gradient_norm=[(APART, [0.1] * 40)])) == ()
    (alarm,) = diagnose(_frame(config, gradient_norm=[(APART, [0.1] * 60)]))
    assert (alarm.name, alarm.changes) == ("penalty", {"lr_d": 5e-3})
    one_sided = config.replace({"constraint": "gp_onesided"})
    assert diagnose(_frame(one_sided, gradient_norm=[(APART, [0.1] * 60)])) == ()


def test_the_penalty_is_no_part_of_what_a_gan_says_of_its_critic():
    config = ExperimentConfig(objective="gan")
    blocks = [0.5] * HELD
    alone = _frame(config, critic_loss=[(STEPS, blocks)])
    assert diagnose(alone) == ()
    with_penalty = _frame(config, critic_loss=[(STEPS, blocks)], penalty=[(STEPS, [0.45] * HELD)])
    assert [alarm.name for alarm in diagnose(with_penalty)] == ["overpowered"]


def test_a_run_without_curves_or_figures_has_no_alarm(make_config: MakeConfig):
    for state in ("loading", "playing", "paused", "failed"):
        assert diagnose(Frame(0, "test", state, make_config())) == ()  # pyright: ignore
