"""The sections of the page Critic, each made from one frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from wgan.constraints import constraint
from wgan.frame import Frame
from wgan.live.blocks import (
    Block,
    Chart,
    Number,
    caption,
    columns,
    empty,
    figures,
    numbers,
    pixels,
    progress,
)
from wgan.live.parts import Options
from wgan.plots import critic, space
from wgan.runs.run import Run
from wgan.types import Anatomy, Inspection, InspectionRequest, Layers, PointView, Slopes, Weights
from wgan.words import format_3_digits

Kind = TypeVar("Kind", bound=Inspection)
BATCHES = 64  # of the anatomy; then they come again: what is looked at is bounded
LAYERS_ALT = "Gradient norm by hidden layer"
WEIGHTS_ALT = "Histogram of the critic's weights"
SLOPES_ALT = "The critic's gradient norms"
PLACES = {"between": "interpolates", "real": "real samples", "fake": "generated samples"}


def still_loading(frame: Frame) -> Sequence[Block]:
    """What stands in for a section while the run has nothing to show yet."""
    if frame.state == "failed":
        return empty("The run stopped before there was anything to see; the page Lab says why.")
    return [progress(frame.message or "Looking into the critic", frame.progress)]


def section(run: Run, frame: Frame, options: Options) -> Sequence[Block]:
    """The section of this name; `batch`: which one the anatomy draws; `smoothing` of its curves."""
    return SECTIONS[options["section"]](frame, options)


def look(run: Run, options: Options) -> None:
    """Tells the run what somebody looks at, so that it is measured."""
    if options["section"] in ("layers", "weights", "slopes", "anatomy"):
        run.inspect(_request_of(options))


def _request_of(options: Options) -> InspectionRequest:
    batch = options["batch"] if options["section"] == "anatomy" else 0
    return InspectionRequest(options["section"], batch)


def _found(frame: Frame, options: Options, kind: type[Kind]) -> Kind | None:
    here = frame.inspections.get(_request_of(options))
    return here if isinstance(here, kind) else None


# Without an inspection -------------------------------------------------------------------------


def surface(frame: Frame, options: Options) -> Sequence[Block]:
    """Filled contours beside a landscape."""
    view = frame.view
    if not frame.config.is_points:
        return empty(
            "Images have too many dimensions for a map: only 2-D data has a value surface. "
            "The presets Ring, Grid and Swiss roll have one."
        )
    if not isinstance(view, PointView):
        return still_loading(frame)
    known = view.surface[np.isfinite(view.surface)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (math.nan, math.nan)
    alt = "The critic's value as a surface, with real and generated points on it"
    return [
        numbers(
            Number("Highest D", format_3_digits(high), "critic’s units", "On the axes shown."),
            Number(
                "Lowest D",
                format_3_digits(low),
                "critic’s units",
                "Only differences mean anything.",
            ),
        ),
        figures(
            Chart(space.value_map(view), 480, "The critic's value as contours", name="value"),
            Chart(space.landscape(view), 480, alt, name="landscape"),
        ),
        caption(
            "Green where the critic scores high, purple where it scores low; drag the landscape "
            "with a mouse to turn it. The far corners are cut off at the highest and lowest colour."
        ),
    ]


def truth(frame: Frame, options: Options) -> Sequence[Block]:
    """Distances above, divergences below, over the same steps."""
    m = frame.metrics
    if m is None:
        return still_loading(frame)
    slope = (
        "The largest gradient norm, because the estimate over it can then not exceed W1; over a "
        "percentile it could."
    )
    shown = [
        Number("Critic’s estimate", told(m.critic_estimate), "critic’s units", "E[D(x)] − E[D(x̃)]"),
        Number("Steepest slope", told(m.slope_max), "of 256 interpolates; 1 is 1-Lipschitz", slope),
        Number(
            "Estimate ÷ slope",
            told(m.estimate_over_slope),
            f"at most W1 = {told(m.w1)}",
            "In the data's units.",
        ),
        Number("Exact W1", told(m.w1), f"floor {told(m.w1_floor)}", "256 against 256 samples."),
        Number(
            "JS by histogram",
            told(m.js),
            f"nats; floor {told(m.js_floor)}, ceiling log 2 = 0.693",
            _js_help(frame),
        ),
    ]
    if m.js_critic is not None:
        shown.append(
            Number("JS by the loss", told(m.js_critic), "nats, at most 0.693", "log 2 − L/2.")
        )
    return [
        numbers(*shown),
        _curve(frame, critic.curve_truth, "Distances", options, 320),
        _curve(frame, critic.curve_js, "Jensen-Shannon divergence", options, 260),
        caption(_measured(frame) + _js_help(frame)),
    ]


def _measured(frame: Frame) -> str:
    """At which step the figures were measured, where the run is far beyond it."""
    m = frame.metrics
    return f"Measured at step {m.step:,}. " if m is not None and frame.behind else ""


def _js_help(frame: Frame) -> str:
    if frame.config.is_points:
        return (
            "JS by histogram: 2,500 real against 2,500 generated points on a grid of 24 × 24 cells."
        )
    if frame.metrics is not None and frame.metrics.js is None:
        return "There is no JS by histogram: this data set has no classes that can be counted."
    return "JS by histogram: real against generated images by their classes, 2,500 of each."


def overfitting(frame: Frame, options: Options) -> Sequence[Block]:
    """The gap on training images and on held-out ones."""
    m = frame.metrics
    if m is None:
        return still_loading(frame)
    if m.gap_train is None or m.gap_held_out is None:
        if frame.config.is_points:
            return empty(
                "There is nothing to memorise here: every batch of 2-D data is freshly drawn, "
                "so all of it is held out. Try it with a hundred digits."
            )
        return empty(
            "This run trains on all images of its data set, so none are held out. "
            "Try it with a hundred digits."
        )
    seen = f"critic’s units; {frame.config.limit:,} images"
    gap = "E[D] on training images minus that on held-out ones, in the critic's units."
    shown: list[Block] = [
        numbers(
            Number("Gap, training images", told(m.gap_train), seen),
            Number("Gap, held-out images", told(m.gap_held_out), "images that it never saw"),
            Number(
                "Memorisation gap",
                told(m.gap_train - m.gap_held_out),
                "the difference; 0 without overfitting",
                gap,
            ),
        ),
        _curve(frame, critic.curve_overfitting, "Gap to the generated images", options, 320),
    ]
    if frame.config.objective == "wgan":
        told_of_it = "Without its penalty, a WGAN critic’s loss is minus this gap."
        return [*shown, caption(_measured(frame) + told_of_it)]
    return [*shown, _curve(frame, critic.curve_losses_apart, "The critic’s loss", options, 260)]


def _curve(
    frame: Frame,
    draw: Callable[..., critic.Figure],
    title: str,
    options: Options,
    height: int,
) -> Block:
    figure = draw(frame.curves, frame.events, smoothing=options["smoothing"])
    return figures(Chart(figure, height, alt=title, title=title, name=draw.__name__))


# With an inspection ----------------------------------------------------------------------------


def layers(frame: Frame, options: Options) -> Sequence[Block]:
    """Gradient norm by hidden layer (WGAN-GP, Fig. 1b left)."""
    here = _found(frame, options, Layers)
    if here is None:
        return still_loading(frame)
    if not len(here.norms):
        return empty("This critic has no hidden layer: its score is one convolution of the image.")
    first, last = float(here.norms[0]), float(here.norms[-1])
    ratio = first / last if last > 0 else math.nan
    shown = [
        numbers(
            Number(
                "First ÷ last",
                told(ratio),
                "1 is best",
                "Above 1 gradients explode backwards.",
            ),
            Number("First layer", told(first), "loss per unit of activation"),
            Number("Last hidden layer", told(last), "loss per unit of activation"),
            Number("Hidden layers", f"{len(here.norms)}", "of the critic", "Set it under New run."),
        ),
        figures(Chart(critic.layer_gradients(here), 380, LAYERS_ALT, name="layers")),
    ]
    if len(here.norms) < 5:
        shown.append(
            caption(
                "The paper’s critic had twelve layers; with so few, gradients hardly explode or "
                "vanish. The experiment above has twelve, and so can any new run."
            )
        )
    return shown


def weights(frame: Frame, options: Options) -> Sequence[Block]:
    """Histogram of the critic's weights (WGAN-GP, Fig. 1b right)."""
    here = _found(frame, options, Weights)
    if here is None:
        return still_loading(frame)
    pinned = Number("At ±c", "–", "no clipping now", "Weights within 1% of ±c.")
    if here.pinned is not None and here.clip is not None:
        near = f"within 1% of ±c = ±{here.clip:g}"
        pinned = Number("At ±c", f"{here.pinned:.1%}", near, "Ceiling: 100%.")
    return [
        numbers(
            pinned,
            Number("Largest weight", f"{here.largest:.3g}", "absolute value"),
            Number("Weights", f"{here.total:,}", "Linear and Conv, without biases"),
        ),
        figures(Chart(critic.weight_histogram(here), 380, WEIGHTS_ALT, name="weights")),
    ]


