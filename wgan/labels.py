"""Settings in the field's terms, for people: `GP`, `critic LayerNorm`, `5 critic steps`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wgan.config import SHORTHANDS, ExperimentConfig
from wgan.constraints import CONSTRAINTS
from wgan.data.titles import title
from wgan.objectives import OBJECTIVES

_NORMS = {
    "none": "without normalisation",
    "batch": "BatchNorm",
    "layer": "LayerNorm",
    "instance": "InstanceNorm",
    "spectral": "spectral norm",
}
_OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSProp", "sgd": "SGD"}
_FAULTS = {
    "alpha_normal": "α from a normal",
    "alpha_shared": "one α per batch",
    "alpha_of_elements": "one α per pixel",
    "norm_of_batch": "norm over the batch",
    "norm_of_channels": "norm over channels only",
    "norm_without_eps": "norm without ε",
    "penalty_detached": "penalty without gradient",
    "fakes_attached": "fakes attached",
    "sign_flipped": "sign flipped",
    "clip_norm_scale": "norm scale clipped",
    "raw_log": "raw log",
    "range_mismatch": "range mismatch",
    "batchnorm_eps": "BatchNorm ε 0.8",
}
_NAMED = {
    "objective": {name: entry.label for name, entry in OBJECTIVES.items()},
    "constraint": {name: entry.label for name, entry in CONSTRAINTS.items()},
    "norm": _NORMS,
    "optimizer": _OPTIMIZERS,
    "freeze": {True: "frozen", False: "trains again"},
}
_SYMBOLS = {
    "clip_value": "c",
    "gp_weight": "λ",
    "gp_target": "target norm",
    "lr": "rate",
    "beta1": "β₁",
    "beta2": "β₂",
    "batch_size": "batch",
    "ema": "averaging",
    "faults": "bugs",
    "widths": "layers",
    "latent_dim": "latent dimensions",
    "limit": "images to use",
    "fakes": "source of fakes",
}
_SIDES = {"_g": "generator ", "_d": "critic "}


def method_of(config: ExperimentConfig) -> str:
    """`WGAN-GP`, `WGAN, clipped`, `GAN` …: what the literature calls these settings."""
    return method(config.objective, config.constraint)


def method(objective: str, constraint: str) -> str:
    """The same of an objective and its constraint."""
    if objective == "wgan":
        names = {"gp": "WGAN-GP", "gp_onesided": "WGAN-GP, one-sided", "clip": "WGAN, clipped"}
        return names.get(constraint, f"WGAN, {constraint}")
    extra = {"none": "", "clip": ", clipped", "gp_onesided": " with a one-sided GP"}
    added = extra.get(constraint, f" with {_NAMED['constraint'][constraint]}")
    return _NAMED["objective"][objective] + added


def describe(changes: Mapping[str, tuple[Any, Any]]) -> str:
    """What changed, in one short line: `WGAN · GP · 5 critic steps`. changes: as of `diff`."""
    return " · ".join(term(name, new) for name, (_, new) in shortened(changes).items())


def term(name: str, value: Any) -> str:
    """One setting: a field of the config, or a shorthand for both networks, and its value."""
    side, field = _side_and_field(name)
    if field in _NAMED:
        return side + _NAMED[field][value]
    if field in ("critic_steps", "generator_steps"):
        what = field.removesuffix("_steps")
        return f"{value} {what} step{'' if value == 1 else 's'}"
    return f"{_name(name)} {_shown(field, value)}"


def transition(name: str, old: Any, new: Any) -> str:
    """From one value to another: `GAN → WGAN`, `critic rate 5e-5 → 2e-3`."""
    side, field = _side_and_field(name)
    if field == "data":
        return f"{title(old)} → {title(new)}"
    if field == "freeze":
        return term(name, new)
    if field in _NAMED:
        return f"{side}{_NAMED[field][old]} → {_NAMED[field][new]}"
    return f"{_name(name)} {_shown(field, old)} → {_shown(field, new)}"


def transitions(changes: Mapping[str, tuple[Any, Any]]) -> str:
    """What changed, and from what: `GAN → WGAN; critic steps 1 → 5`. changes: as of `diff`."""
    return "; ".join(transition(name, *pair) for name, pair in shortened(changes).items())


def _side_and_field(name: str) -> tuple[str, str]:
    side = _SIDES.get(name[-2:], "")
    return side, name[:-2] if side else name


def _name(name: str) -> str:
    """What a field is called that is shown with a value."""
    side, field = _side_and_field(name)
    return side + _SYMBOLS.get(field, field.replace("_", " "))


def _shown(field: str, value: Any) -> str:
    return "width × depth" if field == "widths" and not value else shown_value(value)


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
        return _number(value)
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple):
            return f"{len(value):,} drawn"
        return ", ".join(_FAULTS.get(v, str(v)) for v in value) or "none"
    return str(value).replace("_", " ")


def _number(value: float) -> str:
    """`2e-3` for what is small, else `0.5`."""
    if value == 0 or abs(value) >= 0.01:
        return f"{value:g}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
