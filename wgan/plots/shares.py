"""Modes over time: the share of the samples on each, stacked, and which were lost, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wgan.plots.base import Figure, layout, typed
from wgan.plots.curves import markers, round_up, time_axis
from wgan.plots.meter import COVERED
from wgan.types import Event, Metrics

# Shades of the colour of what is generated; neighbours in the stack differ in lightness.
SHADES = ("#E07A00", "#F6C58B", "#B45F00", "#F0A04B")
LOW_QUALITY, REST = "#8A8F9855", "low quality"
LABELLED = 4.0  # percent: a thinner band has no room for its name


def mode_shares(metrics: Sequence[Metrics], events: Sequence[Event] = ()) -> Figure:
    """High-quality samples on each mode in % of all drawn, stacked over generator steps.

    On top, in grey, those of low quality. The names of modes stand where their bands end.
    measures: of one data set, by step; those without modes are left out.
    """
    there = [m for m in metrics if m.modes_total and len(m.counts) == m.modes_total]
    steps = np.array([m.step for m in there], np.float32)
    # (T, K), in percent
    shares = np.array([[100 * n / max(m.samples, 1) for n in m.counts] for m in there], np.float32)
    names = [str(name).replace("<", "&lt;") for name in there[-1].mode_names] if there else []
    bands = [
        (f"mode-{mode}", name, shares[:, mode], SHADES[mode % len(SHADES)])
        for mode, name in enumerate(names)
    ]
    if there:
        bands.append(("rest", REST, (100 - shares.sum(1)).clip(0), LOW_QUALITY))
    data = []
    for uid, name, values, shade in bands:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": typed(steps),
                "y": typed(values),
                "stackgroup": "modes",
                "name": name,
                "line": {"color": shade, "width": 0.5},
                "fillcolor": shade,
                "hovertemplate": "%{y:.1f}%",
                "showlegend": False,
                "uid": uid,
            }
        )
    end = round_up(max([0.0, *steps.tolist(), *(event.step for event in events)]))
    chart = layout("shares") | markers(events, end)
    chart["margin"] = chart["margin"] | {"r": 74}  # room for the names
    if there:
        last = np.append(shares[-1], 100 - shares[-1].sum())
        chart["annotations"] = [
            *chart["annotations"],
            *_labels([*names, REST], last, float(steps[-1])),
        ]
    chart["hovermode"] = "x unified"
    chart["xaxis"] = time_axis(end)
    chart["yaxis"] = {"title": {"text": "share of samples, %", "standoff": 4}, "range": [0, 100]}
    return {"data": data, "layout": chart}


def _labels(names: Sequence[str], last: np.ndarray, step: float) -> list[dict]:
    """A name at the middle of each band's end, where the band is high enough for it."""
    middles = np.cumsum(last) - last / 2
    return [
        {
            "x": step,
            "y": float(middle),
            "xanchor": "left",
            "xshift": 4,
            "showarrow": False,
            "text": name,
            "font": {"size": 11},
        }
        for name, middle, share in zip(names, middles, last, strict=True)
        if share >= LABELLED
    ]


def lost_modes(metrics: Sequence[Metrics]) -> list[tuple[int, tuple[str, ...]]]:
    """Modes that were covered and are not now: [(step, names)], the latest loss first.

    step: the first measurement without the mode after the last one with it. A mode counts as
    covered with 20 of 2,500 samples, as on the meter.
    """
    there = [m for m in metrics if m.modes_total and len(m.counts) == m.modes_total]
    if not there:
        return []
    covered = np.array([[n >= COVERED * m.samples for n in m.counts] for m in there])  # (T, K)
    groups: dict[int, list[str]] = {}
    for mode, name in enumerate(there[-1].mode_names):
        last = np.flatnonzero(covered[:, mode])
        if len(last) and last[-1] < len(there) - 1:
            groups.setdefault(there[last[-1] + 1].step, []).append(name)
    return [(step, tuple(names)) for step, names in sorted(groups.items(), reverse=True)]


def never_found(metrics: Sequence[Metrics]) -> tuple[str, ...]:
    """Modes that no measurement has found covered, by name; empty without measurements."""
    there = [m for m in metrics if m.modes_total and len(m.counts) == m.modes_total]
    if not there:
        return ()
    covered = np.array([[n >= COVERED * m.samples for n in m.counts] for m in there])  # (T, K)
    names = there[-1].mode_names
    return tuple(names[mode] for mode in range(len(names)) if not covered[:, mode].any())


def describe_coverage(metrics: Sequence[Metrics], noun: str = "mode") -> str:
    """What became of the modes, in words: `Lost since step 1,200: digit 3, 7.`

    noun: what a mode is called, in the singular. Empty when nothing is known.
    """
    there = [m for m in metrics if m.modes_total and len(m.counts) == m.modes_total]
    if not there:
        return ""
    lost, missing = lost_modes(there), never_found(there)
    if len(missing) == len(there[-1].mode_names):
        return f"None of the {len(missing)} is covered so far."
    parts = [f"Lost since step {step:,}: {noun} {_listed(names)}." for step, names in lost[:3]]
    if len(lost) > 3:
        parts.append(f"Lost before: {noun} {_listed([n for _, names in lost[3:] for n in names])}.")
    if missing:
        parts.append(f"Never covered so far: {noun} {_listed(missing)}.")
    if not parts:
        parts.append(f"All {len(there[-1].mode_names)} are covered.")
    return " ".join(parts)


def _listed(names: Sequence[str], limit: int = 12) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    # Names of grid points have commas of their own.
    between = "; " if any("," in name for name in names) else ", "
    return between.join(names[:limit]) + more
