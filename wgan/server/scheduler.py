"""One background training thread a device, and a fair slice of it for every run that plays."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from wgan.runs.run import Run
from wgan.threads import use_training_threads

log = logging.getLogger("wgan.lab")

SLICE = 0.05  # seconds a turn
IDLE = 0.02  # seconds between two looks at runs that wait for their slow motion
RESTS = 0.5  # seconds at most between two looks at runs that all stand still


class Scheduler:
    """Advances its runs in turns on one thread, which ends when no run is left.

    asleep: tells which runs to pass over though they play (nobody watches them).
    housekeeping: called between turns with all runs, on this thread.
    """

    def __init__(
        self,
        name: str,
        asleep: Callable[[Run], bool] = lambda run: False,
        housekeeping: Callable[[Sequence[Run]], None] = lambda runs: None,
    ) -> None:
        self.name = name
        self._asleep = asleep
        self._housekeeping = housekeeping
        self._runs: list[Run] = []
        self._complained = False
        self._round = 0
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, run: Run) -> None:
        with self._condition:
            self._runs.append(run)
            run.on_wake(self.wake)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name=f"trainer-{self.name}", daemon=True
                )
                self._thread.start()
            self._condition.notify()

    def remove(self, run: Run) -> None:
        """Takes the run away; the thread ends after its current slice when it was the last."""
        with self._condition:
            if run in self._runs:
                self._runs.remove(run)
            self._condition.notify()

    def join(self, timeout: float) -> bool:
        """Waits for the thread to end, once all runs were removed; whether it did."""
        if (thread := self._thread) is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    def wake(self) -> None:
        """There may be something to do."""
        with self._condition:
            self._condition.notify()

    def _work(self) -> None:
        use_training_threads()
        while True:
            self._keep_house()
            with self._condition:
                if not self._runs:
                    self._thread = None
                    return
                due = [run for run in self._runs if run.active and not self._asleep(run)]
                if not due:
                    # Wakes on its own now and then: a sleeping run may be watched again.
                    self._condition.wait(timeout=RESTS)
                    continue
            self._give_turns(due)
            due.clear()  # a run that is closed meanwhile must not be kept in memory by this list

    def _give_turns(self, due: list[Run]) -> None:
        started = time.monotonic()
        for run, slice in self._turns(due):
            if not self._asleep(run):  # it may have fallen asleep in this round
                self._advance(run, slice, len(due))
            # Of thirty runs each has its turn every two seconds: no click waits for that.
            for other in self._asked():
                self._advance(other, 0.0, len(due))
            self._keep_house()
        if time.monotonic() - started < IDLE / 2:  # all of them wait in slow motion
            time.sleep(IDLE)

    def _advance(self, run: Run, slice: float, sharing: int) -> None:
        try:
            run.advance(slice, sharing)
        except Exception as error:
            # A fault of ours in one run must not stop the others.
            _fail_with(run, error)

    def _asked(self) -> list[Run]:
        with self._condition:
            return [run for run in self._runs if run.has_requests and not self._asleep(run)]

    def _turns(self, due: Sequence[Run]) -> list[tuple[Run, float]]:
        """Who is advanced in this round, and for how long.

        While somebody's own run trains, all demonstration runs together take half a turn: however
        many visitors look in, a single owner keeps two thirds of the thread.
        """
        own = [run for run in due if not run.access.demonstration]
        shared = [run for run in due if run.access.demonstration]
        if not own or not shared:
            return [(run, SLICE) for run in due]
        self._round += 1
        turn = shared[self._round % len(shared)]
        return [*((run, SLICE) for run in own), (turn, SLICE / 2)]

    def _keep_house(self) -> None:
        with self._condition:
            runs = tuple(self._runs)
        try:
            self._housekeeping(runs)
        except Exception as error:
            if not self._complained:
                log.exception("housekeeping failed: %s", type(error).__name__)
            self._complained = True


class Schedulers:
    """The scheduler of every device that a run trains on; what is passed is for each of them."""

    def __init__(
        self, asleep: Callable[[Run], bool], housekeeping: Callable[[Sequence[Run]], None]
    ) -> None:
        self._asleep, self._housekeeping = asleep, housekeeping
        self._by_device: dict[str, Scheduler] = {}

    def add(self, run: Run) -> None:
        # Without a device it has failed and said so: it only waits to be closed.
        device = run.frame.device or "cpu"
        if device not in self._by_device:
            self._by_device[device] = Scheduler(device, self._asleep, self._housekeeping)
        self._by_device[device].add(run)

    def remove(self, run: Run) -> None:
        for scheduler in self._by_device.values():
            scheduler.remove(run)

    def wake(self) -> None:
        for scheduler in self._by_device.values():
            scheduler.wake()

    def join(self, timeout: float) -> bool:
        """Waits for all threads to end, `timeout` seconds each; whether they did."""
        return all(scheduler.join(timeout) for scheduler in self._by_device.values())


def _fail_with(run: Run, error: Exception) -> None:
    try:
        run.fail_with(error)
    except Exception:
        log.exception("failed run=%s, and could not say so", run.id)
