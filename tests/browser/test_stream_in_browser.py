"""The live stream in a real browser: what survives while it goes on, and what it survives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
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


def test_the_chart_is_the_same_after_sixty_frames_and_a_zoom_survives(
    lab: str, tab: Page, problems: list[str], hosts: set[str]
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
    tab.wait_for_function("window.updates >= 60")
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
    names = ["LSGAN", "Hinge", "WGAN", "LSGAN", "Hinge", "WGAN"]
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
