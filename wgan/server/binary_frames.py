"""Streamlit's WebSocket takes binary frames; what sends text is hung up on, without a traceback."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNSUPPORTED = 1003  # WebSocket close code: a kind of data that is not taken here


class BinaryFrames:
    """Middleware: on a WebSocket whose path ends with `path`, a text frame is the end.

    Streamlit means to refuse text, but looks for bytes in the message first: a `KeyError` in the
    log for every text frame that anybody sends.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app, self._path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or not scope["path"].endswith(self._path):
            await self._app(scope, receive, send)
            return

        async def receive_bytes() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and message.get("bytes") is None:
                await send({"type": "websocket.close", "code": UNSUPPORTED})
                return {"type": "websocket.disconnect", "code": UNSUPPORTED}
            return message

        await self._app(scope, receive_bytes, send)
