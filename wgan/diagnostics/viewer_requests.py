"""Who looks at what: only what somebody looks at is inspected."""

from __future__ import annotations

import time

from wgan.types import InspectionRequest

FORGETS_AFTER = 10.0  # seconds; a page of a crowded server asks every four
MOST = 12  # wishes at once: the latest


class ViewerRequests:
    """The wishes of the last seconds. Asked from any thread, read by the one that trains."""

    def __init__(self) -> None:
        self._seen: dict[InspectionRequest, float] = {}  # replaced whole, never changed

    def look(self, request: InspectionRequest) -> bool:
        """Somebody looks at this now. Returns whether nobody did before."""
        now = time.monotonic()
        new = request not in self.wanted()
        seen = {w: at for w, at in self._seen.items() if now - at < FORGETS_AFTER and w != request}
        self._seen = dict([*seen.items(), (request, now)][-MOST:])
        return new

    def wanted(self) -> tuple[InspectionRequest, ...]:
        now = time.monotonic()
        return tuple(request for request, at in self._seen.items() if now - at < FORGETS_AFTER)
