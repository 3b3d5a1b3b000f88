"""Fixtures for tests in a real browser: `server` starts a Streamlit app, `page` is a fresh tab.

def test_it(server, page):
    page.goto(server("tests/browser/apps/live_demo.py", query="?theme=dark"))
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from benchmarks.command import app_command

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are marked: they watch the clock, and run apart from the others."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests. In CI a missing Chromium is an error, elsewhere a skip."""
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab, 1440 × 900, with no stored state."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(60_000)
    yield tab
    context.close()


@pytest.fixture
def problems(page: Page) -> list[str]:
    """Errors on the page's console and uncaught exceptions, as they come."""
    found: list[str] = []

    def hear(line: ConsoleMessage) -> None:
        # Below the root, Streamlit's page first asks for its server where it is not.
        asked = "/_stcore/" in line.location["url"] and "404" in line.text
        if line.type == "error" and not asked:
            found.append(f"{line.text} ({line.location['url']})")

    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", hear)
    return found


@pytest.fixture
def hosts(page: Page) -> set[str]:
    """The hosts that the page asks for anything, as it does."""
    found: set[str] = set()

    def ask(url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob"):
            found.add(urlsplit(url).netloc)

    page.on("request", lambda request: ask(request.url))
    page.on("websocket", lambda socket: ask(socket.url))
    return found


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[..., str]]:
    """`server(script, query="") -> url`: starts each script once, and waits until it serves."""
    running: dict[str, tuple[subprocess.Popen[bytes], str]] = {}

    def start(script: str | Path, *, query: str = "") -> str:
        path = str((ROOT / script).resolve())
        if path not in running:
            running[path] = _serve(path)
        return running[path][1] + "/" + query

    yield start
    for process, _ in running.values():
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    """`with serve(script, log) as url`: a server of one's own, with what it says in a file.

    port: the one of a server that has ended, for pages that are still open. path: below which it
    serves, where its environment says so.
    """

    @contextmanager
    def start(script: str | Path, log: Path, port: int = 0, path: str = "") -> Iterator[str]:
        with log.open("ab") as stream:
            process, url = _serve(str((ROOT / script).resolve()), stream, port, path)
            try:
                yield url
            finally:
                process.terminate()
                process.wait(timeout=20)

    return start


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _serve(
    path: str, log: IO[bytes] | None = None, port: int = 0, below: str = ""
) -> tuple[subprocess.Popen[bytes], str]:
    port = port or free_port()
    process = subprocess.Popen(
        app_command(port, path),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=log or subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}{below}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return process, url
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"{path} did not start serving.")
