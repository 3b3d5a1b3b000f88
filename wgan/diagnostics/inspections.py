"""How often the critic is inspected: while somebody looks, and within a small share of the time."""

from __future__ import annotations

import time
from collections.abc import Mapping

from wgan.diagnostics.inspector import Inspector
from wgan.diagnostics.viewer_requests import ViewerRequests
from wgan.types import Inspection, InspectionRequest

EVERY = 1.0  # seconds at least between two inspections of the same
SHARE = 0.03  # of the training time, at most, for all of them together


class Inspections:
    """What was found last, for those who look; renewed on the thread that trains."""

    def __init__(self, inspector: Inspector, attention: ViewerRequests) -> None:
        self.found: Mapping[
            InspectionRequest, Inspection
        ] = {}  # replaced whole: readers keep theirs
        self._inspector, self._attention = inspector, attention
        self._costs: dict[InspectionRequest, float] = {}  # seconds, of the last time
        self._done_at = -1e9
        self._hurried = False

    def invalidate(self) -> None:
        """Something was done to the run: what was found may no longer hold."""
        self._hurried = True

    def renew(self, *, playing: bool) -> bool:
        """Inspects what is due; returns whether there is anything new to publish.

        playing: a run that stands still is inspected at once, since nothing waits for it.
        """
        wanted = self._attention.wanted()
        if not wanted:
            gone, self.found, self._hurried = bool(self.found), {}, False
            return gone
        since = time.monotonic() - self._done_at
        pause = sum(self._costs.get(request, 0.0) for request in wanted) / SHARE
        missing = tuple(request for request in wanted if request not in self.found)
        if self._hurried or since >= max(EVERY, pause):
            due = wanted
        elif missing and (not playing or since >= pause):
            due = missing
        else:
            return False
        costs = {request: self._costs[request] for request in wanted if request not in due}
        found = {request: self.found[request] for request in wanted if request not in due}
        for request in due:
            started = time.monotonic()
            found[request] = self._inspector.inspect(request)
            costs[request] = time.monotonic() - started
        self.found, self._costs = found, costs
        self._done_at, self._hurried = time.monotonic(), False
        return True
