"""The live stream as a page's browser reads it: one connection, the channels of the page."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from wgan.server.stream import decode

_STEP = re.compile(r"step ([\d,]+)")


@dataclass
class Heard:
    """What came over the stream, of one page or several.

    at: of each message (`time.time`), by listener. size: bytes of each. last: channel -> its state.
    """

    at: dict[int, list[float]] = field(default_factory=dict)
    size: list[int] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)


class Listener:
    """Subscribes to channels, and notes what comes. It unpacks only what it is asked to.

    unpack: whether to keep what the channels show, which costs the measuring process time.
    """

    def __init__(self, url: str, heard: Heard, *, unpack: bool = False) -> None:
        self._url = url.replace("http", "ws", 1) + "/live"
        self._origin, self._heard, self._unpack = url, heard, unpack
        self._socket: ClientConnection | None = None
        self._channels: list[str] = []
        self._task: asyncio.Task[None] | None = None

    async def show(self, channels: Iterable[str]) -> None:
        """From now on the page shows these channels."""
        wanted = sorted(channels)
        if not wanted or wanted == self._channels:
            return
        self._channels = wanted
        if self._socket is None:
            self._socket = await connect(
                self._url,
                origin=self._origin,  # type: ignore[arg-type]
                compression=None,
                max_size=None,
                open_timeout=30,
                close_timeout=1,
                ping_interval=None,
            )
            self._task = asyncio.create_task(self._listen(self._socket))
        await self._socket.send(json.dumps({"channels": wanted}))

    async def _listen(self, socket: ClientConnection) -> None:
        times = self._heard.at.setdefault(id(self), [])
        try:
            async for message in socket:
                if not message:
                    continue
                times.append(time.time())
                self._heard.size.append(len(message))
                if self._unpack and isinstance(message, bytes):
                    self._heard.last |= {part["channel"]: part for part in decode(message)}
        except ConnectionClosed:
            return

    @property
    def step(self) -> int:
        """The last step that the page's status line has shown; 0 before it has."""
        for name, part in self._heard.last.items():
            if name.startswith("status") and (found := _STEP.search(part["blocks"][0]["html"])):
                return int(found[1].replace(",", ""))
        return 0

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._socket is not None:
            await self._socket.close()
