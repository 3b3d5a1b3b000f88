"""The live stream by itself: who gets what, when, and what it costs."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import struct
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wgan.server.patch import apply, patch
from wgan.server.stream import (
    BEAT,
    MAX_CHANNEL,
    MAX_OPTIONS,
    PACES,
    Stream,
    StreamError,
    Viewer,
    decode,
    encode,
)


class Part:
    """A source that a test changes. built: how often somebody had it make its payload."""

    def __init__(self, name: str, options: Mapping[str, str]) -> None:
        self.name = name
        self.options = dict(options)
        self.value: Any = 0
        self.invalidate = 0
        self.built = 0
        self.error: Exception | None = None

    def version(self) -> Any:
        return (self.value, self.invalidate)

    def urgent(self) -> Any:
        return self.invalidate

    def payload(self) -> dict[str, Any]:
        self.built += 1
        if self.error is not None:
            raise self.error
        return {"blocks": [{"html": str(self.value)}]}


class Server:
    """A stream of parts `a`, `b` and `c`, with a clock and beats that a test moves by hand."""

    def __init__(self) -> None:
        self.made: list[Part] = []
        self.now = 100.0
        makers = {name: partial(self._make, name) for name in "abc"}
        self.stream = Stream(makers, clock=lambda: self.now)

    def _make(self, name: str, options: Mapping[str, str]) -> Part:
        self.made.append(Part(name, options))
        return self.made[-1]

    def __getitem__(self, name: str) -> Part:
        """The part of this name that was made last."""
        return [part for part in self.made if part.name == name][-1]

    def viewer(self, *channels: str) -> Viewer:
        viewer = Viewer()
        self.stream.subscribe(viewer, channels)
        return viewer

    def beat(self, seconds: float = BEAT) -> None:
        self.now += seconds
        self.stream._deliver(self.stream._news())


@pytest.fixture
def server() -> Server:
    return Server()


async def received(viewer: Viewer) -> bytes:
    """What waits for a viewer; empty when nothing does."""
    return await viewer.message(0.0)


async def shown(viewer: Viewer) -> dict[str, str]:
    """The same, unpacked: {channel: what it says}."""
    return {part["channel"]: part["blocks"][0]["html"] for part in decode(await received(viewer))}


def in_a_loop(test: Callable[..., Awaitable[None]]) -> Callable[[Server], None]:
    """A coroutine as a test: viewers belong to an event loop."""

    def run(server: Server) -> None:
        asyncio.run(asyncio.wait_for(test(server), 30))  # type: ignore[arg-type]

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_a_loop
async def test_all_viewers_get_the_same_bytes_encoded_once(server: Server):
    viewers = [server.viewer("a?run=1") for _ in range(50)]
    for value in range(3):
        server["a"].value = value
        server.beat(2.0)
        messages = [await received(viewer) for viewer in viewers]
        assert decode(messages[0])[0]["blocks"] == [{"html": str(value)}]
        assert all(message is messages[0] or message == messages[0] for message in messages)
    assert len(server.made) == 1
    assert server["a"].built == 3


@in_a_loop
async def test_nothing_is_built_again_while_nothing_is_new(server: Server):
    viewer = server.viewer("a")
    for _ in range(100):
        server.beat()
    assert server["a"].built == 1
    assert await shown(viewer) == {"a": "0"}
    assert await received(viewer) == b""


@in_a_loop
async def test_who_reads_slowly_gets_the_newest_and_no_queue(server: Server):
    slow, quick = server.viewer("a", "b"), server.viewer("a")
    for value in range(1, 30):
        server["a"].value = server["b"].value = value
        server.beat(2.0)
        assert (await shown(quick)).popitem()[1] == str(value)
    assert await shown(slow) == {"a": "29", "b": "29"}
    assert await received(slow) == b""


@in_a_loop
async def test_what_goes_on_waits_for_the_pace_and_what_is_urgent_does_not(server: Server):
    viewer = server.viewer("a")
    server.beat()
    await received(viewer)
    part, pace = server["a"], server.stream.pace
    beats = 0
    part.value = 1
    while not (message := await received(viewer)):
        beats += 1
        part.value += 1
        server.beat()
    assert decode(message)[0]["blocks"][0]["html"] == str(part.value)  # the newest by then
    assert pace - BEAT <= beats * BEAT <= pace + BEAT
    part.value, part.invalidate = "now", 1
    server.beat()
    assert await shown(viewer) == {"a": "now"}


@in_a_loop
async def test_a_crowd_is_sent_less_often(server: Server):
    (few, quick), (_, calm) = PACES
    viewers = [server.viewer("a") for _ in range(few)]
    assert server.stream.pace == quick
    last = server.viewer("a")
    assert server.stream.pace == calm
    server.stream.leave(last)
    assert server.stream.pace == quick
    assert server.stream.viewers == len(viewers)


@in_a_loop
async def test_what_nobody_shows_costs_nothing(server: Server):
    viewer = server.viewer("a", "b")
    server.beat()
    one, other = server["a"], server["b"]
    server.stream.subscribe(viewer, ["b"])  # the section was folded
    for value in range(1, 20):
        one.value = other.value = value
        server.beat(2.0)
    assert (one.built, other.built) == (1, 20)
    assert await shown(viewer) == {"b": "19"}  # nor what it had not been sent yet
    server.stream.leave(viewer)
    other.value = 99
    server.beat(2.0)
    assert other.built == 20
    assert server.stream.viewers == 0


@in_a_loop
async def test_who_comes_later_sees_the_state_at_once(server: Server):
    server.viewer("a")
    server.beat()
    late = server.viewer("a")
    assert await shown(late) == {"a": "0"}
    assert server["a"].built == 1


@in_a_loop
async def test_a_channel_that_comes_back_begins_anew(server: Server):
    viewer = server.viewer("a")
    server.beat()
    await received(viewer)
    server.stream.subscribe(viewer, [])
    server.stream.subscribe(viewer, ["a"])
    server.beat()
    assert await shown(viewer) == {"a": "0"}
    assert len(server.made) == 2


def test_a_part_that_raises_is_logged_once_and_the_others_go_on(
    server: Server, caplog: pytest.LogCaptureFixture
):
    async def test() -> None:
        viewer = server.viewer("a?run=secret", "b")
        broken, well = server["a"], server["b"]
        server.beat()
        await received(viewer)
        broken.error, broken.invalidate = RuntimeError("ours"), 1
        for value in range(1, 20):
            well.value = value
            server.beat(2.0)
            assert await shown(viewer) == {"b": str(value)}
        (record,) = caplog.records
        assert (record.levelno, record.getMessage()) == (logging.ERROR, "part=a cannot be shown")
        broken.error, broken.value = None, "again"
        server.beat(2.0)
        assert await shown(viewer) == {"a?run=secret": "again"}
        broken.error, broken.invalidate = RuntimeError("once more"), 2
        server.beat(2.0)
        assert len(caplog.records) == 2  # it had been well in between

    asyncio.run(test())


@in_a_loop
async def test_what_is_no_json_concerns_its_own_part_alone(server: Server):
    viewer = server.viewer("a", "b")
    server["a"].payload = lambda: {"blocks": [float("nan")]}  # type: ignore[method-assign]
    server.beat()
    assert await shown(viewer) == {"b": "0"}


@pytest.mark.parametrize(
    "channel",
    [
        "",
        "nothing",
        "A",
        "a/../b",
        "a?" + "x" * MAX_CHANNEL,
        "a?" + "&".join(f"o{n}=1" for n in range(MAX_OPTIONS + 1)),
        "\ud800",
        "__class__",
    ],
)
@pytest.mark.parametrize("before", [[], ["a", "b"]], ids=["new", "subscribed"])
def test_a_channel_that_there_is_not_is_refused(server: Server, channel: str, before: list[str]):
    async def test() -> None:
        viewer = server.viewer(*before)
        with pytest.raises(StreamError) as error:
            server.stream.subscribe(viewer, ["c", channel])
        assert str(error.value).isprintable()
        assert viewer.channels == set(before)
        server.beat()
        assert set(await shown(viewer)) == set(before)
        assert len(server.stream._channels) == len(before)

    asyncio.run(test())


def test_what_is_packed_comes_out_as_it_was():
    parts = [{"channel": "a?x=1", "blocks": [{"html": "ü <b>🙂</b>"}]}, {"made": "0"}, {}]
    message = b"".join(map(encode, parts))
    assert decode(message) == parts
    assert decode(b"") == []
    (length,) = struct.unpack_from("<I", message)
    assert json.loads(gzip.decompress(message[4 : 4 + length]))["channel"] == "a?x=1"
    assert encode(parts[0]) == encode(parts[0])  # no time stamp
    with pytest.raises(ValueError, match="JSON"):
        encode({"x": float("inf")})


def test_the_thread_pushes_to_its_loop_and_ends():
    async def test() -> None:
        server = Server()
        server.stream.start()
        viewer = server.viewer("a")
        assert decode(await viewer.message(20))[0]["blocks"] == [{"html": "0"}]
        server["a"].value, server["a"].invalidate = "new", 1
        assert decode(await viewer.message(20))[0]["blocks"] == [{"html": "new"}]
        assert await viewer.message(0.0) == b""  # a sign of life
        server.stream.close()
        await asyncio.to_thread(server.stream._thread.join, 20)
        assert not server.stream._thread.is_alive()

    asyncio.run(test())


# Patches ----------------------------------------------------------------------------------------


def array(values: bytes) -> dict[str, str]:
    return {"dtype": "u1", "bdata": base64.b64encode(values).decode()}


class Page:
    """A browser: it keeps the newest state of each channel, as `assets/stream.js` does."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.states: dict[str, Any] = {}
        self.patched = 0

    async def read(self) -> None:
        for change in decode(await received(self.viewer)):
            self.patched += '"patch"' in json.dumps(change)
            channel = change["channel"]
            self.states[channel] = apply(self.states.get(channel), change)


