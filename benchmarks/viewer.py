"""A viewer of the app that speaks the browser's protocol and draws nothing.

It asks for each fragment at the fragment's interval whether or not the last answer has come, and
repeats the state of all widgets and the hashes of what it keeps in every message, as a browser
does.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.widgets import Widgets

MOST = 200 * 10**6  # bytes of one message
_STEP = re.compile(r"step ([\d,]+)")


class Update(NamedTuple):
    """A redrawing: of which fragments, when it was asked for (`time.time`), until its last message
    came (seconds), and its bytes."""

    fragments: tuple[str, ...]
    at: float
    took: float
    size: int


@dataclass
class Seen:
    """What one viewer or several saw. Times in seconds.

    page: until the first page was there; page_bytes: its size. updates: every redrawing of every
    fragment. dropped: redrawings of which nothing came, because the next one began before they were
    sent. changes: until a click's page was there. steps: the last step shown.
    """

    page: list[float] = field(default_factory=list)
    page_bytes: list[int] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    dropped: int = 0
    changes: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    steps: int = 0


class Viewer:
    """One tab. `await follow(seconds)` opens it at the first call and then goes on.

    query: what stands behind the `?`. page: a page's name, empty for the lab. headers: of its
    connection, such as a cookie. What it sees is added to `seen`, which several may share.
    """

    def __init__(
        self,
        url: str,
        seen: Seen,
        query: str = "",
        page: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.widgets = Widgets()
        self.query, self.seen, self.step = query, seen, 0
        self._url = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._origin, self._headers = url, headers
        self._name, self._hash = page, ""
        self._kept: set[str] = set()  # hashes of messages that need not be sent again
        self._clocks: dict[str, tuple[float, asyncio.Task[None]]] = {}  # fragment -> its interval
        self._asked: dict[str, float] = {}  # fragment -> when its redrawing was asked for
        self._came: Counter[str] = Counter()  # fragment -> bytes since it was last done
        self._clicked: float | None = None  # a whole page is under way since then
        self._bytes = 0
        self._socket: ClientConnection | None = None
        self.opened = False
        self.lost = False  # the connection is

    async def follow(self, seconds: float) -> None:
        """Follows the page for so long; a broken connection ends it early and is an error."""
        end = time.monotonic() + seconds
        try:
            if self._socket is None:
                await self._open()
            assert self._socket is not None
            while (left := end - time.monotonic()) > 0:
                try:
                    async with asyncio.timeout(left):
                        data = await self._socket.recv(decode=False)
                except TimeoutError:
                    break
                self._take(data)
        except (OSError, ConnectionClosed) as error:
            self.lost = True
            self.seen.errors.append(f"connection: {error!r}")

    @property
    def run(self) -> str:
        """The id of the run in its address; empty where there is none."""
        return self.query.removeprefix("run=") if self.query.startswith("run=") else ""

    async def close(self) -> None:
        """Closes the tab."""
        for fragment in list(self._clocks):
            self._stop_clock(fragment)
        if not self.opened:
            self.seen.errors.append("the page did not come")
        if self._socket is not None:
            await self._socket.close()

    async def press(self, label: str) -> None:
        """Clicks a button. Raises `KeyError` where there is none of this label."""
        await self._act(label)

    async def choose(self, label: str, option: str) -> None:
        """Chooses an option. Raises `KeyError` where there is no such choice."""
        self.widgets.choose(label, option)
        await self._act()

    async def send(self, states: Sequence[WidgetState]) -> None:
        """Sends widget states that the page does not hold, as nobody's browser would."""
        await self._rerun(more=states)

    async def _act(self, pressed: str = "") -> None:
        try:
            await self._rerun(pressed=pressed)
        except ConnectionClosed as error:
            self.lost = True
            self.seen.errors.append(f"connection: {error!r}")

    async def _open(self) -> None:
        self._clicked = time.time()
        self._socket = await connect(
            self._url,
            origin=self._origin,  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=self._headers,
            compression=None,  # the server offers none unless it is told to
            max_size=MOST,
            open_timeout=30,
            close_timeout=1,  # a tab does not read what it has not read before it goes
            ping_interval=None,
        )
        await self._rerun()

    async def _rerun(
        self, fragment: str = "", pressed: str = "", more: Sequence[WidgetState] = ()
    ) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        state.page_script_hash = self._hash
        state.page_name = "" if self._hash else self._name
        state.fragment_id = fragment
        state.is_auto_rerun = bool(fragment)
        state.cached_message_hashes.extend(self._kept)
        state.widget_states.CopyFrom(self.widgets.states(pressed))
        forged = {one.id for one in more}
        kept = [one for one in state.widget_states.widgets if one.id not in forged]
        del state.widget_states.widgets[:]
        state.widget_states.widgets.extend([*kept, *more])
        if fragment:
            # Requests while one waits become one redrawing: the oldest has waited longest.
            self._asked.setdefault(fragment, time.time())
        else:
            self._clicked = self._clicked or time.time()
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())

    def _tick(self, fragment: str, every: float) -> None:
        """Asks for a fragment at an interval from now on; a clock that does so already goes on."""
        if self._clocks.get(fragment, (0.0, None))[0] != every:
            self._stop_clock(fragment)
            clock = asyncio.create_task(self._clock(fragment, every))
            self._clocks[fragment] = (every, clock)

    async def _clock(self, fragment: str, every: float) -> None:
        due = time.monotonic()
        while True:
            due = max(due + every, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            try:
                await self._rerun(fragment)
            except ConnectionClosed:
                return

    def _stop_clock(self, fragment: str) -> None:
        if (old := self._clocks.pop(fragment, None)) is not None:
            old[1].cancel()

    def _take(self, data: bytes) -> None:
        self._bytes += len(data)
        message = ForwardMsg.FromString(data)
        if message.metadata.cacheable:
            self._kept.add(message.hash)
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._came[message.delta.fragment_id] += len(data)
            self._draw(message.delta)
        elif kind in ("new_session", "navigation"):
            self._hash = getattr(message, kind).page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._tick(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_clock(fragment)
        elif kind == "script_finished":
            fragments = tuple(message.metadata.run.fragment_ids)
            self._finished(message.script_finished, fragments)

    def _draw(self, delta: Any) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        self.widgets.take(element)
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.seen.errors.append(f"exception: {element.exception.message[:200]}")
        elif kind == "html" and (found := _STEP.search(element.html.body)):
            self.step = int(found[1].replace(",", ""))
            self.seen.steps = max(self.seen.steps, self.step)

    def _finished(self, status: int, fragments: tuple[str, ...]) -> None:
        if fragments:
            self._redrawn(status, fragments)
        elif status == ForwardMsg.FINISHED_SUCCESSFULLY:
            took = time.time() - (self._clicked or time.time())
            if not self.opened:
                self.seen.page.append(took)
                self.seen.page_bytes.append(self._bytes)
            elif self._clicked is not None:
                self.seen.changes.append(took)
            self.opened, self._clicked = True, None
            self._asked.clear()
            self._came.clear()
        elif status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.seen.errors.append("the page does not compile")

    def _redrawn(self, status: int, fragments: tuple[str, ...]) -> None:
        size = sum(self._came.pop(id, 0) for id in fragments)
        # A run that was overtaken says that it ended early, even if all of it came before that.
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN and not size:
            self.seen.dropped += 1
        elif asked := [self._asked.pop(id) for id in fragments if id in self._asked]:
            update = Update(fragments, min(asked), time.time() - min(asked), size)
            self.seen.updates.append(update)
