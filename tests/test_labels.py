"""Changes in words: what the markers on the curves and the server's log say."""

from __future__ import annotations

import pytest

from wgan.config import LIVE_FIELDS, ExperimentConfig, choices, diff
from wgan.labels import describe, term
from wgan.presets import WGAN_CLIP, cure

GAN = ExperimentConfig(objective="gan", constraint="none", critic_steps=1)


def told(changes: dict) -> str:
    return describe(diff(GAN, GAN.replace(changes)))


def test_a_cure_and_clipping_read_as_the_literature_says_them():
    assert told(cure(GAN)).startswith("WGAN · GP · ")
    assert told(WGAN_CLIP).startswith("WGAN · clipping · RMSProp · rate 5e-5 · ")
    assert told({"critic_steps": 5, "batch_size": 64}) == "5 critic steps · batch 64"


def test_both_networks_are_named_once_where_they_change_alike():
    assert told({"norm": "layer"}) == "LayerNorm"
    assert told({"norm_d": "layer"}) == "critic LayerNorm"
    assert told({"lr_g": 0.5, "lr_d": 0.25}) == "generator rate 0.5 · critic rate 0.25"
    assert told({"freeze_d": True}) == "critic frozen"


@pytest.mark.parametrize("field", LIVE_FIELDS)
def test_every_live_field_and_choice_has_its_own_words(field: str):
    values = choices(field) or (True, False)
    if field == "faults":
        values = tuple((value,) for value in values)
    said = [term(field, value) for value in values]
    assert len(set(said)) == len(values)
    assert all("_" not in words for words in said)
