"""Slow motion: through one step of the trainer, stage by stage, with time to look at each."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from wgan.stages import FRESH
from wgan.trainer import Trainer
from wgan.types import Stage


class Stepper:
    """Where slow motion stands. Between two steps there is no `stage`, and it is not `under_way`.

    stage: the stage that was done last, with its numbers.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._stages: Iterator[Stage] | None = None
        self._stage_at = 0.0
        self.stage: Stage | None = None

    @property
    def under_way(self) -> bool:
        """Whether a step is begun and not finished."""
        return self._stages is not None

    def due(self, pause: float | None) -> bool:
        """Whether the last stage was looked at for `pause` seconds."""
        return pause is None or time.monotonic() - self._stage_at >= pause

    def advance(self) -> Tensor | None:
        """One stage further; the figures of the step, (len(FIGURES),), when that finishes it."""
        self._stage_at = time.monotonic()
        self._stages = self._stages or self._trainer.stages()
        stage = next(self._stages, None)
        if stage is None:
            return self._end()
        figures = self._trainer.figures()
        fresh = {name: figures[name] for name in FRESH[stage.name]}
        self.stage = Stage(stage.name, stage.update, stage.updates, fresh)
        return None

    def finish(self) -> Tensor | None:
        """The rest of a step that was begun, and its figures; None when there is none."""
        if self._stages is None:
            return None
        for _ in self._stages:
            pass
        return self._end()

    def leave(self) -> None:
        """Forgets the step that was begun: the trainer is about to go elsewhere."""
        self._stages = self.stage = None

    def _end(self) -> Tensor:
        self.leave()
        return torch.tensor(list(self._trainer.figures().values()))
