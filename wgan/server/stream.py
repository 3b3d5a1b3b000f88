"""The live stream: what changes on a page, encoded once and pushed to everybody who shows it.

A page subscribes to channels. A channel is one part of a page for one run, with its options,
written like a query: `meter?run=abc`, `curves?run=abc&names=losses&smoothing=5`. One thread looks
at the channels that somebody wants, encodes what is new in them, and hands the bytes to the event
loop, which writes the same bytes to all viewers of a channel. Who reads slowly gets the newest
state, and never a queue.

A message is any number of parts, each a length (4 bytes, little-endian) and as many bytes of
gzipped JSON `{"channel": …, "number": n, "blocks": […]}`. For whoever has state n − 1 of a channel,
arrays that mostly stay are sent as patches, see `wgan.server.patch`; everybody else gets the whole.
An empty message says that the server is there.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import struct
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qsl

from wgan.server.patch import patch

log = logging.getLogger("wgan.stream")

BEAT = 0.05  # seconds between two looks at the channels
# Up to so many viewers a channel that only goes on is sent every so many seconds. What cannot wait
# (a change, a pause, a stage of slow motion) is sent at the next beat, to any number of them.
PACES = ((20, 0.5), (10**9, 1.0))
MAX_CHANNELS = 40  # that one viewer subscribes to
MAX_CHANNEL = 400  # characters of a channel
MAX_OPTIONS = 10

Payload = Mapping[str, Any]


class StreamError(ValueError):
    """A subscription that is not allowed. One sentence."""


class Source(Protocol):
    """What a channel shows. Called on the stream's thread alone."""

    def version(self) -> Hashable:
        """Differs when there is something new to send. Cheap: it is asked at every beat."""
        ...

    def urgent(self) -> Hashable:
        """Differs when what is new cannot wait for the pace."""
        ...

    def payload(self) -> Payload:
        """What is to be sent: JSON."""
        ...


# The parts of pages by name; each makes the source of a channel from its options, which come from a
# browser: it raises `StreamError` for those it does not know.
Parts = Mapping[str, Callable[[Mapping[str, str]], Source]]


class Part:
    """A state of a channel, as it is sent: whole, or as what has changed since the one before.

    Each is encoded once, when the first viewer needs it.
    """

    def __init__(self, channel: str, number: int, state: Payload, before: Payload | None) -> None:
        self.channel, self.number, self.state = channel, number, state
        self._before = before

    @cached_property
    def whole(self) -> bytes:
        return encode({"channel": self.channel, "number": self.number, **self.state})

    @cached_property
    def change(self) -> bytes:
        """For whoever has the state before."""
        told = {"channel": self.channel, "number": self.number, **patch(self._before, self.state)}
        return encode(told)

    def since(self, number: int | None) -> bytes:
        """What a viewer needs who has this number's state, or none."""
        has_it = self._before is not None and number == self.number - 1
        return self.change if has_it else self.whole