def slopes(frame: Frame, options: Options) -> Sequence[Block]:
    """Gradient norms of the critic at three kinds of points."""
    here = _found(frame, options, Slopes)
    if here is None:
        return still_loading(frame)
    kinds = (("Interpolates", here.between), ("Real", here.real), ("Generated", here.fake))
    shown = []
    for name, norms in kinds:
        mean, high, most = float(norms.mean()), float(np.quantile(norms, 0.95)), float(norms.max())
        rest = f"95%: {told(high)} · largest: {told(most)}"
        shown.append(Number(name, told(mean), rest, "Mean gradient norm; the best critic has 1."))
    return [
        numbers(*shown),
        figures(Chart(critic.slope_histograms(here), 380, SLOPES_ALT, name="slopes")),
        caption(
            f"{len(here.between):,} points of each kind; the dotted line is slope 1. Means above "
            "the figure, with the 95th percentile and the largest."
        ),
    ]


def anatomy(frame: Frame, options: Options) -> Sequence[Block]:
    """One critic step: 2-D data on the plane, images as thumbnails; the norms as bars."""
    step = _found(frame, options, Anatomy)
    if step is None:
        return still_loading(frame)
    state = "a part of the critic’s loss" if step.in_use else "what it would be; not in use now"
    equation = f"λ = {step.weight:g}, k = {step.target:g}"
    if not constraint(step.constraint).has_target:
        equation = f"γ = {step.weight:g}"
    furthest = float(np.abs(step.norms - step.target).max())
    of = f"of {len(step.norms)} {PLACES[step.at]}"
    strip = Chart(space.norm_strip(step), 300, "Gradient norms of the batch", name="norms")
    return [
        numbers(
            Number("Penalty of this batch", format_3_digits(step.penalty), f"{equation}; {state}"),
            Number(
                "Mean ‖∇D‖", format_3_digits(float(step.norms.mean())), f"target {step.target:g}"
            ),
            Number("Largest deviation", format_3_digits(furthest), of),
        ),
        columns([3, 2], _batch(step), [figures(strip), caption(_explain(step))]),
    ]


