"""The critic over the plane: its value as filled contours and as a landscape, and one step."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

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
from wgan.plots.curves import round_up
from wgan.plots.plane import points
from wgan.types import Anatomy, PointView

# Opaque: a landscape hides what is behind it, and Plotly fills each contour over those below it,
# where colours that shine through add up: purple (low), grey, green (high).
LANDSCAPE = [
    [0.0, "#762A83"],
    [0.25, "#B38FC0"],
    [0.5, "#B8BCC2"],
    [0.75, "#7FBF86"],
    [1, "#1B7837"],
]
ON_TOP = 300  # points of each kind on the landscape


def value_map(view: PointView) -> Figure:
    """D as filled contours around its median, with real and generated points."""
    figure = points(view, surface=True, manifold=False, arrows=False)
    surface = figure["data"][0]
    surface["contours"] = surface["contours"] | {"coloring": "fill", "showlines": True}
    surface["colorscale"] = LANDSCAPE
    figure["data"] = [trace for trace in figure["data"] if trace.get("visible", True)]
    figure["layout"]["uirevision"] = "value_map"
    return figure


def landscape(view: PointView) -> Figure:
    """D as a surface over the plane, with the points on it; the camera is the viewer's."""
    z = finite(view.surface)
    known: npt.NDArray[np.float64] = z[np.isfinite(z)].astype(np.float64)
    middle = float(np.median(known)) if len(known) else 0.0
    low, high = np.quantile(known, [0.02, 0.98]) if len(known) else (-1.0, 1.0)
    reach = max(high - middle, middle - low, 1e-6, 1e-5 * abs(middle))
    height = np.clip(z, middle - reach, middle + reach)  # the far corners saturate
    ticks = np.linspace(-view.extent, view.extent, len(z))
    data: list[dict[str, Any]] = [
        {
            "type": "surface",
            "x": typed(ticks),
            "y": typed(ticks),
            "z": typed(height, DRAWN),
            "cmin": middle - reach,
            "cmax": middle + reach,
            "colorscale": LANDSCAPE,
            "showscale": False,
            "opacity": 0.92,
            "hovertemplate": "D(%{x:.2f}, %{y:.2f}) = %{z:.3g}<extra></extra>",
            "uid": "landscape",
        }
    ]
    for name, xy, color, symbol in (
        ("real", view.real, REAL, "circle-open"),
        ("generated", view.fake, GENERATED, "circle"),
    ):
        xy = finite(xy)[:ON_TOP]
        lift = 0.02 * 2 * reach  # above the surface, or half of each marker drowns in it
        data.append(
            {
                "type": "scatter3d",
                "mode": "markers",
                "name": name,
                "x": typed(xy[:, 0], DRAWN),
                "y": typed(xy[:, 1], DRAWN),
                "z": typed(heights(height, view.extent, xy) + lift),
                "marker": {"size": 3.5, "color": color, "symbol": symbol},
                "hoverinfo": "skip",
                "uid": f"{name}-3d",
            }
        )
    chart = layout("landscape") | {"margin": {"t": 34, "b": 0, "l": 0, "r": 0}}
    chart["legend"] = chart["legend"] | {"x": 0.5, "xanchor": "center"}
    axis = {"range": [-view.extent, view.extent], "nticks": 5}
    chart["scene"] = {
        "xaxis": axis | {"title": {"text": "x"}},
        "yaxis": axis | {"title": {"text": "y"}},
        "zaxis": {"title": {"text": "D"}, "nticks": 5, "range": _air(middle, float(reach))},
        "aspectmode": "manual",
        "aspectratio": {"x": 1, "y": 1, "z": 0.6},
        "camera": {
            "eye": {"x": 1.25, "y": -1.35, "z": 0.95},
            "center": {"x": 0, "y": 0, "z": -0.1},
        },
    }
    return {"data": data, "layout": chart}


def _air(middle: float, reach: float) -> list[float]:
    return [middle - 1.1 * reach, middle + 1.1 * reach]


