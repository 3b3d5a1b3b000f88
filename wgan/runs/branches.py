"""Runs side by side: how they differ, and what a branch can be."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from wgan.config import SHORTHANDS, ExperimentConfig, choices, diff
from wgan.labels import transitions
from wgan.presets import collapse, cure, recipe

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
