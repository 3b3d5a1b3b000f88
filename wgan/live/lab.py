"""The live parts of the lab: status, meter, samples, curves, stages of a step, alarms, modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import isfinite
from typing import Any

from wgan import plots
from wgan.config import ExperimentConfig
from wgan.constraints import constraint
from wgan.diagnostics.doctor import Alarm, diagnose
from wgan.frame import Frame
from wgan.live.blocks import Block, Chart, caption, columns, html, pixels, progress
from wgan.live.blocks import figures as shown
from wgan.live.parts import Options
from wgan.objectives import objective
from wgan.persistence.run_files import command
from wgan.runs.run import Run
from wgan.runs.series import Snapshot
from wgan.server.registry import lab
from wgan.stages import STAGES
from wgan.types import ImageView, PointView
from wgan.words import format_3_digits

LAYERS = {"surface": "Critic's surface", "manifold": "Latent grid", "arrows": "Gradients"}
CURVE_HEIGHT, MODES_HEIGHT, POINTS_HEIGHT = 220, 340, 520
SMOOTHING = 51  # points that a median filter takes at most


# Status ---------------------------------------------------------------------------------------


def status(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """State, steps, speed and device in one line."""
    return [html(status_line(frame, slow=run.slow is not None, sharing=lab().training()))]


def status_line(frame: Frame, slow: bool, sharing: int = 1) -> str:
    """sharing: how many runs train here by turns."""
    parts = [f"<b>{frame.state}</b>", f"· step {frame.step:,}"]
    if frame.state == "playing":
        parts.append(
            "· slow motion" if slow else f"· {format_3_digits(frame.steps_per_second)} steps/s"
        )
    if frame.state == "loading":
        parts = [f"<b>{escape(frame.message)}</b>", parts[1] if frame.view is not None else ""]
    if frame.progress is not None and frame.view is not None:
        parts = [f"<b>going back</b> · {escape(frame.message)}: {frame.progress:.0%}"]
    if frame.device:
        parts.append(f"· on {frame.device}")
    if frame.state == "playing" and sharing > 1:
        parts.append(f"· {sharing} runs share this {'CPU' if frame.device == 'cpu' else 'device'}")
    words = " ".join(f"<span>{part}</span>" for part in parts)
    return f'<div role="status" class="wgan-status {frame.state}"><i>●</i> {words}</div>'


# Meter and samples ----------------------------------------------------------------------------


def meter(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """The modes that the samples cover. at: the step that is looked back at."""
    if frame.state == "failed" and frame.metrics is None:
        return []  # nothing is being counted
    past = _past(run, options)
    if past is not None:
        return [html(plots.mode_meter(past.metrics))]
    return [html(plots.mode_meter(frame.metrics, old=frame.behind))]


def samples(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """Generated beside real ones. at: the step that is looked back at; layers: of 2-D data."""
    past = _past(run, options)
    view, at = (past.view, past.step) if past else (frame.view, None)
    if view is None:
        if frame.state == "failed":
            return [caption("No samples: the run could not begin.")]
        return [progress(frame.message or "Preparing", frame.progress)]
    if isinstance(view, PointView):
        return [shown(_plane(frame, view, at, options["layers"]))]
    told = "each from its own fixed latent"
    return image_grids(
        view, told if at is None else f"as they were at step {at:,} of {frame.step:,}"
    )


def _past(run: Run, options: Options) -> Snapshot | None:
    at = options.get("at")
    return None if at is None else run.snapshots.nearest(at)


def _plane(frame: Frame, view: PointView, at: int | None, layers: Sequence[str]) -> Chart:
    figure = plots.points(
        view,
        surface="surface" in layers,
        manifold="manifold" in layers,
        arrows="arrows" in layers,
    )
    note = ""
    if at is not None:
        note = f"Points and critic as at step {at:,} of {frame.step:,}."
    elif "surface" in layers:
        note = "Green: the critic scores high; purple: low."
    alt = "Real and generated points over the critic's value surface"
    return Chart(figure, POINTS_HEIGHT, alt, note=note, name="samples")


def image_grids(view: ImageView, told: str) -> Sequence[Block]:
    """The generated grid, 8 × 8, and the real one, 3 × 8, of one height."""
    return [
        columns(
            [8, 3],
            [
                pixels(
                    view.fake[:64],
                    columns=8,
                    rows=8,
                    alt="Generated samples",
                    note=f'<b class="wgan-generated">Generated</b>, {escape(told)}',
                )
            ],
            [
                pixels(
                    view.real[:24],
                    columns=3,
                    rows=8,
                    alt="Real samples",
                    note='<b class="wgan-real">Real</b>',
                )
            ],
        )
    ]


# Slow motion ----------------------------------------------------------------------------------

# Which term of the equation a stage of slow motion computes.
TERM_OF_STAGE = {
    "data": "critic",
    "scores": "critic",
    "penalty": "constraint",
    "critic": "critic",
    "clip": "constraint",
    "generate": "generator",
    "generator": "generator",
}


def stages(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """The stages of a step by name, the one just done marked, with its numbers.

    The attribute `data-term` says which of the equations on the page is to be shown.
    """
    stage, config = frame.stage, frame.config
    entry = constraint(config.constraint)
    skipped = {"clip": not entry.clips, "penalty": not entry.is_penalty}
    chips = []
    for name, words in STAGES.items():
        if not skipped.get(name):
            here = stage is not None and stage.name == name
            chips.append(f'<div class="now">▸ {words}</div>' if here else f"<div>· {words}</div>")
    where, term = "Between two steps", "constraint"
    if stage is not None:
        which = f"Critic update {stage.update} of {stage.updates}"
        where = which if stage.update else "Generator update"
        there = {name: v for name, v in stage.figures.items() if isfinite(v)}
        numbers = [f"{name.replace('_', ' ')} {format_3_digits(v)}" for name, v in there.items()]
        where, term = " · ".join([where, *numbers]), TERM_OF_STAGE[stage.name]
    return [
        html(
            f'<div role="status" class="wgan-stages" data-term="{term}"><b>{where}</b>'
            f"<div>{''.join(chips)}</div></div>"
        )
    ]


# Curves ---------------------------------------------------------------------------------------

CURVES: dict[str, tuple[Callable[..., plots.Figure], str]] = {
    "losses": (plots.curve_losses, "Losses"),
    "distance": (plots.curve_distance, "Critic estimate and exact W1"),
    "modes": (plots.curve_modes, "Modes and high-quality share"),
    "gradient": (plots.curve_gradient, "Critic's gradient norm between real and fake"),
}


def main_curve(config: ExperimentConfig) -> str:
    """The curve that matters now: the critic's estimate where it estimates W1, else the losses."""
    return "distance" if objective(config.objective).linear else "losses"


