"""A watcher who speaks to the server directly: no message of theirs changes the run they watch."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator

from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.server import AppServer
from benchmarks.viewer import Seen, Viewer

VERBS = ("Pause", "One whole step", "Critic only", "Generator only", "Reset")


def forged(owner: Viewer, watcher: Viewer) -> list[tuple[str, list[WidgetState]]]:
    """States of widgets that a browser of a watcher would never send; the same one only once."""
    found = {str(states): (what, states) for what, states in _forged(owner, watcher)}
    return list(found.values())


def _forged(owner: Viewer, watcher: Viewer) -> Iterator[tuple[str, list[WidgetState]]]:
    for whose, viewer in (("own", watcher), ("the owner's", owner)):
        for label, id in viewer.widgets.ids.items():
            if label in VERBS or label.startswith(("Cure it", "Back to")):
                yield f"{label}, {whose} button", [WidgetState(id=id, trigger_value=True)]
        for state in viewer.widgets.states().widgets:
            other = WidgetState(id=state.id)
            match state.WhichOneof("value"):
                case "bool_value":
                    other.bool_value = not state.bool_value
                case "double_value":
                    other.double_value = state.double_value + 1
                case "string_array_value":
                    other.string_array_value.data.append("clip")
                case "string_value":
                    other.string_value = "Ring of 8 · WGAN, clipped"
                case _:
                    continue
            yield f"{whose} widget {state.id[-40:]}", [other]


def pressed(viewer: Viewer) -> list[list[WidgetState]]:
    """The buttons of a page, those that it shows as disabled too."""
    return [[WidgetState(id=id, trigger_value=True)] for id in viewer.widgets.ids.values()]


def test_no_message_and_no_address_of_a_watcher_changes_the_run():
    async def class_of_two(server: AppServer) -> tuple[str, int, list[str]]:
        owner, watcher = Viewer(server.url, Seen(), "preset=ring-wgan-gp"), None
        while not owner.step:
            await owner.follow(0.5)
        id = owner.query.removeprefix("run=")
        assert re.fullmatch(r"[\w-]{8}", id)
        watcher = Viewer(server.url, Seen(), f"run={id}")
        await watcher.follow(2)
        assert "Make a copy of my own" in watcher.widgets.buttons
        # All the time: the server drops a tab that reads nothing.
        watched = asyncio.create_task(owner.follow(300))
        tried = 0
        for what, states in forged(owner, watcher):
            await watcher.send(states)
            await watcher.follow(0.1)
            tried += 1
            # A preset or a seed starts a run of their own; they come back to attack this one.
            if watcher.query != f"run={id}":
                await watcher.close()
                watcher = Viewer(server.url, Seen(), f"run={id}")
                await watcher.follow(0.5)
            assert f"applied run={id}" not in server.log(), what
        for state in owner.widgets.states().widgets:  # no list offers it, though the run is theirs
            if state.HasField("string_value"):
                await owner.send([WidgetState(id=state.id, string_value="nonsense")])
                await asyncio.sleep(0.1)
        for secret in ("", "1", "null", secrets.token_urlsafe(16), id, "a&owner=b", "%00"):
            guess = Viewer(server.url, Seen(), f"run={id}&owner={secret}")
            await guess.follow(0.7)
            assert "Make a copy of my own" in guess.widgets.buttons, secret
            await guess.press("Pause")
            await guess.follow(0.3)
            await guess.close()
            tried += 1
        other = Viewer(server.url, Seen(), f"runs={id}", "compare")
        await other.follow(2)
        assert "Pause" in other.widgets.ids
        for states in pressed(other) + [one for _, one in forged(owner, other)]:
            await other.send(states)
            await other.follow(0.05)
            tried += 1
        await other.close()
        before, tries = owner.step, 0
        while owner.step <= before:  # neither paused nor begun anew
            await asyncio.sleep(0.5)
            assert (tries := tries + 1) < 60
        watched.cancel()
        errors = owner.seen.errors + watcher.seen.errors
        await owner.close()
        await watcher.close()
        return id, tried, errors

    with AppServer() as server:
        id, tried, errors = asyncio.run(class_of_two(server))
        log = server.log()
    assert tried >= 15
    assert errors == []
    assert "Traceback" not in log
    assert f"applied run={id}" not in log  # what a preset began is their own to change
