"""The Dirac-GAN, drawn: its phase plane, how far each method gets, and the update's eigenvalues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from wgan.plots.animation import animated
from wgan.plots.base import ALARM, CRITIC, EVENT, GENERATED, HEALTHY, REAL, Figure, layout, typed
from wgan.plots.theory import uid
from wgan.theory.dirac import GAMES, Array, Game, Settings, eigenvalues

REACH = 2.2
ARROWS = 17  # a side
FRAMES = 60  # of an animation
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash", "dot")
COLORS = (EVENT, EVENT, CRITIC, CRITIC, CRITIC, HEALTHY, HEALTHY, HEALTHY)


def phase_plane(game: Game, way: Array, how: Settings) -> Figure:
    """The field as arrows, and the path (N + 1, 2) through it, animated."""
    axis = {"range": [-REACH, REACH], "constrain": "domain", "zeroline": True}
    chart: dict[str, Any] = layout("phase") | {"hovermode": False}
    chart["margin"] = {"t": 34, "b": 42, "l": 44, "r": 10}
    chart["xaxis"] = axis | {"title": {"text": "θ, the generator", "standoff": 4}}
    chart["yaxis"] = axis | {"title": {"text": "ψ, the critic", "standoff": 4}, "scaleanchor": "x"}
    chart["shapes"] = []
    if game.clips:
        chart["shapes"] = [
            {"type": "line", "x0": -REACH, "x1": REACH, "y0": end, "y1": end}
            | {"line": {"color": EVENT, "width": 1.5, "dash": "dot"}}
            for end in (-how.strength, how.strength)
        ]
    data = [
        *_arrows(game, how.strength),
        _marks([way[0, 0]], [way[0, 1]], "start", GENERATED, "circle-open", 12),
        _marks([0.0], [0.0], "equilibrium", REAL, "star", 15),
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "training",
            "x": typed(way[:, 0]),
            "y": typed(way[:, 1]),
            "line": {"color": GENERATED, "width": 1.5},
            "marker": {"color": GENERATED, "size": 4},
            "uid": "way",
        },
        _marks([way[-1, 0]], [way[-1, 1]], "end", GENERATED, "circle", 11) | {"showlegend": False},
    ]
    ends = np.unique(np.round(np.geomspace(1, len(way) - 1, FRAMES)).astype(int))
    frames = [
        [
            {"x": typed(way[: end + 1, 0]), "y": typed(way[: end + 1, 1])},
            {"x": [float(way[end, 0])], "y": [float(way[end, 1])]},
        ]
        for end in ends
    ]
    moving = len(data) - 2
    names = [f"{end}" for end in ends]
    figure = {"data": data, "layout": chart}
    return animated(figure, frames, [moving, moving + 1], "updates:", names, at_end=True)


def _arrows(game: Game, strength: float) -> list[dict[str, Any]]:
    """The field's directions; the length grows with the field's root, so that none is too small."""
    ticks = np.linspace(-REACH, REACH, ARROWS)
    theta, psi = (axis.ravel() for axis in np.meshgrid(ticks, ticks))
    forward, back = game.field(theta, psi, strength)
    size = np.hypot(forward, back)
    cell = 2 * REACH / (ARROWS - 1)
    scale = 0.8 * cell * np.sqrt(size / max(float(size.max()), 1e-9)) / np.maximum(size, 1e-9)
    tips = np.stack([theta + scale * forward, psi + scale * back], 1)
    x = np.stack([theta, tips[:, 0], np.full_like(theta, np.nan)], 1).ravel()
    y = np.stack([psi, tips[:, 1], np.full_like(psi, np.nan)], 1).ravel()
    angle = np.degrees(np.arctan2(forward, back))  # clockwise from straight up
    shafts = {
        "type": "scatter",
        "mode": "lines",
        "name": "v(θ, ψ)",
        "x": typed(x),
        "y": typed(y),
        "line": {"color": CRITIC, "width": 1},
        "opacity": 0.6,
        "uid": "field",
    }
    heads = {
        "type": "scatter",
        "mode": "markers",
        "x": typed(tips[:, 0]),
        "y": typed(tips[:, 1]),
        "marker": {"symbol": "arrow", "size": 6, "color": CRITIC, "angle": typed(angle)},
        "opacity": 0.6,
        "showlegend": False,
        "uid": "heads",
    }
    return [shafts, heads]


def _marks(
    x: Sequence[float] | Array,
    y: Sequence[float] | Array,
    name: str,
    color: str,
    symbol: str,
    size: int,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [float(v) for v in x],
        "y": [float(v) for v in y],
        "marker": {"color": color, "symbol": symbol, "size": size},
        "uid": uid(name),
    }


def distances(ways: Mapping[str, Array], chosen: str) -> Figure:
    """How far every method is from the equilibrium, on a logarithmic axis."""
    chart: dict[str, Any] = layout("dirac-distances") | {"hovermode": "closest"}
    rounds = max(len(way) for way in ways.values()) - 1
    chart["margin"] = chart["margin"] | {"t": 74}
    chart["xaxis"] = {"title": {"text": "updates", "standoff": 4}, "range": [0, rounds]}
    chart["yaxis"] = {
        "title": {"text": "distance from (0, 0)", "standoff": 4},
        "type": "log",
        "range": [-3.2, 2],
        "tickvals": [0.001, 0.01, 0.1, 1, 10, 100],
        "zeroline": False,
    }
    data = []
    for (key, way), color, dash in zip(ways.items(), COLORS, DASHES, strict=True):
        distance = np.hypot(*way.T)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": GAMES[key].label,
                "x": typed(np.arange(len(way))),
                "y": typed(np.maximum(distance, 1e-9)),
                "line": {"color": color, "dash": dash, "width": 3.5 if key == chosen else 1.5},
                "opacity": 1.0 if key == chosen else 0.6,
                "hovertemplate": f"{GAMES[key].label}: %{{y:.3~g}}<extra></extra>",
                "uid": key,
            }
        )
    return {"data": data, "layout": chart}


def eigenvalue_plane(game: Game, how: Settings) -> Figure:
    """The eigenvalues of the update's Jacobian beside the unit circle, and their way as h grows."""
    angle = np.linspace(0, 2 * np.pi, 181)
    reach = 1.6
    axis = {"range": [-reach, reach], "constrain": "domain", "zeroline": True}
    chart: dict[str, Any] = layout("eigenvalues") | {"hovermode": "closest"}
    chart["xaxis"] = axis | {"title": {"text": "Re λ", "standoff": 4}}
    chart["yaxis"] = axis | {"title": {"text": "Im λ", "standoff": 4}, "scaleanchor": "x"}
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "|λ| = 1",
            "x": typed(np.cos(angle)),
            "y": typed(np.sin(angle)),
            "line": {"color": EVENT, "width": 1.5, "dash": "dash"},
            "hoverinfo": "skip",
            "uid": "circle",
        }
    ]
    steps = [h for h in np.linspace(0.01, 1.0, 100) if h <= max(how.step, 0.5)]
    passed = [eigenvalues(game, replace(how, step=float(h))) for h in steps]
    now = eigenvalues(game, how)
    if now is not None:
        there = np.concatenate([v for v in passed if v is not None])
        inside = bool(np.abs(now).max() < 1 - 1e-9)
        color = HEALTHY if inside else ALARM if np.abs(now).max() > 1 + 1e-9 else EVENT
        data += [
            _marks(there.real, there.imag, "other step sizes", EVENT, "circle", 3)
            | {"hoverinfo": "skip"},
            _marks(now.real, now.imag, "now", color, "diamond", 12)
            | {
                "text": [f"|λ| = {abs(v):.4f}" for v in now],
                "hovertemplate": "%{text}<extra></extra>",
            },
        ]
    return {"data": data, "layout": chart}


