"""The value function, drawn: densities and discriminator, its two terms, and what it gives G."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wgan.plots.base import ALARM, CRITIC, EVENT, GENERATED, HEALTHY, REAL, Figure, layout, typed
from wgan.plots.theory import uid
from wgan.theory.reach_settings import LOSSES
from wgan.theory.value import (
    LOG4,
    Array,
    discriminator,
    log_data,
    log_normal,
    non_saturating,
    non_saturating_slope,
    saturating,
    saturating_slope,
    value,
)

REACH = 4.5
MOST = 2.5  # of the sharpness
LOSS_STYLES = {
    "gan_saturating": {"color": ALARM, "dash": "dash", "width": 2.5},
    "gan": {"color": HEALTHY, "dash": "solid", "width": 2.5},
}


def densities(mean: float, sigma: float, sharpness: float) -> Figure:
    """p and q, and the discriminator between them."""
    x = np.linspace(-REACH, REACH, 361)
    p, q = np.exp(log_data(x)), np.exp(log_normal(x, mean, sigma))
    chart: dict[str, Any] = layout("densities", right=True) | {"hovermode": "x"}
    chart["xaxis"] = {"title": {"text": "x", "standoff": 4}, "range": [-REACH, REACH]}
    chart["yaxis"] = {"title": {"text": "density", "standoff": 4}, "range": [0, 1.05]}
    chart["yaxis2"] = {
        "title": {"text": "D(x)"},
        "range": [0, 1.05],
        "overlaying": "y",
        "side": "right",
        "showgrid": False,
    }
    best = discriminator(x, mean, sigma, 1.0)
    data = [
        _line(x, p, "data, p", {"color": REAL, "width": 2.5, "dash": "dash"}),
        _line(x, q, "generator, q", {"color": GENERATED, "width": 2.5}),
        _line(x, best, "p/(p + q)", {"color": CRITIC, "width": 1.5, "dash": "dot"}, "y2"),
        _line(
            x,
            discriminator(x, mean, sigma, sharpness),
            "D",
            {"color": CRITIC, "width": 3},
            "y2",
        ),
    ]
    return {"data": data, "layout": chart}


def terms(mean: float, sigma: float, sharpness: float) -> Figure:
    """p log D and q log(1 − D): the areas are the two terms."""
    x = np.linspace(-REACH, REACH, 361)
    d = discriminator(x, mean, sigma, sharpness)
    with np.errstate(divide="ignore"):
        real = np.exp(log_data(x)) * np.maximum(np.log(d), -50)
        fake = np.exp(log_normal(x, mean, sigma)) * np.maximum(np.log1p(-d), -50)
    chart: dict[str, Any] = layout("terms") | {"hovermode": "x"}
    chart["xaxis"] = {"title": {"text": "x", "standoff": 4}, "range": [-REACH, REACH]}
    chart["yaxis"] = {"title": {"text": "nats per unit of x", "standoff": 4}, "range": [-0.85, 0.1]}
    data = [
        _line(x, real, "p log D", {"color": REAL, "width": 2, "dash": "dash"})
        | {"fill": "tozeroy", "fillcolor": "rgba(43,140,216,0.25)"},
        _line(x, fake, "q log(1 − D)", {"color": GENERATED, "width": 2})
        | {"fill": "tozeroy", "fillcolor": "rgba(224,122,0,0.25)"},
    ]
    return {"data": data, "layout": chart}


def over_sharpness(mean: float, sigma: float, sharpness: float) -> Figure:
    """V of D = σ(t log(p/q)) over t, below its ceiling 2 JS − log 4."""
    t = np.linspace(0, MOST, 51)
    values = np.array([value(mean, sigma, float(one)).value for one in t])
    now = value(mean, sigma, sharpness)
    chart: dict[str, Any] = layout("sharpness") | {"hovermode": "x"}
    chart["xaxis"] = {"title": {"text": "sharpness t of D", "standoff": 4}, "range": [0, MOST]}
    chart["yaxis"] = {"title": {"text": "V(D, G), nats", "standoff": 4}, "range": [-1.7, 0.1]}
    data = [
        _line(t, values, "V", {"color": CRITIC, "width": 2.5}),
        _line(
            np.array([0, MOST]),
            np.array([now.best, now.best]),
            "2 JS − log 4",
            {"color": HEALTHY, "width": 1.5, "dash": "dash"},
        ),
        _line(
            np.array([0, MOST]),
            np.array([-LOG4, -LOG4]),
            "−log 4: p = q",
            {"color": EVENT, "width": 1.5, "dash": "dot"},
        ),
        _dot(sharpness, now.value, GENERATED, "y"),
    ]
    return {"data": data, "layout": chart}


def losses(score: float) -> Figure:
    """Both generator losses over D(G(z)), and below them their slopes in the score."""
    s = np.linspace(-8, 8, 321)
    seen = 1 / (1 + np.exp(-s))
    chart: dict[str, Any] = layout("losses-of-g") | {"hovermode": "closest"}
    chart["xaxis"] = {
        "title": {"text": "D(G(z))", "standoff": 4},
        "range": [-0.02, 1.02],
        "anchor": "y2",
        "zeroline": False,
    }
    chart["yaxis"] = {"title": {"text": "loss, nats"}, "domain": [0.5, 1], "range": [-4, 4.5]}
    chart["yaxis2"] = {
        "title": {"text": "slope in the score"},
        "domain": [0, 0.42],
        "range": [-1.08, 0.08],
    }
    at = np.array([score])
    where = float(1 / (1 + np.exp(-score)))
    data = []
    for key, loss, slope in (
        ("gan_saturating", saturating, saturating_slope),
        ("gan", non_saturating, non_saturating_slope),
    ):
        style = LOSS_STYLES[key]
        data += [
            _line(seen, loss(s), LOSSES[key], style),
            _line(seen, slope(s), f"slope {key}", style, "y2") | {"showlegend": False},
            _dot(where, float(loss(at)[0]), style["color"], "y"),
            _dot(where, float(slope(at)[0]), style["color"], "y2"),
        ]
    return {"data": data, "layout": chart}


def reach(step: Array, norms: Mapping[str, Array], steps: int) -> Figure:
    """Measured length of the generator's gradient, over the discriminator's steps."""
    chart: dict[str, Any] = layout("reach") | {"hovermode": "x"}
    chart["xaxis"] = {"title": {"text": "discriminator steps", "standoff": 4}, "range": [0, steps]}
    chart["yaxis"] = {
        "title": {"text": "‖∂L/∂w‖ of the generator", "standoff": 4},
        "type": "log",
        "range": [-8.2, 2.2],
        "tickvals": [1e-8, 1e-6, 1e-4, 1e-2, 1, 100],
        "ticktext": [f"10<sup>{p}</sup>".replace("-", "−") for p in (-8, -6, -4, -2, 0, 2)],
        "zeroline": False,
    }
    data = [
        _line(step, np.maximum(values, 1e-8), LOSSES[key], LOSS_STYLES[key])
        for key, values in norms.items()
    ]
    return {"data": data, "layout": chart}


def _line(x: Array, y: Array, name: str, line: dict[str, Any], axis: str = "y") -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": typed(x),
        "y": typed(y),
        "yaxis": axis,
        "line": line,
        "hovertemplate": "%{y:.3~g}",
        "uid": uid(name),
    }


def _dot(x: float, y: float, color: str, axis: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "yaxis": axis,
        "marker": {"color": color, "size": 11},
        "showlegend": False,
        "hoverinfo": "skip",
        "cliponaxis": False,
        "uid": uid("now", axis, color),
    }
