"""The settings that belong to an objective and its constraint, and what a switch brings with it.

One table for the buttons, the switches and the races: a rate that suits one method ruins another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wgan.config import ExperimentConfig, expand

Fields = Mapping[str, Any]
SWITCHES = ("objective", "constraint")

# Non-saturating GAN, one critic step (Goodfellow et al. 2014).
GAN = {"objective": "gan", "constraint": "none", "critic_steps": 1}
# Arjovsky et al. 2017, Algorithm 1.
WGAN_CLIP = {
    "objective": "wgan",
    "constraint": "clip",
    "clip_value": 0.01,
    "critic_steps": 5,
    "optimizer": "rmsprop",
    "lr": 5e-5,
}
# Gulrajani et al. 2017, Algorithm 1, except the learning rate.
WGAN_GP = {"objective": "wgan", "constraint": "gp", "critic_steps": 5, "optimizer": "adam"}
# Adam's usual betas and a generator faster than its critic: it collapses. With (.5, .9) and equal
# rates some seeds find all eight modes. Leaky ReLU, because a collapse can leave a ReLU generator
# with dead units only, which no objective can wake again.
RING_GAN = GAN | {"lr_g": 2e-3, "lr_d": 2e-4, "beta1": 0.9, "beta2": 0.999}

_PAPER = {"optimizer": "adam", "beta1": 0.5, "beta2": 0.9}
# Without a constraint the critic grows without bound: the WGAN paper's small steps keep that slow.
_UNBOUND = {"optimizer": "rmsprop", "lr": 5e-5, "critic_steps": 5}
# Miyato et al. 2018, section 4.
_HINGE = {"optimizer": "adam", "lr": 2e-4, "beta1": 0.0, "beta2": 0.9, "critic_steps": 5}
# Mescheder et al. 2018, section 6: one critic step, γ = 10.
_ZERO_CENTRED = {"optimizer": "rmsprop", "lr": 1e-4, "gp_weight": 10.0, "critic_steps": 1}
_SLOW_GAN = _PAPER | {"lr": 2e-4, "critic_steps": 1, "ema": 0.0}

# A penalty with RMSProp in Adam's place, on 2-D data: RMSProp takes longer steps at the same rate.
GP_POINTS = _PAPER | {"lr": 1e-3, "critic_steps": 5, "gp_weight": 0.1, "gp_target": 1.0}
GP_POINTS_RMSPROP = {"optimizer": "rmsprop", "lr": 2e-4}

POINTS: dict[str, Fields] = {
    "gan": RING_GAN | {"optimizer": "adam", "ema": 0.0},
    "lsgan": _SLOW_GAN,
    "hinge": _HINGE,
    "wgan": _UNBOUND,
    "clip": WGAN_CLIP,
    "gp": GP_POINTS | {"ema": 0.99},
    "zero": _ZERO_CENTRED,
}
IMAGES: dict[str, Fields] = POINTS | {
    "gan": _SLOW_GAN,
    "clip": WGAN_CLIP | {"lr": 2e-4},
    "gp": GP_POINTS | {"lr": 2e-4, "gp_weight": 10.0},
}
_KINDS = {"clip": "clip", "gp": "gp", "gp_onesided": "gp", "r1": "zero", "r2": "zero"}


def belonging(config: ExperimentConfig) -> dict[str, Any]:
    """The settings that belong to the objective and constraint of a config, on its kind of data.

    Optimiser, rates, betas, critic steps, the constraint's own number and the average of the
    generator, as far as they matter there; never the objective or the constraint itself.
    """
    objective = config.objective.removesuffix("_saturating")
    table = POINTS if config.is_points else IMAGES
    kind = _KINDS.get(config.constraint, objective)
    recipe = table.get(kind, {})  # a method without a recipe keeps what is set
    fields = expand({name: v for name, v in recipe.items() if name not in SWITCHES})
    if kind == "gp" and not config.is_points:
        fields["ema"] = 0.999 if config.image_size >= 64 else 0.0
    return fields


def switched(
    config: ExperimentConfig, field: str, value: Any, log: Sequence[Fields] = ()
) -> dict[str, Any]:
    """What a switch of `field` changes: itself, and what belongs to it and was not set by hand.

    log: the changes so far, {field: (old, new)} each, in order. Raises `ConfigError`.
    """
    changes = {field: value}
    if field not in SWITCHES:
        return changes
    new = config.replace(changes)
    held = by_hand(config, log)
    brought = {name: v for name, v in belonging(new).items() if getattr(config, name) != v}
    return changes | {name: v for name, v in brought.items() if name not in held}


def by_hand(config: ExperimentConfig, log: Sequence[Fields]) -> set[str]:
    """The fields that were set to something else than what belonged there, and not with a switch.

    config: after all of the log.
    """
    held: set[str] = set()
    for changes, then in zip(log, _configs(config, log), strict=True):
        if changes.keys() & set(SWITCHES):
            continue
        proper = belonging(then)
        for name, (_, new) in changes.items():
            (held.discard if proper.get(name) == new else held.add)(name)
    return held


def _configs(config: ExperimentConfig, log: Sequence[Fields]) -> list[ExperimentConfig]:
    """The config after each entry of the log, as far as its objective and constraint go."""
    found = []
    for changes in reversed(log):
        found.append(config)
        config = config.replace({k: v[0] for k, v in changes.items() if k in SWITCHES})
    return found[::-1]
