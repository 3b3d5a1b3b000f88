"""Architectures against methods (WGAN-GP, Fig. 2): which method trains the most of them?

Every cell is a run of its own on scikit-learn's digits, a method keeps its settings down its
column, and the classes that the generator covers are counted. The paper's finding, after 200,000
steps, is about the worst cell of a column: only under GP does every architecture train with the
same settings. After a few hundred steps the convolutions have not learnt enough under any method to
tell, so that the finding here is about the mean of a column.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wgan.data import load
from wgan.data.pixels import to_pixels
from wgan.metrics.coverage import coverage
from wgan.plots import papers
from wgan.plots.base import Figure
from wgan.studies.base import Numbers, Progress, Steps, in_turns
from wgan.studies.cells import IMAGE_ROWS, METHODS, cell
from wgan.studies.trainers import CPU
from wgan.trainer import Trainer, stream
from wgan.words import format_3_digits

DATA = "digits"
SHOWN = 16  # samples of a cell
DRAWN = 2500  # samples for the modes


@dataclass(frozen=True)
class Cell:
    """One architecture under one method, at the end of its steps.

    samples: (SHOWN, H, W, C) uint8. modes: classes covered; spread: e^H of the histogram over the
    classes, 1..modes_total. finite: whether it did not blow up.
    """

    row: str
    method: str
    samples: npt.NDArray[np.uint8]
    modes: int
    spread: float
    high_quality: float
    ms_per_step: float
    finite: bool


@dataclass(frozen=True)
class Grid:
    """All cells, row by row; `modes_total` is what a cell could reach."""

    cells: tuple[Cell, ...]
    modes_total: int

    @property
    def numbers(self) -> Numbers:
        """…_worst: the fewest classes in a method's column; …_mean: their mean."""
        found: dict[str, float | int] = {"modes_total": self.modes_total}
        for method in METHODS:
            modes = [cell.modes for cell in self.cells if cell.method == method]
            found[f"{method}_worst"] = min(modes)
            found[f"{method}_mean"] = sum(modes) / len(modes)
        found |= {f"{cell.row}_{cell.method}_modes": cell.modes for cell in self.cells}
        return found


def run(seed: int, steps: int, rows: Sequence[str] = tuple(IMAGE_ROWS)) -> Steps[Grid]:
    """Trains a cell for each row and method, `steps` generator steps each, one after the other."""
    pairs = [(row, method) for row in rows for method in METHODS]
    cells, total = [], 0
    for i, (row, method) in enumerate(pairs):
        config = cell(row, method, DATA, seed)
        data = load(config, CPU)
        assert data.modes is not None
        trainer = Trainer(config, data)
        seconds = []
        for turn in in_turns(steps, 20):
            started = time.perf_counter()
            for _ in range(turn):
                trainer.step()
            seconds.append((time.perf_counter() - started) / turn)
            yield Progress((i + trainer.steps / steps) / len(pairs), f"{row}, {method}")
        fake = trainer.sample(trainer.draw_latents(DRAWN, stream(seed, 25, CPU)))
        covered = coverage(data.modes, fake)
        total = covered.modes_total
        cells.append(
            Cell(
                row=row,
                method=method,
                samples=to_pixels(fake[:SHOWN]),
                modes=covered.modes,
                spread=covered.modes_total * float(np.exp(-covered.mode_kl)),
                high_quality=covered.high_quality,
                ms_per_step=1000 * float(np.median(seconds)),
                finite=bool(fake.isfinite().all()),
            )
        )
    return Grid(tuple(cells), total)


def draw(result: Grid) -> Figure:
    """The samples of every cell, a row an architecture and a column a method."""
    rows, columns = list(IMAGE_ROWS), list(METHODS)
    cells = {
        (rows.index(cell.row), columns.index(cell.method)): (
            cell.samples,
            f"{cell.modes} / {result.modes_total} modes, "
            f"{format_3_digits(cell.ms_per_step)} ms a step",
        )
        for cell in result.cells
    }
    across = [choice.title for choice in METHODS.values()]
    return papers.sample_grid([c.title for c in IMAGE_ROWS.values()], across, cells)
