"""Presets and advice: every one can run, and every switch between them is a valid change."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from torch import nn

from wgan.advice import warnings
from wgan.config import (
    DATA,
    LIVE_FIELDS,
    ConfigError,
    ExperimentConfig,
    expand,
    from_dict,
    image_data,
    replace_live,
)
from wgan.data import about, title
from wgan.networks import mlp_critic, mlp_generator
from wgan.presets import DEFAULT, PRESETS, collapse, cure, with_data

NAMED = {
    *("ring-gan", "ring-lsgan", "ring-wgan-clip", "ring-wgan-gp", "grid-gan", "grid-wgan-gp"),
    *("avatars-wgan-gp", "celeba-wgan-gp-mlp", "celeba64-wgan-gp", "lsun64-wgan-gp"),
    *("mnist-gan-blog-sigmoid", "mnist-gan-blog-tanh"),
    *("digits-gan-blog-sigmoid", "digits-gan-blog-tanh"),
    *("swissroll-wgan-clip", "swissroll-wgan-gp", "digits-gan", "digits-wgan-gp", "mnist-gan-mlp"),
}
# Where one setting replaces another, and with what.
POINTED: dict[str, Any] = {"data": "points", "points": [[0.0, 1.0]]}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_sound_config_with_words(name: str):
    preset = PRESETS[name]
    assert preset.name == name
    assert from_dict(preset.config.to_dict()) == preset.config
    assert preset.title
    assert preset.about.endswith(".")
    assert "\n" not in preset.about
    assert warnings(preset.config) == []


@pytest.mark.parametrize("data", ["digits", "mnist"])
@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
def test_the_blogs_networks_have_its_shapes(data: str, output: str):
    config = PRESETS[f"{data}-gan-blog-{output}"].config
    assert config.output == output
    pixels = {"digits": 64, "mnist": 784}[data]
    for network, shape in (
        (mlp_generator(config), [(100, 256), (256, 512), (512, pixels)]),
        (mlp_critic(config), [(pixels, 256), (256, 1)]),
    ):
        linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
        assert [(layer.in_features, layer.out_features) for layer in linear] == shape
        assert any(isinstance(layer, nn.ReLU) for layer in network.modules())


def test_the_promised_presets_are_there():
    assert set(PRESETS) >= NAMED
    assert DEFAULT in PRESETS
    configs = [preset.config for preset in PRESETS.values()]
    assert len(set(configs)) == len(configs)
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_does_what_its_name_says(name: str):
    config = PRESETS[name].config
    data, _, kind = name.partition("-")
    assert config.data.startswith(data) or f"{config.data}64" == data
    objective, constraint = {
        "gan": ("gan", "none"),
        "gan-mlp": ("gan", "none"),
        "gan-blog-sigmoid": ("gan", "none"),
        "gan-blog-tanh": ("gan", "none"),
        "lsgan": ("lsgan", "none"),
        "wgan-clip": ("wgan", "clip"),
    }.get(kind, ("wgan", "gp"))
    assert (config.objective, config.constraint) == (objective, constraint)
    if constraint == "clip":  # Arjovsky et al. 2017, Algorithm 1
        assert (config.optimizer_d, config.clip_value, config.critic_steps) == ("rmsprop", 0.01, 5)


@pytest.mark.parametrize("name", PRESETS)
def test_cure_and_collapse_are_live_changes_there_and_back(name: str):
    config = PRESETS[name].config
    cured = replace_live(config, cure(config))
    assert (cured.objective, cured.constraint, cured.critic_steps) == ("wgan", "gp", 5)
    assert cured.gp_weight == (0.1 if config.is_points else 10)
    assert warnings(cured) == []
    collapsed = replace_live(cured, collapse(cured))
    assert (collapsed.objective, collapsed.constraint) == ("gan", "none")
    assert (collapsed.critic_steps, collapsed.ema) == (1, 0)
    assert replace_live(collapsed, cure(collapsed)) == cured
    for changes in (cure(config), collapse(config)):
        assert set(expand(changes)) <= set(LIVE_FIELDS)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("data", [*DATA, "hub:owner/name"])
def test_any_data_can_follow_on_any_preset(name: str, data: str):
    config = PRESETS[name].config
    if data == "points":
        with pytest.raises(ConfigError, match="points"):
            with_data(config, data)
        config = config.replace({"points": POINTED["points"]})
    if data == "folder":
        config = config.replace({"folder": "mine"})
    new = with_data(config, data)
    assert new.data == data
    live = ("objective", "constraint", "critic_steps", "optimizer_g", "optimizer_d", "faults")
    assert all(getattr(new, field) == getattr(config, field) for field in live)
    if new.is_points != config.is_points:
        back = with_data(new, config.data)
        assert back.data == config.data
        assert new.gp_weight == (0.1 if new.is_points else 10)
        assert new.is_points or new.image_size == image_data(data)[1]
    elif new.is_points:
        assert new == config.replace({"data": data})
    else:
        limit = 50_000 if data in ("celeba", "lsun") and not config.limit else config.limit
        changed = {"data": data, "image_size": new.image_size, "limit": limit}
        assert new == config.replace(changed)
        assert new.image_size in (image_data(data)[1], 32)


def test_every_data_set_has_words():
    for data in DATA:
        assert title(data)
        assert about(data).endswith(".")


# Advice.

SOUND: dict[str, Any] = {"objective": "wgan", "constraint": "gp", "gp_weight": 0.1}
RISKS: dict[str, tuple[dict[str, Any], str]] = {
    "momentum with clipping": ({"constraint": "clip", "clip_value": 0.01}, "RMSProp"),
    "no constraint": ({"constraint": "none"}, "without a constraint"),
    "a large c": ({"constraint": "clip", "clip_value": 0.5, "beta1": 0}, "Clipping at c = 0.5"),
    "ELU": ({"activation": "elu"}, "ELU"),
    "a weight of 0": ({"gp_weight": 0}, "λ is 0"),
    "one critic step": ({"critic_steps": 1}, "One critic step"),
    "a bug without effect": ({"faults": ["raw_log"]}, "raw log"),
}


@pytest.mark.parametrize(("fields", "words"), RISKS.values(), ids=RISKS.keys())
def test_advice_comes_where_it_should(fields: dict[str, Any], words: str):
    (advice,) = warnings(from_dict(SOUND | fields))
    assert words in advice
    assert advice.endswith(".")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"norm_g": "batch"},
        {"norm_d": "layer"},
        {"norm_d": "batch"},  # the doctor's: it is certain
        {"norm_d": "batch", "constraint": "none", "objective": "gan"},
        {"constraint": "clip", "optimizer_d": "rmsprop"},
        {"constraint": "clip", "beta1": 0},
        {"constraint": "none", "norm_d": "spectral"},
        {"constraint": "none", "objective": "hinge"},
        {"activation": "softplus"},
        {"gp_weight": 0, "constraint": "clip", "optimizer_d": "sgd"},
        {"faults": ["raw_log"], "objective": "gan"},
        {"critic_steps": 1, "objective": "gan"},
    ],
    ids=str,
)
def test_advice_is_silent_for_sound_settings(fields: dict[str, Any]):
    assert warnings(from_dict(SOUND | fields)) == []


def test_advice_adds_up():
    config = from_dict({"constraint": "gp", "gp_weight": 0, "activation": "elu"})
    assert len(warnings(config)) == 2
    for a, b in itertools.combinations(RISKS.values(), 2):
        found = warnings(ExperimentConfig().replace({**a[0], **b[0]}))
        assert len(found) == len(set(found))
