"""A viewer of the app that speaks the browser's protocols and draws nothing.

It repeats the state of all widgets and the hashes of what it keeps in every message, listens to the
channels that its page shows, and has the page drawn again when the stream says so, as a browser
does.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.listener import Heard, Listener
from benchmarks.widgets import Widgets

MOST = 200 * 10**6  # bytes of one message
CALM = 0.25  # seconds from the stream's word until a page asks to be drawn again
_STEP = re.compile(r"step ([\d,]+)")


@dataclass
class Seen:
    """What one viewer or several saw. Times in seconds.

    page: until the first page was there; page_bytes: its size. changes: until a click's page was
    there. redrawn: how often pages were drawn again because the stream said so. heard: the stream.
    """

    page: list[float] = field(default_factory=list)
    page_bytes: list[int] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)
    redrawn: int = 0
    heard: Heard = field(default_factory=Heard)
    errors: list[str] = field(default_factory=list)


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
        self.query, self.seen = query, seen
        self._url = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._origin, self._headers = url, headers
        self._name, self._hash = page, ""
        self._kept: dict[str, ForwardMsg] = {}  # messages that come as their hash from then on
        self._clicked: float | None = None  # a page is under way since then
        self._mounted: dict[str, dict[str, Any]] = {}  # channel -> what its component was given
        self._listener = Listener(url, seen.heard)
        self._asked = 0.0  # to be drawn again
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
                    async with asyncio.timeout(min(left, CALM)):
                        data = await self._socket.recv(decode=False)
                except TimeoutError:
                    await self._look()
                    continue
                if self._take(data):
                    await self._listener.show(self._mounted)
        except (OSError, ConnectionClosed) as error:
            self.lost = True
            self.seen.errors.append(f"connection: {error!r}")

    @property
    def run(self) -> str:
        """The id of the run in its address; empty where there is none."""
        return self.query.removeprefix("run=") if self.query.startswith("run=") else ""

    @property
    def step(self) -> int:
        """The last step that the page's status line has shown; 0 before it has."""
        for name in self._mounted:
            state = self._listener.states.get(name, {})
            if name.startswith("status") and state.get("blocks"):
                found = _STEP.search(state["blocks"][0]["html"])
                return int(found[1].replace(",", "")) if found else 0
        return 0

    def shown(self, part: str) -> dict[str, Any] | None:
        """The newest state of a part of the page; None before it came."""
        name = next((name for name in self._mounted if name.partition("?")[0] == part), "")
        return self._listener.states.get(name)

    async def close(self) -> None:
        """Closes the tab."""
        if not self.opened:
            self.seen.errors.append("the page did not come")
        await self._listener.close()
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

    async def _look(self) -> None:
        """Asks to be drawn again when the page is made of something else by now."""
        for name, given in self._mounted.items():
            changed = self._listener.states.get(name, {}).get("changed")
            waits = self._clicked is None and time.monotonic() - self._asked > 1.0
            if "page" in given and changed and waits:
                self._asked = time.monotonic()
                self.seen.redrawn += 1
                await self._rerun(clicked=False)

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
        self, pressed: str = "", more: Sequence[WidgetState] = (), clicked: bool = True
    ) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        state.page_script_hash = self._hash
        state.page_name = "" if self._hash else self._name
        state.cached_message_hashes.extend(self._kept)
        state.widget_states.CopyFrom(self.widgets.states(pressed))
        forged = {one.id for one in more}
        kept = [one for one in state.widget_states.widgets if one.id not in forged]
        del state.widget_states.widgets[:]
        state.widget_states.widgets.extend([*kept, *more])
        if clicked:
            self._clicked = self._clicked or time.time()
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())

    def _take(self, data: bytes) -> bool:
        """One message; whether it ends a page."""
        self._bytes += len(data)
        message = ForwardMsg.FromString(data)
        if message.metadata.cacheable and message.hash:
            self._kept[message.hash] = message
        if message.WhichOneof("type") == "ref_hash":
            message = self._kept[message.ref_hash]
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._draw(message.delta)
        elif kind == "new_session":
            self._hash = message.new_session.page_script_hash
            self._mounted = {}
        elif kind == "navigation":
            self._hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "script_finished":
            return self._finished(message.script_finished)
        return False

    def _draw(self, delta: Any) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        self.widgets.take(element)
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.seen.errors.append(f"exception: {element.exception.message[:200]}")
        elif kind == "bidi_component" and element.bidi_component.json:
            given = json.loads(element.bidi_component.json)
            if isinstance(given, list) and "channel" in given[0]:
                self._mounted[given[0]["channel"]] = given[0]

    def _finished(self, status: int) -> bool:
        if status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.seen.errors.append("the page does not compile")
        if status != ForwardMsg.FINISHED_SUCCESSFULLY:
            return False
        took = time.time() - (self._clicked or time.time())
        if not self.opened:
            self.seen.page.append(took)
            self.seen.page_bytes.append(self._bytes)
        elif self._clicked is not None:
            self.seen.changes.append(took)
        self.opened, self._clicked = True, None
        return True
