"""The live parts of the page Compare: samples on the same axes, curves over each other."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from wgan import plots
from wgan.comparisons import COMPARISONS, Comparison, comparison_of, figures_at
from wgan.config import FIELDS, SHORTHANDS, ExperimentConfig, diff
from wgan.frame import Frame
from wgan.labels import method_of, shortened, term
from wgan.live.blocks import Block, Chart, caption, html, pixels, progress
from wgan.live.blocks import figures as shown
from wgan.live.parts import Options
from wgan.metrics.table import metric
from wgan.plots import LETTERS, Lane
from wgan.runs.run import Run
from wgan.types import Event, PointView
from wgan.words import sections

HEIGHT = 320  # pixels of the samples and of a chart


def samples(runs: Sequence[Run], options: Options) -> Sequence[Block]:
    """The samples of one of the runs; slot: which. Points have the axes that suit them all."""
    frames = [run.frame for run in runs]
    slot = min(options["slot"], len(runs) - 1)
    frame, view = frames[slot], frames[slot].view
    if view is None:
        words = frame.message or "Preparing"
        return [caption(words) if frame.state == "failed" else progress(words, frame.progress)]
    if isinstance(view, PointView):
        extent = max((f.view.extent for f in frames if isinstance(f.view, PointView)), default=1.0)
        plane = plots.points(view, surface=True, manifold=False, arrows=False)
        alt = f"Run {LETTERS[slot]}: real and generated points over the critic's value surface"
        return [shown(Chart(plots.same_axes(plane, extent), HEIGHT, alt, name="samples"))]
    return [pixels(view.fake[:64], columns=8, alt=f"Run {LETTERS[slot]}: generated samples")]


def finding(runs: Sequence[Run], options: Options) -> Sequence[Block]:
    """Of a ready comparison what is expected and was found, beside what these runs come to."""
    frames = [run.frame for run in runs]
    name = comparison_of(tuple(run.first_config for run in runs))
    if name is None or any(e.kind == "change" for frame in frames for e in frame.events):
        return []
    _, expected, found = sections("comparisons")[name].split("\n")
    told = f"<b>Expected:</b> {escape(expected)}", f"<b>Found on three seeds:</b> {escape(found)}"
    lines = [*told, _measured(COMPARISONS[name], frames)]
    return [html("".join(f'<p class="wgan-finding">{line}</p>' for line in lines))]


def _measured(comparison: Comparison, frames: Sequence[Frame]) -> str:
    """What these runs have come to; whether it is as before, once all have done the steps."""
    steps, told, known = comparison.steps, [], []
    for letter, frame in zip(LETTERS, frames, strict=False):
        found = figures_at(frame.curves, steps, comparison.figures)
        if found is None or frame.step < steps:
            told.append(f"<b>{letter}</b> has reached step {frame.step:,}")
        else:
            known.append(found)
            told.append(f"<b>{letter}</b> {', '.join(metric(n).tell(v) for n, v in found.items())}")
    verdict = ""
    if len(known) == len(frames):
        before = comparison.holds(known)
        verdict = ' · <b class="wgan-healthy">as before</b>' if before else " · not as before"
    return f"<b>Here, at step {steps:,}:</b> {' · '.join(told)}{verdict}"


def overlays(runs: Sequence[Run], options: Options) -> Sequence[Block]:
    """The chosen curves, of all runs; by: steps or seconds; smoothing: points of the median."""
    frames = [run.frame for run in runs]
    titles = names([frame.config for frame in frames])
    lanes = [
        Lane(title, frame.curves, events, frame.metrics and frame.metrics.modes_total)
        for title, frame, events in zip(titles, frames, own_events(frames), strict=True)
    ]
    charts = [
        Chart(
            plots.overlay(name, lanes, by=options["by"], smoothing=options["smoothing"]),
            HEIGHT,
            alt=metric(name).title,
            title=metric(name).title,
            name=name,
        )
        for name in options["names"]
    ]
    return [shown(*charts)]


def names(configs: Sequence[ExperimentConfig]) -> list[str]:
    """What each of several runs is called: its method, and where others of that method differ,
    the first thing that it has of its own: `WGAN-GP, Adam`."""
    called = []
    for config in configs:
        method = method_of(config)
        peers = [other for other in configs if method_of(other) == method]
        varying = {name for peer in peers for name in shortened(diff(peers[0], peer))}
        own = [n for n in (*SHORTHANDS, *FIELDS) if n in varying][:1]
        words = [term(n, getattr(config, SHORTHANDS.get(n, (n,))[0])) for n in own]
        called.append(", ".join([method, *words]))
    return called


def own_events(frames: Sequence[Frame]) -> list[tuple[Event, ...]]:
    """Of each run the changes that are not part of what all have in common."""
    logs = [frame.events for frame in frames]
    common = 0
    if len(logs) > 1:
        while all(len(log) > common and log[common] == logs[0][common] for log in logs):
            common += 1
    return [tuple(e for e in log[common:] if e.kind != "back") for log in logs]
