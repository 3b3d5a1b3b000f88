"""The charts of the papers' figures, from plain arrays (see `wgan.studies`)."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wgan.plots.base import CRITIC, EVENT, GENERATED, HEALTHY, REAL, Figure, layout, typed
from wgan.plots.images import data_uri, image_grid
from wgan.plots.panels import Panels
from wgan.plots.plane import points_trace, surface_trace
from wgan.words import format_3_digits

Array = npt.NDArray[np.float32]

# A method has one colour and one way to be dashed, so that colour is not all that tells them apart.
LINES: dict[str, dict[str, Any]] = {
    "gp": {"color": HEALTHY, "dash": "solid"},
    "gp_adam": {"color": HEALTHY, "dash": "solid"},
    "gp_rmsprop": {"color": REAL, "dash": "dashdot"},
    "clip": {"color": GENERATED, "dash": "dash"},
    "clip_0.1": {"color": GENERATED, "dash": "dot"},
    "clip_0.01": {"color": GENERATED, "dash": "dash"},
    "clip_0.001": {"color": GENERATED, "dash": "longdashdot"},
    "gan": {"color": CRITIC, "dash": "dot"},
}
NAMES = {
    "gp": "GP",
    "gp_adam": "GP, Adam",
    "gp_rmsprop": "GP, RMSProp",
    "clip": "clipping, RMSProp",
    "clip_0.1": "clipping, c = 0.1",
    "clip_0.01": "clipping, c = 0.01",
    "clip_0.001": "clipping, c = 0.001",
    "gan": "GAN, Adam",
}


def value_surfaces(
    surfaces: Sequence[tuple[str, Array, Array]], reach: float, columns: int
) -> Figure:
    """Value surfaces under real points: (title, values (G, G), real (N, 2)) each, over ±reach."""
    panels = Panels("surfaces", -(-len(surfaces) // columns), columns)
    data = []
    for i, (title, values, real) in enumerate(surfaces):
        x = {"range": [-reach, reach], "constrain": "domain", "zeroline": False}
        number = "" if i == 0 else str(i + 1)
        panels.place(i, html.escape(title), x, x | {"scaleanchor": f"x{number}"})
        contour = surface_trace(values, reach) | panels.axes(i) | {"uid": f"surface-{i}"}
        dots = points_trace("real", real, REAL, "circle-open", 3) | panels.axes(i)
        data += [contour, dots | {"uid": f"real-{i}", "showlegend": i == 0}]
    return {"data": data, "layout": panels.layout}


def layer_gradients(norms: Mapping[str, Array]) -> Figure:
    """Gradient norm at each layer, from the input side, by critic; logarithmic."""
    data = [
        # A gradient that float32 cannot hold any more has no place on a logarithmic axis.
        _line(name, np.arange(1, len(v) + 1), np.where(v > 0, v, np.nan), markers=True)
        for name, v in norms.items()
    ]
    chart = layout("layers")
    chart["xaxis"] = {"title": {"text": "layer, from the input side"}, "dtick": 1}
    power = {"exponentformat": "power", "automargin": True}  # room for "10 to the minus 21"
    chart["yaxis"] = {"title": {"text": "gradient norm"}, "type": "log"} | power
    return {"data": data, "layout": chart}


def weight_histograms(histograms: Mapping[str, tuple[Array, Array]], c: float) -> Figure:
    """Share of the weights a bin, by critic: (edges (B + 1,), share (B,)). Lines mark ±c."""
    panels = Panels("weights", 1, len(histograms))
    data = []
    for i, (name, (edges, share)) in enumerate(histograms.items()):
        x = {"title": {"text": "weight"}, "range": [float(edges[0]), float(edges[-1])]}
        y = {"title": {"text": "% of the weights"}, "rangemode": "tozero"}
        panels.place(i, NAMES[name], x, y if i == 0 else y | {"title": {"text": ""}})
        bars = {
            "type": "bar",
            "name": NAMES[name],
            "x": typed((edges[1:] + edges[:-1]) / 2),
            "y": typed(100 * share),
            "marker": {"color": LINES[name]["color"]},
            "hovertemplate": "%{y:.3~g}% at %{x:.3~g}<extra></extra>",
            "uid": name,
        }
        data.append(bars | panels.axes(i))
        axes = panels.axes(i)
        panels.layout.setdefault("shapes", []).extend(
            {
                "type": "line",
                "x0": end,
                "x1": end,
                "y0": 0,
                "y1": 1,
                "xref": axes["xaxis"],
                "yref": f"{axes['yaxis']} domain",
                "line": {"color": EVENT, "width": 1, "dash": "dash"},
            }
            for end in (-c, c)
        )
    panels.layout |= {"bargap": 0, "showlegend": False}
    return {"data": data, "layout": panels.layout}


def held_out_curves(splits: Sequence[tuple[str, Array, Array, Array]]) -> Figure:
    """The critic's estimate on training and on held-out images: (title, step, train, held out)."""
    panels = Panels("overfit", 1, len(splits))
    top = 1.05 * max(float(np.nanmax(train)) for _, _, train, _ in splits)
    data = []
    for i, (title, step, train, held_out) in enumerate(splits):
        x = {"title": {"text": "generator steps"}, "tickformat": ",d"}
        y = {"title": {"text": "critic estimate" if i == 0 else ""}, "range": [0, top]}
        panels.place(i, html.escape(title), x, y)
        for key, values, dash in (("training", train, "solid"), ("held out", held_out, "dash")):
            line = {
                "type": "scatter",
                "mode": "lines",
                "name": key,
                "x": typed(step),
                "y": typed(values),
                "line": {"color": CRITIC if key == "training" else REAL, "dash": dash},
                "hovertemplate": "%{y:.3~g}",
                "showlegend": i == 0,
                "legendgroup": key,
                "uid": f"{key}-{i}",
            }
            data.append(line | panels.axes(i))
    return {"data": data, "layout": panels.layout}


