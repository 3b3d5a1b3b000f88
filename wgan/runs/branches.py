"""Runs side by side: how they differ, what a branch can be, and sets that are worth a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from wgan.config import SHORTHANDS, ExperimentConfig, choices, diff, from_dict
from wgan.presets import TOY, collapse, cure, recipe
from wgan.recipes import GP_POINTS, GP_POINTS_RMSPROP, RING_GAN, WGAN_CLIP, WGAN_GP
from wgan.terms import transitions

MOST = 4  # runs side by side
QUICK = ("objective", "constraint", "norm_d", "optimizer")  # fields with one-click branches


def differences(first: ExperimentConfig, other: ExperimentConfig) -> str:
    """`GP → clipping; rate 1e-3 → 5e-5`; empty when the two are the same."""
    return transitions(diff(first, other))


@lru_cache(
    256
)  # every page asks, for the list of a menu that few open: it was a quarter of its time
def quick_changes(config: ExperimentConfig) -> Mapping[str, Mapping[str, Any]]:
    """What a branch of a run of this config can go on with, by name; only what differs.

    The names are `wgan-gp`, `wgan-clip` and `gan` for whole recipes, and `field=value`.
    """
    found: dict[str, Mapping[str, Any]] = {
        "wgan-gp": cure(config),
        "wgan-clip": recipe(config, "wgan", "clip"),
        "gan": collapse(config),
    }
    for field in QUICK:
        for value in choices(SHORTHANDS.get(field, (field,))[0]):
            found[f"{field}={value}"] = {field: value}
    return {name: changes for name, changes in found.items() if config.replace(changes) != config}


@dataclass(frozen=True)
class Setup:
    """Several runs that are made at once. They differ in nothing but what their fields say."""

    title: str
    fields: tuple[Mapping[str, Any], ...]

    @property
    def configs(self) -> list[ExperimentConfig]:
        return [from_dict(fields) for fields in self.fields]


# One network for all, so that all begin with the same weights. With the average both penalties have
# seven or eight modes after 1,500 steps (about 30 s of one core); clipping and the GAN none.
_RING = TOY | {"activation": "leaky_relu", "width": 64, "ema": 0.99}
_GP = WGAN_GP | GP_POINTS
SETUPS = {
    # Gulrajani et al. 2017, Fig. 3, with the ring in the place of CIFAR-10.
    "race": Setup(
        "Race",
        (
            _RING | WGAN_CLIP,
            _RING | _GP | GP_POINTS_RMSPROP,
            _RING | _GP,
            _RING | RING_GAN,
        ),
    ),
    # The same, Fig. 1a: what each lets the critic's surface be.
    "surfaces": Setup("Clipping beside GP", (_RING | WGAN_CLIP, _RING | _GP)),
}
