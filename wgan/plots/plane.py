"""2-D data: points over the critic's value surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wgan.plots.base import CRITIC, DRAWN, GENERATED, REAL, Figure, finite, layout, typed
from wgan.types import PointView

# Purple (low) to green (high) through nothing at all: the page shows through in either theme.
SURFACE_SCALE = [
    [0.0, "rgba(118,42,131,0.55)"],
    [0.25, "rgba(153,112,171,0.28)"],
    [0.5, "rgba(128,128,128,0.0)"],
    [0.75, "rgba(90,174,97,0.28)"],
    [1.0, "rgba(27,120,55,0.55)"],
]


def points(
    view: PointView,
    *,
    surface: bool,
    manifold: bool,
    arrows: bool,
    lines: str = "latent grid",
) -> Figure:
    """2-D samples over the critic's value surface; the switches hide layers, they stay traces.

    lines: what the manifold's lines are called in the legend.
    """
    axis = {"range": [-view.extent, view.extent], "zeroline": True}
    square = layout("points") | {
        "margin": {"t": 34, "b": 26, "l": 30, "r": 10},
        "hovermode": "closest",
        "xaxis": axis | {"constrain": "domain"},
        "yaxis": axis | {"constrain": "domain", "scaleanchor": "x"},
    }
    data = [
        surface_trace(view.surface, view.extent, surface),
        _manifold(view, manifold, lines),
        points_trace("real", view.real, REAL, "circle-open", 6),
        points_trace("generated", view.fake, GENERATED, "circle", 5),
        *_arrows(view, arrows),
    ]
    # Over the square, which stands in the middle of a wide column.
    square["legend"] = square["legend"] | {"x": 0.5, "xanchor": "center"}
    return {"data": data, "layout": square}


def surface_trace(
    values: npt.NDArray[np.float32], extent: float, visible: bool = True
) -> dict[str, Any]:
    """D over the axes, around its median: only differences of D mean anything, not its zero.

    values: (G, G) over ±extent, row = y from low to high.
    """
    z = finite(values)
    known = z[np.isfinite(z)].astype(np.float64)
    middle = float(np.median(known)) if len(known) else 0.0
    # The corners of the axes are far from all data and may be extreme: they saturate.
    reach = float(np.quantile(np.abs(known - middle), 0.95)) if len(known) else 0.0
    reach = max(reach, 1e-6, 1e-5 * abs(middle))
    ticks = np.linspace(-extent, extent, len(z))
    return {
        "type": "contour",
        "name": "critic’s value",
        "visible": visible and len(known) > 0,
        "x": typed(ticks),
        "y": typed(ticks),
        "z": typed(z, DRAWN),
        "zmid": middle,
        "zmin": middle - reach,
        "zmax": middle + reach,
        "colorscale": SURFACE_SCALE,
        "showscale": False,
        "autocontour": False,
        "contours": {
            "coloring": "heatmap",
            "start": middle - reach,
            "end": middle + reach,
            "size": reach / 5,
        },
        "line": {"color": "rgba(128,128,128,0.35)", "width": 1},
        "hovertemplate": "D(%{x:.2f}, %{y:.2f}) = %{z:.3g}<extra></extra>",
        "uid": "surface",
    }


def _manifold(view: PointView, visible: bool, name: str) -> dict[str, Any]:
    return _path("manifold", name, view.manifold, visible) | {
        "line": {"color": GENERATED, "width": 1},
        "opacity": 0.55,
    }


def points_trace(
    name: str, xy: npt.NDArray[np.float32], color: str, symbol: str, size: int
) -> dict[str, Any]:
    """Points (N, 2) as markers."""
    xy = finite(xy)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": typed(xy[:, 0], DRAWN),
        "y": typed(xy[:, 1], DRAWN),
        "marker": {"color": color, "symbol": symbol, "size": size, "opacity": 0.8},
        "hoverinfo": "skip",  # hovering reads the surface; hundreds of points have nothing to say
        "uid": name,
    }


def _arrows(view: PointView, visible: bool) -> list[dict[str, Any]]:
    """Shafts in one line trace, heads as markers turned along them."""
    tails, tips = finite(view.arrow_tails), finite(view.arrow_tips)
    delta = tips - tails
    angle = np.degrees(np.arctan2(delta[:, 0], delta[:, 1]))  # clockwise from straight up
    shafts = _path("shafts", "critic’s push ∇D", np.stack([tails, tips], axis=1), visible)
    heads = {
        "type": "scatter",
        "mode": "markers",
        "visible": visible,
        "showlegend": False,
        "x": typed(tips[:, 0], DRAWN),
        "y": typed(tips[:, 1], DRAWN),
        "marker": {"symbol": "arrow", "size": 6, "color": CRITIC, "angle": typed(angle, DRAWN)},
        "hoverinfo": "skip",
        "uid": "heads",
    }
    return [shafts | {"line": {"color": CRITIC, "width": 1.5}}, heads]


def _path(uid: str, name: str, lines: npt.NDArray[np.float32], visible: bool) -> dict[str, Any]:
    """Polylines (L, M, 2) as one trace; NaN lifts the pen."""
    pen_up = np.full((len(lines), 1, 2), np.nan, np.float32)
    xy = np.concatenate([finite(lines), pen_up], axis=1).reshape(-1, 2)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "visible": visible and len(lines) > 0,
        "x": typed(xy[:, 0], DRAWN),
        "y": typed(xy[:, 1], DRAWN),
        "hoverinfo": "skip",
        "uid": uid,
    }