def momentum_curve(game: Game, how: Settings) -> Figure:
    """The largest |λ| over the momentum β, all else as it is."""
    betas = np.linspace(-0.9, 0.9, 91)
    chart: dict[str, Any] = layout("momentum") | {"showlegend": False, "hovermode": "x"}
    chart["xaxis"] = {"title": {"text": "momentum β", "standoff": 4}, "range": [-0.92, 0.92]}
    chart["shapes"] = [
        {"type": "line", "x0": -0.92, "x1": 0.92, "y0": 1, "y1": 1}
        | {"line": {"color": EVENT, "width": 1.5, "dash": "dash"}}
    ]
    data = []
    if game.jacobian is not None:
        found = [eigenvalues(game, replace(how, momentum=float(beta))) for beta in betas]
        largest = np.array([np.abs(v).max() for v in found if v is not None])
        here = eigenvalues(game, how)
        assert here is not None
        low, high = min(0.98, float(largest.min())), max(1.02, float(largest.max()))
        room = 0.06 * (high - low)
        ends = [low - room, high + room]
        chart["yaxis"] = {"title": {"text": "largest |λ|", "standoff": 4}, "range": ends}
        data = [
            {
                "type": "scatter",
                "mode": "lines",
                "x": typed(betas),
                "y": typed(largest),
                "line": {"color": CRITIC, "width": 2.5},
                "hovertemplate": "%{y:.4f}<extra></extra>",
                "uid": "radius",
            },
            _marks([how.momentum], [np.abs(here).max()], "now", GENERATED, "circle", 11),
        ]
    return {"data": data, "layout": chart}
