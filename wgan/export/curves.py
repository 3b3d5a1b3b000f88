"""A run's curves as a table for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from wgan.types import Curve

COLUMNS = ("curve", "step", "mean", "low", "high")


def curves_csv(curves: Mapping[str, Curve]) -> str:
    """CSV with one row a point: the curve's name, its step, and the stretch's mean, low and high.

    A point stands for a stretch of steps that ends at `step` (see `wgan.types.Curve`); nine
    significant digits hold a float32 exactly.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, curve in curves.items():
        for step, *values in zip(*curve, strict=True):
            writer.writerow([name, int(step), *(f"{value:.9g}" for value in values)])
    return out.getvalue()