class Viewer:
    """One open page. For the event loop's thread."""

    def __init__(self) -> None:
        self.channels: frozenset[str] = frozenset()
        self._has: dict[str, int] = {}  # channel -> the number of the state that was sent
        self._pending: dict[str, Part] = {}
        self._ready = asyncio.Event()

    def offer(self, part: Part) -> None:
        """The newest of a channel takes the place of what was not sent yet."""
        if part.channel in self.channels:
            self._pending[part.channel] = part
            self._ready.set()

    def show(self, channels: frozenset[str]) -> None:
        """From now on only these are wanted."""
        self.channels = channels
        self._has = {name: number for name, number in self._has.items() if name in channels}
        self._pending = {name: part for name, part in self._pending.items() if name in channels}

    async def message(self, timeout: float) -> bytes:
        """The next message, as soon as there is something new; empty after so many seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._ready.wait()
        except TimeoutError:
            return b""
        self._ready.clear()
        parts = list(self._pending.values())
        self._pending.clear()
        message = b"".join(part.since(self._has.get(part.channel)) for part in parts)
        self._has |= {part.channel: part.number for part in parts}
        return message


@dataclass
class _Channel:
    source: Source
    viewers: set[Viewer] = field(default_factory=set)
    version: Hashable = None
    urgent: Hashable = None
    part: Part | None = None  # as it was sent last
    sent: float = 0.0
    broken: bool = False  # an error of ours, which the log has


class Stream:
    """The channels that somebody watches, and the thread that looks at them.

    Made and used on the event loop's thread; `start` begins and `close` ends it.
    """

    def __init__(self, parts: Parts, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._clock = clock
        self._channels: dict[str, _Channel] = {}
        self._viewers: set[Viewer] = set()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._work, name="stream", daemon=True)

    def start(self) -> None:
        """Begins to push, on the event loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def close(self) -> None:
        self._closed = True
        self._woken.set()

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    @property
    def pace(self) -> float:
        """Seconds between two messages about what only goes on."""
        return next(pace for most, pace in PACES if len(self._viewers) <= most)

    def subscribe(self, viewer: Viewer, channels: Iterable[str]) -> None:
        """From now on a viewer gets these channels, and no others. Raises `StreamError`."""
        wanted = frozenset(channels)
        opened = {name: source(self._parts, name) for name in wanted - self._channels.keys()}
        with self._lock:
            self._viewers.add(viewer)
            self._forget(viewer, viewer.channels - wanted)
            added = wanted - viewer.channels
            viewer.show(wanted)
            for name in added:
                channel = self._channels.get(name)
                if channel is None:
                    channel = self._channels[name] = _Channel(opened[name])
                channel.viewers.add(viewer)
                if channel.part is not None:
                    viewer.offer(channel.part)
        self._woken.set()

    def leave(self, viewer: Viewer) -> None:
        """The page was closed."""
        with self._lock:
            self._forget(viewer, viewer.channels)
            viewer.show(frozenset())
            self._viewers.discard(viewer)

    def _forget(self, viewer: Viewer, names: Iterable[str]) -> None:
        for name in names:
            channel = self._channels[name]
            channel.viewers.discard(viewer)
            if not channel.viewers:
                del self._channels[name]

    # On the stream's thread -------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closed:
            # On a grid, so that what goes on comes evenly; sooner for whoever has just come.
            self._woken.wait(BEAT - time.monotonic() % BEAT)
            self._woken.clear()
            if (news := self._news()) and self._loop is not None:
                try:
                    self._loop.call_soon_threadsafe(self._deliver, news)
                except RuntimeError:  # the loop has ended before the server told us
                    return

    def _news(self) -> dict[str, Part]:
        """What is to be sent now, by channel."""
        with self._lock:
            channels = list(self._channels.items())
        return {name: part for name, c in channels if (part := self._renew(name, c))}

    def _renew(self, name: str, channel: _Channel) -> Part | None:
        """What is to be sent of a channel now, if anything."""
        try:
            urgent, version = channel.source.urgent(), channel.source.version()
            hurried, now = urgent != channel.urgent or channel.part is None, self._clock()
            if version == channel.version and not hurried:
                return None
            # On a grid that all channels share, so that a page hears of them in one message.
            if not hurried and now // self.pace == channel.sent // self.pace:
                return None
            state = channel.source.payload()
            before = channel.part
            same = before is not None and before.state == state
            part = before if same else _part(name, state, before)
        except Exception:
            if not channel.broken:
                log.exception("part=%s cannot be shown", name.partition("?")[0])
            channel.broken = True
            return None
        channel.version, channel.urgent, channel.part, channel.sent = version, urgent, part, now
        channel.broken = False
        return None if same else part

    def _deliver(self, news: Mapping[str, Part]) -> None:
        """On the event loop."""
        for name, part in news.items():
            if (channel := self._channels.get(name)) is not None:
                for viewer in channel.viewers:
                    viewer.offer(part)


def source(parts: Parts, channel: str) -> Source:
    """What a channel shows. Raises `StreamError`."""
    part, _, query = channel.partition("?")
    if len(channel) > MAX_CHANNEL or part not in parts:
        raise StreamError(f"There is no part {part[:40]!r} of a page.")
    try:
        options = dict(parse_qsl(query, max_num_fields=MAX_OPTIONS))
    except ValueError:
        raise StreamError(f"A part has at most {MAX_OPTIONS} options.") from None
    return parts[part](options)


def _part(name: str, state: Payload, before: Part | None) -> Part:
    """Encoded as most will need it: on this thread, not on the event loop."""
    if before is None:
        part = Part(name, 1, state, None)
        _ = part.whole
    else:
        part = Part(name, before.number + 1, state, before.state)
        _ = part.change
    return part


def encode(part: Payload) -> bytes:
    """A part of a message. Raises `ValueError` for NaN and infinities, which are no JSON."""
    text = json.dumps(part, separators=(",", ":"), allow_nan=False)
    # The quickest level: the next ones save a hundredth more. No time stamp: same in, same out.
    packed = gzip.compress(text.encode(), 1, mtime=0)
    return struct.pack("<I", len(packed)) + packed


def decode(message: bytes) -> list[dict[str, Any]]:
    """The parts of a message, as a browser reads them."""
    parts, at = [], 0
    while at < len(message):
        (length,) = struct.unpack_from("<I", message, at)
        parts.append(json.loads(gzip.decompress(message[at + 4 : at + 4 + length])))
        at += 4 + length
    return parts
