"""Every page in a real browser: opened, its main button or tab clicked, and nothing goes wrong.

What stands there then has no serious finding of axe, in the light theme and in the dark one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

BAD = "[data-testid=stAlertContentError], [data-testid=stException]"

# Whether the page has taken a theme, and what fades from one to the other has come to rest.
DRAWN = """theme => {
  const [red] = getComputedStyle(document.querySelector('.stApp')).backgroundColor.match(/\\d+/g)
  return (red < 128) === (theme === 'dark') &&
    document.getAnimations().every(one => !(one instanceof CSSTransition))
}"""


@pytest.fixture(scope="module")
def site(
    serve: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with serve("app.py", tmp_path_factory.mktemp("pages") / "log") as url:
        yield url


def lab(page: Page) -> None:
    page.get_by_role("button", name="Cure it").click()
    page.get_by_role("button", name="See a GAN collapse").or_(
        page.get_by_role("button", name="Back to the GAN")
    ).wait_for()
    page.get_by_role("radio", name="Batch", exact=True).click()  # which brings an alarm
    page.locator("div.wgan-alarm").wait_for()
    page.get_by_role("tab", name="Modes").click()
    page.locator(".st-key-mode_shares .main-svg").first.wait_for()


def critic(page: Page) -> None:
    page.get_by_role("tab", name="Weights").click()
    page.locator(".st-key-critic_weights .main-svg").first.wait_for()


def compare(page: Page) -> None:
    page.get_by_role("radio", name="Clipping · GP").click()
    page.locator(".st-key-overlays .main-svg").nth(1).wait_for()
    page.get_by_role("button", name="Pause all").click()
    page.get_by_role("button", name="Play all").wait_for()


def gallery(page: Page) -> None:
    page.get_by_role("tab", name="One sample").click()
    page.get_by_alt_text("One generated image").first.wait_for()


def duel(page: Page) -> None:
    page.get_by_role("button", name="Start").click()
    page.locator(".st-key-duel_summary").get_by_text(" of ").wait_for()
    page.locator(".wgan-cell img").first.wait_for()  # of the first cell
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop").wait_for(state="detached")


def guide(page: Page) -> None:
    page.locator(".katex").nth(8).wait_for()
    pages = page.get_by_test_id("stTopNav")
    pages.get_by_role("link", name="Lab").click()
    page.locator(".wgan-meter .big:not(.wait)").wait_for()
    pages.get_by_role("link", name="Guide").click()
    page.locator(".katex").nth(8).wait_for()


def theory(page: Page) -> None:
    page.locator(".st-key-theory_lines .main-svg").nth(1).wait_for()  # a real run, streamed
    page.locator(".st-key-theory_particles .updatemenu-button").first.click()  # Play
    page.locator(".st-key-theory_particles .updatemenu-button").last.click()  # Stop
    page.get_by_role("tab", name="Dirac-GAN").click()
    page.locator(".st-key-theory_phase .main-svg").first.wait_for()
    assert page.locator(".katex-error").count() == 0


def serious(page: Page, theme: Literal["light", "dark"]) -> list[str]:
    """What axe finds on the page that keeps people from reading or using it."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function(DRAWN, arg=theme)
    found = Axe().run(page).response["violations"]
    return [
        f"{theme}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(
    ("path", "click"),
    [
        ("", lab),
        ("critic", critic),
        ("compare", compare),
        ("gallery?open=digits-wgan-gp", gallery),
        ("duel", duel),
        ("theory", theory),
        ("guide", guide),
    ],
)
def test_it_opens_and_does_what_it_is_for(
    site: str,
    page: Page,
    problems: list[str],
    hosts: set[str],
    path: str,
    click: Callable[[Page], None],
):
    page.goto(f"{site}/{path}")
    click(page)
    assert page.locator(BAD).count() == 0
    assert serious(page, "light") + serious(page, "dark") == []
    assert problems == []
    assert hosts == {urlsplit(site).netloc}
