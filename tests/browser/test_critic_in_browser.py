"""The page Critic in a real browser: it streams into the same nodes, the camera stays, and the
paper's critics open beside each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

MAP = ".st-key-critic_surface .wgan-figure-box:nth-child(1) .wgan-figure-plot"
LANDSCAPE = ".st-key-critic_surface .wgan-figure-box:nth-child(2) .wgan-figure-plot"
CAMERA = "s => document.querySelector(s)._fullLayout.scene._scene.getCamera().eye"


def test_it_streams_and_keeps_the_camera(server: Callable[..., str], page: Page):
    page.goto(server("app.py", query="critic?preset=ring-gan"))
    page.wait_for_selector(f"{MAP} .main-svg")
    page.wait_for_selector(f"{LANDSCAPE} canvas")
    box = page.locator(LANDSCAPE).bounding_box()
    assert box is not None
    first = page.evaluate(CAMERA, LANDSCAPE)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 20, steps=5)
    page.mouse.up()
    page.wait_for_function(
        f"([s, x]) => Math.abs(({CAMERA})(s).x - x) > .1", arg=[LANDSCAPE, first["x"]]
    )
    turned = page.evaluate(CAMERA, LANDSCAPE)
    page.evaluate(
        """([map, landscape]) => {
          window.kept = [map, landscape].map(s => document.querySelector(s))
          window.updates = 0
          window.kept[0].on('plotly_afterplot', () => { window.updates += 1 })
        }""",
        [MAP, LANDSCAPE],
    )
    page.wait_for_function("window.updates >= 3")
    assert page.evaluate(
        "s => s.every((one, i) => document.querySelector(one) === window.kept[i])",
        [MAP, LANDSCAPE],
    )
    now = page.evaluate(CAMERA, LANDSCAPE)
    assert now == pytest.approx(turned, abs=1e-6)
    page.get_by_role("button", name="Side by side").click()  # on another page
    page.wait_for_url("**/compare?runs=*")
    page.get_by_role("button", name="Pause all").click()
    for name, chosen in (("Critic estimate", True), ("Exact W1", False)):
        page.get_by_role("button", name=name, exact=True, pressed=chosen).wait_for()
