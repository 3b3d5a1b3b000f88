"""Tells a browser together with the page which scripts the page is going to ask for."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Preload:
    """Middleware: adds `Link: <…>; rel=modulepreload` to every page of HTML.

    Otherwise a browser learns of a script only from the script that imports it, one journey to the
    server after the other, while the server is busiest.

    scripts: their addresses, relative to the page's.
    """

    def __init__(self, app: ASGIApp, scripts: Sequence[str]) -> None:
        self._app = app
        self._link = ", ".join(f"<{script}>; rel=modulepreload" for script in scripts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_link(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Link", self._link)
            await send(message)

        await self._app(scope, receive, with_link if scope["type"] == "http" else send)