def _batch(step: Anatomy) -> Sequence[Block]:
    if step.gradients is not None:
        alt = "Real and generated points, the points between them, and the critic's gradients"
        return [figures(Chart(space.step_plane(step), 520, alt, name="step"))]
    images = np.concatenate([step.real, step.between, step.fake])
    note = (
        'Rows: <b class="wgan-real">real</b>, interpolates, '
        '<b class="wgan-generated">generated</b>; a column is one pair.'
    )
    alt = "Rows: real images, interpolates, generated images; a column each is one pair"
    return [pixels(images, columns=len(step.norms), alt=alt, note=note)]


def _explain(step: Anatomy) -> str:
    words = constraint(step.constraint).penalty.format(k=step.target)
    text = f"Penalty = {words} Dotted: the target. Green is on it, red 1 or more away."
    if step.gradients is not None:
        text += " Arrows point where the critic’s value rises; the longest has a fixed length."
    if step.faults:
        text += " The deliberate bugs that are switched on also affect the penalty."
    return text


def told(value: float | None) -> str:
    """Three digits; a dash where there is no such figure."""
    return "–" if value is None or not math.isfinite(value) else format_3_digits(value)


SECTIONS: dict[str, Callable[[Frame, Options], Sequence[Block]]] = {
    "anatomy": anatomy,  # first, since every run has it
    "surface": surface,
    "layers": layers,
    "weights": weights,
    "slopes": slopes,
    "truth": truth,
    "overfitting": overfitting,
}
