"""Images of one's own: uploaded, from the Hub, and what the page says when they cannot be had."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import live_parts
import pytest
from lab_app import IMAGES, POINTS, LabApp, covers, wait_for

from tests.hub_server import HubServer
from tests.image_files import encoded, image_column, parquet, picture, pictures, zipped
from tests.test_hub_data import serve_celeba, serve_lsun
from wgan.data import DataError, hub_images, uploads
from wgan.data.uploads import is_upload
from wgan.presets import PRESETS
from wgan.server.registry import lab

TAB = "Your own data"
GONE = IMAGES.replace({"data": "folder", "folder": "0" * 64})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WGAN_DATA", str(tmp_path))
    return tmp_path


def upload(app: LabApp, content: bytes, name: str = "photos.zip") -> None:
    app.widget("upload_images").upload(name, content)
    app.redraw()


@covers("upload_images")
def test_an_uploaded_zip_starts_a_run_on_its_images(points: LabApp):
    old = points.id
    points.open_tab(TAB)
    upload(points, zipped(pictures(20) | {"broken.png": b"broken"}))
    assert points.id != old
    assert points.notices() == []
    config = points.run.config
    assert config.data == "folder"
    assert is_upload(config.folder)
    assert (config.objective, config.constraint, config.network) == ("wgan", "gp", "dcgan")
    assert (config.image_size, config.width) == (32, 32)
    assert any("1 could not be read" in toast.value for toast in points.at.toast)
    wait_for(lambda: points.run.frame.step > 0, 90)
    points.run.pause()
    points.redraw()
    assert len(lab().ids()) == 2, "the file is still there: it must not start a run again"
    points.open_tab("New run")
    data = points.widget("new_data")
    assert data.value == "folder"
    assert "Your own images" in data.options


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a zip", "That is not a zip file"),
        (zipped(pictures(3)), "holds 3 images; at least 16 are needed"),
        (zipped({"[a](http://e.il).png": b""} | pictures(15)), "and 1 that cannot be read"),
    ],
)
def test_a_refused_zip_is_one_sentence_and_the_run_goes_on(
    content: bytes, words: str, points: LabApp, cache: Path
):
    old = points.id
    points.open_tab(TAB)
    upload(points, content, "*mine*.zip")
    assert points.id == old
    (sentence,) = points.notices()
    assert sentence.startswith("*mine*.zip: ")
    assert words in sentence
    points.redraw()
    assert points.notices() == []
    assert lab().ids() == [old]
    assert not [path for path in cache.rglob("*") if path.is_file()]
    upload(points, zipped(pictures(16)))
    assert points.run.config.data == "folder"


def test_a_full_disk_is_one_sentence(points: LabApp, monkeypatch: pytest.MonkeyPatch):
    def full(*arguments: object) -> None:
        raise DataError("The images could not be kept on the server: the disk is full.")

    monkeypatch.setattr(uploads, "_decode", full)
    points.open_tab(TAB)
    upload(points, zipped(pictures(16)))
    assert any("the disk is full" in sentence for sentence in points.notices())


def test_a_config_that_names_a_path_is_refused(points: LabApp):
    old = points.id
    points.open_tab("Share and repeat")
    sent = GONE.replace({"folder": "/etc"}).to_json().encode()
    points.widget("upload_config").upload("mine.json", sent)
    points.redraw()
    assert points.id == old
    (sentence,) = points.notices()
    assert sentence.startswith("mine.json: folder is '/etc'; allowed here: ")


def shard(count: int) -> bytes:
    return parquet({"image": image_column([encoded(picture(n)) for n in range(count)])})


@covers("hub_data", "train_on_hub")
def test_a_data_set_on_the_hub_starts_a_run(points: LabApp, hub: HubServer):
    hub.add_dataset("owner/pictures", {"data/train-0.parquet": shard(30)})
    points.open_tab(TAB)
    points.set("hub_data", " https://nowhere.example/ ")
    points.click("train_on_hub")
    (sentence,) = points.notices()
    assert "expected OWNER/NAME" in sentence
    points.set("hub_data", f"{hub.url}/datasets/owner/pictures")
    points.click("train_on_hub")
    assert points.notices() == []
    config = points.run.config
    assert (config.data, config.limit) == ("hub:owner/pictures", 5000)
    assert (config.network, config.image_size) == ("dcgan", 32)
    wait_for(lambda: points.run.frame.step > 0, 90)
    points.run.pause()
    points.open_tab("New run")
    data = points.widget("new_data")
    assert data.value == "hub:owner/pictures"
    assert data.options[-1] == "owner/pictures"
    assert points.widget("new_limit").value == 5000


def test_the_page_shows_how_far_loading_is(
    points: LabApp, hub: HubServer, monkeypatch: pytest.MonkeyPatch
):
    hub.add_dataset("owner/my_pictures", {"data/train-0.parquet": shard(60)})
    go_on = threading.Event()
    monkeypatch.setattr(hub_images, "CHUNK", 20)
    real = hub_images._picture

    def slow(row: object, size: int):
        if points.run.frame.progress:  # the first chunk has been told of
            go_on.wait(20)
        return real(row, size)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(hub_images, "_picture", slow)
    points.open_tab(TAB)
    points.set("hub_data", "owner/my_pictures")
    points.click("train_on_hub")
    wait_for(lambda: points.run.frame.progress)
    points.redraw()
    try:
        told = "Loading owner/my_pictures: 20 of 5,000 images, 0 MB fetched"
        assert points.part("samples").startswith(told)
        assert points.part("status_line").startswith(f"● {told}")
        (bar,) = live_parts.blocks(points.at, "samples")
        assert 'role="progressbar"' in bar["html"]
    finally:
        go_on.set()
    wait_for(lambda: points.run.state != "loading", 60)
    points.run.pause()


@covers("use_digits")
def test_a_failed_load_offers_the_digits(open_lab: Callable[..., LabApp]):
    app = open_lab(GONE)
    assert app.run.state == "failed"
    (error,) = app.at.error
    assert "upload the zip again" in error.value
    app.click("use_digits")
    assert app.run.config == PRESETS["digits-gan"].config
    wait_for(lambda: app.run.frame.step > 0)
    app.redraw()
    assert not app.at.error
    assert not app.has("use_digits")


def test_without_a_network_the_page_names_what_works(
    hub: HubServer, open_lab: Callable[..., LabApp]
):
    hub.stop()
    app = open_lab(POINTS.replace({"output": "tanh", "data": "celeba"}))
    (error,) = app.at.error
    assert "cannot be reached" in error.value
    assert "Small digits" in error.value
    assert app.has("use_digits")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("preset", ["celeba-wgan-gp-mlp", "celeba64-wgan-gp", "lsun64-wgan-gp"])
def test_the_presets_of_photographs_train_on_the_page(hub: HubServer, preset: str):
    serve_celeba(hub, 600)
    serve_lsun(hub, 600)
    app = LabApp(None, preset=preset)
    deadline = time.monotonic() + 1500
    while app.run.frame.step < 50:
        assert time.monotonic() < deadline
        assert app.run.state != "failed", app.run.frame.message
        time.sleep(2)
        app.redraw()  # somebody watches: it does not fall asleep
    assert app.run.config == PRESETS[preset].config
    assert app.run.frame.metrics is not None
