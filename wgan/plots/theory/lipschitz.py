"""Slopes, drawn: a cone on a graph, a class beside a score, and what clipping allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wgan.plots.base import (
    ALARM,
    CRITIC,
    EVENT,
    GENERATED,
    HEALTHY,
    REAL,
    Figure,
    finite,
    layout,
    typed,
)
from wgan.plots.theory import uid
from wgan.theory.lipschitz import Array, Function, clip_bound, discriminator, outside
from wgan.theory.lipschitz import pair as densities

GRID = np.linspace(-1, 1, 401)


def cone(function: Function, at: float, k: float) -> Figure:
    """The graph, and the cone of slope k at one of its points; red where the graph leaves it."""
    value = function.value(GRID)
    here = float(function.value(np.array([at]))[0])
    reach = k * np.abs(GRID - at)
    left = np.where(outside(function, at, k, GRID), value, np.nan)
    chart: dict[str, Any] = layout("cone") | {"hovermode": False}
    chart["xaxis"] = {"title": {"text": "x", "standoff": 4}, "range": [-1, 1]}
    chart["yaxis"] = {"title": {"text": "f(x)", "standoff": 4}, "range": [-1.1, 1.1]}
    shaded = {
        "x": typed(np.concatenate([GRID, GRID[::-1]])),
        "y": typed(np.clip(np.concatenate([here + reach, (here - reach)[::-1]]), -3, 3)),
        "fill": "toself",
        "fillcolor": "rgba(27,158,119,0.18)",
    }
    data = [
        _line(GRID, value, "the cone |f(x) − f(y)| ≤ K|x − y|", HEALTHY, 1) | shaded,
        _line(GRID, value, "f", CRITIC, 3),
        _line(GRID, finite(left), "outside the cone", ALARM, 5),
        {
            "type": "scatter",
            "mode": "markers",
            "x": [at],
            "y": [here],
            "marker": {"color": HEALTHY, "size": 11},
            "showlegend": False,
            "uid": "here",
        },
    ]
    return {"data": data, "layout": chart}


def scale(distance: float, k: float, most: float) -> Figure:
    """The largest E f(x) − E f(x̃) over K: K times W₁."""
    chart: dict[str, Any] = layout("scale") | {"showlegend": False, "hovermode": "x"}
    chart["xaxis"] = {"title": {"text": "K allowed", "standoff": 4}, "range": [0, most]}
    title = {"text": "largest E f(x) − E f(x̃)", "standoff": 4}
    chart["yaxis"] = {"title": title, "range": [0, 1.1 * most * 1.5]}
    ends = np.array([0.0, most])
    data = [
        _line(ends, distance * ends, "K · W₁", HEALTHY, 2.5),
        {
            "type": "scatter",
            "mode": "markers",
            "x": [k],
            "y": [k * distance],
            "marker": {"color": CRITIC, "size": 12},
            "uid": "now",
        },
    ]
    return {"data": data, "layout": chart}


def class_and_score(distance: float) -> Figure:
    """The optimal discriminator and the best critic between two Gaussians (WGAN, Fig. 2)."""
    x = np.linspace(-2, 2, 401)
    p, q = densities(distance, x)
    chart: dict[str, Any] = layout("class-and-score") | {"hovermode": "x"}
    chart["xaxis"] = {"title": {"text": "x", "standoff": 4}, "range": [-2, 2]}
    chart["yaxis"] = {"title": {"text": "density; class; score", "standoff": 4}, "range": [-2, 2]}
    data = [
        _line(x, p, "data", REAL, 2, "dash"),
        _line(x, q, "samples", GENERATED, 2),
        _line(x, discriminator(distance, x), "discriminator p/(p + q): a class", ALARM, 2.5, "dot"),
        _line(x, x, "critic f: a score", CRITIC, 3),
    ]
    return {"data": data, "layout": chart}


def clips(measured: Mapping[float, float], chosen: float) -> Figure:
    """The largest slope that each c allows, and what critics reached; logarithmic."""
    c = np.array(list(measured), np.float64)
    bounds = np.array([clip_bound(one) for one in c])
    chart: dict[str, Any] = layout("clips") | {"hovermode": "closest"}
    powers = {"exponentformat": "power", "zeroline": False, "type": "log"}
    chart["xaxis"] = powers | {"title": {"text": "clipping c", "standoff": 4}, "range": [-3.2, 0.2]}
    chart["yaxis"] = powers | {"title": {"text": "slope K", "standoff": 4}, "range": [-7, 4.2]}
    chart["xaxis"]["dtick"], chart["yaxis"]["dtick"] = 1, 2
    chart["shapes"] = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1}
        | {"line": {"color": EVENT, "width": 1.5, "dash": "dot"}}
    ]
    reached = np.array(list(measured.values()))
    there = reached > 0
    data = [
        _line(c, bounds, "at most 4,096 c³", HEALTHY, 2, "dash"),
        {
            "type": "scatter",
            "mode": "markers",
            "name": "measured",
            "x": typed(c[there]),
            "y": typed(reached[there]),
            "marker": {
                "color": CRITIC,
                "size": [14 if one == chosen else 9 for one in c[there]],
                "symbol": ["diamond" if one == chosen else "circle" for one in c[there]],
            },
            "hovertemplate": "c = %{x:.3~g}: K = %{y:.3~g}<extra></extra>",
            "uid": "measured",
        },
    ]
    return {"data": data, "layout": chart}


def _line(
    x: Array, y: Any, name: str, color: str, width: float, dash: str = "solid"
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": typed(x),
        "y": typed(y),
        "line": {"color": color, "width": width, "dash": dash},
        "hovertemplate": "%{y:.3~g}",
        "uid": uid(name),
    }
