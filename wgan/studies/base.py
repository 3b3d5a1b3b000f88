"""What a study is: an experiment of a paper, made small, that ends in arrays and numbers."""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from wgan.plots.base import Figure

Numbers = Mapping[str, float | int | None]


@dataclass(frozen=True)
class Progress:
    """Where a study stands. share: done so far, 0..1. words: what it is doing."""

    share: float
    words: str


class Result(Protocol):
    """What a study ends with: a frozen dataclass of plain arrays and numbers."""

    @property
    def numbers(self) -> Numbers:
        """The finding, as numbers by name; units and ranges are in the study's docstring."""
        ...


R = TypeVar("R")
Steps = Generator[Progress, None, R]


@dataclass(frozen=True)
class Study:
    """One figure of a paper.

    name: on the command line, and of the module in this package that does the work. title: of the
    figure, with its source. finding: what the paper shows with it, one sentence. steps: the default
    length; unit: what one step is.
    """

    name: str
    title: str
    finding: str
    steps: int
    unit: str

    def run(self, seed: int, steps: int) -> Steps[Any]:
        """Does the work and yields its progress; draws from no global randomness."""
        return self._work.run(seed, steps)

    def draw(self, result: Any) -> Figure:
        """The chart of what `run` ends with."""
        return self._work.draw(result)

    @property
    def _work(self) -> Any:
        # Imported when it is needed: it brings torch, which names and lengths are told without.
        return importlib.import_module(f"wgan.studies.{self.name}")


def finish(study: Steps[R], tell: Callable[[Progress], None] = lambda progress: None) -> R:
    """Runs a study to its end, telling its progress; returns its result."""
    while True:
        try:
            tell(next(study))
        except StopIteration as end:
            return end.value


def in_turns(total: int, parts: int) -> list[int]:
    """`total` split into at most `parts` whole numbers that differ by at most one, none of them 0.

    >>> in_turns(7, 3)
    [3, 2, 2]
    """
    parts = min(parts, total)
    return [total // parts + (i < total % parts) for i in range(parts)]


def plain(value: Any) -> Any:
    """A result as JSON has it: dataclasses as objects, arrays as lists, no NaN (null instead)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
