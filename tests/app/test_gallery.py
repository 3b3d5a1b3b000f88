"""The gallery page: every control does what it says, whatever is opened."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import torch
from gallery_app import SOURCES, VIEWS, GalleryApp
from PIL import Image
from torch import nn

from tests.hub_server import HubServer
from tests.layouts import genforce
from wgan.zoo.bundled import FOLDER, bundled
from wgan.zoo.catalog import load_catalog
from wgan.zoo.checkpoint import FILES, open_checkpoint
from wgan.zoo.explore import draw_latents
from wgan.zoo.job import jobs

POINTS, IMAGES = "ring-wgan-gp", "digits-wgan-gp"
REPO = "owner/ring-gan"

COVERED: set[str] = set()


def covers(*keys: str) -> Callable[[Any], Any]:
    """Says that a test drives these widgets."""
    COVERED.update(keys)
    return lambda test: test


@pytest.fixture(autouse=True)
def no_jobs() -> None:
    jobs._jobs.clear()


@pytest.fixture
def ring(hub: HubServer) -> HubServer:
    """A Hub with one checkpoint of ours."""
    files = {name: (FOLDER / POINTS / name).read_bytes() for name in FILES}
    hub.add_model(REPO, files, tags=["wgan-lab", "wgan-gp"], licence="mit")
    return hub


# What is open.


def test_a_first_visit_shows_faces_at_once_and_asks_nobody():
    started = time.monotonic()
    app = GalleryApp()
    app.redraw()
    again = time.monotonic()
    app.redraw()
    assert time.monotonic() - again < 1, "opened, the page is there within a second"
    assert time.monotonic() - started < 30
    assert app.title == "Avatars · WGAN-GP"
    assert "DCGAN" in app.text()
    assert app.picture("64 generated images").startswith("data:image/png")
    assert not jobs._jobs


# A generator of images by convolutions, one by layers, and one of points; the others are like them.
DAILY = ("avatars-wgan-gp", "digits-wgan-gp", "ring-wgan-gp")
OURS = [
    pytest.param(one, id=one.name, marks=[] if one.name in DAILY else pytest.mark.slow)
    for one in bundled()
]


@covers("open")
@pytest.mark.parametrize("one", OURS)
def test_every_one_of_ours_opens_by_its_button_and_shows_all_views(one: Any):
    app = GalleryApp()
    app.click(f"open_{one.name}")
    assert app.title == one.label
    assert app.at.query_params["open"] == [one.name] or app.at.query_params["open"] == one.name
    for view in VIEWS:
        app.look_at(view)
    assert f"python -m wgan train {one.name}" in app.text()


def test_an_unknown_name_in_the_address_is_said_and_the_first_one_shown():
    app = GalleryApp(open="../../etc")
    assert "There is no bundled generator '../../etc'" in app.text()
    assert app.title == "Avatars · WGAN-GP"


# Looking at it.


@covers("seed", "count", "truncation", "compare")
def test_samples_follow_seed_count_truncation_and_are_compared():
    app = GalleryApp(open=IMAGES)
    first = app.picture("64 generated images")
    app.set("seed", 7)
    other = app.picture("64 generated images")
    assert first != other
    app.set("truncation", 0.5)
    assert app.picture("64 generated images") != other
    app.set("seed", 0)
    app.set("truncation", 4.0)
    assert app.picture("64 generated images") == first
    app.set("count_16", 16)
    assert app.picture("16 generated images")
    app.set("compare", ["digits-gan", "ring-gan"])
    assert {"Digits · GAN", "Ring · GAN"} <= {caption.value for caption in app.at.caption}


@covers("download_grid")
def test_the_download_is_the_picture():
    app = GalleryApp(open=IMAGES)
    assert app.widget("download_grid").proto.url.endswith(".png")


@covers("one_seed", "direction", "download_one")
def test_a_direction_moves_the_sample_and_its_score():
    app = GalleryApp(open=IMAGES)
    app.look_at("One sample")
    picture, score = app.picture("One generated image"), app.at.metric[-1].value
    app.set("direction_0_0", 3.0)
    assert app.picture("One generated image") != picture
    assert app.at.metric[-1].value != score
    app.set("direction_0_0", 0.0)
    assert app.picture("One generated image") == picture
    app.set("one_seed", 3)
    assert app.picture("One generated image") != picture
    assert app.picture("The nearest real image")
    checkpoint = open_checkpoint(FOLDER / IMAGES)
    latents = draw_latents(checkpoint.architecture, 1, 3)
    assert float(app.at.metric[-1].value) == pytest.approx(
        checkpoint.score(checkpoint.sample(latents)).item(), rel=0.01
    )


@covers("from_seed", "to_seed", "strip_steps", "walk_seed", "walk_stops")
@covers("download_strip", "download_walk")
def test_the_way_between_two_samples_and_the_walk_follow_their_controls():
    app = GalleryApp(open=IMAGES)
    app.look_at("Between two samples")
    strip, walk = app.picture("From one image"), app.picture("A walk")
    assert walk.startswith("data:image/gif")
    for key, value in (("from_seed", 5), ("to_seed", 6), ("strip_steps", 4)):
        app.set(key, value)
        changed = app.picture("From one image")
        assert changed != strip
        strip = changed
    for key, value in (("walk_seed", 5), ("walk_stops", 3)):
        app.set(key, value)
        changed = app.picture("A walk")
        assert changed != walk
        walk = changed


# One's own file.


@covers("upload_generator", "output")
def test_an_uploaded_generator_opens(tmp_path: Path):
    tutorial = nn.Sequential(
        nn.ConvTranspose2d(10, 8, 4, 1, 0, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    path = tmp_path / "netG.pth"
    torch.save({f"main.{k}": v for k, v in tutorial.state_dict().items()}, path)
    app = GalleryApp(open=IMAGES)
    app.source("Your own file")
    app.widget("upload_generator").upload("netG.pth", path.read_bytes())
    app.redraw()
    assert app.title == "netG.pth"
    assert "8 × 8 grey" in app.text()
    for view in ("Samples", "One sample", "Between two samples", "About"):
        app.look_at(view)
    # The file does not tell its last activation: both are shown, and either can be chosen.
    app.look_at("Samples")
    assert app.picture("Four samples through tanh") != app.picture("Four samples through sigmoid")
    tanh = app.picture("64 generated images")
    app.set("output_tanh", "sigmoid")
    assert app.picture("64 generated images") != tanh


class Evil:
    def __reduce__(self) -> Any:
        return open, ("/tmp/wgan-lab-was-here", "w")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("evil.pth", pickle.dumps(Evil())),
        ("evil.bin", pickle.dumps({"main.0.weight": Evil()})),
        ("empty.pt", b""),
        ("page.safetensors", b"<!DOCTYPE html><html></html>"),
        ("notes.zip", b"PK\x03\x04broken"),
    ],
)
def test_a_hostile_upload_is_one_sentence_and_what_is_open_stays(name: str, content: bytes):
    app = GalleryApp(open=IMAGES)
    app.source("Your own file")
    app.widget("upload_generator").upload(name, content)
    app.redraw()
    assert app.title == "Digits · WGAN-GP"
    (warning,) = app.at.container(key="notices").warning
    assert name.replace(".", r"\.") in warning.value
    assert not Path("/tmp/wgan-lab-was-here").exists()


# The Hub.


@covers("hub_text", "hub_tags", "hub_libraries", "hub_files", "found", "hub_look", "hub_pull")
def test_search_look_pull_and_draw(ring: HubServer):
    app = GalleryApp()
    app.source("From the Hub")
    app.wait_for_jobs()
    assert app.has(f"found_{REPO}")
    assert "Likely: It was saved by this app" in app.text()
    app.set("hub_files", [".ckpt"])
    assert not app.has(f"found_{REPO}")
    app.set("hub_files", [".safetensors"])
    assert app.has(f"found_{REPO}")
    app.set("hub_libraries", ["pytorch"])
    app.wait_for_jobs()
    assert not app.has(f"found_{REPO}")
    app.set("hub_libraries", [])
    app.set("hub_text", "nothing like it")
    app.wait_for_jobs()
    assert "Nothing on the Hub matches" in app.text()
    app.set("hub_text", "")
    app.set("hub_tags", ["wgan-gp"])
    app.wait_for_jobs()
    app.click(f"found_{REPO}")
    app.wait_for_jobs()
    assert "licence mit" in app.text()
    assert not app.at.subheader, "nothing is shown before it is pulled"
    app.click("hub_pull")
    app.wait_for_jobs()
    app.redraw()
    assert app.title == REPO
    assert "Ring of 8 Gaussians" in app.text()
    commit = app.at.query_params["commit"]
    assert len(commit[0] if isinstance(commit, list) else commit) == 40

    ring.stop()  # what was pulled needs no network
    jobs._jobs.clear()
    later = GalleryApp(repo=REPO)
    assert later.title == REPO


def test_a_pasted_name_is_looked_at(ring: HubServer):
    app = GalleryApp()
    app.source("From the Hub")
    app.set("hub_text", REPO)
    app.click("hub_look")
    app.wait_for_jobs()
    assert app.has("hub_pull")
    app.set("hub_text", "../../etc/passwd")
    app.click("hub_look")
    assert "is not the name of a repository" in app.text()


@covers("hub_cancel")
def test_a_pull_is_cancelled(ring: HubServer):
    ring.fault(REPO, "slow")
    app = GalleryApp(repo=REPO)
    app.source("From the Hub")
    app.wait_for_jobs()
    app.click("hub_pull")
    assert app.has("hub_cancel")
    app.click("hub_cancel")
    (job,) = (job for key, job in jobs._jobs.items() if key.startswith("pull"))
    assert job.wait(5) == "cancelled"
    app.redraw()
    assert app.has("hub_pull")


def test_a_search_says_why_a_hit_does_not_load(hub: HubServer):
    hub.add_model("keras-io/WGAN-GP", {"saved_model.pb": b"x"})
    hub.add_model("a/stylegan2-faces", {"netG.pth": b"x"}, tags=["pytorch"])
    hub.add_model("b/gan-of-mine", {"netG.pth": b"x"})
    app = GalleryApp()
    app.source("From the Hub")
    app.wait_for_jobs()
    text = app.text()
    assert "No: It is in the catalogue. It is a Keras model" in text
    assert "No: By its name or tags it is a StyleGAN" in text
    assert "Perhaps: netG.pth may hold a known layout" in text
    assert "2 more that do not load" in {node.label for node in app.at.expander}


@covers("hub_again", "hub_ask_again")
def test_without_a_network_ours_work_and_it_is_said_once(hub: HubServer):
    hub.stop()
    app = GalleryApp()
    assert app.title == "Avatars · WGAN-GP"
    app.source("From the Hub")
    app.wait_for_jobs()
    assert app.text().count("cannot be reached") == 1
    assert app.title == "Avatars · WGAN-GP"
    app.click("hub_again")
    app.wait_for_jobs()
    assert app.text().count("cannot be reached") == 1
    app.set("hub_text", "huggan/dcgan-mnist")
    app.click("hub_look")
    app.wait_for_jobs()
    assert app.has("hub_ask_again")
    app.click("hub_ask_again")
    app.wait_for_jobs()
    assert app.has("hub_ask_again")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"README.md": b"# soon"}, "empty"),
        ({"saved_model.pb": b"x"}, "Keras or TensorFlow"),
        ({"model_index.json": b"{}"}, "diffusers"),
    ],
)
def test_other_kinds_of_repositories_say_what_they_are(
    hub: HubServer, files: dict[str, bytes], said: str
):
    hub.add_model("owner/other", files)
    app = GalleryApp(repo="owner/other")
    app.source("From the Hub")
    app.wait_for_jobs()
    assert said in app.text()
    assert not app.has("hub_pull")


@pytest.mark.parametrize("fault", ["not_found", "gated", "error", "busy"])
def test_a_fault_of_the_hub_is_one_sentence(ring: HubServer, fault: Any):
    ring.fault(REPO, fault)
    app = GalleryApp(repo=REPO)
    app.source("From the Hub")
    app.wait_for_jobs()
    if app.has("hub_pull"):  # some faults show only when a file is asked for
        app.click("hub_pull")
        app.wait_for_jobs()
    assert len(app.at.warning) == 1
    assert "Traceback" not in app.text()


def test_a_repository_of_noise_is_refused_and_never_shown(hub: HubServer):
    out = io.BytesIO()
    torch.save({"main.0.weight": torch.zeros(3, 3)}, out)
    hub.add_model("owner/noise", {"generator.pth": out.getvalue()})
    app = GalleryApp(repo="owner/noise")
    app.source("From the Hub")
    app.wait_for_jobs()
    app.click("hub_pull")
    app.wait_for_jobs()
    app.redraw()
    assert not [node for node in app.at.get("image") if "generated" in str(node.proto)]
    assert app.at.warning


def test_a_strangers_card_fetches_no_pictures(ring: HubServer):
    card = b"# Hi\n![x](http://127.0.0.1:9/track.png) <script>alert(1)</script>"
    ring.add_model(REPO, {"README.md": card})
    app = GalleryApp(repo=REPO)
    app.source("From the Hub")
    app.wait_for_jobs()
    assert "track.png" not in app.text()


# The catalogue.


def large_generator() -> bytes:
    """A progressive GAN of 256 pixels with few channels."""
    out = io.BytesIO()
    torch.save(genforce(z_dim=6, maps=(8, 8, 4, 4, 4, 4, 4))[0], out)
    return out.getvalue()


FACES = "pggan-celebahq-1024"


@pytest.fixture
def faces(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> HubServer:
    """A Hub that has what the first entry of the catalogue names."""
    entry = load_catalog()[0]
    commit = hub.add_model(entry.source.repo, {"pytorch_model.bin": large_generator()})  # pyright: ignore
    source = dataclasses.replace(entry.source, commit=commit)
    changed = (dataclasses.replace(entry, source=source), *load_catalog()[1:])
    for module in ("wgan.zoo.catalog", "wgan.ui.gallery.published"):
        monkeypatch.setattr(f"{module}.load_catalog", lambda: changed)
    return hub


@covers("catalog_group", "catalog_loss", "pull", "pick", "cancel")
@covers("full_samples", "download_full_samples", "full_one", "download_full_one", "again_plane_0")
def test_a_published_generator_is_pulled_drawn_and_downloaded_at_full_size(faces: HubServer):
    app = GalleryApp()
    app.source("Faces and rooms")
    assert "CC BY-NC 4.0" in app.text()
    assert "Checked against the live source: no" in app.text()
    app.set("catalog_loss", "LSGAN")
    assert not app.has(f"pull_{FACES}")
    app.set("catalog_loss", "Any loss")
    app.set("catalog_group", "Bedrooms")
    assert not app.has(f"pull_{FACES}")
    app.set("catalog_group", "Faces")
    faces.fault("huggan/pggan-celebahq-1024", "slow")
    app.click(f"pull_{FACES}")
    assert app.has(f"cancel_{FACES}")
    app.click(f"cancel_{FACES}")
    faces.fault("huggan/pggan-celebahq-1024", None)
    app.click(f"pull_{FACES}")
    app.wait_for_jobs()
    app.redraw()
    assert app.title == "Progressive GAN, faces at 1024"
    app.wait_for_jobs()
    app.redraw()
    preview = Image.open(io.BytesIO(urlopen(app.picture("9 generated images")).read()))
    assert preview.size == (3 * 256 + 4, 3 * 256 + 4)  # with lines between them
    app.click("full_samples")
    app.wait_for_jobs()
    assert app.has("download_full_samples")
    for view, alt in (("One sample", "One generated image"), ("Between two samples", "A walk")):
        app.look_at(view)
        app.wait_for_jobs()
        app.redraw()
        assert app.picture(alt)
    app.click(f"pick_{FACES}")
    assert app.title == "Progressive GAN, faces at 1024"


# All of it.


def test_every_widget_of_the_page_has_a_test():
    found: set[str] = set()
    for name in (POINTS, IMAGES):
        app = GalleryApp(open=name)
        for view in VIEWS:
            app.look_at(view)
            found.update(app.widgets())
        for source in SOURCES[2:]:
            app.source(source)
            found.update(app.widgets())
    assert sorted(found - COVERED) == []


def test_samples_png_of_ours_are_pictures():
    for one in bundled():
        assert Image.open(one.folder / "samples.png").width > 100
        assert json.loads((one.folder / "config.json").read_text())["format"] == "wgan-lab/1"
