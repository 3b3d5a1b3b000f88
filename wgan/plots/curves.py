"""Curves over generator steps: means with their low–high band, events as labelled markers.

Nothing jitters while data streams: margins are fixed, and axes end at round numbers, so that they
move rarely and then by a visible step.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from wgan.plots.base import (
    ALARM,
    CRITIC,
    DRAWN,
    EVENT,
    GENERATED,
    HEALTHY,
    REAL,
    Figure,
    finite,
    layout,
    typed,
)
from wgan.types import Curve, Event

MAX_POINTS = 600  # drawn of one series
MAX_EVENTS = 30  # marked on a curve: the latest
LABEL_LENGTH = 28  # characters of an event's label
LABEL_ROWS, LABEL_HEIGHT = 3, 14  # rows of labels, of so many pixels
LABEL_ROOM = 240  # pixels: the width of the narrowest chart, three in a row or on a phone


def curve_losses(
    curves: Mapping[str, Curve], events: Sequence[Event], smoothing: int = 1
) -> Figure:
    """The critic's and the generator's loss, and the penalty inside the critic's."""
    chart = Chart("losses", "loss", curves, smoothing)
    chart.add("critic_loss", "critic", CRITIC)
    chart.add("generator_loss", "generator", GENERATED, dash="dash")
    chart.add("penalty", "penalty", CRITIC, dash="dot")
    return chart.figure(events)


def curve_distance(
    curves: Mapping[str, Curve], events: Sequence[Event], smoothing: int = 1
) -> Figure:
    """The critic's estimate beside the exact W1 of the samples and its floor, real against real.

    One axis when both have about the same size, as Kantorovich and Rubinstein's duality promises
    of a critic of Lipschitz constant 1; otherwise the estimate has a panel of its own above.
    """
    alone = "w1" not in curves and "w1_floor" not in curves
    apart = not alone and not _same_scale(curves.get("critic_estimate"), curves.get("w1"))
    left = "critic estimate" if alone else "W1" if apart else "distance"
    chart = Chart("distance", left, curves, smoothing)
    chart.add("critic_estimate", "critic estimate", CRITIC, axis="y2" if apart else "y")
    chart.add("w1", "exact W1", GENERATED, dash="dash")
    chart.add("w1_floor", "floor: real against real", REAL, dash="dot")
    if apart and "critic_estimate" in curves:
        chart.upper = "estimate"
    return chart.figure(events)


def curve_modes(
    curves: Mapping[str, Curve],
    events: Sequence[Event],
    modes_total: int | None,
    smoothing: int = 1,
) -> Figure:
    """Modes covered, as steps below their ceiling, and the share of high-quality samples in %."""
    percent = dict(curves)
    if "high_quality" in curves:
        share = curves["high_quality"]
        in_percent = (finite(100.0 * np.asarray(values, np.float64)) for values in share[1:])
        percent["high_quality"] = Curve(share.step, *in_percent)
    chart = Chart("modes", "modes", percent, smoothing)
    chart.add("modes", "modes", GENERATED, steps=True)
    chart.add("high_quality", "high quality", HEALTHY, dash="dash", axis="y2")
    if modes_total:
        chart.level(modes_total, f"all {modes_total} modes", REAL)
        chart.range = [0, modes_total * 1.08]
    if "high_quality" in curves:
        chart.right = {"title": {"text": "high quality, %"}, "range": [0, 108]}
    return chart.figure(events)


def curve_gradient(
    curves: Mapping[str, Curve], events: Sequence[Event], smoothing: int = 1
) -> Figure:
    """Mean ‖∇D‖ between real and generated samples, with the gradient penalty's target, 1."""
    chart = Chart("gradient", "mean ‖∇D‖", curves, smoothing)
    chart.add("gradient_norm", "mean gradient norm", CRITIC)
    chart.level(1.0, "1-Lipschitz", REAL)
    return chart.figure(events)


def looking_at(figure: Figure, step: int) -> Figure:
    """The figure with a line at the step whose samples are being looked at."""
    chart = dict(figure["layout"])
    end = chart["xaxis"]["range"][1]
    line = {"type": "line", "x0": step, "x1": step, "yref": "paper", "y0": 0, "y1": 1}
    chart["shapes"] = [*chart["shapes"], line | {"line": {"color": EVENT, "width": 2.5}}]
    label = {
        "x": step,
        "yref": "paper",
        "y": 0,
        "xanchor": "right" if step > end / 2 else "left",
        "yanchor": "bottom",
        "showarrow": False,
        "text": f"looking at step {step:,}",
        "font": {"size": 11},
    }
    chart["annotations"] = [*chart["annotations"], label]
    return {"data": figure["data"], "layout": chart}


def smoothed(curve: Curve, window: int) -> Curve:
    """The curve with its mean through a median filter of `window` points, as in the WGAN paper's
    figure 3; gaps stay gaps. The low–high band stays as it was measured."""
    mean = finite(curve.mean)
    there = np.isfinite(mean)
    if window > 1 and there.any():
        mean[there] = _median(mean[there], window)
    return curve._replace(mean=mean)


