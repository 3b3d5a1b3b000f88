"""What a study is: an experiment of a paper, made small, that ends in arrays and numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import torch

from wgan.config import ExperimentConfig
from wgan.data import load
from wgan.figures.base import Figure
from wgan.trainer import Trainer

# Small networks: a CPU is as fast as a GPU, whose launches would cost more than the arithmetic,
# and gives the same bits again.
CPU = torch.device("cpu")

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

    name: on the command line. title: of the figure, with its source. finding: what the paper shows
    with it, one sentence. steps: the default length; unit: what one step is. run(seed, steps) does
    the work and yields its progress; it draws from no global randomness. draw(result) is its chart.
    """

    name: str
    title: str
    finding: str
    steps: int
    unit: str
    run: Callable[[int, int], Steps[Any]]
    draw: Callable[[Any], Figure]


def finish(study: Steps[R], tell: Callable[[Progress], None] = lambda progress: None) -> R:
    """Runs a study to its end, telling its progress; returns its result."""
    while True:
        try:
            tell(next(study))
        except StopIteration as end:
            return end.value


def trainer_of(config: ExperimentConfig) -> Trainer:
    """A trainer on the CPU with the config's data. Raises `DataError`."""
    return Trainer(config, load(config, CPU))


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
