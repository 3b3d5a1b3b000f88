"""Parallel lines, drawn: the segments, the distances over θ, and where their gradients lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wgan.plots.animation import animated
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
from wgan.theory.line_methods import LABELS
from wgan.theory.lines import DISTANCES, Array

REACH = 1.25  # of θ, on every axis
STYLES = {
    "tv": {"color": EVENT, "dash": "dash"},
    "kl": {"color": ALARM, "dash": "dashdot"},
    "js": {"color": CRITIC, "dash": "dot"},
    "em": {"color": HEALTHY, "dash": "solid"},
}
METHOD_STYLES = {
    "gan_saturating": {"color": CRITIC, "dash": "solid"},
    "gan": {"color": CRITIC, "dash": "dash"},
    "lsgan": {"color": EVENT, "dash": "dash"},
    "hinge": {"color": EVENT, "dash": "dot"},
    "wgan_clip": {"color": HEALTHY, "dash": "dot"},
    "wgan_gp": {"color": HEALTHY, "dash": "solid"},
}


def segments(theta: float, sigma: float) -> Figure:
    """The data's segment at 0 and the generator's at θ, with the way between them."""
    chart: dict[str, Any] = layout("segments") | {"hovermode": False}
    chart["margin"] = chart["margin"] | {"l": 44}
    chart["xaxis"] = {
        "title": {"text": "x₁", "standoff": 6},
        "range": [-REACH, REACH],
        "constrain": "domain",
        "zeroline": False,
    }
    chart["yaxis"] = {
        "title": {"text": "x₂", "standoff": 4},
        "range": [-0.12, 1.12],
        "scaleanchor": "x",
        "constrain": "domain",
        "zeroline": False,
    }
    data = []
    for name, at, color, dash in (
        ("data, P<sub>0</sub>", 0.0, REAL, "dash"),
        ("generator, P<sub>θ</sub>", theta, GENERATED, "solid"),
    ):
        if sigma:
            data.append(_band(name, at, sigma, color))
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": [at, at],
                "y": [0, 1],
                "line": {"color": color, "width": 5, "dash": dash},
                "uid": uid(name),
            }
        )
    chart["annotations"] = []
    if abs(theta) > 0.03:
        chart["annotations"] = [
            _arrow(theta),
            {
                "x": theta / 2,
                "y": 0.5,
                "yanchor": "bottom",
                "text": f"|θ| = {abs(theta):.2f}",
                "showarrow": False,
                "font": {"size": 13},
            },
        ]
    return {"data": data, "layout": chart}


def _band(name: str, at: float, sigma: float, color: str) -> dict[str, Any]:
    """Where two thirds of a noisy segment lie."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [at - sigma, at + sigma, at + sigma, at - sigma],
        "y": [0, 0, 1, 1],
        "fill": "toself",
        "fillcolor": f"rgba({red},{green},{blue},0.18)",
        "line": {"width": 0},
        "showlegend": False,
        "uid": uid(name, "noise"),
    }


def _arrow(theta: float) -> dict[str, Any]:
    """From the generator's segment to the data's."""
    return {
        "x": 0.0,
        "y": 0.48,
        "ax": theta,
        "ay": 0.48,
        "axref": "x",
        "ayref": "y",
        "showarrow": True,
        "arrowhead": 2,
        "arrowwidth": 2,
        "arrowcolor": HEALTHY,
        "text": "",
    }


def distance(key: str, theta: float, sigma: float) -> Figure:
    """One distance over θ, and below it its slope; the point is the generator."""
    chosen = DISTANCES[key]
    grid = np.linspace(-REACH, REACH, 501)  # holds 0, where the distances break
    value, slope = chosen.value(grid, sigma), chosen.slope(grid, sigma)
    breaks = sigma == 0 and key != "em"
    if breaks:
        value[grid == 0] = np.nan  # the pen is lifted: a jump is no steep slope
    chart = layout(f"distance-{key}") | {"showlegend": False, "hovermode": "x", "annotations": []}
    chart["margin"] = {"t": 8, "b": 40, "l": 44, "r": 8}
    chart["xaxis"] = {
        "title": {"text": "θ", "standoff": 4},
        "range": [-REACH, REACH],
        "zeroline": True,
        "anchor": "y2",
    }
    # One height of the axes for all distances: they are compared by eye.
    chart["yaxis"] = {"range": [-0.08, 1.4], "domain": [0.46, 1], "title": {"text": chosen.name}}
    chart["yaxis2"] = {"range": [-1.7, 1.7], "domain": [0, 0.36], "title": {"text": "slope"}}
    style = STYLES[key] | {"width": 2.5}
    data = [_curve(grid, value, style, "y", key), _curve(grid, slope, style, "y2", f"{key}-slope")]
    if breaks:
        data.append(_point(0.0, 0.0, "y", f"{key}-zero", REAL))
    here = np.array([theta])
    at, steep = float(chosen.value(here, sigma)[0]), float(chosen.slope(here, sigma)[0])
    if np.isfinite(at):
        data.append(_point(theta, min(at, 1.4), "y", f"{key}-here"))
    if np.isfinite(steep):
        data.append(_point(theta, float(np.clip(steep, -1.7, 1.7)), "y2", f"{key}-slope-here"))
    if key == "kl" and sigma == 0:
        note = {"x": 0.5, "xref": "paper", "showarrow": False, "font": {"size": 13}}
        chart["annotations"] = [
            note | {"y": 1.0, "yref": "paper", "yanchor": "top", "text": "∞ for every θ ≠ 0"},
            note | {"y": 0.18, "yref": "paper", "yanchor": "middle", "text": "no slope: ∞ − ∞"},
        ]
    return {"data": data, "layout": chart}


