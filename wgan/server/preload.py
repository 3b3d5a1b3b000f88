"""Tells a browser together with the page which files the page is going to ask for."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Preload:
    """Middleware: adds `Link: <…>; rel=…` to every page of HTML.

    Otherwise a browser learns of a script only from the script that imports it, one journey to the
    server after the other, while the server is busiest; and of the font of symbols when the first
    of them has long been drawn as its name in letters.

    scripts, fonts: their addresses, relative to the page's.
    """

    def __init__(self, app: ASGIApp, scripts: Sequence[str], fonts: Sequence[str]) -> None:
        self._app = app
        links = [f"<{script}>; rel=modulepreload" for script in scripts]
        links += [f"<{font}>; rel=preload; as=font; crossorigin" for font in fonts]
        self._link = ", ".join(links)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_link(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Link", self._link)
            await send(message)

        await self._app(scope, receive, with_link if scope["type"] == "http" else send)
