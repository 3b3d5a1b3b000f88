"""The sections of the page Critic, each drawn from one frame; only the open one is.

What is dear is built once a frame and shared by all viewers (`frame.once`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import streamlit as st

from wgan.figures import critic, space
from wgan.figures.meter import three
from wgan.inspection.results import Layers, Slopes, Weights, Wish
from wgan.lab.frame import Frame, PointView
from wgan.lab.run import Run
from wgan.ui.critic.anatomy import anatomy
from wgan.ui.critic.parts import Number, Section, empty, found, numbers, still_loading
from wgan.ui.live import live_figure

Drawing = Callable[..., critic.Figure]


# Without an inspection -------------------------------------------------------------------------


def surface(run: Run, frame: Frame) -> None:
    """Filled contours beside a landscape."""
    view = frame.view
    if not frame.config.is_points:
        empty(
            "Images have too many dimensions for a map: only 2-D data has a value surface. "
            "The presets Ring, Grid and Swiss roll have one."
        )
        return
    if not isinstance(view, PointView):
        still_loading(frame)
        return
    heights = frame.once("critic_range", lambda: _range(view.surface))
    numbers(
        Number("Highest D", three(heights[1]), "critic’s units", "On the axes shown."),
        Number("Lowest D", three(heights[0]), "critic’s units", "Only differences mean anything."),
    )
    left, right = st.columns(2, gap="medium")
    with left:
        figure = frame.once("critic_map", lambda: space.value_map(view))
        live_figure(figure, key="critic_map", height=480, alt="The critic's value as contours")
    with right:
        figure = frame.once("critic_landscape", lambda: space.landscape(view))
        alt = "The critic's value as a surface, with real and generated points on it"
        live_figure(figure, key="critic_landscape", height=480, alt=alt)
    st.caption(
        "Green where the critic scores high, purple where it scores low; drag the landscape "
        "with a mouse to turn it. The far corners are cut off at the highest and lowest colour."
    )


def _range(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else (math.nan, math.nan)


def truth(run: Run, frame: Frame) -> None:
    """Distances above, divergences below, over the same steps."""
    m = frame.measures
    if m is None:
        still_loading(frame)
        return
    numbers(
        Number(
            "Critic’s estimate", told(m.critic_estimate), "critic’s units", "E[D(x)] − E[D(x̃)]."
        ),
        Number(
            "Steepest slope",
            told(m.slope_max),
            "of 256 interpolates; 1 is 1-Lipschitz",
            "The largest gradient norm, because the estimate over it can then not exceed W1; over "
            "a percentile it could.",
        ),
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
        *(
            [Number("JS by the loss", told(m.js_critic), "nats, at most 0.693", "log 2 − L/2.")]
            if m.js_critic is not None
            else []
        ),
    )
    window = st.session_state.get("critic_smoothing", 1)
    _curve(frame, critic.curve_truth, "Distances", window, 320)
    _curve(frame, critic.curve_js, "Jensen-Shannon divergence", window, 260)
    st.caption(_js_help(frame))


def _js_help(frame: Frame) -> str:
    if frame.config.is_points:
        return (
            "JS by histogram: 2,500 real against 2,500 generated points on a grid of 24 × 24 cells."
        )
    if frame.measures is not None and frame.measures.js is None:
        return "There is no JS by histogram: this data set has no classes that can be counted."
    return "JS by histogram: real against generated images by their classes, 2,500 of each."


def overfitting(run: Run, frame: Frame) -> None:
    """The gap on training images and on held-out ones."""
    m = frame.measures
    if m is None:
        still_loading(frame)
        return
    if m.gap_train is None or m.gap_held_out is None:
        if frame.config.is_points:
            empty(
                "There is nothing to know by heart here: every batch of 2-D data is freshly drawn, "
                "so that all of it is held out by nature. Try it with a hundred digits."
            )
        else:
            empty(
                "This run trains on all images of its data set, so none are held out. "
                "Try it with a hundred digits."
            )
        return
    limit = frame.config.limit
    numbers(
        Number("Gap, trained on", told(m.gap_train), f"critic’s units; {limit:,} images", ""),
        Number("Gap, held out", told(m.gap_held_out), "images that it never saw", ""),
        Number(
            "Known by heart",
            told(m.gap_train - m.gap_held_out),
            "the difference; 0 without overfitting",
            "E[D] on training images less that on held-out ones, in the critic's units.",
        ),
    )
    window = st.session_state.get("critic_smoothing", 1)
    _curve(frame, critic.curve_overfitting, "Gap to the generated images", window, 320)
    if frame.config.objective == "wgan":
        st.caption("The loss of a WGAN critic, without its penalty, is this gap with a minus.")
    else:
        _curve(frame, critic.curve_losses_apart, "The critic’s loss", window, 260)


def _curve(frame: Frame, draw: Drawing, title: str, window: int, height: int) -> None:
    name = draw.__name__
    figure = frame.once((name, window), lambda: draw(frame.curves, frame.events, smoothing=window))
    live_figure(figure, key=f"critic_{name}", height=height, alt=title, title=title)


# With an inspection ----------------------------------------------------------------------------


def layers(run: Run, frame: Frame) -> None:
    here = found(run, frame, Wish("layers"), Layers)
    if here is None:
        return
    if not len(here.norms):
        empty("This critic has no hidden layer: its score is one convolution of the image.")
        return
    first, last = float(here.norms[0]), float(here.norms[-1])
    ratio = first / last if last > 0 else math.nan
    numbers(
        Number("First ÷ last", told(ratio), "1 is level", "Above 1 gradients explode backwards."),
        Number("First layer", told(first), "loss per unit of activation", ""),
        Number("Last hidden layer", told(last), "loss per unit of activation", ""),
        Number("Hidden layers", f"{len(here.norms)}", "of the critic", "Set it under New run."),
    )
    figure = frame.once("critic_layers", lambda: critic.layer_gradients(here))
    live_figure(figure, key="critic_layers", height=380, alt="Gradient norm by hidden layer")
    if len(here.norms) < 5:
        st.caption(
            "The paper’s critic had twelve layers: with so few, explosion and decay stay small. "
            "Its experiment above has them; the depth is a setting of any new run."
        )


def weights(run: Run, frame: Frame) -> None:
    here = found(run, frame, Wish("weights"), Weights)
    if here is None:
        return
    pinned = Number("At the clip", "–", "no clipping now", "Weights within 1% of ±c.")
    if here.pinned is not None and here.clip is not None:
        near = f"within 1% of ±c = ±{here.clip:g}"
        pinned = Number("At the clip", f"{here.pinned:.1%}", near, "Ceiling: 100%.")
    numbers(
        pinned,
        Number("Largest weight", f"{here.largest:.3g}", "absolute value", ""),
        Number("Weights", f"{here.total:,}", "Linear and Conv, without biases", ""),
    )
    figure = frame.once("critic_weights", lambda: critic.weight_histogram(here))
    live_figure(figure, key="critic_weights", height=380, alt="Histogram of the critic's weights")


def slopes(run: Run, frame: Frame) -> None:
    here = found(run, frame, Wish("slopes"), Slopes)
    if here is None:
        return
    kinds = (("Interpolates", here.between), ("Real", here.real), ("Generated", here.fake))
    shown = []
    for name, norms in kinds:
        mean, high, most = float(norms.mean()), float(np.quantile(norms, 0.95)), float(norms.max())
        rest = f"95%: {told(high)} · largest: {told(most)}"
        shown.append(Number(name, told(mean), rest, "Mean gradient norm; the best critic has 1."))
    numbers(*shown)
    figure = frame.once("critic_slopes", lambda: critic.slope_histograms(here))
    live_figure(figure, key="critic_slopes", height=380, alt="The critic's gradient norms")
    st.caption(
        f"{len(here.between):,} points of each kind; the dotted line is slope 1. Means above the "
        "figure, with the 95th percentile and the largest."
    )


def told(value: float | None) -> str:
    """Three digits; a dash where there is no such figure."""
    return "–" if value is None or not math.isfinite(value) else three(value)


SECTIONS: dict[str, Section] = {
    "surface": surface,
    "layers": layers,
    "weights": weights,
    "slopes": slopes,
    "truth": truth,
    "overfitting": overfitting,
    "anatomy": anatomy,
}
