"""Plain arrays in, plotly figures out: what a run publishes, drawn.

A figure is a plain dict `{"data": [...], "layout": {...}}` whose arrays are Plotly typed arrays
(base64), several times cheaper to build and to send than `plotly.graph_objects`. Layouts carry no
colour of text, grid or background: those follow the page's theme in the browser.
"""

from wgan.plots.base import ALARM, CRITIC, EVENT, GENERATED, HEALTHY, REAL, Figure
from wgan.plots.compare import COLORS, LETTERS, OVERLAYS, Lane, overlay, same_axes
from wgan.plots.curves import (
    curve_distance,
    curve_gradient,
    curve_losses,
    curve_modes,
    looking_at,
)
from wgan.plots.images import data_uri, image_grid
from wgan.plots.meter import mode_meter
from wgan.plots.plane import points
from wgan.plots.shares import describe_coverage, mode_shares

__all__ = [
    "ALARM",
    "COLORS",
    "CRITIC",
    "EVENT",
    "GENERATED",
    "HEALTHY",
    "LETTERS",
    "OVERLAYS",
    "REAL",
    "Figure",
    "Lane",
    "curve_distance",
    "curve_gradient",
    "curve_losses",
    "curve_modes",
    "data_uri",
    "describe_coverage",
    "image_grid",
    "looking_at",
    "mode_meter",
    "mode_shares",
    "overlay",
    "points",
    "same_axes",
]
