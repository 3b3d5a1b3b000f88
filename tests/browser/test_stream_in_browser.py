"""The live stream in a real browser: what survives while it goes on, and what it survives."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Error, Page

pytestmark = pytest.mark.browser

Serve = Callable[..., AbstractContextManager[str]]
CURVE = ".st-key-curve_main .wgan-figure-plot"
STEP = """() => {
  const text = document.querySelector('.st-key-status [role=status]')?.innerText ?? ''
  return +(text.match(/step ([\\d,]+)/)?.[1] ?? -1).toString().replaceAll(',', '')
}"""


def step(page: Page) -> int:
    return page.evaluate(STEP)


def wait_step(page: Page, at_least: int) -> None:
    page.wait_for_function(f"least => ({STEP})() >= least", arg=at_least)


@pytest.fixture(scope="module")
def lab(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve("app.py", tmp_path_factory.mktemp("lab") / "log") as url:
        yield url


@pytest.fixture
def tab(page: Page) -> Iterator[Page]:
    """A tab whose run is paused at the end, so that it takes no time from the next test."""
    yield page
    with suppress(Error):
        page.get_by_role("button", name="Pause").click(timeout=2000)
        page.get_by_role("button", name="Play", exact=True).wait_for(timeout=5000)


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    page.wait_for_selector(f"{CURVE} .main-svg")
    wait_step(page, 1)
    return page


def keep_the_chart(page: Page) -> None:
    page.evaluate(
        """chart => {
          window.kept = document.querySelector(chart)
          window.updates = 0
          window.kept.on('plotly_afterplot', () => { window.updates += 1 })
        }""",
        CURVE,
    )


def is_kept(page: Page) -> bool:
    return page.evaluate("chart => document.querySelector(chart) === window.kept", CURVE)


@pytest.mark.parametrize("frames", [15, pytest.param(60, marks=pytest.mark.slow)])
def test_the_chart_is_the_same_after_many_frames_and_a_zoom_survives(
    lab: str, tab: Page, problems: list[str], hosts: set[str], frames: int
):
    opened(tab, f"{lab}/?preset=ring-wgan-gp")
    wait_step(tab, 50)
    keep_the_chart(tab)
    box = tab.locator(f"{CURVE} .nsewdrag").first.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + 0.2 * box["width"], y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.6 * box["width"], y, steps=6)
    tab.mouse.up()
    tab.wait_for_function(
        "s => document.querySelector(s)._fullLayout.xaxis.range[0] > 1", arg=CURVE
    )
    zoomed = tab.locator(CURVE).evaluate("node => node._fullLayout.xaxis.range")
    tab.wait_for_function("frames => window.updates >= frames", arg=frames)
    assert is_kept(tab)
    assert tab.locator(CURVE).evaluate("node => node._fullLayout.xaxis.range") == zoomed
    assert hosts == {urlsplit(lab).netloc}
    assert problems == []


def test_a_hidden_tab_asks_for_nothing_and_goes_on_when_it_is_seen(lab: str, tab: Page):
    sockets = []
    tab.on("websocket", lambda socket: sockets.append(socket))
    opened(tab, f"{lab}/?preset=ring-gan")
    keep_the_chart(tab)
    (live,) = (socket for socket in sockets if socket.url.endswith("/live"))
    hide = """hidden => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })
      document.dispatchEvent(new Event('visibilitychange'))
    }"""
    with live.expect_event("close"):
        tab.evaluate(hide, True)
    before = step(tab)
    tab.evaluate(hide, False)
    wait_step(tab, before + 20)
    assert is_kept(tab)
    assert tab.locator(".wgan-away").count() == 0


def test_a_click_in_one_tab_is_on_the_others_screen_once(lab: str, tab: Page, browser: Browser):
    opened(tab, f"{lab}/?preset=ring-wgan-gp")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    other = opened(context.new_page(), tab.url)
    shapes = "chart => document.querySelector(chart).layout.shapes.length"
    names = ["LSGAN", "Hinge", "WGAN"]
    switch = "[class*='st-key-switch_objective']"
    for count, name in enumerate(names, start=1):
        tab.locator(switch).get_by_role("radio", name=name, exact=True).click()
        segment = other.locator(switch).get_by_role("radio", name=name, exact=True)
        chosen = segment.and_(other.locator("[aria-checked=true]"))
        chosen.wait_for()
        for page in (tab, other):
            page.wait_for_function(f"([chart, n]) => ({shapes})(chart) === n", arg=[CURVE, count])
    context.close()


def test_a_server_that_ends_and_begins_again_finds_its_open_pages(
    serve: Serve, tab: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WGAN_AUTOSAVE", str(tmp_path / "runs"))
    log = tmp_path / "log"
    with ExitStack() as first:
        url = first.enter_context(serve("app.py", log))
        opened(tab, f"{url}/?preset=ring-gan")
        wait_step(tab, 30)
        address, before = tab.url, step(tab)
        first.close()
        tab.locator(".wgan-away").wait_for()
        assert step(tab) >= before  # what was there is still there
    port = urlsplit(url).port
    with serve("app.py", log, port):
        tab.locator(".wgan-away").wait_for(state="detached")
        wait_step(tab, before + 20)
        assert tab.url == address
        steps = tab.locator(CURVE).evaluate("node => node._fullData[0].x.length")
        assert steps > 20  # the curve has its beginning
        tab.get_by_role("button", name="Pause").click()  # it is still its owner's
        tab.get_by_role("button", name="Play", exact=True).wait_for()
    assert "Traceback" not in re.sub(r"(?s)KeyboardInterrupt.*", "", log.read_text())


def test_a_cut_network_is_told_and_the_curve_has_no_hole(lab: str, tab: Page, browser: Browser):
    """As on a phone that has left the room: nothing is closed, and nothing comes any more."""
    host = urlsplit(lab)
    assert host.port is not None
    with Relay(host.port) as relay:
        opened(tab, f"http://127.0.0.1:{relay.port}/?preset=ring-gan")
        wait_step(tab, 30)
        keep_the_chart(tab)
        relay.cut()
        tab.locator(".wgan-away").wait_for()
        before = step(tab)
        relay.mend()
        tab.locator(".wgan-away").wait_for(state="detached")
        wait_step(tab, before + 20)
        assert is_kept(tab)
        tab.get_by_role("button", name="Pause").click()
        tab.get_by_role("button", name="Play", exact=True).wait_for()
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        other = opened(context.new_page(), f"{lab}/?{urlsplit(tab.url).query}")
        curve = "chart => JSON.stringify([...document.querySelector(chart)._fullData[0].x])"
        whole = other.evaluate(curve, CURVE)
        tab.wait_for_function(f"([chart, whole]) => ({curve})(chart) === whole", arg=[CURVE, whole])
        context.close()


class Relay:
    """A network of one's own between browser and server: `cut`, nothing passes; then `mend`."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._whole = threading.Event()
        self._whole.set()
        self._sockets: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.cut, self.mend = self._whole.clear, self._whole.set

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.mend()
        self._door.close()
        for end in self._sockets:
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                here = self._door.accept()[0]
                there = socket.create_connection(("127.0.0.1", self._server))
                self._sockets += [here, there]
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._whole.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
