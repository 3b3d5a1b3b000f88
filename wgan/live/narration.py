"""What a run does, in words: what one sees now, and what the last change was and came to.

Pure functions of a frame: everybody who watches the run reads the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from wgan.config import ExperimentConfig, diff
from wgan.constraints import constraint
from wgan.frame import Frame
from wgan.labels import term, transitions
from wgan.live.blocks import Block, html
from wgan.live.parts import Options
from wgan.objectives import objective
from wgan.plots.meter import GROWN
from wgan.recipes import SWITCHES, belonging, by_hand
from wgan.runs.run import Run
from wgan.types import Curve, Event, Metrics
from wgan.words import format_3_digits, sections

SOON = 200  # steps after a change before it is told what it came to
HINT = "Each change is explained here: what changed, what to expect, and what came of it."
# Of the curves, what is told before and after a change.
TOLD = {"modes": "modes", "w1": "W1", "gradient_norm": "slope"}


def now(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """What one sees now, in one line; or at the step that was measured, if that is long ago."""
    text, m = escape(sentence(frame)), frame.metrics
    when = f"At step {m.step:,}" if m is not None and frame.behind else "Now"
    return [html(f'<p role="status" class="wgan-line" title="{text}"><b>{when}:</b> {text}</p>')]


def change(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """The last change: in a line what changed; in two what is expected of it, then what it did."""
    last = last_change(frame.events)
    if last is None:
        return [html(_change(HINT, "", "", "wgan-quiet"))]
    config = config_after(frame, last)
    did = outcome(frame, last)
    what, hope = what_changed(frame, last), expected(last, config)
    return [html(_change(f"<b>{escape(what)}</b>", escape(did or hope), f"{what}. {hope} {did}"))]


def _change(first: str, second: str, told: str, kind: str = "") -> str:
    """Always of one height: nothing below it moves. told: what hovering shows."""
    return (
        f'<p class="wgan-line {kind}" title="{escape(told)}">{first}</p>'
        f'<p class="wgan-line wgan-two" title="{escape(told)}">{second}</p>'
    )


# What one sees now ----------------------------------------------------------------------------


def sentence(frame: Frame) -> str:
    """The samples, and what the critic makes of them, from what was measured last."""
    if frame.state == "failed":
        return "the run has stopped."
    if frame.metrics is None:
        return "nothing has been measured yet."
    parts = [_samples(frame.metrics, frame.config), "" if frame.behind else _critic(frame)]
    return "; ".join(filter(None, parts)) + "."


def _samples(m: Metrics, config: ExperimentConfig) -> str:
    if config.fakes != "generated":
        return "the fakes are real samples with noise, and only the critic learns"
    young = m.step < GROWN
    if m.modes is not None and m.modes_total:
        return _modes(m, config, young)
    if m.reached is not None:
        reached, real = m.reached, m.reached_real or 0.0
        few = "nearly all samples look alike: " if not young and reached < 0.1 * real else ""
        return f"{few}the samples cover {reached:.0%} of the data (real images {real:.0%})"
    if m.w1 is not None and m.w1_floor:
        times = m.w1 / m.w1_floor
        if times < 1.25:
            return "the samples are as near to the data as other real samples are"
        return (
            f"the samples are {format_3_digits(times)} times as far from the data as other real "
            "samples are"
        )
    return "there is nothing to count in this data set"


def _modes(m: Metrics, config: ExperimentConfig, young: bool) -> str:
    one, many = _nouns(config)
    modes, total = m.modes or 0, m.modes_total or 0
    if young:
        return f"the generator has only just started; {modes} of {total} {many} so far"
    top = max(m.counts, default=0)
    good = sum(m.counts)
    quality = m.high_quality or 0.0
    if quality < 0.05:
        covered = f"; {modes} of {total} {many} just count" if modes else ""
        return f"hardly any sample looks real{covered or f', so no {one} counts yet'}"
    if good and top > 0.95 * good:
        name = m.mode_names[m.counts.index(top)] if m.mode_names else ""
        which = f" ({name})" if name and not config.is_points else ""
        return f"all realistic samples show the same {one}{which}: the generator has collapsed"
    if modes == total:
        even = " evenly" if m.mode_kl is not None and m.mode_kl < 0.1 else ""
        return f"all {total} {many} are covered{even}, and {quality:.0%} of the samples look real"
    if quality > 0.5:
        share = f"{quality:.0%} of the samples look real"
        return f"{share}, but they show only {modes} of the {total} {many}"
    return f"{modes} of {total} {many} are covered, and {quality:.0%} of the samples look real"


def _nouns(config: ExperimentConfig) -> tuple[str, str]:
    if config.data in ("digits", "mnist"):
        return "digit", "digits"
    return ("mode", "modes") if config.is_points else ("class", "classes")


def _critic(frame: Frame) -> str:
    """What the critic makes of real and generated samples, where its loss tells."""
    m, config = frame.metrics, frame.config
    assert m is not None
    loss = _last(frame, "critic_loss")
    if objective(config.objective).logits and loss is not None:
        penalised = constraint(config.constraint).is_penalty
        # The loss is the mean of −log P(right) over real ones, and over generated ones.
        loss -= (_last(frame, "penalty") or 0.0) if penalised else 0.0
        right = math.exp(-max(loss, 0.0) / 2)
        if right > 0.95:
            starves = config.objective == "gan_saturating"
            end = ", so the generator gets almost no gradient" if starves else ""
            return f"the critic tells real from generated with {right:.0%} certainty{end}"
        if right < 0.55:
            return "the critic cannot tell real from generated"
        return f"the critic tells real from generated with {right:.0%} certainty"
    estimate = _last(frame, "critic_estimate")  # as the curve has it
    if config.objective == "wgan" and estimate is not None and m.w1 is not None:
        units = "" if config.constraint in ("gp", "gp_onesided") else " in its own units"
        says = f"the critic's estimate is {format_3_digits(estimate)}{units}"
        return f"{says}, the exact W1 {format_3_digits(m.w1)}"
    return ""


# The last change ------------------------------------------------------------------------------


def last_change(events: Sequence[Event]) -> Event | None:
    return next((event for event in reversed(events) if event.changes), None)


def config_after(frame: Frame, event: Event) -> ExperimentConfig:
    """The config just after an event; the run may have been changed since."""
    later = frame.events[frame.events.index(event) + 1 :]
    undone = {k: old for e in reversed(later) for k, (old, _) in e.changes.items()}
    config = frame.config
    # A frame may know of a change that its events do not tell yet.
    given = undone | {k: new for k, (_, new) in event.changes.items()}
    return config.replace(given) if diff(config, config.replace(given)) else config


def what_changed(frame: Frame, event: Event) -> str:
    """`GAN → WGAN; critic rate 2e-4 → 5e-5 · left alone, set by hand: β₁ 0.9`."""
    changes = event.changes
    first = {k: v for k, v in changes.items() if k in SWITCHES}
    text = transitions(first | {k: v for k, v in changes.items() if k not in first})
    if first and (kept := left_alone(frame, event)):
        text += f" · left alone, set by hand: {', '.join(kept)}"
    return text[:1].upper() + text[1:]


def left_alone(frame: Frame, event: Event) -> list[str]:
    """The settings that a switch would have brought, had they not been set by hand before."""
    config = config_after(frame, event)
    before = frame.events[: frame.events.index(event)]
    undone = {k: old for k, (old, _) in event.changes.items()}
    held = by_hand(config.replace(undone), [e.changes for e in before])
    proper = belonging(config)
    other = (k for k, v in proper.items() if k in held and getattr(config, k) != v)
    return [term(k, getattr(config, k)) for k in other]


def expected(event: Event, config: ExperimentConfig) -> str:
    """What the literature expects of the change, in one line; empty where it says nothing."""
    texts = sections("changes")
    keys = []
    if event.changes.keys() & set(SWITCHES):
        keys.append(f"{config.objective}+{config.constraint}")
    for field in sorted(event.changes, key=lambda name: name not in SWITCHES):
        keys += [f"{field}={getattr(config, field)}", field]
    return next((texts[key] for key in keys if key in texts), "")


def outcome(frame: Frame, event: Event) -> str:
    """What this run did since: measured before and after; empty until some hundred steps later."""
    found, newest = [], 0
    for name, word in TOLD.items():
        curve = frame.curves.get(name)
        if curve is None or not len(curve.step):
            continue
        before, after = _at(curve, event.step), (int(curve.step[-1]), float(curve.mean[-1]))
        if after[0] < event.step + SOON or not math.isfinite(after[1]):
            continue
        newest = max(newest, after[0])
        show = (lambda v: f"{v:.0f}") if name == "modes" else format_3_digits
        since = "" if before is None else f"{show(before)} → "
        found.append(f"{word} {since}{show(after[1])}")
    if not found:
        return ""
    return f"Here, {newest - event.step:,} steps later: {' · '.join(found)}"


def _at(curve: Curve, step: int) -> float | None:
    """The newest value that is no later than a step."""
    there = [float(v) for s, v in zip(curve.step, curve.mean, strict=True) if s <= step]
    return there[-1] if there and math.isfinite(there[-1]) else None


def _last(frame: Frame, name: str) -> float | None:
    curve = frame.curves.get(name)
    if curve is None or not len(curve.mean) or not math.isfinite(curve.mean[-1]):
        return None
    return float(curve.mean[-1])
