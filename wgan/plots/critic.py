"""Inside the critic, drawn: its layers, weights, slopes, and what it says over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wgan.plots.base import (
    ALARM,
    CRITIC,
    GENERATED,
    HEALTHY,
    REAL,
    Figure,
    finite,
    layout,
    typed,
)
from wgan.plots.curves import Chart, round_up
from wgan.types import Curve, Event, Layers, Slopes, Weights

LOG2 = math.log(2)
SLOPE_BINS = 20  # a decade
LOWEST = 1e-6  # norms below are drawn here: a logarithmic axis has no zero


def layer_gradients(layers: Layers) -> Figure:
    """Gradient norms from the first hidden layer to the last, on a logarithmic axis."""
    norms = np.maximum(finite(layers.norms), LOWEST)
    number = np.arange(1, len(norms) + 1)
    chart = layout("layers") | {"showlegend": False, "hovermode": "x"}
    chart["xaxis"] = {
        "title": {"text": "hidden layer, from the input", "standoff": 6},
        "range": [0.5, len(norms) + 0.5],
        "tickvals": number.tolist(),
        "zeroline": False,
    }
    # At least two decades, so that a flat line looks flat.
    chart["yaxis"] = _log_axis("gradient norm", decades(norms, 0.1, 10.0))
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": typed(number),
        "y": typed(norms),
        "line": {"color": CRITIC, "width": 2.5},
        "marker": {"color": CRITIC, "size": 9},
        "hovertemplate": "layer %{x}: %{y:.3~g}<extra></extra>",
        "uid": "layers",
    }
    return {"data": [trace], "layout": chart}


def weight_histogram(weights: Weights) -> Figure:
    """Shares of the weights by value; under clipping, with lines at ±c."""
    bins, reach = len(weights.shares), weights.reach
    width = 2 * reach / bins
    centres = -reach + width * (np.arange(bins) + 0.5)
    percent = 100 * finite(weights.shares)
    at_clip = np.zeros(bins, bool)
    if weights.clip is not None:
        at_clip = np.abs(np.abs(centres) - weights.clip) <= width / 2 + 0.01 * weights.clip
    chart = layout("weights") | {"showlegend": False, "bargap": 0.05, "hovermode": "x"}
    chart["xaxis"] = {
        "title": {"text": "weight", "standoff": 6},
        "range": [-reach, reach],
        "zeroline": True,
    }
    top = round_up(10 * float(np.nanmax(percent, initial=1.0))) / 10
    chart["yaxis"] = {"title": {"text": "share of weights, %", "standoff": 4}, "range": [0, top]}
    chart["shapes"] = [] if weights.clip is None else [_upright(s * weights.clip) for s in (-1, 1)]
    chart["annotations"] = [
        _note(s * (weights.clip or 0), f"{'−' if s < 0 else ''}c", "center") | {"yanchor": "bottom"}
        for s in ((-1, 1) if weights.clip is not None else ())
    ]
    bars = {
        "type": "bar",
        "x": typed(centres),
        "y": typed(percent),
        "marker": {"color": [ALARM if pinned else CRITIC for pinned in at_clip.tolist()]},
        "hovertemplate": "about %{x:.3~g}: %{y:.3~g}%<extra></extra>",
        "uid": "weights",
    }
    return {"data": [bars], "layout": chart}


def slope_histograms(slopes: Slopes) -> Figure:
    """‖∇D‖ at interpolates, real and generated points: three rows over one logarithmic axis."""
    rows = [
        ("generated", slopes.fake, GENERATED),
        ("real", slopes.real, REAL),
        ("interpolates", slopes.between, CRITIC),
    ]
    norms = [np.maximum(finite(values), LOWEST) for _, values, _ in rows]
    low, high = decades(np.concatenate(norms), 0.1, 10.0)
    edges = np.linspace(low, high, round((high - low) * SLOPE_BINS) + 1)
    counts = [np.histogram(np.clip(np.log10(values), low, high), edges)[0] for values in norms]
    tallest = max(1, *(int(count.max()) for count in counts))
    # Outlines of bars: each bin's height from its left edge to its right one.
    x = 10.0 ** np.repeat(edges, 2)
    data = []
    for row, ((name, _, color), count) in enumerate(zip(rows, counts, strict=True)):
        y = row + 0.85 * np.concatenate([[0.0], np.repeat(count / tallest, 2), [0.0]])
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": typed(np.append(x, x[0])),
                "y": typed(np.append(y, row)),
                "fill": "toself",
                "fillcolor": _faint(color),
                "line": {"color": color, "width": 1.5},
                "hoverinfo": "skip",
                "uid": name,
            }
        )
    chart: dict[str, Any] = layout("slopes") | {"showlegend": False, "hovermode": False}
    chart["margin"] = chart["margin"] | {"l": 96}
    chart["xaxis"] = _log_axis("‖∇D‖, score per unit of distance", (low, high))
    chart["yaxis"] = {
        "range": [0, len(rows)],
        "tickvals": [row + 0.4 for row in range(len(rows))],
        "ticktext": [name for name, _, _ in rows],
        "showgrid": False,
        "zeroline": False,
    }
    chart["shapes"] = [_upright(1.0)]
    chart["annotations"] = [_note(0.0, "1-Lipschitz", "left")]  # log₁₀ 1
    return {"data": data, "layout": chart}


def curve_truth(curves: Mapping[str, Curve], events: Sequence[Event], smoothing: int = 1) -> Figure:
    """The estimate; below it the estimate over its slope, and the exact W1 with its floor."""
    chart = _chart("truth", "data’s units", curves, smoothing)
    chart.add("w1", "exact W1", GENERATED, dash="dash")
    chart.add("w1_floor", "floor: real against real", REAL, dash="dot")
    chart.add("estimate_over_slope", "estimate ÷ slope", HEALTHY)
    chart.add("critic_estimate", "critic’s estimate", CRITIC, axis="y2")
    chart.upper = "critic’s units"
    return chart.figure(events)


def curve_js(curves: Mapping[str, Curve], events: Sequence[Event], smoothing: int = 1) -> Figure:
    """Jensen-Shannon divergence by histogram and by the critic's loss, below log 2."""
    chart = _chart("js", "JS, nats", curves, smoothing)
    chart.add("js", "by histogram", GENERATED, dash="dash")
    chart.add("js_floor", "floor: real against real", REAL, dash="dot")
    chart.add("js_critic", "by the critic’s loss", CRITIC)
    chart.level(LOG2, "log 2: nothing in common", ALARM)
    chart.range = [-0.1 if "js_critic" in curves else 0.0, 0.8]
    return chart.figure(events)


