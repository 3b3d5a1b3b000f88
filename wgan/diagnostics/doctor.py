"""What ails a run: alarms on evidence, each with the number that shows it and what to try.

`diagnose` is a pure function of what a run publishes. It says nothing before there is evidence, and
only what has held for several measurements in a row since the settings last changed; an alarm then
stays for as many measurements, so that it does not flicker. `wgan.advice` warns of settings before
they do harm; here speaks what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from wgan.config import ExperimentConfig, replace_live
from wgan.constraints import constraint
from wgan.frame import Frame
from wgan.objectives import objective
from wgan.presets import cure

Values = npt.NDArray[np.floating]
Yes = npt.NDArray[np.bool_]

HELD = 6  # so many blocks in a row make evidence …
RECENT = 12  # … somewhere among so many, the newest ones
STEPS = 50  # generator steps in a block of what every step reports
APART = 10  # the same for what is measured now and then: slow runs are measured at every step

# A perfect critic's loss is 0 and its estimate of JS is log 2 (WGAN, Fig. 4).
LOG2 = math.log(2)
SATURATED = 0.6
# WGAN-GP, Fig. 1b: GP stays within one decade over 12 layers, clipping leaves it by many.
EXPLODING, VANISHING = 2.0, -3.5  # decades from the score back to the first layer
PINNED = 0.5  # WGAN-GP, Fig. 1b right: most clipped weights end at ±c
UPHILL = -0.02  # WGAN, section 4.2 says negative; noise about 0 is none
FAR = 4.0  # a gradient norm so many times above or below where the penalty holds it
# Spread over so small a share of the modes is a collapse; a young generator is no evidence.
FEW, GROWN_UP = 0.25, 500
LOST = 0.5  # of the modes that were once covered
PENALTY_BUGS = {
    "alpha_normal", "alpha_shared", "alpha_of_elements",
    "norm_of_batch", "norm_of_channels", "penalty_detached",
}  # fmt: skip


@dataclass(frozen=True)
class Alarm:
    """One finding.

    name: its section in the guide's text `doctor.md`. title: a few words. evidence, remedy: one
    sentence each. changes: live fields that apply the remedy, and `button` says so in a few words;
    empty where no single change would help.
    """

    name: str
    title: str
    evidence: str
    remedy: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    button: str = ""


def diagnose(frame: Frame) -> tuple[Alarm, ...]:
    """The alarms of this moment, the most urgent first; empty for a healthy or a young run."""
    past = _History(frame)
    found = (check(frame, past) for check in (FAILED if frame.state == "failed" else CHECKS))
    return tuple(alarm for alarm in found if alarm is not None)


class _History:
    """The curves of a run since its settings last changed, in blocks of steps."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.since = max((e.step for e in frame.events if e.kind == "change"), default=0)

    def _blocks(self, name: str, steps: int, since: int | None = None) -> Values:
        """Mean of a figure in each block of so many steps, all finished blocks, oldest first."""
        curve = self.frame.curves.get(name)
        if curve is None:
            return np.zeros(0, np.float32)
        block = curve.step // steps
        valid = (curve.step > (self.since if since is None else since)) & (block < block[-1])
        _, inverse = np.unique(block[valid], return_inverse=True)
        return (np.bincount(inverse, curve.mean[valid]) / np.bincount(inverse)).astype(np.float32)

    def each_step(self, name: str) -> Values:
        """Of a figure that every step reports."""
        return self._blocks(name, STEPS)

    def measured(self, name: str, **since: int) -> Values:
        """Of a figure that is measured now and then."""
        return self._blocks(name, APART, **since)


def held(values: Values, ill: Callable[[Values], Yes]) -> float | None:
    """The mean of the last `HELD` in a row that were ill, among the `RECENT` newest; or None."""
    recent = values[-RECENT:]
    bad = ill(recent)
    for end in range(len(recent), HELD - 1, -1):
        if bad[end - HELD : end].all():
            return float(recent[end - HELD : end].mean())
    return None


# The checks --------------------------------------------------------------------------------------