def race_curves(curves: Mapping[str, tuple[Array, Array, Array, Array]], floor: float) -> Figure:
    """(step, seconds, W1, modes) by method: W1 by steps and by time, modes by time."""
    panels = Panels("race", 1, 3)
    distance = {"title": {"text": "exact W1"}, "rangemode": "tozero"}
    steps, seconds = "generator steps", "seconds"
    panels.place(0, "W1 by steps", {"title": {"text": steps}, "tickformat": ",d"}, distance)
    panels.place(1, "W1 by time", {"title": {"text": seconds}}, distance | {"title": {"text": ""}})
    modes = {"title": {"text": ""}, "rangemode": "tozero"}
    panels.place(2, "modes by time", {"title": {"text": seconds}}, modes)
    data = []
    for name, (step, time, w1, covered) in curves.items():
        for i, (x, y) in enumerate(((step, w1), (time, w1), (time, covered))):
            line = _line(name, x, y) | panels.axes(i) | {"uid": f"{name}-{i}"}
            data.append(line | {"showlegend": i == 0, "legendgroup": name})
    for i, last in enumerate((0, 1)):
        ends = [0, max(float(curve[last][-1]) for curve in curves.values())]
        level = {
            "type": "scatter",
            "mode": "lines",
            "name": "floor: real against real",
            "x": typed(ends),
            "y": typed([floor, floor]),
            "line": {"color": REAL, "width": 1.5, "dash": "dot"},
            "hovertemplate": f"{format_3_digits(floor)}",
            "showlegend": i == 0,
            "uid": f"floor-{i}",
        }
        data.append(level | panels.axes(i))
    return {"data": data, "layout": panels.layout}


def sample_grid(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[int, int], tuple[npt.NDArray[np.uint8], str]],
) -> Figure:
    """Sample images and a caption in each cell: (row, column) -> ((N, H, W, C) uint8, caption)."""
    chart = layout("grid") | {"showlegend": False, "annotations": [], "images": []}
    axis = {"showgrid": False, "zeroline": False, "showticklabels": True, "fixedrange": True}
    chart["xaxis"] = axis | {
        "range": [-0.5, len(columns) - 0.5],
        "tickvals": list(range(len(columns))),
        "ticktext": [html.escape(name) for name in columns],
        "side": "top",
    }
    chart["yaxis"] = axis | {
        "range": [len(rows) - 0.5, -0.5],
        "tickvals": list(range(len(rows))),
        "ticktext": [html.escape(name) for name in rows],
        "automargin": True,
    }
    for (row, column), (samples, caption) in cells.items():
        png = image_grid(samples, columns=max(1, round(len(samples) ** 0.5)), cell=24)
        chart["images"].append(
            {
                "source": data_uri(png),
                "xref": "x",
                "yref": "y",
                "x": column,
                "y": row - 0.06,
                "sizex": 0.9,
                "sizey": 0.74,
                "xanchor": "center",
                "yanchor": "middle",
                "layer": "above",
            }
        )
        chart["annotations"].append(
            {
                "text": html.escape(caption),
                "x": column,
                "y": row + 0.41,
                "xref": "x",
                "yref": "y",
                "showarrow": False,
            }
        )
    # Images alone leave a chart without data, which Plotly draws without its axes.
    spots = {"type": "scatter", "mode": "markers", "hoverinfo": "skip", "uid": "cells"}
    spots |= {"x": [c for _, c in cells], "y": [r for r, _ in cells], "marker": {"opacity": 0}}
    return {"data": [spots], "layout": chart}


def _line(
    name: str, x: npt.ArrayLike, y: npt.ArrayLike, *, markers: bool = False
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers" if markers else "lines",
        "name": NAMES[name],
        "x": typed(x),
        "y": typed(y),
        "line": LINES[name] | {"width": 2},
        "hovertemplate": "%{y:.3~g}",
        "uid": name,
    }
