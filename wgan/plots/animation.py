"""Figures that move: frames, a button that plays them, and a slider through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wgan.plots.base import Figure

ROOM = 92  # pixels below the axes that the button and the slider take


def animated(
    figure: Figure,
    frames: Sequence[Sequence[Mapping[str, Any]]],
    traces: Sequence[int],
    label: str,
    names: Sequence[str] = (),
    *,
    at_end: bool = False,
) -> Figure:
    """The figure with frames, each of what changes in the given traces.

    label: what the slider counts. names: of the frames, which are otherwise numbered from 0.
    at_end: the figure shows the last frame, not the first.
    """
    names = list(names) or [str(i) for i in range(len(frames))]
    at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}}
    at_once |= {"transition": {"duration": 0}}
    play = {"fromcurrent": not at_end, "frame": {"duration": 60, "redraw": False}}
    play |= {"transition": {"duration": 0}}
    chart = dict(figure["layout"])
    chart["margin"] = chart["margin"] | {"b": chart["margin"]["b"] + ROOM}
    chart["updatemenus"] = [
        {
            "type": "buttons",
            "direction": "right",
            "showactive": False,
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yanchor": "top",
            "pad": {"t": 62},
            "buttons": [
                {"label": "▶ Play", "method": "animate", "args": [None, play]},
                {"label": "Stop", "method": "animate", "args": [[None], at_once]},
            ],
        }
    ]
    chart["sliders"] = [
        {
            "x": 0.0,
            "len": 1.0,
            "y": 0,
            "yanchor": "top",
            "pad": {"t": 96, "l": 6, "r": 6},
            "currentvalue": {"prefix": f"{label} ", "xanchor": "right", "offset": 4},
            "ticklen": 0,
            "active": len(names) - 1 if at_end else 0,
            "steps": [
                {"label": name, "value": name, "method": "animate", "args": [[name], at_once]}
                for name in names
            ],
        }
    ]
    moving = [
        {"name": name, "data": [dict(change) for change in frame], "traces": list(traces)}
        for name, frame in zip(names, frames, strict=True)
    ]
    return {"data": figure["data"], "layout": chart, "frames": moving}
