"""A page of HTML names the files that it will ask for; nothing else does."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from wgan.server.preload import Preload
from wgan.ui.live import assets, fonts, scripts


def test_pages_and_only_pages_name_their_scripts():
    app = Starlette(
        routes=[
            Route("/", lambda request: HTMLResponse("<p>page")),
            Route("/facts", lambda request: JSONResponse({})),
        ],
        middleware=[Middleware(Preload, scripts=["a.js"], fonts=["b.woff2"])],
    )
    browser = TestClient(app)
    link = browser.get("/").headers["link"]
    assert link == "<a.js>; rel=modulepreload, <b.woff2>; rel=preload; as=font; crossorigin"
    assert "link" not in browser.get("/facts").headers


def test_every_script_that_is_named_is_there():
    static = Path(streamlit.__file__).parent / "static"
    ours = {name for name in assets() if name != "plotly.min.js"}
    named = set()
    for script in scripts():
        if own := re.fullmatch(r"assets/live/[0-9a-f]{12}/(.+)", script):
            named.add(own[1])
        else:
            assert (static / script).is_file(), script
    assert named == ours
    assert len(fonts()) == 1
    assert (static / fonts()[0]).is_file()
    assert any("BidiComponent" in script for script in scripts())