def more_curves(config: ExperimentConfig) -> list[str]:
    """The others that the lab shows."""
    other = "losses" if main_curve(config) == "distance" else "distance"
    return [other, "modes", "gradient"]


def curves(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """Charts by name. at: a step that is marked in them; smoothing: points of the median."""
    return [shown(*(curve(frame, name, options) for name in options["names"]))]


def curve(frame: Frame, name: str, options: Options) -> Chart:
    """One chart of a frame, drawn once for all who read it; options as in `curves`."""
    smoothing, at = options.get("smoothing", 1), options.get("at")
    return frame.once((name, smoothing, at), lambda: _curve(frame, name, smoothing, at))


def _curve(frame: Frame, name: str, smoothing: int, at: int | None) -> Chart:
    draw, title = CURVES[name]
    extra: dict[str, Any] = {}
    if draw is plots.curve_modes:
        extra["modes_total"] = frame.metrics.modes_total if frame.metrics else None
    figure = draw(frame.curves, frame.events, smoothing=smoothing, **extra)
    if at is not None:
        figure = plots.looking_at(figure, at)
    return Chart(figure, CURVE_HEIGHT, alt=title, title=title, name=name)


# Alarms ---------------------------------------------------------------------------------------


def alarms(frame: Frame) -> tuple[Alarm, ...]:
    """The frame's alarms, computed once for all who read it."""
    return frame.once("alarms", lambda: diagnose(frame))


def alarm_line(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """The first alarm in two lines at most."""
    return [html(_alarm(alarm, "div")) for alarm in alarms(frame)[:1]]


def alarm_details(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """All of them, each with its remedy."""
    return [html("".join(_alarm(alarm, "p", alarm.remedy) for alarm in alarms(frame)))]


def _alarm(alarm: Alarm, tag: str, remedy: str = "") -> str:
    title, evidence = escape(alarm.title), escape(alarm.evidence)
    return (
        f'<{tag} role="status" class="wgan-alarm"><span title="{evidence}">'
        f'<i role="img" aria-label="Alarm">▲</i> <b>{title}.</b> {evidence} {escape(remedy)}'
        f"</span></{tag}>"
    )


# The tabs -------------------------------------------------------------------------------------


def modes(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """Which modes the samples cover, over time, and in words what was lost."""
    metrics = [s.metrics for s in run.snapshots.items if s.metrics is not None]
    if frame.metrics is not None and (not metrics or metrics[-1].step < frame.metrics.step):
        metrics.append(frame.metrics)
    if not metrics:
        return [caption("Nothing has been measured yet.")]
    if not metrics[-1].modes_total:
        return [caption("This data set has no countable modes.")]
    figure = plots.mode_shares(metrics, frame.events)
    alt = "Share of the samples on each mode"
    told = plots.describe_coverage(metrics, _noun(frame.config))
    return [shown(Chart(figure, MODES_HEIGHT, alt, name="modes")), caption(told)]


def _noun(config: ExperimentConfig) -> str:
    if config.data in ("digits", "mnist"):
        return "digit"
    return "mode" if config.is_points else "class"


def repeat(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """The command line that repeats the run, with a button that copies it."""
    text = escape(command(run.first_config, frame.events, frame.step))
    return [html(f'<pre class="wgan-code" data-copy><code>{text}</code></pre>')]


def votes(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """How many votes each answer of the poll has."""
    poll = run.access.poll
    if poll is None:
        return []
    total = sum(poll.votes)
    words = [f"{total:,} vote{'' if total == 1 else 's'}"] + ["closed"] * poll.closed
    rows = (
        f'<div class="wgan-bar"><span>{escape(answer)}</span><div><i style="width:'
        f'{100 * count / max(total, 1):.0f}%"></i></div><b>{count:,}</b></div>'
        for answer, count in zip(poll.answers, poll.votes, strict=True)
    )
    told = f'<p class="wgan-caption">{" · ".join(words)}</p>'
    return [html(f'<div role="status" class="wgan-votes">{"".join(rows)}{told}</div>')]
