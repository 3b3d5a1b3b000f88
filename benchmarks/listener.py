"""The live stream as a page's browser reads it: one connection, the channels of the page."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from wgan.server.stream import decode


@dataclass
class Heard:
    """What came over the stream to one page or several.

    at: when each message came (`time.time`), a list a page. size: bytes of each message.
    """

    at: list[list[float]] = field(default_factory=list)
    size: list[int] = field(default_factory=list)


class Listener:
    """One page's connection to the stream. states: the newest of each channel."""

    def __init__(self, url: str, heard: Heard) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self._url = url.replace("http", "ws", 1) + "/live"
        self._origin, self._heard, self._times = url, heard, list[float]()
        self._socket: ClientConnection | None = None
        self._channels: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def show(self, channels: Iterable[str]) -> None:
        """From now on the page shows these channels."""
        wanted = sorted(channels)
        async with self._lock:  # a page is drawn again while the connection is being opened
            if not wanted or wanted == self._channels:
                return
            self._channels = wanted
            if self._socket is None:
                self._heard.at.append(self._times)
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
        try:
            async for message in socket:
                if message and isinstance(message, bytes):
                    self._times.append(time.time())
                    self._heard.size.append(len(message))
                    for part in _parts(message):
                        change = _unpacked(part)
                        before = self.states.get(change["channel"])
                        self.states[change["channel"]] = {**(before or {}), **change}
        except ConnectionClosed:
            return

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._socket is not None:
            await self._socket.close()


def _parts(message: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(message):
        (length,) = struct.unpack_from("<I", message, at)
        yield message[at : at + 4 + length]
        at += 4 + length


@lru_cache(maxsize=256)
def _unpacked(part: bytes) -> dict[str, Any]:
    """Once for all viewers in this process: in a class each browser has a machine of its own."""
    return decode(part)[0]