def _non_finite(frame: Frame, _past: _History) -> Alarm | None:
    failed = next((event for event in reversed(frame.events) if event.kind == "failed"), None)
    if failed is None:
        return None
    c, remedy, button = frame.config, "", ""
    if bugs := {"raw_log", "norm_without_eps"} & set(c.faults):
        changes = _without(c, bugs)
        remedy, button = (
            "A deliberate bug that makes NaN is on; remove it.",
            "switch the bug off",
        )
    elif c.objective == "wgan" and c.constraint == "none":
        changes, button = _cure(c), "WGAN-GP"
        remedy = "Nothing bounds the critic of this WGAN; add the gradient penalty."
    else:
        lower = {f"lr_{side}": getattr(c, f"lr_{side}") / 10 for side in ("g", "d")}
        changes, button = lower, "learning rates ÷ 10"
        remedy = "Smaller steps: divide both learning rates by ten."
    return Alarm(
        "non_finite",
        "The numbers blew up",
        f"At step {failed.step:,} {failed.text}.",
        remedy,
        changes,
        button,
    )


def _batch_norm(frame: Frame, _past: _History) -> Alarm | None:
    c = frame.config
    if c.norm_d != "batch" or not constraint(c.constraint).is_penalty:
        return None
    return Alarm(
        "batch_norm",
        "BatchNorm under a penalty",
        "The penalty is meant for each sample alone; BatchNorm in the critic couples them.",
        "LayerNorm couples no samples (WGAN-GP, section 4).",
        {"norm_d": "layer"},
        "LayerNorm",
    )


def _collapse(frame: Frame, past: _History) -> Alarm | None:
    total = frame.metrics.modes_total if frame.metrics else None
    c = frame.config
    if not total or c.freeze_g or c.fakes != "generated":
        return None  # no generator that learns
    # What was covered once counts whatever the settings were then, but not what came later.
    modes, ever = past.measured("modes"), past.measured("modes", since=0)
    best = np.maximum.accumulate(ever)[len(ever) - len(modes) :]
    lost = held(np.where(best >= 3, modes / np.maximum(best, 1), 1), lambda share: share <= LOST)
    # exp(−KL from uniform): the share of the modes that samples spread over as evenly as can be
    kl = held(past.measured("mode_kl"), lambda kl: np.exp(-kl) <= FEW)
    if lost is None and (kl is None or frame.step < GROWN_UP):
        return None
    if lost is not None:
        most = f"At best {best.max():.0f} of {total} modes were covered"
        evidence = f"{most}, lately only {lost:.0%} of them."
    else:
        assert kl is not None
        spread = total * math.exp(-kl)
        evidence = f"The effective number of modes is {spread:.1f} of {total}."
    return Alarm(
        "collapse",
        "Mode collapse",
        evidence,
        *_towards_gp(c, "A critic that estimates a distance sees what is missing"),
    )


def _overpowered(frame: Frame, past: _History) -> Alarm | None:
    if not objective(frame.config.objective).logits:
        return None
    loss, penalty = past.each_step("critic_loss"), past.each_step("penalty")
    if len(penalty):  # the loss has it, and it says nothing of who wins
        shared = min(len(loss), len(penalty))
        loss = loss[-shared:] - penalty[-shared:]
    # The critic's loss is 2 log 2 − 2 JS at its optimum, a bound otherwise.
    js = held(LOG2 - loss / 2, lambda js: js >= SATURATED)
    if js is None:
        return None
    return Alarm(
        "overpowered",
        "The critic is too strong",
        f"It tells real from generated almost perfectly: JS estimate {js:.3f} of {LOG2:.3f}.",
        *_towards_gp(frame.config, "A distance has a slope even without any overlap"),
    )


def _negative(frame: Frame, past: _History) -> Alarm | None:
    c = frame.config
    if not objective(c.objective).linear:
        return None
    estimate = held(past.each_step("critic_estimate"), lambda estimate: estimate < 0)
    if estimate is None:
        return None
    if c.freeze_d:
        remedy, changes, button = "It is frozen; let it train.", {"freeze_d": False}, "train it"
    elif c.critic_steps < 5:
        remedy, changes = "Give the critic more steps (WGAN, Algorithm 1).", {"critic_steps": 5}
        button = "5 critic steps"
    else:
        remedy, changes = "Slow the generator down.", {"lr_g": c.lr_g / 5}
        button = "generator's rate ÷ 5"
    return Alarm(
        "negative",
        "The critic is on the wrong side",
        f"Its estimate of W1 is {estimate:.2g}, below 0: generated samples score higher than real.",
        remedy,
        changes,
        button,
    )


def _uphill(frame: Frame, past: _History) -> Alarm | None:
    c = frame.config
    if c.optimizer_d != "adam" or c.beta1 == 0:
        return None
    cosine = held(past.measured("update_cosine"), lambda cosine: cosine < UPHILL)
    if cosine is None:
        return None
    return Alarm(
        "uphill",
        "The critic's optimiser goes uphill",
        f"The cosine between its step and the downhill direction is {cosine:.2f}.",
        "Its momentum is out of date; switch it off (WGAN, section 4.2).",
        {"beta1": 0.0},
        "β₁ = 0",
    )


