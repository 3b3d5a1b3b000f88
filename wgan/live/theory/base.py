"""A part of a page that shows experiments of the blackboard."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from wgan.live.blocks import Block, caption, payload
from wgan.theory.board import Begin, Experiment, board

Begins = Mapping[str, tuple[Hashable, Begin]]
Build = Callable[[Mapping[str, Experiment]], Sequence[Block]]


class BoardPart:
    """Shows experiments, and has them go on while it is shown.

    begins: what each is called on the board, and how it begins. build: draws them.
    """

    def __init__(self, begins: Begins, build: Build) -> None:
        self._begins, self._build = begins, build

    def _look(self) -> dict[str, Experiment]:
        return {key: board().look(name, begin) for key, (name, begin) in self._begins.items()}

    def version(self) -> Hashable:
        return tuple((e.number, e.done) for e in self._look().values())

    def urgent(self) -> Hashable:
        return tuple((e.done, e.state is None) for e in self._look().values())

    def payload(self) -> Mapping[str, Any]:
        found = self._look()
        if any(e.failed for e in found.values()):
            return payload(caption("This experiment failed; the server's log says why."))
        return payload(*self._build(found))
