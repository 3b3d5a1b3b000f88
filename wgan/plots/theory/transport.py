"""Transport, drawn: plans, what they cost, potentials, and a critic that learns one."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgan.plots.base import CRITIC, EVENT, GENERATED, HEALTHY, REAL, Figure, layout, typed
from wgan.plots.plane import points_trace, surface_trace
from wgan.plots.theory import uid
from wgan.theory.dual_settings import LINE, REACH, SIDE
from wgan.theory.transport import Array, Transport

TICKS = np.linspace(-REACH, REACH, LINE)
SCALE = [[0.0, "rgba(27,158,119,0)"], [0.3, "rgba(27,158,119,0.55)"], [1.0, "#1B9E77"]]


def plan_map(found: Transport) -> Figure:
    """How much of each sample bin goes to each data bin, in percent of all mass."""
    percent = 100 * found.plan.T  # rows: samples
    chart: dict[str, Any] = layout("plan") | {"showlegend": False, "hovermode": "closest"}
    axis = {"range": [-1.05, 1.05], "constrain": "domain", "zeroline": False}
    chart["xaxis"] = axis | {"title": {"text": "to x, data", "standoff": 4}}
    chart["yaxis"] = axis | {"title": {"text": "from x̃, sample", "standoff": 4}, "scaleanchor": "x"}
    diagonal = {"type": "line", "x0": -1, "x1": 1, "y0": -1, "y1": 1}
    chart["shapes"] = [diagonal | {"line": {"color": EVENT, "width": 1.5, "dash": "dot"}}]
    heat = {
        "type": "heatmap",
        "x": typed(found.pair.x[:, 0]),
        "y": typed(found.pair.y[:, 0]),
        "z": typed(percent),
        "zmin": 0,
        "zmax": max(float(percent.max()), 1e-9),
        "colorscale": SCALE,
        "showscale": False,
        "hovertemplate": "%{y:.2f} to %{x:.2f}: %{z:.2~f}% of the mass<extra></extra>",
        "uid": "plan",
    }
    return {"data": [heat], "layout": chart}


def cost_by_parts(found: Transport) -> Figure:
    """What the mass of each sample costs: percent of W₁, by where it comes from."""
    parts = found.parts.sum(0)
    share = 100 * parts / max(found.distance, 1e-12)
    line = found.pair.y.shape[1] == 1
    where = found.pair.y[:, 0] if line else np.arange(1, len(parts) + 1)
    chart: dict[str, Any] = layout("cost") | {"showlegend": False, "hovermode": "x"}
    title = "from x̃, sample" if line else "sample, by distance moved"
    order = np.arange(len(parts)) if line else np.argsort(parts)[::-1]
    chart["xaxis"] = {"title": {"text": title, "standoff": 4}, "zeroline": False}
    chart["yaxis"] = {"title": {"text": "share of W₁, %", "standoff": 4}, "rangemode": "tozero"}
    bars = {
        "type": "bar",
        "x": typed(where),
        "y": typed(share[order]),
        "marker": {"color": GENERATED},
        "hovertemplate": "%{y:.1f}%<extra></extra>",
        "uid": "cost",
    }
    return {"data": [bars], "layout": chart | {"bargap": 0.1}}


def potential_line(found: Transport, critic: Array | None = None) -> Figure:
    """The exact potential over the line, and the critic's values where there are some."""
    exact = found.potential(TICKS[:, None])
    pair = found.pair
    middle = _middle(found, found.potential(pair.x), found.potential(pair.y))
    top = 1.15 * max(float(np.abs(exact - middle).max()), 0.5)
    chart: dict[str, Any] = layout("potential") | {"hovermode": "x"}
    chart["xaxis"] = {"title": {"text": "x", "standoff": 4}, "range": [-REACH, REACH]}
    chart["yaxis"] = {"title": {"text": "score", "standoff": 4}, "range": [-top, top]}
    data: list[dict[str, Any]] = []
    for name, at, weights, color in (
        ("data", pair.x, pair.p, REAL),
        ("samples", pair.y, pair.q, GENERATED),
    ):
        data.append(
            {
                "type": "bar",
                "name": name,
                "x": typed(at[:, 0]),
                "y": typed(0.6 * top * weights / max(pair.p.max(), pair.q.max())),
                "base": -top,
                "marker": {"color": color, "opacity": 0.4},
                "hoverinfo": "skip",
                "uid": uid(name),
            }
        )
    data.append(_score(exact - middle, "exact potential f", HEALTHY, "dash"))
    if critic is not None:
        on_x, on_y = (np.interp(at[:, 0], TICKS, critic) for at in (pair.x, pair.y))
        data.append(_score(critic - _middle(found, on_x, on_y), "critic D", CRITIC, "solid"))
    return {"data": data, "layout": chart | {"barmode": "overlay", "bargap": 0.05}}


