"""Settings in the field's terms, for people: `GP`, `critic LayerNorm`, `5 critic steps`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wgan.config import SHORTHANDS

_OBJECTIVES = {
    "gan": "GAN",
    "gan_saturating": "Saturating GAN",
    "lsgan": "LSGAN",
    "wgan": "WGAN",
    "hinge": "Hinge",
}
_CONSTRAINTS = {
    "none": "no constraint",
    "clip": "clipping",
    "gp": "GP",
    "gp_onesided": "one-sided GP",
    "r1": "R1",
    "r2": "R2",
}
_NORMS = {
    "none": "without norm",
    "batch": "BatchNorm",
    "layer": "LayerNorm",
    "instance": "InstanceNorm",
    "spectral": "spectral norm",
}
_OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSProp", "sgd": "SGD"}
_NAMED = {
    "objective": _OBJECTIVES,
    "constraint": _CONSTRAINTS,
    "norm": _NORMS,
    "optimizer": _OPTIMIZERS,
    "freeze": {True: "frozen", False: "trains again"},
}
_SYMBOLS = {
    "clip_value": "c",
    "gp_weight": "λ",
    "gp_target": "target norm",
    "beta1": "β₁",
    "beta2": "β₂",
    "batch_size": "batch",
    "ema": "EMA",
}
_SIDES = {"_g": "generator ", "_d": "critic "}


def describe(changes: Mapping[str, tuple[Any, Any]]) -> str:
    """What changed, in one short line: `WGAN · GP · 5 critic steps`. changes: as of `diff`."""
    return " · ".join(term(name, new) for name, (_, new) in shortened(changes).items())


def term(name: str, value: Any) -> str:
    """One setting: a field of the config, or a shorthand for both networks, and its value."""
    side = _SIDES.get(name[-2:], "")
    field = name[:-2] if side else name
    if field in _NAMED:
        return side + _NAMED[field][value]
    if field == "critic_steps":
        return f"{value} critic step{'' if value == 1 else 's'}"
    return f"{side}{_SYMBOLS.get(field, field.replace('_', ' '))} {shown_value(value)}"


def shortened(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """The changes with one name for both networks where they changed alike."""
    found = dict(changes)
    for short, (a, b) in SHORTHANDS.items():
        if a in found and found[a] == found.get(b):
            # In the place of the first of the two.
            found = {short if k == a else k: v for k, v in found.items() if k != b}
    return found


def shown_value(value: Any) -> str:
    """A field's value as people read it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)