def _median(values: npt.NDArray[Any], window: int) -> npt.NDArray[Any]:
    """The running median of `window` values; beyond the ends the outermost ones go on."""
    padded = np.pad(values, (window // 2, (window - 1) // 2), mode="edge")
    return np.median(sliding_window_view(padded, window), axis=1)


def thinned(curve: Curve, limit: int = MAX_POINTS) -> Curve:
    """At most `limit` points: neighbours merge, and the lowest and highest value are kept."""
    rows = np.isfinite(curve.step)
    columns = [finite(np.asarray(values)[rows]) for values in curve]
    size = math.ceil(len(columns[0]) / limit)
    if size <= 1:
        return Curve(*columns)
    # The last group is filled up with NaN; fmin and fmax pass NaN over unless all are NaN.
    pad = -len(columns[0]) % size
    step, mean, low, high = (
        np.pad(values, (0, pad), constant_values=np.nan).reshape(-1, size) for values in columns
    )
    count = np.isfinite(mean).sum(axis=1)
    total = np.nansum(mean, axis=1, dtype=np.float64)
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return Curve(
        np.fmax.reduce(step, axis=1),
        mean.astype(np.float32),
        np.fmin.reduce(low, axis=1),
        np.fmax.reduce(high, axis=1),
    )


class Chart:
    """A figure under construction: `add` series and `level` lines, then take the `figure`."""

    def __init__(self, name: str, title: str, curves: Mapping[str, Curve], smoothing: int) -> None:
        self.name, self.title, self.curves, self.smoothing = name, title, curves, smoothing
        self.range: list[float] | None = None  # of the left axis; None: from the data
        self.right: dict[str, Any] | None = None  # the second axis, on the right, or
        self.upper: str | None = None  # the title of its panel above; with neither there is none
        self.data: list[dict[str, Any]] = []
        self.last_step = 0.0
        self._values: dict[str, list[npt.NDArray[np.float32]]] = {"y": [], "y2": []}

    def add(
        self,
        key: str,
        label: str,
        color: str,
        *,
        dash: str = "solid",
        axis: str = "y",
        steps: bool = False,
    ) -> None:
        """Draws one series as a line over its band; nothing when there is no such series."""
        if key not in self.curves:
            return
        curve = thinned(smoothed(self.curves[key], self.smoothing))
        if not len(curve.step):
            return
        self.last_step = max(self.last_step, float(curve.step[-1]))
        self._values[axis].append(curve.mean)
        if steps:  # each value holds until the next
            step = np.repeat(curve.step, 2)[1:]
            curve = Curve(step, *(np.repeat(values, 2)[:-1] for values in curve[1:]))
        shared = {"type": "scatter", "mode": "lines", "legendgroup": key, "yaxis": axis}
        band_x, band_y = _band(curve)
        self.data.append(
            shared
            | {
                "x": typed(band_x),
                "y": typed(band_y, DRAWN),
                "fill": "toself",
                "fillcolor": color,
                "opacity": 0.18,
                "line": {"width": 0},
                "hoverinfo": "skip",
                "showlegend": False,
                "uid": f"{key}-band",
            }
        )
        self.data.append(
            shared
            | {
                "x": typed(curve.step),
                "y": typed(curve.mean, DRAWN),
                "name": label,
                "line": {"color": color, "width": 2, "dash": dash},
                "hovertemplate": "%{y:.3~g}",
                "uid": key,
            }
        )

    def level(self, value: float, label: str, color: str) -> None:
        """A horizontal line to compare with, over the whole width."""
        self.data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": typed([0, round_up(self.last_step)]),
                "y": typed([value, value]),
                "name": label,
                "line": {"color": color, "width": 1.5, "dash": "dot"},
                "hoverinfo": "skip",
                "uid": "level",
            }
        )
        self._values["y"].append(np.array([value], np.float32))

    def figure(self, events: Sequence[Event]) -> Figure:
        end = round_up(max([self.last_step, *(event.step for event in events)]))
        chart = layout(self.name, right=self.right is not None)
        chart |= markers(events, end)
        chart["hovermode"] = "x unified"
        chart["xaxis"] = time_axis(end)
        chart["yaxis"] = {
            "title": {"text": self.title, "standoff": 4},
            "range": self.range or round_range(self._values["y"]),
            "zeroline": True,
        }
        if self.right is not None:
            right: dict[str, Any] = {"range": round_range(self._values["y2"])} | self.right
            right["title"] = right["title"] | {"standoff": 4}
            # tickmode: ticks of its own at round numbers, rather than opposite the left ones
            overlay = {"overlaying": "y", "side": "right", "tickmode": "auto", "nticks": 6}
            chart["yaxis2"] = right | overlay | {"showgrid": False, "zeroline": False}
        if self.upper is not None:
            chart["yaxis"] |= {"domain": [0, 0.44], "nticks": 4}
            chart["yaxis2"] = {
                "title": {"text": self.upper, "standoff": 4},
                "range": round_range(self._values["y2"]),
                "domain": [0.56, 1],
                "nticks": 4,
                "zeroline": True,
            }
            chart["hoversubplots"] = "axis"  # one hover over both panels
        return {"data": self.data, "layout": chart}