def _middle(found: Transport, on_x: Array, on_y: Array) -> float:
    """A potential's mean over both: its zero means nothing, so that curves share this one."""
    return float(found.pair.p @ on_x + found.pair.q @ on_y) / 2


def _score(values: Array, name: str, color: str, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": typed(TICKS),
        "y": typed(values),
        "line": {"color": color, "width": 2.5, "dash": dash},
        "hovertemplate": "%{y:.3~f}",
        "uid": uid(name),
    }


def plane(found: Transport, critic: Array | None = None) -> Figure:
    """Both clouds and the optimal pairs over the exact potential, or over the critic's value."""
    ticks = np.linspace(-REACH, REACH, SIDE)
    # Plotly cuts a surface by a path that is named after its uid: two on a page need two names.
    surface = "potential" if critic is None else "critic"
    if critic is None:
        across, up = np.meshgrid(ticks, ticks)
        grid = np.stack([across.ravel(), up.ravel()], 1)
        critic = found.potential(grid).reshape(SIDE, SIDE)
    i, j = found.pairs
    pen_up = np.full(len(i), np.nan)
    ways = np.stack([found.pair.x[i], found.pair.y[j]], 1)  # (pairs, 2 ends, 2)
    axis = {"range": [-REACH, REACH], "constrain": "domain", "zeroline": True}
    chart: dict[str, Any] = layout("transport-plane") | {"hovermode": "closest"}
    chart["margin"] = {"t": 34, "b": 26, "l": 34, "r": 10}
    chart["xaxis"], chart["yaxis"] = axis, axis | {"scaleanchor": "x"}
    data = [
        surface_trace(critic.astype(np.float32), REACH) | {"uid": surface},
        {
            "type": "scatter",
            "mode": "lines",
            "name": "optimal pairs",
            "x": typed(np.column_stack([ways[:, :, 0], pen_up]).ravel()),
            "y": typed(np.column_stack([ways[:, :, 1], pen_up]).ravel()),
            "line": {"color": HEALTHY, "width": 2},
            "hoverinfo": "skip",
            "uid": "pairs",
        },
        points_trace("data", found.pair.x.astype(np.float32), REAL, "circle-open", 9),
        points_trace("samples", found.pair.y.astype(np.float32), GENERATED, "circle", 8),
    ]
    return {"data": data, "layout": chart}


def slopes(exact: Array, critic: Array) -> Figure:
    """Slopes of the exact potential along optimal pairs, and of the critic at random interpolates:
    each sorted, so that a share of the samples can be read off."""
    chart: dict[str, Any] = layout("dual-slopes") | {"hovermode": "closest"}
    top = max(1.6, 1.1 * float(critic.max()))
    chart["xaxis"] = {"title": {"text": "share of the pairs, %", "standoff": 4}, "range": [0, 100]}
    chart["yaxis"] = {"title": {"text": "slope", "standoff": 4}, "range": [0, top]}
    data = []
    for name, values, color, dash in (
        ("exact f, optimal pairs", exact, HEALTHY, "dash"),
        ("critic ‖∇D‖, random interpolates", critic, CRITIC, "solid"),
    ):
        if len(values):
            ordered = np.sort(values)
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "x": typed(np.linspace(0, 100, len(ordered))),
                    "y": typed(ordered),
                    "line": {"color": color, "width": 2.5, "dash": dash},
                    "hovertemplate": "%{y:.3f}<extra></extra>",
                    "uid": uid(name),
                }
            )
    return {"data": data, "layout": chart}


def estimates(steps: Array, values: Array, distance: float, last: int) -> Figure:
    """The critic's estimate over its steps, and the exact distance."""
    chart: dict[str, Any] = layout("estimates") | {"hovermode": "x"}
    top = 1.1 * max(float(np.max(values, initial=0)), 1.3 * distance, 0.1)
    chart["xaxis"] = {"title": {"text": "critic steps", "standoff": 4}, "range": [0, last]}
    chart["yaxis"] = {"title": {"text": "E D(x) − E D(x̃)", "standoff": 4}, "range": [0, top]}
    ends = np.array([0.0, last])
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": typed(x),
            "y": typed(y),
            "line": {"color": color, "width": 2.5, "dash": dash},
            "hovertemplate": "%{y:.4~f}",
            "uid": uid(name),
        }
        for name, x, y, color, dash in (
            ("critic’s estimate", steps, values, CRITIC, "solid"),
            ("exact W₁", ends, np.array([distance, distance]), HEALTHY, "dash"),
        )
    ]
    return {"data": data, "layout": chart}