def _curve(x: Array, y: Array, line: dict[str, Any], axis: str, uid: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": typed(x),
        "y": typed(finite(y)),
        "yaxis": axis,
        "line": line,
        "hovertemplate": "%{y:.3~g}<extra></extra>",
        "uid": uid,
    }


def _point(x: float, y: float, axis: str, uid: str, color: str = GENERATED) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "yaxis": axis,
        "marker": {"color": color, "size": 11},
        "hoverinfo": "skip",
        "cliponaxis": False,
        "uid": uid,
    }


def particles(paths: Mapping[str, Array]) -> Figure:
    """A generator for each distance, one lane each, that follows its gradient; animated."""
    lanes = list(paths)
    rows = np.arange(len(lanes))[::-1]
    chart = layout("particles") | {"showlegend": False, "hovermode": False}
    chart["margin"] = {"t": 12, "b": 42, "l": 44, "r": 12}
    chart["xaxis"] = {"title": {"text": "θ", "standoff": 4}, "range": [-REACH, REACH]}
    chart["yaxis"] = {
        "range": [-0.6, len(lanes) - 0.4],
        "tickvals": rows.tolist(),
        "ticktext": [DISTANCES[key].name for key in lanes],
        "zeroline": False,
        "showgrid": False,
    }
    chart["shapes"] = [
        {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1}
        | {"line": {"color": REAL, "width": 3, "dash": "dash"}, "layer": "below"}
    ]
    starts = [float(path[0]) for path in paths.values()]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": starts,
            "y": rows.tolist(),
            "marker": {"color": GENERATED, "symbol": "circle-open", "size": 12},
            "uid": "starts",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": starts,
            "y": rows.tolist(),
            "marker": {"color": GENERATED, "size": 16},
            "uid": "particles",
        },
    ]
    length = max(len(path) for path in paths.values())
    frames = [
        [{"x": [float(path[min(i, len(path) - 1)]) for path in paths.values()]}]
        for i in range(length)
    ]
    return animated({"data": data, "layout": chart}, frames, [1], "gradient steps:")


def runs(found: Mapping[str, tuple[Array, Array]], steps: int) -> tuple[Figure, Figure]:
    """Real runs by method: θ over generator steps, and the length of the generator's gradient."""
    way = layout("line-runs") | {"hovermode": "x"}
    axis = {"title": {"text": "generator steps", "standoff": 6}, "range": [0, steps]}
    way["xaxis"] = axis
    way["yaxis"] = {"title": {"text": "θ", "standoff": 4}, "range": [-0.75, 1.1]}
    length = layout("line-gradients") | {"hovermode": "x", "showlegend": False}
    length["xaxis"] = axis
    length["yaxis"] = {
        "title": {"text": "|∂L/∂θ|", "standoff": 4},
        "type": "log",
        "range": [-6, 2],
        "tickvals": [1e-6, 1e-4, 1e-2, 1, 100],
        "ticktext": ["≤10<sup>−6</sup>", "10<sup>−4</sup>", "0.01", "1", "100"],
        "zeroline": False,
    }
    return (
        {"data": [_run(key, theta) for key, (theta, _) in found.items()], "layout": way},
        {
            "data": [_run(key, np.maximum(size, 1e-6)) for key, (_, size) in found.items()],
            "layout": length,
        },
    )


def _run(key: str, values: Array) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": LABELS[key],
        "x": typed(np.arange(len(values))),
        "y": typed(values),
        "line": METHOD_STYLES[key] | {"width": 2},
        "hovertemplate": "%{y:.3~g}",
        "uid": key,
    }
