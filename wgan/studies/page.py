"""A figure as one HTML file that needs nothing else: no network, no server."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from wgan.plots.base import Figure
from wgan.studies.base import Study
from wgan.words import format_3_digits

HEIGHTS = {"surface": 760, "grid": 1100}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 2rem auto; padding: 0 1rem;
  color: #1a1c20; background: #fff; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td { padding: .15rem 1.2rem .15rem 0; border-bottom: 1px solid #e3e5e8; }
td + td { text-align: right; }
small { color: #5c626b; }
"""


def page(study: Study, figure: Figure, about: Mapping[str, Any]) -> str:
    """The study's title, finding, chart and numbers. Plotly travels inside, 4.5 MB.

    about: seed, steps, seconds and numbers.
    """
    from plotly.offline import get_plotlyjs  # imported here: slow, and few need it

    layout = figure["layout"] | {"height": HEIGHTS.get(study.name, 520)}
    # "</" would end the script wherever it stands; "<\/" is the same string to JSON.
    chart = json.dumps({"data": figure["data"], "layout": layout}).replace("</", "<\\/")
    rows = "".join(
        f"<tr><td>{html.escape(name.replace('_', ' '))}</td><td>{_shown(value)}</td></tr>"
        for name, value in about["numbers"].items()
    )
    made = (
        f"python -m wgan figure {study.name} --steps {about['steps']} --seed {about['seed']}: "
        f"{about['steps']:,} {study.unit}, {about['seconds']:,.0f} s"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(study.title)}</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body>"
        f"<h1>{html.escape(study.title)}</h1><p>{html.escape(study.finding)}</p>"
        '<div id="figure"></div>'
        f"<script>const chart = {chart};"
        'Plotly.newPlot("figure", chart.data, chart.layout, {responsive: true});</script>'
        f"<h2>Numbers</h2><table>{rows}</table><p><small>{html.escape(made)}</small></p>"
        "</body></html>\n"
    )


def _shown(value: float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else format_3_digits(value)
