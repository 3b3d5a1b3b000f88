"""Ready comparisons: runs that differ in one thing, and what comes of it.

Each has a claim that `holds` checks on what was measured after so many generator steps; its words
are in `ui/text/en/comparisons.md`. `python -m benchmarks.comparisons` trains them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from wgan.config import ExperimentConfig, from_dict
from wgan.presets import PRESETS, TOY
from wgan.recipes import GP_POINTS, GP_POINTS_RMSPROP, RING_GAN, WGAN_CLIP, WGAN_GP
from wgan.types import Curve

Found = Mapping[str, float]  # of one run: figure -> value


@dataclass(frozen=True)
class Comparison:
    """Up to four runs, made at once. They differ in nothing but what their fields say.

    steps: generator steps after which they are judged. figures: what is told of each run, names of
    curves. holds: whether what was found before holds for these, in the order of the runs.
    """

    fields: tuple[Mapping[str, Any], ...]
    steps: int
    figures: tuple[str, ...]
    holds: Callable[[Sequence[Found]], bool]

    @property
    def configs(self) -> list[ExperimentConfig]:
        return [from_dict(fields) for fields in self.fields]


def _modes(found: Sequence[Found]) -> list[float]:
    return [figures["modes"] for figures in found]


def _w1(found: Sequence[Found]) -> list[float]:
    return [figures["w1"] for figures in found]


def _race(found: Sequence[Found]) -> bool:
    clip, rmsprop, adam, gan = _modes(found)
    return min(rmsprop, adam) >= 6 and max(clip, gan) <= 2


def _clip_gp(found: Sequence[Found]) -> bool:
    clip, gp = found
    return clip["gradient_norm"] < 0.1 < 1 < gp["gradient_norm"] and clip["modes"] < gp["modes"] - 3


def _norms(found: Sequence[Found]) -> bool:
    batch, layer, none = _modes(found)
    return batch <= 2 and min(layer, none) >= 9


def _optimisers(found: Sequence[Found]) -> bool:
    clip_rmsprop, clip_adam, rmsprop, adam = _w1(found)
    return clip_adam > 1.25 * clip_rmsprop and max(rmsprop, adam) < clip_rmsprop


def _outputs(found: Sequence[Found]) -> bool:
    return min(_modes(found)) >= 9


def _objectives(found: Sequence[Found]) -> bool:
    gan, gp = _modes(found)
    return gan <= 2 and gp >= 9


def _blog(found: Sequence[Found]) -> bool:
    return max(_modes(found)) <= 2


def _sides(found: Sequence[Found]) -> bool:
    one, two = _w1(found)
    return min(_modes(found)) >= 7 and max(one, two) < 1.3 * min(one, two)


def _critic_steps(found: Sequence[Found]) -> bool:
    one, five, twenty = _w1(found)
    return one > 1.25 * five and five < 1.25 * twenty and twenty < 1.25 * five


# One network for all on the ring, so that all begin with the same weights.
_RING = TOY | {"activation": "leaky_relu", "width": 64, "ema": 0.99}
_GP = _RING | WGAN_GP | GP_POINTS
# A rate and a clip at which a clipped critic learns something on the ring.
_CLIP = _RING | WGAN_CLIP | {"lr": 2e-4, "clip_value": 0.03}
_DIGITS = PRESETS["digits-wgan-gp"].fields

COMPARISONS = {
    # Gulrajani et al. 2017, Fig. 3, with the ring in the place of CIFAR-10.
    "race": Comparison(
        (_RING | WGAN_CLIP, _GP | GP_POINTS_RMSPROP, _GP, _RING | RING_GAN),
        1500,
        ("modes", "w1"),
        _race,
    ),
    # The same, Fig. 1a: what each lets the critic's surface be.
    "clip-gp": Comparison(
        (_RING | WGAN_CLIP, _GP), 1000, ("modes", "gradient_norm", "w1"), _clip_gp
    ),
    "norms": Comparison(
        tuple(_DIGITS | {"norm_d": norm} for norm in ("batch", "layer", "none")),
        400,
        ("modes", "gradient_norm"),
        _norms,
    ),
    "optimisers": Comparison(
        (
            _CLIP,
            _CLIP | {"optimizer": "adam", "beta1": 0.9, "beta2": 0.999},
            _GP | {"optimizer": "rmsprop"},
            _GP,
        ),
        1000,
        ("w1", "modes"),
        _optimisers,
    ),
    "outputs": Comparison(
        tuple(_DIGITS | {"output": output} for output in ("sigmoid", "tanh")),
        400,
        ("modes", "mode_kl"),
        _outputs,
    ),
    "blog": Comparison(
        tuple(PRESETS[f"digits-gan-blog-{output}"].fields for output in ("sigmoid", "tanh")),
        1000,
        ("modes", "high_quality"),
        _blog,
    ),
    "objectives": Comparison(
        (PRESETS["digits-gan"].fields, _DIGITS), 400, ("modes", "high_quality"), _objectives
    ),
    "sides": Comparison((_GP, _GP | {"constraint": "gp_onesided"}), 1000, ("modes", "w1"), _sides),
    "critic-steps": Comparison(
        tuple(_GP | {"critic_steps": steps} for steps in (1, 5, 20)),
        400,
        ("w1", "modes"),
        _critic_steps,
    ),
}


@lru_cache(64)
def comparison_of(configs: tuple[ExperimentConfig, ...]) -> str | None:
    """The comparison that runs of these configs are, all of one seed; None for others."""
    if len({config.seed for config in configs}) != 1:
        return None
    seedless = [config.replace({"seed": 0}) for config in configs]
    return next((name for name, one in COMPARISONS.items() if one.configs == seedless), None)


def figures_at(curves: Mapping[str, Curve], step: int, names: Sequence[str]) -> Found | None:
    """The figures measured about a step: the last ones up to it, else the first ones after it.

    None as long as there are none from three quarters of the way on: they would tell of a run that
    has only begun.
    """
    found = {}
    for name in names:
        if (curve := curves.get(name)) is None:
            return None
        near = np.flatnonzero(curve.step >= 0.75 * step)
        if not len(near):
            return None
        before = near[curve.step[near] <= step]
        found[name] = float(curve.mean[before[-1] if len(before) else near[0]])
    return found