@in_a_loop
async def test_who_reads_all_gets_what_is_new_and_who_misses_some_the_whole(server: Server):
    quick, slow, late = Page(server.viewer("a")), Page(server.viewer("a")), None
    for step in range(1, 12):
        curve = array(bytes(range(4 * step)))
        server["a"].payload = lambda curve=curve: {"y": curve}  # type: ignore[method-assign]
        server["a"].value = step
        server.beat(2.0)
        await quick.read()
        if step % 3 == 0:
            await slow.read()
            assert slow.states["a"]["y"] == curve
        if step == 6:
            late = Page(server.viewer("a"))
        if late is not None:
            await late.read()
            assert late.states["a"]["y"] == curve
        assert quick.states["a"]["y"] == curve
    assert quick.patched == 10
    assert slow.patched == 0
    assert late is not None
    assert late.patched == 5


def blobs() -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.integers() | st.text(max_size=4) | st.binary(max_size=12).map(array),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)
        ),
        max_leaves=8,
    )


@settings(max_examples=300, deadline=None)
@given(blobs(), blobs())
def test_a_patch_makes_the_new_of_the_old(old: Any, new: Any):
    assert apply(old, json.loads(json.dumps(patch(old, new)))) == new


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"abc", b"abcde", [3, 0, b"de"]),
        (b"abcde", b"abc", [3, 0, b""]),
        (b"abXde", b"abYde", [2, 2, b"Y"]),
        (b"aaaa", b"aa", [2, 0, b""]),
        (b"", b"ab", [0, 0, b"ab"]),
        (b"abc", b"abc", [3, 0, b""]),
    ],
)
def test_only_the_middle_of_an_array_is_sent(old: bytes, new: bytes, expected: list[Any]):
    head, tail, middle = expected
    told = patch({"y": array(old)}, {"y": array(new)})["y"]
    assert told == {"dtype": "u1", "patch": [head, tail, base64.b64encode(middle).decode()]}
