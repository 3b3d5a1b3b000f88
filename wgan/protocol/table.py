"""The protocol's table: mean ± deviation over the seeds, beside the published rows."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from wgan.config import diff
from wgan.labels import describe
from wgan.persistence.run_files import command
from wgan.protocol.methods import DATA, MODES, PUBLISHED, Method
from wgan.types import Event

if TYPE_CHECKING:
    from wgan.protocol.runs import Result

NONE = "–"


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Means and sample deviations of runs of one method on one data set; HQ as a share.

    A single run has the deviation 0. Raises `ValueError` when there are no runs.
    """
    if not results:
        raise ValueError("A summary needs at least one run.")
    modes = [float(result.modes) for result in results]
    quality = [result.high_quality for result in results]
    return {
        "seeds": len(results),
        "modes": round(statistics.fmean(modes), 3),
        "modes_std": round(_deviation(modes), 3),
        "high_quality": round(statistics.fmean(quality), 5),
        "high_quality_std": round(_deviation(quality), 5),
        "mode_kl": round(statistics.fmean(result.mode_kl for result in results), 5),
        "diverged": sum(not result.finite for result in results),
        "seconds": round(statistics.fmean(result.seconds for result in results), 1),
    }


def _deviation(values: list[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def table(methods: Iterable[Method], results: Iterable[Result]) -> dict[str, Any]:
    """Ours, row by row, as JSON has it: {"rows": [{method, title, about, ring, grid, …}]}.

    ring, grid: `summary`, or None where nothing was run. command: what repeats seed 0.
    """
    there = list(results)
    rows = []
    for method in methods:
        row: dict[str, Any] = {"method": method.name, "title": method.title, "about": method.about}
        for data in DATA:
            own = [r for r in there if (r.method, r.data) == (method.name, data)]
            row[data] = summary(own) if own else None
        row["command"] = repeat_command(method, "ring")
        rows.append(row)
    return {"modes_total": MODES, "rows": rows}


def repeat_command(method: Method, data: str) -> str:
    """The `python -m wgan train …` line that trains a method as the protocol does, with seed 0."""
    config = method.config(data, 0)
    events, now = [], config
    for step, changes in method.plan:
        new = now.replace(changes)
        events.append(Event(step, "change", describe(diff(now, new)), diff(now, new)))
        now = new
    return command(config, events, method.steps)


def markdown(found: dict[str, Any]) -> str:
    """The table in Markdown: published rows, then ours, then the settings of ours."""
    lines = [
        "| method | from | ring: modes of 8 | ring: HQ % | grid: modes of 25 | grid: HQ % |",
        "|---|---|---|---|---|---|",
    ]
    for p in PUBLISHED:
        cells = (p.title, p.source, p.ring_modes, p.ring_hq, p.grid_modes, p.grid_hq)
        lines.append(_row(cells))
    for row in found["rows"]:
        cells = [f"**{row['title']}**", "this project"]
        for data in DATA:
            cells += cells_of(row[data])
        lines.append(_row(cells))
    settings = [f"- **{row['title']}**: {row['about']}." for row in found["rows"]]
    return "\n".join([*lines, "", *settings, ""])


def cells_of(found: dict[str, Any] | None) -> tuple[str, str]:
    """A summary as two cells: modes, and HQ in percent, each mean ± deviation over the seeds.

    One seed has no deviation to show.
    """
    if found is None:
        return NONE, NONE
    if found["seeds"] == 1:
        return f"{found['modes']:.0f}", f"{100 * found['high_quality']:.1f}"
    return (
        f"{found['modes']:.1f} ± {found['modes_std']:.1f}",
        f"{100 * found['high_quality']:.1f} ± {100 * found['high_quality_std']:.1f}",
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
