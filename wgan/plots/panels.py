"""Several charts in one figure: axes for each panel, side by side and below each other."""

from __future__ import annotations

from typing import Any

from wgan.plots.base import layout

GAP_X, GAP_Y = 0.06, 0.13  # between panels, as shares of the figure; titles stand in the gap


class Panels:
    """Axes and titles of rows × columns of panels, in reading order from 0."""

    def __init__(self, name: str, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.layout: dict[str, Any] = layout(name) | {"annotations": [], "images": []}
        self.layout["margin"] = self.layout["margin"] | {"t": 56}
        self.layout["legend"] = self.layout["legend"] | {"y": 1.07}

    def axes(self, i: int) -> dict[str, str]:
        """What puts a trace into panel i."""
        number = "" if i == 0 else str(i + 1)
        return {"xaxis": f"x{number}", "yaxis": f"y{number}"}

    def place(self, i: int, title: str, x: dict[str, Any], y: dict[str, Any]) -> None:
        """Gives panel i its title and its two axes."""
        number = "" if i == 0 else str(i + 1)
        row, column = divmod(i, self.columns)
        wide = (1 - GAP_X * (self.columns - 1)) / self.columns
        high = (1 - GAP_Y * (self.rows - 1)) / self.rows
        left, top = column * (wide + GAP_X), 1 - row * (high + GAP_Y)
        domain_x, domain_y = [left, left + wide], [max(0.0, top - high), top]
        self.layout[f"xaxis{number}"] = x | {"domain": domain_x, "anchor": f"y{number}"}
        self.layout[f"yaxis{number}"] = y | {"domain": domain_y, "anchor": f"x{number}"}
        self.layout["annotations"].append(
            {
                "text": title,
                "xref": "paper",
                "yref": "paper",
                "x": left + wide / 2,
                "y": top,
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