def heights(
    z: npt.NDArray[np.float32], extent: float, xy: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """The surface (G, G) over ±extent at points (N, 2), bilinear; NaN beyond it."""
    last = len(z) - 1
    place = (xy.astype(np.float64) + extent) * (last / (2 * extent))  # in cells
    on_axis = np.isfinite(place) & (place >= 0) & (place <= last)
    inside = on_axis[:, 0] & on_axis[:, 1]
    place = np.where(np.column_stack([inside, inside]), place, 0.0)
    cell = np.minimum(place.astype(int), last - 1)
    (u, v), (i, j) = (place - cell).T, cell.T
    low = z[j, i] * (1 - u) + z[j, i + 1] * u
    high = z[j + 1, i] * (1 - u) + z[j + 1, i + 1] * u
    return np.where(inside, low * (1 - v) + high * v, np.nan).astype(np.float32)


def step_plane(step: Anatomy) -> Figure:
    """Real points, fakes, their segments, the interpolates between, and ∇D where it is judged."""
    assert step.gradients is not None
    real, fake, between = (finite(xy) for xy in (step.real, step.fake, step.between))
    at = {"between": between, "real": real, "fake": fake}[step.at]
    gradients = finite(step.gradients)
    lengths = np.linalg.norm(gradients.astype(np.float64), axis=1, keepdims=True)
    longest = max(float(np.nanmax(lengths, initial=0.0)), 1e-12)
    tips = finite(at + gradients * (0.22 * step.extent / longest))
    angle = np.degrees(np.arctan2(gradients[:, 0], gradients[:, 1]))  # clockwise from straight up
    colors = colors_of(step)
    judged = _markers("interpolates", between, EVENT, "diamond", 7)
    heads: dict[str, Any] = _markers("", tips, CRITIC, "arrow", 8) | {"showlegend": False}
    heads["marker"] |= {"angle": typed(angle, DRAWN), "color": colors}
    if step.at == "between":
        judged["marker"] |= {"color": colors, "size": 9, "line": {"width": 0}}
    reach = step.extent
    axis = {"range": [-reach, reach], "zeroline": True}
    chart = layout("step") | {
        "margin": {"t": 34, "b": 26, "l": 30, "r": 10},
        "hovermode": False,
        "xaxis": axis | {"constrain": "domain"},
        "yaxis": axis | {"constrain": "domain", "scaleanchor": "x"},
    }
    chart["legend"] = chart["legend"] | {"x": 0.5, "xanchor": "center"}
    data = [
        _lines("real to generated", real, fake, EVENT, 1.0) | {"opacity": 0.55},
        _lines("∇D", at, tips, CRITIC, 2.0),
        _markers("real", real, REAL, "circle-open", 10),
        _markers("generated", fake, GENERATED, "circle", 8),
        judged,
        heads,
    ]
    return {"data": data, "layout": chart}


def norm_strip(step: Anatomy) -> Figure:
    """One bar a sample: its ‖∇D‖, beside the target k; green on it, red one or more away."""
    norms = finite(step.norms)
    top = round_up(10 * float(np.nanmax(norms, initial=1.2 * step.target))) / 10
    if step.target == 0:
        top = float(np.nanmax(norms, initial=1e-6)) * 1.1
    chart = layout("norms") | {"showlegend": False, "hovermode": "x", "bargap": 0.25}
    chart["margin"] = {"t": 10, "b": 42, "l": 58, "r": 14}
    title = {"between": "interpolate", "real": "real sample", "fake": "generated sample"}[step.at]
    chart["xaxis"] = {"title": {"text": title, "standoff": 6}, "showgrid": False, "zeroline": False}
    chart["xaxis"] |= {"range": [0.4, len(norms) + 0.6], "showticklabels": False}
    chart["yaxis"] = {"title": {"text": "‖∇D‖", "standoff": 4}, "range": [0, top]}
    line = {"color": REAL, "width": 2, "dash": "dot"}
    ends = {"xref": "paper", "x0": 0, "x1": 1, "y0": step.target, "y1": step.target}
    chart["shapes"] = [{"type": "line", "line": line} | ends]
    bars = {
        "type": "bar",
        "x": typed(np.arange(1, len(norms) + 1)),
        "y": typed(norms),
        "marker": {"color": colors_of(step)},
        "hovertemplate": "‖∇D‖ %{y:.3~g}<extra></extra>",
        "uid": "norms",
    }
    return {"data": [bars], "layout": chart}


def colors_of(step: Anatomy) -> list[str]:
    """Green where ‖∇D‖ is at the target, through grey to red where it is 1 or more away."""
    away = np.nan_to_num(np.minimum(np.abs(finite(step.norms) - step.target), 1.0), nan=1.0)
    if step.constraint == "gp_onesided":  # below the target is allowed
        away = np.where(finite(step.norms) <= step.target, 0.0, away)
    return [_mixed(float(share)) for share in away]


def _mixed(share: float) -> str:
    ends = (HEALTHY, "#9AA0A8", ALARM)
    place = 2 * min(max(share, 0.0), 1.0)
    one, other = (ends[0], ends[1]) if place <= 1 else (ends[1], ends[2])
    part = place if place <= 1 else place - 1
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * part):02X}" for a, b in pairs)


def _lines(
    name: str,
    tails: npt.NDArray[np.float32],
    tips: npt.NDArray[np.float32],
    color: str,
    width: float,
) -> dict[str, Any]:
    pen_up = np.full_like(tails, np.nan)
    xy = np.stack([tails, tips, pen_up], axis=1).reshape(-1, 2)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": typed(xy[:, 0], DRAWN),
        "y": typed(xy[:, 1], DRAWN),
        "line": {"color": color, "width": width},
        "uid": name,
    }


def _markers(
    name: str, xy: npt.NDArray[np.float32], color: str, symbol: str, size: int
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": typed(xy[:, 0], DRAWN),
        "y": typed(xy[:, 1], DRAWN),
        "marker": {"color": color, "symbol": symbol, "size": size},
        "uid": name or "heads",
    }