def time_axis(end: float, title: str = "generator steps", hover: str = ",d") -> dict[str, Any]:
    """The horizontal axis from 0 to `end`, the same below every curve; hover: a d3 format."""
    return {
        "title": {"text": title, "standoff": 6},
        "range": [0, end],
        "tickformat": ",d",
        "hoverformat": hover,
        "zeroline": False,
        "ticklabelstandoff": 4,
    }


def round_up(value: float) -> float:
    """Where the axis of steps ends: the next round number, up to half as far again; 10 at least."""
    value = max(value, 10.0)
    power = 10.0 ** math.floor(math.log10(value))
    round_numbers = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
    return next(m * power for m in round_numbers if m * power >= value * (1 - 1e-9))


def round_range(series: Sequence[npt.NDArray[np.float32]]) -> list[float]:
    """An axis that holds the bulk of every series and zero, ending at round numbers.

    The outer percent of each on either side does not count, or one spike at the start would flatten
    the rest of the run. Of each, because some have many points and others, measured now and then,
    a few.
    """
    known = [values for one in series if len(values := one[np.isfinite(one)])]
    bulks = [np.quantile(values, [0.01, 0.99]) for values in known]
    low = min([0.0, *(float(bulk[0]) for bulk in bulks)])
    high = max([0.0, *(float(bulk[1]) for bulk in bulks)])
    span = high - low
    if span <= 0:
        return [-1.0, 1.0]
    tick = _tick(span)
    low = math.floor((low - 0.04 * span) / tick) * tick if low < 0 else 0.0
    high = math.ceil((high + 0.04 * span) / tick) * tick if high > 0 else 0.0
    return [low, high]


def _tick(span: float) -> float:
    """A 1, 2 or 5 times a power of ten, about a sixth of the span."""
    power = 10.0 ** math.floor(math.log10(span / 6))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= span / 6 * (1 - 1e-9))


def _same_scale(one: Curve | None, other: Curve | None) -> bool:
    """Whether two series may share an axis: typical sizes within a factor of four, same sign."""
    if one is None or other is None:
        return True
    a, b = (np.asarray(curve.mean, np.float64) for curve in (one, other))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if not len(a) or not len(b):
        return True
    # Medians over the whole run move slowly, so the choice hardly ever flips.
    first, second = float(np.median(a)), float(np.median(b))
    return second > 0 and 0.25 <= first / second <= 4


def _band(curve: Curve) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The outline between low and high: one polygon for each stretch without gaps."""
    there = np.isfinite(curve.low) & np.isfinite(curve.high) & np.isfinite(curve.mean)
    at = np.flatnonzero(there)
    xs, ys = [], []
    for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1):
        xs += [curve.step[run], curve.step[run[::-1]], [np.nan]]
        ys += [curve.high[run], curve.low[run[::-1]], [np.nan]]
    return finite(np.concatenate(xs)), finite(np.concatenate(ys))


def markers(events: Sequence[Event], end: float) -> dict[str, Any]:
    """Dashed lines where something happened, with a short label; the full text on hover."""
    ordered = sorted(events, key=lambda event: event.step)
    groups = [list(group) for _, group in groupby(ordered, key=lambda event: event.step)]
    shapes, annotations = [], []
    taken = [-math.inf] * LABEL_ROWS  # where the last label of each row ends
    for group in groups[-MAX_EVENTS:]:
        step = group[0].step
        failed = any(event.kind == "failed" for event in group)
        color = ALARM if failed else EVENT
        shapes.append(
            {
                "type": "line",
                "x0": step,
                "x1": step,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "layer": "below",
                "line": {"color": color, "width": 1.5, "dash": "dash"},
            }
        )
        text = short(group[0].text) + (f" +{len(group) - 1}" if len(group) > 1 else "")
        width = end * (len(text) * 6 + 10) / LABEL_ROOM  # in steps
        leftwards = step + width > end
        start = step - width if leftwards else step
        row = next((i for i, busy in enumerate(taken) if busy <= start), None)
        if row is None:  # no room: the line still stands
            continue
        taken[row] = start + width
        annotations.append(
            {
                "x": step,
                "yref": "paper",
                "y": 1,
                "yshift": -LABEL_HEIGHT * row,
                "xanchor": "right" if leftwards else "left",
                "yanchor": "top",
                "showarrow": False,
                "text": html.escape(text, quote=False),
                "hovertext": "<br>".join(html.escape(event.text, quote=False) for event in group),
                "font": {"size": 11, "color": color} if failed else {"size": 11},
            }
        )
    return {"shapes": shapes, "annotations": annotations}


def short(text: str) -> str:
    """The text, cut to a label's length."""
    return text if len(text) <= LABEL_LENGTH else text[: LABEL_LENGTH - 1].rstrip() + "…"