def curve_overfitting(
    curves: Mapping[str, Curve], events: Sequence[Event], smoothing: int = 1
) -> Figure:
    """E[D(x)] − E[D(x̃)] on training images and on held-out ones."""
    chart = _chart("overfitting", "gap, critic’s units", curves, smoothing)
    chart.add("gap_train", "trained on", CRITIC)
    chart.add("gap_held_out", "held out", HEALTHY, dash="dash")
    return chart.figure(events)


def curve_losses_apart(
    curves: Mapping[str, Curve], events: Sequence[Event], smoothing: int = 1
) -> Figure:
    """The critic's loss, without its penalty, on training images and on held-out ones."""
    chart = _chart("losses_apart", "critic’s loss", curves, smoothing)
    chart.add("loss_train", "trained on", CRITIC)
    chart.add("loss_held_out", "held out", HEALTHY, dash="dash")
    return chart.figure(events)


def _chart(name: str, title: str, curves: Mapping[str, Curve], smoothing: int) -> Chart:
    """A chart up to the run's last step, so that charts above each other share their axis."""
    chart = Chart(name, title, curves, smoothing)
    chart.last_step = max((float(c.step[-1]) for c in curves.values() if len(c.step)), default=0.0)
    return chart


def decades(values: npt.ArrayLike, low: float, high: float) -> tuple[float, float]:
    """log₁₀ of powers of ten that hold `low`, `high` and 99% of the values."""
    known = finite(values)
    known = known[known > 0]  # NaN fails
    ends = np.quantile(known, [0.005, 0.995]) if len(known) else (low, high)
    return (
        float(math.floor(math.log10(min(low, float(ends[0]))) + 1e-6)),
        float(math.ceil(math.log10(max(high, float(ends[1]))) - 1e-6)),
    )


def _log_axis(title: str, ends: tuple[float, float]) -> dict[str, Any]:
    powers = range(int(ends[0]), int(ends[1]) + 1)
    return {
        "title": {"text": title, "standoff": 6},
        "type": "log",
        "range": list(ends),
        "tickvals": [10.0**power for power in powers],
        "ticktext": [f"{10.0**p:g}" if -4 < p < 5 else f"10<sup>{p}</sup>" for p in powers],
        "zeroline": False,
    }


def _upright(x: float) -> dict[str, Any]:
    line = {"color": REAL, "width": 2, "dash": "dot"}
    ends = {"x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1}
    return {"type": "line", "line": line} | ends


def _note(x: float, text: str, anchor: str) -> dict[str, Any]:
    place = {"x": x, "xanchor": anchor, "yref": "paper", "y": 1, "yanchor": "top"}
    return place | {"text": text, "showarrow": False, "font": {"size": 12}}


def _faint(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.3)"
