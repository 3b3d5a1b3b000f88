"""A text frame to a WebSocket that takes bytes ends it, with nothing in the log."""

from __future__ import annotations

import logging

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from wgan.server.binary_frames import UNSUPPORTED, BinaryFrames


def client(left: list[int]) -> TestClient:
    """Of a server with two sockets that echo bytes, as Streamlit's does, and text."""

    async def takes_bytes(socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                await socket.send_bytes(await socket.receive_bytes())
        except WebSocketDisconnect as end:
            left.append(end.code)

    async def takes_text(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())

    routes = [
        WebSocketRoute("/below/_stcore/stream", takes_bytes),
        WebSocketRoute("/live", takes_text),
    ]
    middleware = [Middleware(BinaryFrames, path="/_stcore/stream")]
    return TestClient(Starlette(routes=routes, middleware=middleware))


def test_text_ends_it_and_bytes_do_not(caplog: pytest.LogCaptureFixture):
    left: list[int] = []
    with client(left).websocket_connect("/below/_stcore/stream") as socket:
        socket.send_bytes(b"sound")
        assert socket.receive_bytes() == b"sound"
        socket.send_text("text")
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == UNSUPPORTED
    assert left == [UNSUPPORTED]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_other_sockets_take_text():
    with client([]).websocket_connect("/live") as socket:
        socket.send_text("text")
        assert socket.receive_text() == "text"
