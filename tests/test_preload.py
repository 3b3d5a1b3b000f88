"""A page of HTML names the scripts that it will ask for; nothing else does."""

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
from wgan.ui.live import assets, scripts


def test_pages_and_only_pages_name_their_scripts():
    app = Starlette(
        routes=[
            Route("/", lambda request: HTMLResponse("<p>page")),
            Route("/facts", lambda request: JSONResponse({})),
        ],
        middleware=[Middleware(Preload, scripts=["a.js", "b/c.js"])],
    )
    browser = TestClient(app)
    link = browser.get("/").headers["link"]
    assert link == "<a.js>; rel=modulepreload, <b/c.js>; rel=modulepreload"
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
    assert any("BidiComponent" in script for script in scripts())
