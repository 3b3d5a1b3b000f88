"""Every page in a real browser: opened, its main button or tab clicked, and nothing goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

BAD = "[data-testid=stAlertContentError], [data-testid=stException]"


@pytest.fixture(scope="module")
def site(
    serve: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with serve("app.py", tmp_path_factory.mktemp("pages") / "log") as url:
        yield url


def lab(page: Page) -> None:
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
    page.get_by_role("link", name="Lab").click()
    page.locator(".wgan-meter .big:not(.wait)").wait_for()


def theory(page: Page) -> None:
    page.locator(".st-key-theory_lines .main-svg").nth(1).wait_for()  # a real run, streamed
    page.locator(".st-key-theory_particles .updatemenu-button").first.click()  # Play
    page.locator(".st-key-theory_particles .updatemenu-button").last.click()  # Stop
    page.get_by_role("tab", name="Dirac-GAN").click()
    page.locator(".st-key-theory_phase .main-svg").first.wait_for()
    assert page.locator(".katex-error").count() == 0


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
    assert problems == []
    assert hosts == {urlsplit(site).netloc}
