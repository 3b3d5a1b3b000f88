"""Who may stay in memory: each run's place, and who goes when there is no room."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from wgan.runs.run import Run
from wgan.server.demonstration import MOST
from wgan.server.limits import LimitError, Limits

log = logging.getLogger("wgan.lab")


@dataclass
class Slot:
    """A run's place in memory. seen: when it was watched last, on the monotonic clock.

    visitor, address: who made it and from where; empty for nobody's.
    """

    run: Run
    parameters: int
    seen: float
    visitor: str = ""
    address: str = ""
    asleep: bool = False
    leaving: bool = False  # for lack of room, as soon as it is saved

    @property
    def idle(self) -> float:
        """Seconds without a watcher."""
        return time.monotonic() - self.seen

    def watch(self) -> float:
        """Somebody watches it now; returns how long nobody did."""
        idle = self.idle
        self.seen, self.leaving = time.monotonic(), False
        return idle

    def belongs_to(self, visitor: str, keys: Mapping[str, str]) -> bool:
        """Whether a visitor has made it, or has the secret of its owner: {run id: secret}."""
        made = bool(visitor) and self.visitor == visitor
        return made or self.run.access.is_owner(keys.get(self.run.id))

    @property
    def demonstration(self) -> bool:
        """Whether it is a demonstration run, which takes nobody's room."""
        return self.run.access.demonstration


def select_evictions(slots: Collection[Slot], new: Slot, limits: Limits) -> list[Slot]:
    """The unwatched runs, the longest unwatched first, that must go so that `new` has room.

    Raises `LimitError` when it would not have room without watched runs going; then nobody goes.
    """
    going: list[Slot] = []

    def free(full: Callable[[list[Slot]], bool], among: Collection[Slot], sentence: str) -> None:
        while full(staying := [p for p in among if not p.leaving and p not in going]):
            unwatched = [p for p in staying if p.idle > limits.sleep_after]
            if not unwatched:
                log.info("limit hit: %s", sentence)
                raise LimitError(sentence)
            going.append(min(unwatched, key=lambda p: p.seen))

    if new.demonstration:
        free(
            lambda staying: len(staying) >= MOST,
            [slot for slot in slots if slot.demonstration],
            f"All {MOST} demonstration runs are being watched; open the lab without an address.",
        )
        return going
    slots = [slot for slot in slots if not slot.demonstration]
    most = limits.max_runs_per_visitor
    if new.visitor:
        free(
            lambda staying: len(staying) >= most,
            [slot for slot in slots if slot.visitor == new.visitor],
            f"You have {most} runs open, which is all that one visitor may; close one of their "
            "pages and try again a minute later.",
        )
    many = limits.max_runs_per_address
    if new.address:
        free(
            lambda staying: len(staying) >= many,
            [slot for slot in slots if slot.address == new.address],
            f"{many} runs are open from your network, which is all that one may have; try again a "
            "minute after somebody there has closed their page.",
        )
    free(
        lambda staying: len(staying) >= limits.max_runs,
        slots,
        f"This server is full, with {limits.max_runs} runs being watched; try again a minute "
        "after somebody has closed their page.",
    )
    room = limits.max_parameters_in_all - new.parameters
    free(
        lambda staying: bool(staying) and sum(p.parameters for p in staying) > room,
        slots,
        "This server's memory is full of runs that are being watched; choose smaller networks, "
        "or try again a minute after somebody has closed their page.",
    )
    return going
