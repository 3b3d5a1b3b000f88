"""The lab in a real browser, on a server started as a person starts it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Locator, Page

pytestmark = pytest.mark.browser

Serve = Callable[[str, Path], AbstractContextManager[str]]

CURVE = ".st-key-curve_main .wgan-figure-plot"
METER = ".wgan-meter .big:not(.wait)"
STATUS = ".st-key-status .wgan-status:not(.loading)"  # while it loads, a recording is shown
CLICKS = 10


class Server(NamedTuple):
    url: str
    log: Path

    def applied(self) -> list[tuple[str, int]]:
        """The changes that runs have carried out: (run, step)."""
        found = re.findall(r" applied run=(\S+) step=(\d+) ", self.log.read_text())
        return [(run, int(step)) for run, step in found]


@pytest.fixture(scope="module")
def lab(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("lab") / "server.log"
    with serve("app.py", log) as url:
        yield Server(url, log)


@pytest.fixture
def tab(page: Page) -> Iterator[Page]:
    """A tab whose run is paused at the end, so that it takes no time from the next test."""
    yield page
    with suppress(Error):
        page.get_by_role("button", name="Pause").click(timeout=2000)
        page.get_by_role("button", name="Play", exact=True).wait_for(timeout=5000)


def step(page: Page) -> int:
    text = page.locator(STATUS).inner_text()
    found = re.search(r"step ([\d,]+)", text)
    assert found, text
    return int(found[1].replace(",", ""))


def wait_step(page: Page, at_least: int) -> None:
    page.wait_for_function(
        """([status, least]) => {
          const text = document.querySelector(status)?.innerText ?? ''
          return +(text.match(/step ([\\d,]+)/)?.[1] ?? '0').replaceAll(',', '') >= least
        }""",
        arg=[STATUS, at_least],
    )


def modes(page: Page) -> tuple[int, int]:
    found = re.match(r"(\d+) / (\d+)", page.locator(METER).inner_text())
    assert found
    return int(found[1]), int(found[2])


def opened(page: Page, url: str) -> Page:
    """The page at `url`, whole: the meter counts and the curve is drawn."""
    page.goto(url)
    try:
        page.wait_for_selector(STATUS)
        page.wait_for_selector(METER)
        page.wait_for_selector(f"{CURVE} .main-svg")
    except Error:
        pytest.fail(f"{page.url} did not open whole: {page.locator('body').inner_text()[:2000]}")
    return page


def choose(page: Page, switch: str, name: str) -> None:
    segments(page, switch).get_by_role("radio", name=name, exact=True).click()


def segments(page: Page, switch: str) -> Locator:
    """The row of a switch. A number may follow its name."""
    return page.locator(f"[class*='st-key-switch_{switch}']")


# Each starts a server of its own; that a page stands alone is one mechanism (`open_page`). Other
# tests begin at the address without a page.
OTHERS = ("", "critic", "compare", "duel", "gallery", "guide")
LATER = [pytest.param(f"/{page}", marks=pytest.mark.slow) for page in OTHERS]


@pytest.mark.parametrize("path", ["/lab", *LATER])
def test_each_page_opens_whole_as_the_first_of_a_fresh_server(
    path: str,
    serve: Serve,
    page: Page,
    tmp_path: Path,
    problems: list[str],
    hosts: set[str],
):
    missing: list[str] = []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status > 399 else None)
    with serve("app.py", tmp_path / "log") as url:
        page.goto(url + path)
        if path == "/guide":
            page.get_by_role("heading", name="What the numbers mean").wait_for()
            assert page.title() == "Guide · WGAN Lab"
            page.locator(".katex").nth(8).wait_for()
        elif path == "/gallery":
            page.get_by_alt_text("64 generated images").wait_for()
            assert page.title() == "Gallery · WGAN Lab"
        elif path in ("/", "/lab"):
            page.wait_for_selector(METER)
            page.wait_for_selector(f"{CURVE} .main-svg")
            assert page.title() == "Lab · WGAN Lab"
        else:
            page.wait_for_function(f"document.title === '{path[1:].title()} · WGAN Lab'")
            page.locator("[data-testid=stMain] .stMarkdown").first.wait_for()
        page.locator("[data-testid=stTopNavLink]").first.wait_for()
        links = page.locator("[data-testid=stTopNavLink]").all_inner_texts()
        pages = {file.stem.title() for file in (Path(__file__).parents[2] / "pages").glob("*.py")}
        assert {link.split()[-1] for link in links} == pages
        assert page.get_by_role("dialog").count() == 0
        bad = "[data-testid=stAlertContentError], [data-testid=stAlertContentWarning]"
        assert page.locator(f"{bad}, [data-testid=stException]").count() == 0
        # Below the root, Streamlit's page first asks for its server where it is not.
        assert [url for url in missing if f"{path}/_stcore/" not in url] == []
        assert problems == []
        assert hosts == {urlsplit(url).netloc}


def test_from_the_first_visit_to_the_cure(lab: Server, tab: Page, problems: list[str]):
    tab.goto(lab.url)
    tab.wait_for_selector(STATUS)
    tab.wait_for_selector(METER)
    assert modes(tab)[1] == 10
    wait_step(tab, step(tab) + 50)
    assert modes(tab)[0] <= 2
    tab.get_by_role("button", name="Cure it").click()
    tab.get_by_role("button", name="Back to the GAN").wait_for()
    assert segments(tab, "constraint").locator("[aria-checked=true]").inner_text() == "GP"
    tab.wait_for_function(
        "meter => parseInt(document.querySelector(meter)?.innerText) >= 8",
        arg=METER,
        timeout=180_000,
    )
    assert problems == []


def test_toggles_while_it_plays(lab: Server, tab: Page, problems: list[str]):
    opened(tab, f"{lab.url}/?preset=ring-wgan-gp")
    tab.evaluate("selector => { window.kept = document.querySelector(selector) }", CURVE)
    last = step(tab)
    pairs = [("constraint", "Clipping", "GP"), ("norm_d", "Batch", "Layer")]
    pairs += [("optimizer", "Adam", "RMSProp")]  # not the one that the constraint brings along
    for count in range(CLICKS):
        switch, one, other = pairs[count % 3]
        before = len(lab.applied())
        choose(tab, switch, other if count // 3 % 2 else one)
        deadline = time.monotonic() + 60
        while len(lab.applied()) == before:
            assert time.monotonic() < deadline, f"click {count} was lost: {lab.log.read_text()}"
            tab.wait_for_timeout(20)
        run, at = lab.applied()[before]
        assert run in tab.url
        assert at >= last
        last = at
        wait_step(tab, at + 1)  # it never stops
    tab.wait_for_function(
        "([chart, at]) => document.querySelector(chart).layout.shapes.some(s => s.x0 === at)",
        arg=[CURVE, last],
    )
    shapes, notes = tab.locator(CURVE).evaluate(
        "node => [node.layout.shapes, node.layout.annotations.map(note => note.text)]"
    )
    applied = [at for run, at in lab.applied() if run in tab.url]
    assert len(applied) == CLICKS  # each click once, and nothing undone by a late message
    steps = sorted(set(applied))
    assert [shape["x0"] for shape in shapes] == steps
    assert {shape["line"]["color"] for shape in shapes} == {"#8A8F98"}
    assert any("RMSProp" in note or "Adam" in note for note in notes)
    assert tab.evaluate("selector => document.querySelector(selector) === window.kept", CURVE)
    assert problems == []


def test_charts_keep_node_and_zoom_while_it_plays(lab: Server, tab: Page):
    opened(tab, lab.url)
    tab.wait_for_selector(".st-key-curve_more .wgan-figure-box:nth-child(2) .main-svg")
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
    tab.evaluate(
        """chart => {
          window.charts = [...document.querySelectorAll('.wgan-figure-plot')]
          window.updates = 0
          document.querySelector(chart).on('plotly_afterplot', () => { window.updates += 1 })
        }""",
        CURVE,
    )
    assert tab.evaluate("window.charts.length") == 4
    # A warning comes above the lower charts; they stay all the same.
    choose(tab, "constraint", "GP")
    choose(tab, "norm_d", "Batch")
    tab.get_by_text("BatchNorm under a penalty").first.wait_for()
    choose(tab, "norm_d", "Layer")
    tab.wait_for_function("window.updates >= 6")
    assert tab.evaluate(
        """() => {
          const now = [...document.querySelectorAll('.wgan-figure-plot')]
          return now.length === 4 && now.every((node, i) => node === window.charts[i])
        }"""
    )
    assert tab.locator(CURVE).evaluate("node => node._fullLayout.xaxis.range") == zoomed


def test_a_reload_finds_the_same_run_and_its_owner(lab: Server, tab: Page):
    opened(tab, lab.url)
    choose(tab, "objective", "Hinge")
    tab.wait_for_function(  # the change has made the run this tab's own, and the tab keeps its key
        """() => {
          const run = new URLSearchParams(location.search).get("run")
          return sessionStorage.getItem(`wgan-owner-${run}`)
        }"""
    )
    wait_step(tab, 30)
    before, url = step(tab), tab.url
    tab.reload()
    tab.wait_for_selector(METER)
    assert tab.url == url
    assert step(tab) >= before
    assert segments(tab, "objective").locator("[aria-checked=true]").inner_text() == "Hinge"
    wait_step(tab, before + 10)
    tab.get_by_role("button", name="Pause").click()  # once it is enabled again
    tab.get_by_role("button", name="Play", exact=True).wait_for()
    other = tab.context.new_page()  # another tab of the same browser, by the shared link
    other.goto(url)
    other.get_by_text("belongs to someone else").wait_for()
    assert other.get_by_role("button", name="Play", exact=True).is_disabled()
    other.close()


def test_owner_and_watchers_come_to_each_new_run(lab: Server, tab: Page):
    opened(tab, f"{lab.url}/?preset=ring-wgan-gp")
    tab.get_by_test_id("stExpandSidebarButton").click()
    watcher = tab.context.new_page()
    watcher.set_viewport_size({"width": 390, "height": 844})
    watcher.goto(tab.url)
    watcher.get_by_text("belongs to someone else").wait_for()
    assert not watcher.get_by_role("button", name="Reset").is_visible()  # no dead controls there
    for _ in range(2):
        before = tab.url
        seed = tab.locator("[class*='st-key-seed'] input")
        seed.fill(str(int(seed.input_value()) + 1))
        seed.press("Enter")
        tab.wait_for_url(lambda url, old=before: url != old)
        watcher.wait_for_url(tab.url)
        tab.wait_for_selector(STATUS)
        watcher.wait_for_selector(METER)
        assert watcher.get_by_text("belongs to someone else").is_visible()
    order = watcher.evaluate(
        """() => ['meter', 'samples', 'curve_main', 'tab'].map(
          key => document.querySelector(`.st-key-${key}`).getBoundingClientRect().top)"""
    )
    assert order == sorted(order)
    watcher.close()


def test_a_vote_counts_once_also_after_reloads(lab: Server, tab: Page):
    opened(tab, lab.url)
    tab.get_by_role("tab", name="Classroom").click()
    tab.get_by_role("button", name="Make this run mine, to share it").click()
    tab.get_by_text("no phone or laptop in the room can open it").wait_for()  # it is at 127.0.0.1
    tab.get_by_label("Question").fill("What happens?")
    tab.get_by_label("Answer 1").fill("It heals")
    tab.get_by_label("Answer 2").fill("Nothing")
    tab.get_by_role("button", name="Ask the room").click()
    tab.get_by_role("button", name="It heals").click()
    for _ in range(3):
        tab.get_by_text("Your vote is counted.").wait_for()
        assert tab.get_by_role("button", name="Nothing").is_disabled()
        tab.reload()


def test_the_guide_and_back_keeps_the_run(lab: Server, tab: Page):
    opened(tab, lab.url)
    url, before = tab.url, step(tab)
    tab.get_by_role("link", name="Guide").click()
    tab.get_by_role("heading", name="What the numbers mean").wait_for()
    tab.get_by_role("link", name="Lab").click()
    tab.wait_for_selector(METER)
    tab.wait_for_url(url)
    wait_step(tab, before + 1)


def assert_the_curve_is_in_sight(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    curve = page.locator(".st-key-curve_main").bounding_box()
    assert curve is not None
    assert curve["y"] + curve["height"] <= height


def test_the_curve_is_above_the_fold_and_stays_there(lab: Server, tab: Page):
    opened(tab, f"{lab.url}/?preset=ring-wgan-gp")
    for width, height in ((1440, 900), (1024, 768)):
        assert_the_curve_is_in_sight(tab, width, height)
    line = tab.locator(".st-key-doctor").bounding_box()
    assert line is not None
    assert line["height"] == 42  # as with an alarm
    watcher = opened(tab.context.new_page(), tab.url)
    watcher.get_by_role("button", name="Make a copy of my own").wait_for()
    assert_the_curve_is_in_sight(watcher, 1440, 900)


def test_on_a_phone_nothing_is_wider_than_the_screen(lab: Server, tab: Page):
    tab.set_viewport_size({"width": 390, "height": 844})
    opened(tab, lab.url)
    widths = tab.evaluate(
        """() => [...document.querySelectorAll('html, body, [data-testid=stMain]')]
          .map(node => node.scrollWidth - node.clientWidth)"""
    )
    assert max(widths) <= 0
    # One look: the meter is written anew at every redrawing.
    box = tab.evaluate("meter => document.querySelector(meter).getBoundingClientRect()", METER)
    assert box["bottom"] < 844
    assert box["left"] >= 0
    assert box["right"] <= 390
    bar = tab.locator(".st-key-run_bar").bounding_box()
    assert bar is not None
    assert bar["height"] <= 3 * 40 + 2 * 16  # three rows of buttons
    tab.locator(".st-key-phone_pages").get_by_text("Lab").wait_for()  # the pages are in sight


def test_a_run_that_goes_on_is_handed_out_in_five_forms(lab: Server, tab: Page):
    tab.goto(f"{lab.url}/?preset=ring-wgan-gp")
    tab.locator(METER).wait_for()
    tab.get_by_role("tab", name="Share and repeat").click()
    begins = {
        "config": b"{",
        "script": b'"""Ring of 8 Gaussians',
        "csv": b"curve,step,mean,low,high\n",
        "gif": b"GIF8",
        "png": b"\x89PNG",
    }
    for form, first in begins.items():
        with tab.expect_download() as waiting:
            tab.locator(f".st-key-download_{form}").get_by_role("button").click()
        assert waiting.value.path().read_bytes().startswith(first), form
