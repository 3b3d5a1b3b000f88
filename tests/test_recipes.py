"""The switches bring the settings that belong to them, and leave alone what was set by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.by_hand import heal
from wgan.comparisons import COMPARISONS
from wgan.config import LIVE_FIELDS, ConfigError, ExperimentConfig, choices, diff
from wgan.presets import PRESETS, collapse, cure
from wgan.recipes import belonging, by_hand, switched
from wgan.studies.race import RACERS

RING, DIGITS = PRESETS["ring-gan"].config, PRESETS["digits-gan"].config
Log = list[dict[str, Any]]


def flip(config: ExperimentConfig, log: Log, *switches: tuple[str, Any]) -> ExperimentConfig:
    for field, value in switches:
        new = config.replace(switched(config, field, value, log))
        log.append(diff(config, new))
        config = new
    return config


def set_by_hand(config: ExperimentConfig, log: Log, **fields: Any) -> ExperimentConfig:
    new = config.replace(fields)
    log.append(diff(config, new))
    return new


@pytest.mark.parametrize("config", [RING, DIGITS], ids=["ring", "digits"])
@pytest.mark.parametrize("order", [0, 1])
def test_two_switches_come_to_what_the_button_does(config: ExperimentConfig, order: int):
    switches = [("objective", "wgan"), ("constraint", "gp")]
    cured = flip(config, [], *(switches[::-1] if order else switches))
    assert cured == config.replace(cure(config))
    back = [("objective", "gan"), ("constraint", "none")]
    assert flip(cured, [], *back) == cured.replace(collapse(cured)) == config


@pytest.mark.parametrize("config", [RING, DIGITS], ids=["ring", "digits"])
@pytest.mark.parametrize("objective", choices("objective"))
@pytest.mark.parametrize("constraint", choices("constraint"))
def test_every_combination_has_settings(config: ExperimentConfig, objective: str, constraint: str):
    new = config.replace({"objective": objective, "constraint": constraint})
    proper = belonging(new)
    assert proper.keys() <= set(LIVE_FIELDS) - {"objective", "constraint"}
    assert {"optimizer_d", "lr_d", "lr_g", "critic_steps"} <= proper.keys()
    assert new.replace(proper)  # allowed


def test_a_wrong_value_is_refused():
    with pytest.raises(ConfigError):
        switched(RING, "objective", "no such")


def test_what_was_set_by_hand_is_left_alone():
    log: Log = []
    config = set_by_hand(RING, log, lr_d=0.05)
    config = flip(config, log, ("objective", "wgan"), ("constraint", "gp"))
    assert config.lr_d == 0.05
    assert config == RING.replace(cure(RING)).replace({"lr_d": 0.05})
    assert by_hand(config, log) == {"lr_d"}


def test_what_a_switch_brought_is_not_set_by_hand_until_it_is_put_back():
    log: Log = []
    config = flip(RING, log, ("objective", "wgan"))
    assert by_hand(config, log) == set()
    config = set_by_hand(config, log, optimizer="adam", lr_g=RING.lr_g)
    assert by_hand(config, log) == {"optimizer_d", "optimizer_g", "lr_g"}
    # Set to what belongs there, it is no wish of a person's own any more.
    config = set_by_hand(config, log, optimizer="rmsprop")
    assert by_hand(config, log) == {"lr_g"}
    assert flip(config, log, ("constraint", "gp")).lr_g == RING.lr_g


def test_other_switches_bring_nothing():
    assert switched(RING, "norm_d", "layer") == {"norm_d": "layer"}


def test_a_penalty_with_rmsprop_has_one_rate():
    rates = {
        fields["lr"]
        for fields in COMPARISONS["race"].fields
        if fields.get("optimizer") == "rmsprop" and fields["constraint"] == "gp"
    }
    assert rates == {RACERS["gp_rmsprop"]["lr"]}


@pytest.mark.parametrize("order", ["objective first", "constraint first"])
@pytest.mark.parametrize("preset", ["ring-gan", "digits-gan"])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.slow
def test_two_switches_heal(preset: str, seed: int, order: str):
    found = heal(preset, seed, order, most=600.0, steps=4000)
    assert found.before <= 3
    assert found.modes == found.total


def test_two_switches_heal_the_digits():
    found = heal("digits-gan", 1, "objective first", most=600.0, steps=500, collapse=300)
    assert found.before <= 2
    assert found.modes == 10
