"""The live view as it is hosted: below a path, and where no second WebSocket passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Page, WebSocketRoute

Serve = Callable[..., AbstractContextManager[str]]
STEP = """() => {
  const text = document.querySelector('.st-key-status [role=status]')?.textContent ?? ''
  return Number((text.match(/playing · step ([\\d,]+)/)?.[1] ?? '-1').replaceAll(',', ''))
}"""


@pytest.fixture(scope="module")
def below_a_path(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """As behind a proxy that passes on `/class/wgan/…` as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "class/wgan")
        with serve("app.py", tmp_path_factory.mktemp("hosting") / "log", path="/class/wgan") as url:
            yield url


def goes_on(page: Page) -> None:
    """The live run's step on screen grows."""
    page.wait_for_function(f"({STEP})() >= 1")
    before = page.evaluate(STEP)
    page.wait_for_function(f"before => ({STEP})() > before", arg=before)


def test_the_stream_comes_below_a_path_of_its_own(
    below_a_path: str, page: Page, problems: list[str]
):
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(f"{below_a_path}/")
    goes_on(page)
    page.get_by_test_id("stTopNavLink").filter(has_text="Critic").click()
    page.wait_for_selector(".st-key-critic_status")
    assert any(url.endswith("/class/wgan/live") for url in sockets)
    assert problems == []


def test_without_a_second_websocket_the_same_comes_as_events(below_a_path: str, page: Page):
    def refuse(socket: WebSocketRoute) -> None:
        socket.close()

    events: list[str] = []
    page.on("request", lambda request: events.append(request.url))
    page.route_web_socket(lambda url: url.endswith("/live"), refuse)
    page.goto(f"{below_a_path}/")
    goes_on(page)
    assert any("/class/wgan/live?subscription=" in url for url in events)


def test_what_is_public_of_a_run_is_there_too(below_a_path: str, page: Page):
    page.goto(f"{below_a_path}/")
    goes_on(page)
    run = page.url.partition("run=")[2]
    facts = page.request.get(f"{below_a_path}/runs/{run}.json").json()
    assert facts["id"] == run
    assert facts["step"] >= 1
    card = page.request.get(f"{below_a_path}/runs/{run}.png")
    assert card.headers["content-type"] == "image/png"
