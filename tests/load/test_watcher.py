"""A watcher who speaks to the server directly: no message of theirs changes the run they watch.

What the messages could have done is shown by the owner, who sends the same ones afterwards.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect

from benchmarks.server import AppServer
from benchmarks.viewer import Seen, Viewer

# What the owner's own messages have to change, by the labels of their widgets.
STRONG = (
    *("Penalty weight λ", "Critic learning rate", "Critic steps", "Batch size", "Play"),
    *("One whole step", "Critic only", "Generator only", "Objective", "Constraint", "Reset"),
)
COPY = "Make a copy of my own"  # what the page of somebody else's run offers

Messages = dict[str, WidgetState]


def moves(*viewers: Viewer) -> Messages:
    """{label: everything that can be pressed or moved on these pages}."""
    return {label: state for viewer in viewers for label, state in viewer.widgets.moves()}


def fingerprint(server: AppServer, id: str) -> dict[str, Any]:
    """What a message could change of a run that stands still."""
    told = server.run(id)
    return {name: told[name] for name in ("state", "step", "config", "events")}


async def opened(viewer: Viewer) -> Viewer:
    """The viewer, once the page is there."""
    while not viewer.opened:
        await viewer.follow(0.3)
        assert not viewer.lost
    return viewer


async def attack(server: AppServer, owner: Viewer, id: str) -> tuple[Messages, list[str]]:
    """Sends everything to a run that is paused, as a watcher; what was sent, and errors."""
    seen = Seen()
    watcher = await opened(Viewer(server.url, seen, f"run={id}"))
    assert COPY in watcher.widgets.buttons
    before = fingerprint(server, id)
    sent = moves(watcher, owner)
    for label, state in sent.items():
        await watcher.send([state])
        await watcher.follow(0.1)
        assert fingerprint(server, id) == before, label
        # A preset or a seed starts a run of their own; they come back to attack this one.
        if watcher.query != f"run={id}":
            await watcher.close()
            watcher = await opened(Viewer(server.url, seen, f"run={id}"))
    for secret in ("", "1", "null", secrets.token_urlsafe(16), id, "a&owner=b", "%00"):
        guess = await opened(Viewer(server.url, seen, f"run={id}&owner={secret}"))
        assert COPY in guess.widgets.buttons, secret
        await guess.press("Play")
        await guess.follow(0.3)
        await guess.close()
        assert fingerprint(server, id) == before, secret
    compare = await opened(Viewer(server.url, seen, f"runs={id}", "compare"))
    assert "Play" in compare.widgets.ids
    for label, state in moves(owner, compare).items():
        await compare.send([state])
        await compare.follow(0.05)
        assert fingerprint(server, id) == before, f"Compare: {label}"
    await compare.close()
    await watcher.close()
    assert f"applied run={id}" not in server.log()
    return sent, seen.errors


async def strong(server: AppServer, owner: Viewer, id: str, sent: Messages) -> list[str]:
    """The labels of the messages that change the run when its owner sends them."""
    found = []
    for label in STRONG:
        before = fingerprint(server, id)
        await owner.send([sent[label]])
        for _ in range(100):
            await asyncio.sleep(0.1)
            if fingerprint(server, id) != before:
                found.append(label)
                break
    return found


async def nonsense(owner: Viewer) -> None:
    """Of the owner: what no list offers."""
    for state in owner.widgets.states().widgets:
        if state.HasField("string_value"):
            await owner.send([WidgetState(id=state.id, string_value="nonsense")])
            await asyncio.sleep(0.1)


async def text_frame(server: AppServer) -> int | None:
    """Sends text to Streamlit's WebSocket, which takes bytes only; the code that it closes with."""
    url = server.url.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(url, origin=server.url, subprotocols=["streamlit"]) as socket:  # pyright: ignore
        await socket.send("text")
        await socket.wait_closed()
        return socket.close_code


def test_no_message_and_no_address_of_a_watcher_changes_the_run():
    async def class_of_two(server: AppServer) -> tuple[int, list[str], list[str]]:
        owner = Viewer(server.url, Seen(), "preset=ring-wgan-gp")
        while not owner.step:
            await owner.follow(0.5)
        id = owner.run
        assert re.fullmatch(r"[\w-]{8}", id)
        await owner.press("Pause")
        while "Play" not in owner.widgets.ids or server.run(id)["state"] != "paused":
            await owner.follow(0.2)
        # All the time: the server drops a tab that reads nothing.
        watched = asyncio.create_task(owner.follow(300))
        sent, errors = await attack(server, owner, id)
        await nonsense(owner)
        changed = await strong(server, owner, id, sent)
        assert await text_frame(server) == 1003
        watched.cancel()
        await owner.close()
        return len(sent), changed, owner.seen.errors + errors

    with AppServer() as server:
        sent, changed, errors = asyncio.run(class_of_two(server))
        log = server.log()
    assert sent >= 30
    assert changed == list(STRONG)
    assert errors == []
    assert "Traceback" not in log
