"""The page Compare in a real browser: it streams, and nothing is mounted anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

CHART = ".st-key-overlays .wgan-figure-plot"  # the first of them
STEPS = """() => [...document.querySelectorAll('[class*=st-key-panel_] [role=status]')]
  .map(node => +(node.innerText.match(/step ([\\d,]+)/)?.[1] ?? '0').replaceAll(',', ''))"""


def steps(page: Page) -> list[int]:
    return page.evaluate(STEPS)


def test_two_runs_stream_side_by_side(server: Callable[..., str], page: Page, problems: list[str]):
    page.goto(server("app.py", query="compare"))
    page.get_by_role("radio", name="Clipping · GP").click()
    page.wait_for_function(f"() => ({STEPS})().filter(step => step > 3).length === 2")
    page.wait_for_selector(f"{CHART} .main-svg")
    page.evaluate("chart => { window.kept = document.querySelector(chart) }", CHART)
    before = steps(page)
    page.wait_for_function(
        f"before => ({STEPS})().every((step, at) => step > before[at])", arg=before
    )
    lines = f"() => document.querySelector('{CHART}').data.map(trace => trace.uid)"
    page.wait_for_function(f"() => ({lines})().join('') === 'ABlevel'")
    page.get_by_text("by wall clock").click()
    title = f"document.querySelector('{CHART}').layout.xaxis.title.text"
    page.wait_for_function(f"() => {title} === 'seconds of training'")
    assert page.evaluate("chart => document.querySelector(chart) === window.kept", CHART)
    page.get_by_role("button", name="Pause all").click()
    page.get_by_role("button", name="Play all").wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    second = page.evaluate("new URLSearchParams(location.search).get('runs').split(',')[1]")
    page.locator(".st-key-panel_open_1 button").click()
    page.wait_for_function(
        "id => new URLSearchParams(location.search).get('run') === id", arg=second
    )
    page.get_by_role("button", name="Play").first.wait_for()
    assert problems == []