def _penalty(frame: Frame, past: _History) -> Alarm | None:
    c = frame.config
    if not constraint(c.constraint).has_target or c.gp_target == 0:
        return None
    # In balance the pull of W1 outweighs the penalty up to the norm k + 1 / 2λ: where
    # d/dg [g − λ(g − k)²] = 0 (with everything moved along one line).
    high = FAR * (c.gp_target + 0.5 / max(c.gp_weight, 1e-3))
    # From below it comes by itself, from the small slope of an untrained critic.
    grown = c.constraint == "gp" and frame.step - past.since >= GROWN_UP
    low = c.gp_target / FAR if grown else -1.0
    norm = held(past.measured("gradient_norm"), lambda norm: (norm > high) | (norm < low))
    if norm is None:
        return None
    if bugs := PENALTY_BUGS & set(c.faults):
        remedy, changes = "A deliberate bug spoils the penalty; switch it off.", _without(c, bugs)
        button = "switch the bug off"
    elif norm > c.gp_target:
        weight = max(10 * c.gp_weight, 0.1 if c.is_points else 10.0)
        remedy, changes = "Increase the penalty weight.", {"gp_weight": weight}
        button = f"λ = {weight:g}"
    else:
        remedy, changes = "Let the critic learn faster.", {"lr_d": min(5 * c.lr_d, 10.0)}
        button = "critic's rate × 5"
    return Alarm(
        "penalty",
        "The penalty does not hold",
        f"The gradient norm between real and generated is {norm:.2g}, "
        f"where the penalty pulls towards {c.gp_target:g}.",
        remedy,
        changes,
        button,
    )


def _layers(frame: Frame, past: _History) -> Alarm | None:
    def ill(decades: Values) -> Yes:
        return (decades > EXPLODING) | (decades < VANISHING)

    decades = held(past.measured("gradient_decades"), ill)
    if decades is None:
        return None
    explodes = decades > 0
    how = "larger" if explodes else "smaller"
    return Alarm(
        "exploding" if explodes else "vanishing",
        f"Gradients {'explode' if explodes else 'vanish'} through the critic",
        f"At its first layer they are about {_power(decades)} times {how} than at its score.",
        *_towards_gp(frame.config, "A penalty keeps them level (WGAN-GP, Fig. 1b)"),
    )


def _power(decades: float) -> str:
    """A factor as people read it: 6,000, or 10¹² where it has too many digits."""
    if abs(decades) < 5:
        return f"{float(f'{10 ** abs(decades):.1g}'):,.0f}"
    return "10" + f"{abs(decades):.0f}".translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _pinned(frame: Frame, past: _History) -> Alarm | None:
    c = frame.config
    share = held(past.measured("pinned_share"), lambda share: share > PINNED)
    if not constraint(c.constraint).clips or share is None:
        return None
    return Alarm(
        "pinned",
        "The clip holds the weights",
        f"Of the critic's weights {share:.0%} lie at ±{c.clip_value:g}: "
        "it can only be a very simple function.",
        *_towards_gp(c, "A penalty leaves the weights free (WGAN-GP, Fig. 1b)"),
    )


# Remedies ----------------------------------------------------------------------------------------


def _cure(config: ExperimentConfig) -> dict[str, Any]:
    """What WGAN-GP would change; empty for one that is it already."""
    changes = cure(config)
    return {} if replace_live(config, changes) == config else changes


def _towards_gp(config: ExperimentConfig, why: str) -> tuple[str, dict[str, Any], str]:
    """Remedy, changes and button."""
    if changes := _cure(config):
        return f"{why}: switch to WGAN-GP.", changes, "WGAN-GP"
    return "Make the critic stronger: more steps, or a wider one in a new run.", {}, ""


def _without(config: ExperimentConfig, bugs: set[str]) -> dict[str, Any]:
    return {"faults": [fault for fault in config.faults if fault not in bugs]}


Check = Callable[[Frame, _History], Alarm | None]
# The most urgent first. A run that has failed is back at its last good state: nothing else counts.
CHECKS: tuple[Check, ...] = (
    _batch_norm, _collapse, _overpowered, _negative, _uphill, _penalty, _layers, _pinned,
)  # fmt: skip
FAILED: tuple[Check, ...] = (_non_finite, _batch_norm)
