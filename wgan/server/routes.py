"""The addresses beside Streamlit's own: the live stream, its modules, and what is public of a run.

`/live` is a WebSocket, and server-sent events for a browser whose proxy lets no second WebSocket
through. It takes nothing but subscriptions; reading needs a run's id, and no secret comes here.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from wgan.server.stream import MAX_CHANNELS, Stream, StreamError, Viewer

ALIVE = 5.0  # seconds of silence until the server says that it is still there
MAX_TEXT = 20_000  # characters of a subscription
MAX_MESSAGES = 20  # that a viewer sends within MESSAGES_WITHIN seconds
MESSAGES_WITHIN = 5.0
MAX_REASON = 123  # bytes
REFUSED, BUSY = 1008, 1013  # WebSocket close codes: against the rules; try again later

# Whether a page of this origin may read here, given the host that it asked.
OriginAllowed = Callable[[str | None, str | None], bool]
# What is public of the run of an id, as JSON and as a PNG; None when there is no such run.
Facts = Callable[[str], Mapping[str, Any] | None]
ServerFacts = Callable[[], Mapping[str, Any]]
Card = Callable[[str], bytes | None]


class Live:
    """The stream's routes.

    most: connections at once; most_of_one: of one address (a class may share one).
    """

    def __init__(
        self, stream: Stream, origin_allowed: OriginAllowed, most: int, most_of_one: int
    ) -> None:
        self.stream = stream
        self._allowed = origin_allowed
        self._most, self._most_of_one = most, most_of_one
        self._open: Counter[str] = Counter()  # address -> connections

    def _refusal(self, connection: HTTPConnection) -> tuple[int, str] | None:
        """Why this browser is not served: a close code and a sentence."""
        headers = connection.headers
        if not self._allowed(headers.get("origin"), headers.get("host")):
            return REFUSED, "Pages of other sites cannot read here."
        if self._open.total() >= self._most or self._open[_address(connection)] >= (
            self._most_of_one
        ):
            return BUSY, "Too many pages are open; close some of them."
        return None

    @contextmanager
    def _counted(self, connection: HTTPConnection):
        address = _address(connection)
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    async def websocket(self, socket: WebSocket) -> None:
        """Subscriptions in, messages out."""
        if (refusal := self._refusal(socket)) is not None:
            await socket.close(*refusal)
            return
        await socket.accept()
        viewer = Viewer()
        with self._counted(socket):
            writer = asyncio.create_task(self._write(socket, viewer))
            try:
                await self._read(socket, viewer)
            finally:
                writer.cancel()
                self.stream.leave(viewer)

    async def _read(self, socket: WebSocket, viewer: Viewer) -> None:
        since, count = time.monotonic(), 0
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            now = time.monotonic()
            since, count = (since, count + 1) if now - since < MESSAGES_WITHIN else (now, 1)
            try:
                if count > MAX_MESSAGES:
                    raise StreamError("Too many messages.")
                self.stream.subscribe(viewer, subscription(message.get("text")))
            except StreamError as error:
                with suppress(RuntimeError, WebSocketDisconnect):
                    await socket.close(REFUSED, _reason(str(error)))
                return

    async def _write(self, socket: WebSocket, viewer: Viewer) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):  # it was closed meanwhile
            while True:
                await socket.send_bytes(await viewer.message(ALIVE))

    async def events(self, request: Request) -> Response:
        """The same messages as server-sent events, base64; the subscription is in the address."""
        if (refusal := self._refusal(request)) is not None:
            code = 403 if refusal[0] == REFUSED else 503
            return JSONResponse({"error": refusal[1]}, code)
        viewer = Viewer()
        try:
            wanted = subscription(request.query_params.get("subscription"))
            self.stream.subscribe(viewer, wanted)
        except StreamError as error:
            return JSONResponse({"error": str(error)}, 400)
        # It begins with the answer: who has gone before that would never be seen to leave.
        self.stream.leave(viewer)

        async def messages() -> AsyncIterator[bytes]:
            with self._counted(request):
                try:
                    self.stream.subscribe(viewer, wanted)
                    while True:
                        message = await viewer.message(ALIVE)
                        yield b"data: " + base64.b64encode(message) + b"\n\n"
                finally:
                    self.stream.leave(viewer)

        # Proxies that collect an answer before they pass it on are told not to.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(messages(), media_type="text/event-stream", headers=headers)


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def _reason(sentence: str) -> str:
    """As much of it as a WebSocket's closing frame takes."""
    return sentence.encode()[:MAX_REASON].decode(errors="ignore")


def subscription(text: str | None) -> list[str]:
    """The channels of `{"channels": […]}`. Raises `StreamError` for anything else."""
    try:
        if text is None or len(text) > MAX_TEXT:
            raise ValueError
        channels = json.loads(text)["channels"]
        if not isinstance(channels, list) or len(channels) > MAX_CHANNELS:
            raise ValueError
        if not all(isinstance(channel, str) for channel in channels):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise StreamError(
            f'A subscription is {{"channels": […]}} with at most {MAX_CHANNELS} texts.'
        ) from None
    return channels


@cache
def _packed(path: Path) -> bytes:
    """Packed once: Plotly's megabytes would hold up the event loop for every visitor."""
    return gzip.compress(path.read_bytes(), 6, mtime=0)


def routes(
    live: Live,
    *,
    base: str,
    assets: Mapping[str, Path],
    facts: Facts,
    server_facts: ServerFacts,
    card: Card,
) -> Sequence[BaseRoute]:
    """All routes. base: the path that the server is asked under, empty or `/path`.

    assets: the scripts of the live view by name, at `/assets/live/VERSION/NAME`; the version is
    anything that changes with what is in them, so that a browser asks for each once.
    """

    async def asset(request: Request) -> Response:
        if (path := assets.get(request.path_params["name"])) is None:
            return Response(status_code=404)
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Encoding": "gzip",
            "X-Content-Type-Options": "nosniff",
        }
        packed = await asyncio.to_thread(_packed, path)
        return Response(packed, media_type="text/javascript", headers=headers)

    async def run_facts(request: Request) -> Response:
        found = facts(request.path_params["id"])
        if found is None:
            return JSONResponse({"error": "There is no such run here, or no more."}, 404)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    async def status(request: Request) -> Response:
        told = {**server_facts(), "viewers": live.stream.viewers}
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    async def run_card(request: Request) -> Response:
        png = await asyncio.to_thread(card, request.path_params["id"])
        if png is None:
            return JSONResponse({"error": "There is no picture of such a run here."}, 404)
        return Response(png, media_type="image/png", headers={"Cache-Control": "max-age=60"})

    return [
        WebSocketRoute(f"{base}/live", live.websocket),
        Route(f"{base}/live", live.events),
        Route(f"{base}/status.json", status),
        Route(f"{base}/runs/{{id}}.json", run_facts),
        Route(f"{base}/runs/{{id}}.png", run_card),
        Route(f"{base}/assets/live/{{version}}/{{name}}", asset),
    ]
