"""Curves of several runs on the same axes, by steps or by the seconds that they took."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wgan.metrics.table import metric
from wgan.plots.base import DRAWN, REAL, Figure, finite, layout, typed
from wgan.plots.curves import round_range, round_up, short, smoothed, thinned, time_axis
from wgan.types import Curve, Event

By = Literal["steps", "seconds"]

# Of the runs A to D: none of the colours that mean something, 3:1 on light and dark. The dashes
# and the letters at the lines' ends say the same.
COLORS = ("#C2427F", "#0F8B8D", "#8A7A12", "#A0522D")
DASHES = ("solid", "dash", "dot", "dashdot")
LETTERS = "ABCD"
# What can be laid over each other.
OVERLAYS = (
    "w1",
    "modes",
    "critic_estimate",
    "critic_loss",
    "generator_loss",
    "high_quality",
    "gradient_norm",
    "gradient_decades",
    "pinned_share",
)


@dataclass(frozen=True)
class Lane:
    """One run of a comparison. events: those that the others do not share."""

    title: str
    curves: Mapping[str, Curve]
    events: Sequence[Event] = ()
    modes_total: int | None = None


def overlay(name: str, lanes: Sequence[Lane], *, by: By = "steps", smoothing: int = 1) -> Figure:
    """The curve `name`, a key of `OVERLAYS`, of up to four runs; W1 with its floor.

    by: what the horizontal axis is, generator steps or seconds of training. A run in which
    something was changed has a line there, in its own colour.
    """
    data, ends, values, last = [], [], [], 0.0
    for number, lane in enumerate(lanes):
        if name not in lane.curves:
            continue
        curve = thinned(smoothed(lane.curves[name], smoothing))
        if not len(curve.step):
            continue
        x = along(lane.curves, curve.step, by)
        last = max(last, float(np.fmax.reduce(x, initial=0.0)))
        values.append(curve.mean)
        there = np.flatnonzero(np.isfinite(x) & np.isfinite(curve.mean))
        if len(there):
            ends.append((number, float(x[there[-1]]), float(curve.mean[there[-1]])))
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": typed(x),
                "y": typed(curve.mean, DRAWN),
                "name": html.escape(f"{LETTERS[number]} {lane.title}", quote=False),
                "line": {
                    "color": COLORS[number],
                    "width": 2,
                    "dash": DASHES[number],
                    "shape": "hv" if name == "modes" else "linear",
                },
                "hovertemplate": "%{y:.3~g}",
                "uid": LETTERS[number],
            }
        )
    end = round_up(last)
    if (level := _level(name, lanes, end)) is not None:
        data.append(level)
    chart = layout(f"{name}-{by}")
    span = _span(name, lanes, values)
    chart["hovermode"] = "x unified"
    chart["xaxis"] = time_axis(end, _TITLES[by], hover=",.3~r")
    unit = metric(name).axis
    chart["yaxis"] = {"title": {"text": unit, "standoff": 4}, "range": span, "zeroline": True}
    chart["shapes"], marks = _changes(lanes, by)
    chart["annotations"] = marks + [_letter(number, x, y, span) for number, x, y in ends]
    return {"data": data, "layout": chart}


_TITLES = {"steps": "generator steps", "seconds": "seconds of training"}


def along(
    curves: Mapping[str, Curve], step: npt.NDArray[np.float32], by: By
) -> npt.NDArray[np.float32]:
    """Where steps lie on the horizontal axis, (K,); NaN where the time was not recorded."""
    if by == "steps":
        return np.asarray(step, np.float32)
    clock = curves.get("seconds")
    if clock is None:
        return np.full(len(step), np.nan, np.float32)
    return finite(np.interp(step, [0, *clock.step], [0, *clock.high]))


def same_axes(figure: Figure, extent: float) -> Figure:
    """The figure of 2-D samples with axes from −extent to extent, whatever its own were."""
    chart = dict(figure["layout"])
    for axis in ("xaxis", "yaxis"):
        chart[axis] = chart[axis] | {"range": [-extent, extent]}
    return {"data": figure["data"], "layout": chart}


def _span(name: str, lanes: Sequence[Lane], values: list[npt.NDArray[np.float32]]) -> list[float]:
    totals = [lane.modes_total for lane in lanes if lane.modes_total]
    if name == "modes" and totals:
        return [0, max(totals) * 1.08]
    if name == "high_quality":
        return [0, 1.08]
    low, high = round_range(values)
    if name == "w1" and values:
        # Whoever is twice as far away as an untrained generator is lost, and off the chart.
        untrained = max(float(np.fmax.reduce(series[:1], initial=0.0)) for series in values)
        high = min(high, 2 * untrained) if untrained > 0 else high
    return [low, high]


def _level(name: str, lanes: Sequence[Lane], end: float) -> dict[str, Any] | None:
    """What the curves are to be compared with: the floor of W1, all modes."""
    totals = [lane.modes_total for lane in lanes if lane.modes_total]
    floors = [lane.curves["w1_floor"].mean[-1] for lane in lanes if "w1_floor" in lane.curves]
    if name == "w1" and floors:
        value, words = float(floors[0]), "floor: real against real"
    elif name == "modes" and totals:
        value, words = float(max(totals)), f"all {max(totals)} modes"
    else:
        return None
    return {
        "type": "scatter",
        "mode": "lines",
        "x": typed([0, end]),
        "y": typed([value, value]),
        "name": words,
        "line": {"color": REAL, "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
        "uid": "level",
    }


def _changes(lanes: Sequence[Lane], by: By) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines where one run went another way than the others; the words on hover."""
    shapes, marks = [], []
    for number, lane in enumerate(lanes):
        for event in list(lane.events)[-8:]:
            (x,) = along(lane.curves, np.array([event.step], np.float32), by).tolist()
            if x != x:  # NaN: nobody knows when it was
                continue
            line = {"color": COLORS[number], "width": 1, "dash": DASHES[number]}
            place = {"x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
            shapes.append({"type": "line", "line": line} | place)
            marks.append(
                {
                    "x": x,
                    "yref": "paper",
                    "y": 1 - 0.09 * number,
                    "xanchor": "left",
                    "yanchor": "top",
                    "showarrow": False,
                    "text": html.escape(f"{LETTERS[number]}: {short(event.text)}", quote=False),
                    "font": {"size": 11, "color": COLORS[number]},
                }
            )
    return shapes, marks


def _letter(number: int, x: float, y: float, span: list[float]) -> dict[str, Any]:
    """The run's letter where its line ends."""
    return {
        "x": x,
        "y": min(max(y, span[0]), span[1]),
        "xanchor": "left",
        "xshift": 3,
        "showarrow": False,
        "text": f"<b>{LETTERS[number]}</b>",
        "font": {"size": 13, "color": COLORS[number]},
    }
