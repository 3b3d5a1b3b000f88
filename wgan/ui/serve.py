"""The server around the pages: what it begins with, the live stream, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from wgan.live.facts import card, facts, server_facts
from wgan.live.table import PARTS
from wgan.server.binary_frames import BinaryFrames
from wgan.server.limits import limits
from wgan.server.preload import Preload
from wgan.server.registry import lab
from wgan.server.routes import Live
from wgan.server.routes import routes as live_routes
from wgan.server.stream import BEAT, Stream
from wgan.threads import collector_at_rest

# The pages' modules are only imported here: before the first visitor comes, and before torch, which
# holds up whatever else is imported meanwhile.
from wgan.ui import (  # noqa: F401
    _compat,
    branch,
    browser_storage,
    classroom,
    controls,
    custom_data,
    doctor,
    equation,
    lookback,
    modes,
    runbar,
    share,
    shell,
)
from wgan.ui.live import assets, fonts, scripts
from wgan.ui.process_tuning import settle, share_heaps

# Importing torch holds up all else that the server does for seconds. Whoever opens the page as soon
# as the server is there sees the recording first; when nobody comes in so many seconds, it begins.
PATIENCE, SETTLES = 3.0, 0.6
MAIN = str(Path(__file__).with_name("main.py"))
log = logging.getLogger("wgan.server")


@cache
def _stream() -> Stream:
    return Stream(PARTS)


def routes() -> Sequence[BaseRoute]:
    """The addresses beside Streamlit's own."""
    most = limits()
    live = Live(_stream(), _compat.origin_allowed, most.max_viewers, most.max_viewers_per_address)
    path = (st.get_option("server.baseUrlPath") or "").strip("/")
    base = f"/{path}" if path else ""
    return live_routes(
        live, base=base, assets=assets(), facts=facts, server_facts=server_facts, card=card
    )


def middleware() -> Sequence[Middleware]:
    return [
        Middleware(Preload, scripts=scripts(), fonts=fonts()),
        Middleware(BinaryFrames, path="/_stcore/stream"),
    ]


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    """While the server serves: the first run is made before the first visitor comes."""
    share_heaps()  # before torch comes in, while there are few threads
    _stream().start()
    threading.Thread(target=_warm_up, name="warm up", daemon=True).start()
    yield {}
    _stream().close()
    await asyncio.to_thread(lab().shut_down)  # saves every run


def _warm_up() -> None:
    try:
        with collector_at_rest():
            lab().hold_loading()
            try:
                run = lab().demonstration(watched=False)
                _wait_for_a_picture()
            finally:
                lab().begin_loading()
            while run.frame.state == "loading":
                time.sleep(BEAT)
    except Exception:
        log.exception("the first run could not be made")  # a visitor is told why
    settle()


def _wait_for_a_picture() -> None:
    """Until the first visitor's page shows something, or nobody has come."""
    deadline = time.monotonic() + PATIENCE
    while not _stream().viewers and time.monotonic() < deadline:
        time.sleep(BEAT)
    time.sleep(SETTLES)  # what the page has asked for is on its way
