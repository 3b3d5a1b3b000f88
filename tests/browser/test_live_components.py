"""A chart keeps its node, zoom and hover when its data change; the pad hands its points over.

In a real browser, on a page whose data change by a button.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Browser, Page

from wgan.config import MAX_POINTS
from wgan.ui.live import drawn_points

DEMO = "tests/browser/apps/live_demo.py"
PLOT = ".st-key-distance .wgan-figure-plot"


def open_demo(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(f"{PLOT} .main-svg")
    page.wait_for_selector(".wgan-figure-wait", state="hidden")


def points(page: Page) -> int:
    """How many points each curve on the chart has."""
    return page.locator(PLOT).evaluate("node => node._fullData[0].x.length")


def bring(page: Page, count: int) -> None:
    """New data, so often, each time until it is there. The mouse stays where it is."""
    button = page.get_by_role("button", name="Next")
    for _ in range(count):
        before = points(page)
        button.evaluate("button => button.click()")
        page.wait_for_function(
            "([chart, n]) => document.querySelector(chart)._fullData[0].x.length > n",
            arg=[PLOT, before],
        )


def x_range(page: Page) -> list[float]:
    """The axis as it is drawn, rounded to whole steps."""
    axis = page.locator(PLOT).evaluate("node => node._fullLayout.xaxis.range")
    return [round(value) for value in axis]


def place(page: Page) -> dict[str, float]:
    """Where the axes are on the page. Asked at once, since each redraw replaces the element."""
    return page.locator(PLOT).evaluate(
        """node => {
          const { x, y, width, height } = node.querySelector('.nsewdrag').getBoundingClientRect()
          return { x, y, width, height }
        }"""
    )


@pytest.mark.browser
def test_node_and_zoom_outlive_updates(server, page, problems):
    open_demo(page, server(DEMO))
    page.evaluate(
        """selector => {
          const node = document.querySelector(selector)
          window.kept = [node, node.querySelector('.main-svg')]
        }""",
        PLOT,
    )
    assert x_range(page)[0] == 0
    box = place(page)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.25 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], y, steps=5)
    page.mouse.move(box["x"] + 0.75 * box["width"], y, steps=5)
    page.mouse.up()
    page.wait_for_function(
        "s => document.querySelector(s)._fullLayout.xaxis.range[0] > 100", arg=PLOT
    )
    zoomed = x_range(page)
    assert zoomed[0] == pytest.approx(zoomed[1] / 3, rel=0.1)  # a quarter to three quarters

    bring(page, 3)

    assert x_range(page) == zoomed
    assert page.evaluate(
        """selector => {
          const node = document.querySelector(selector)
          return node === window.kept[0] && node.querySelector('.main-svg') === window.kept[1]
        }""",
        PLOT,
    )
    page.mouse.dblclick(box["x"] + box["width"] / 2, y)
    page.wait_for_function(
        "s => document.querySelector(s)._fullLayout.xaxis.range[0] === 0", arg=PLOT
    )
    grown = x_range(page)
    assert grown[0] == 0
    assert grown[1] > zoomed[1]  # the axis has grown meanwhile
    bring(page, 2)
    assert x_range(page)[0] == 0  # and stays whole
    assert x_range(page)[1] >= grown[1]
    assert problems == []


@pytest.mark.browser
def test_a_drag_is_not_broken_by_updates(server, page):
    open_demo(page, server(DEMO))
    box = place(page)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], y)
    page.mouse.down()
    before = points(page)
    for tick, share in enumerate((0.3, 0.4, 0.5, 0.6), start=1):
        page.mouse.move(box["x"] + share * box["width"], y)
        page.get_by_role("button", name="Next").evaluate("button => button.click()")
        page.locator("#tick").get_by_text(str(tick), exact=True).wait_for()
    assert points(page) == before  # the chart waits for the end of the drag
    page.mouse.up()
    page.wait_for_function(
        "s => document.querySelector(s)._fullLayout.xaxis.range[0] > 100", arg=PLOT
    )
    low, high = x_range(page)
    assert low == pytest.approx(high / 3, rel=0.1)  # a fifth to three fifths


@pytest.mark.browser
def test_hover_stays_open_when_data_come(server, page):
    open_demo(page, server(DEMO))
    box = place(page)
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
    label = page.locator(f"{PLOT} .hoverlayer").get_by_text("exact W1")
    label.wait_for()
    for _ in range(4):
        bring(page, 1)
        assert label.is_visible()


@pytest.mark.browser
def test_a_theme_change_recolours_the_same_chart(server, page, problems):
    page.emulate_media(color_scheme="light")
    open_demo(page, server(DEMO))
    fill = """selector => {
      const label = document.querySelector(`${selector} .xtick text`)
      const page = document.querySelector('.stApp')
      return [getComputedStyle(label).fill, getComputedStyle(page).color]
    }"""
    light, text = page.evaluate(fill, PLOT)
    assert light == text
    page.evaluate("selector => { window.kept = document.querySelector(selector) }", PLOT)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        """([selector, light]) => {
          const label = document.querySelector(`${selector} .xtick text`)
          return label && getComputedStyle(label).fill !== light
        }""",
        arg=[PLOT, light],
    )
    dark, text = page.evaluate(fill, PLOT)
    assert dark == text
    assert page.evaluate("selector => document.querySelector(selector) === window.kept", PLOT)
    assert problems == []


@pytest.mark.browser
def test_charts_are_named_and_sized_and_follow_the_window(server, page, problems):
    open_demo(page, server(DEMO))
    chart = page.locator(".st-key-distance .wgan-figure")
    assert chart.get_attribute("role") == "figure"  # an "img" may hold no buttons
    assert chart.get_attribute("aria-label") == "Critic estimate and exact W1"
    wide = chart.bounding_box()
    assert wide is not None
    assert wide["height"] == 300
    page.set_viewport_size({"width": 900, "height": 900})
    page.wait_for_function(
        """([selector, width]) => {
          const node = document.querySelector(selector)
          const drawn = node.querySelector('.main-svg').getBoundingClientRect().width
          return drawn < width && Math.abs(drawn - node.clientWidth) < 1
        }""",
        arg=[PLOT, wide["width"]],
    )
    assert page.locator(".modebar-btn[data-title*='cloud' i], .modebar-btn--logo").count() == 0
    assert problems == []


@pytest.mark.browser
def test_a_hidden_chart_is_drawn_when_it_is_shown(server, page, problems):
    open_demo(page, server(DEMO))
    hidden = page.locator(".st-key-modes .wgan-figure-plot")
    assert hidden.locator(".main-svg").count() == 0
    bring(page, 1)
    page.get_by_role("tab", name="modes").click()
    hidden.locator(".main-svg").first.wait_for()
    last = "node => Math.max(...node._fullData[0].x.filter(Number.isFinite))"
    assert hidden.evaluate(last) == page.locator(PLOT).evaluate(last) == 20 * 31
    assert problems == []


@pytest.mark.browser
def test_a_chart_that_cannot_be_drawn_says_so(server, page):
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto(server(DEMO))
    said = page.locator(".st-key-distance .wgan-figure-wait[data-failed]")
    said.get_by_text("The chart could not be drawn; training goes on.").wait_for()
    page.locator(".wgan-pad").wait_for()  # all else is there


@pytest.mark.browser
def test_a_chart_is_saved_as_a_picture(server, page):
    open_demo(page, server(DEMO))
    box = place(page)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    with page.expect_download() as waiting:
        page.locator(f"{PLOT} [data-title='Save as PNG']").click()
    assert waiting.value.suggested_filename == "distance.png"
    with Image.open(waiting.value.path()) as picture:
        assert picture.size[0] == 2 * page.locator(PLOT).evaluate("node => node.clientWidth")
        assert picture.size[1] == 2 * 300


@pytest.mark.browser
def test_a_finger_on_a_chart_scrolls_the_page(server, browser: Browser):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    open_demo(page, server(DEMO))
    # In the middle of the screen, with room to scroll on.
    page.locator(PLOT).evaluate("node => node.scrollIntoView({ block: 'center' })")
    box = place(page)
    before = page.locator("[data-testid=stMain]").evaluate("node => node.scrollTop")
    finger = context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, places in (
        ("touchStart", [y]),
        *(("touchMove", [y - 12 * i]) for i in range(16)),
        ("touchEnd", []),
    ):
        touched = [{"x": x, "y": at} for at in places]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})
        page.wait_for_timeout(16)
    after = page.locator("[data-testid=stMain]").evaluate("node => node.scrollTop")
    assert after - before > 100
    assert x_range(page)[0] == 0  # and does not zoom
    context.close()


@pytest.mark.browser
def test_drawing_gives_points_to_python_and_a_new_revision_clears(server, page, problems):
    open_demo(page, server(DEMO))
    pad = page.locator(".wgan-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], abs=1)
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60, steps=10)
    page.mouse.up()
    page.wait_for_function("+document.querySelector('#drawn').innerText > 10")
    first = int(page.locator("#drawn").inner_text())
    assert f"{first} points" in pad.get_attribute("aria-label")
    # 60 px of 320 from the left is x = 3·(2·60/320 − 1); the same from the top is −that in y.
    x, y = (float(v) for v in page.locator("#first").inner_text().split(","))
    assert (x, y) == pytest.approx((-1.875, 1.875), abs=0.1)

    page.mouse.move(box["x"] + 100, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 240, steps=5)
    page.mouse.up()
    page.wait_for_function("n => +document.querySelector('#drawn').innerText > n", arg=first)

    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("document.querySelector('#drawn').innerText === 'nothing'")
    page.wait_for_selector(".wgan-pad[aria-label$=': 0 points']")
    assert problems == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(JSON, st.lists(JSON | st.lists(st.floats() | st.integers(), min_size=2, max_size=2)))
def test_only_finite_points_within_the_pad_come_from_a_browser(anything: Any, pairs: list[Any]):
    for state in (anything, {"drawing": anything}, {"drawing": {"revision": 1, "points": pairs}}):
        for x, y in drawn_points(state, 3.0, 1) or []:
            assert isinstance(x, float)
            assert -3 <= x <= 3
            assert -3 <= y <= 3


def test_points_of_another_revision_and_beyond_the_limit_do_not_count():
    sent = {"drawing": {"revision": 4, "points": [[0, 1]] * (MAX_POINTS + 5)}}
    assert drawn_points(sent, 3.0, 5) is None
    found = drawn_points(sent, 3.0, 4)
    assert found == [(0.0, 1.0)] * MAX_POINTS
    assert drawn_points({"drawing": {"revision": 4, "points": [[10**400, 1]]}}, 3.0, 4) == []
