"""The gallery in a real browser: each of ours, moved and walked through; the Hub's, pulled."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch
from PIL import Image
from playwright.sync_api import Locator, Page

from tests.hub_server import HubServer
from tests.hub_state import Commit, Repository
from tests.layouts import genforce
from wgan.zoo.bundled import FOLDER, bundled
from wgan.zoo.catalog import HubSource, load_catalog
from wgan.zoo.checkpoint import FILES

pytestmark = pytest.mark.browser

Serve = Callable[[str, Path], AbstractContextManager[str]]
REPO = "someone/digits-gan"


def publish(hub: HubServer) -> None:
    """What the catalogue's first entry names: 1024 pixels, from few channels."""
    source = load_catalog()[0].source
    assert isinstance(source, HubSource)
    assert source.commit is not None
    out = io.BytesIO()
    torch.save(genforce(z_dim=8, maps=(16, 16, 16, 16, 8, 8, 4, 4, 2))[0], out)
    hub.large[hashlib.sha256(out.getvalue()).hexdigest()] = out.getvalue()
    commit = Commit(source.commit, {"pytorch_model.bin": out.getvalue()})
    hub.repositories["model", source.repo] = Repository(source.repo, "model", [commit])


@pytest.fixture(scope="module")
def gallery(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's address, on a server that has a Hub of its own."""
    place = tmp_path_factory.mktemp("gallery")
    hub = HubServer()
    files = {name: (FOLDER / "digits-wgan-gp" / name).read_bytes() for name in FILES}
    hub.add_model(REPO, files, tags=["wgan-lab"], licence="mit")
    publish(hub)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HF_ENDPOINT", hub.url)
        environment.setenv("HF_HOME", str(place / "huggingface"))
        with serve("app.py", place / "server.log") as url:
            yield f"{url}/gallery"
    hub.stop()


def shown(page: Page, alt: str) -> Locator:
    """The image with this description, decoded whole."""
    image = page.get_by_alt_text(alt).first
    image.wait_for()
    page.wait_for_function("image => image.naturalWidth > 0", arg=image.element_handle())
    return image


# The page draws them without a browser, too: every day one of either kind.
DAILY = ("avatars-wgan-gp", "ring-wgan-gp")
OURS = [
    pytest.param(one, id=one.name, marks=[] if one.name in DAILY else pytest.mark.slow)
    for one in bundled()
]


@pytest.mark.parametrize("one", OURS)
def test_each_of_ours_is_drawn(gallery: str, page: Page, problems: list[str], one: object):
    name, label = one.name, one.label  # pyright: ignore
    page.goto(gallery)
    page.get_by_role("button", name=label).click()
    page.get_by_role("heading", name=label).wait_for()
    if "ring" in name or "grid" in name:
        page.locator(".st-key-plane_0 .main-svg").first.wait_for()
    else:
        shown(page, "generated images")
    assert problems == []


def test_a_slider_moves_the_sample(gallery: str, page: Page):
    page.goto(f"{gallery}?open=digits-wgan-gp")
    page.get_by_role("tab", name="One sample").click()
    before = shown(page, "One generated image").get_attribute("src")
    slider = page.get_by_role("slider", name="Direction 1")
    slider.focus()
    for _ in range(15):
        slider.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('img[alt=\"One generated image\"]')?.src !== before",
        arg=before,
    )
    shown(page, "The nearest real image")


def test_a_walk_is_downloaded(gallery: str, page: Page, tmp_path: Path):
    page.goto(f"{gallery}?open=digits-wgan-gp")
    page.get_by_role("tab", name="Between two samples").click()
    shown(page, "A walk through the latents")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download GIF").click()
    download.value.save_as(tmp_path / "walk.gif")
    assert (tmp_path / "walk.gif").read_bytes().startswith(b"GIF89a")


def test_a_repository_is_found_pulled_and_drawn(gallery: str, page: Page):
    page.goto(gallery)
    page.get_by_role("tab", name="From the Hub").click()
    page.get_by_role("button", name=REPO, exact=True).click()
    page.get_by_role("button", name="Pull and open").click()
    page.get_by_role("heading", name=REPO).wait_for()
    shown(page, "generated images")
    assert "commit=" in page.url
    page.reload()
    shown(page, "generated images")


def test_a_published_generator_is_pulled_walked_and_downloaded(
    gallery: str, page: Page, tmp_path: Path
):
    page.goto(gallery)
    page.get_by_role("tab", name="Faces and rooms").click()
    page.get_by_role("button", name="Pull and open").first.click()
    page.get_by_role("heading", name="Progressive GAN, faces at 1024").wait_for()
    assert "pick=pggan-celebahq-1024" in page.url
    assert shown(page, "9 generated images").evaluate("image => image.naturalWidth") == 772
    page.get_by_role("tab", name="Between two samples").click()
    shown(page, "A walk through the latents")
    with page.expect_download() as walk:
        page.get_by_role("button", name="Download GIF").click()
    walk.value.save_as(tmp_path / "walk.gif")
    assert (tmp_path / "walk.gif").read_bytes().startswith(b"GIF89a")
    page.get_by_role("tab", name="One sample").click()
    shown(page, "One generated image")
    page.get_by_role("button", name="Draw at full size").click()
    button = page.get_by_role("button", name="Download PNG, 1024 px each")
    button.wait_for()
    with page.expect_download() as picture:
        button.click()
    picture.value.save_as(tmp_path / "one.png")
    assert Image.open(tmp_path / "one.png").size == (1024, 1024)
