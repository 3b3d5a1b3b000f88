"""Images from a folder or a zip on this machine, single files of images, and photo patches."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_images

from tests.data_sets import load, seeded
from tests.image_files import encoded, means, picture, pictures, zipped
from wgan import data
from wgan.cli import main
from wgan.config import ExperimentConfig
from wgan.data import folders
from wgan.data.folders import read_folder
from wgan.data.patches import load_patches
from wgan.data.pictures import PictureError, read_picture

CPU = torch.device("cpu")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of 20 images, some of them deeper down, beside other files."""
    folder = tmp_path / "my photos"
    for name, content in pictures(20).items():
        path = folder / ("deeper" if name > "images/00009" else ".") / Path(name).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_bytes(encoded())
    (folder / "broken.png").write_bytes(b"broken")
    return folder


# Single files -------------------------------------------------------------------------------


def test_the_centre_square_is_taken():
    wide = picture(1, 90, 30)
    ImageDraw.Draw(wide).rectangle((0, 0, 28, 29), "white")
    ImageDraw.Draw(wide).rectangle((61, 0, 89, 29), "white")
    square = read_picture(encoded(wide), 10)
    assert square.shape == (3, 10, 10)
    assert square.max() < 250
    assert np.abs(means(square[None])[0] - picture(1).getpixel((0, 0))).max() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_put_upright(orientation: int):
    image = Image.new("RGB", (64, 64))
    image.putpixel((0, 0), (255, 255, 255))
    image = image.resize((32, 32), Image.Resampling.BOX)
    turned = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # to how it was stored: its inverse
    if orientation > 1:
        image = image.transpose(Image.Transpose(turned[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = read_picture(encoded(image, "PNG", exif=exif), 32)
    assert upright[0].argmax() == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_becomes_rgb(mode: str):
    grey = Image.new("L", (20, 20), 255)
    if mode == "I;16":
        image = Image.fromarray(np.full((20, 20), 65535, np.uint16))
    else:
        image = grey.convert(mode)
    assert (read_picture(encoded(image), 8) == 255).all()
    dark = Image.fromarray(np.full((20, 20), 128 * 257, np.uint16))
    assert (read_picture(encoded(dark), 8) == 128).all()


def test_what_is_transparent_becomes_white():
    clear = Image.new("RGBA", (20, 20), (200, 0, 0, 0))
    clear.paste((0, 0, 200, 255), (0, 0, 20, 10))
    pixels = read_picture(encoded(clear), 20)
    assert pixels[:, 2, 5].tolist() == [0, 0, 200]
    assert pixels[:, 17, 5].tolist() == [255, 255, 255]


def test_of_a_moving_image_the_first_frame_is_taken():
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_picture(moving, 8)[:, 4, 4].tolist() == [255, 0, 0]


def test_files_that_are_too_large_are_not_decoded():
    with pytest.raises(PictureError, match="50 MB"):
        read_picture(bytes(50_000_001), 8)
    with pytest.raises(PictureError, match="50 million pixels"):
        read_picture(encoded(Image.new("1", (8000, 8000))), 8)


# Folders and zips ---------------------------------------------------------------------------


def test_a_folder_is_read_in_the_order_of_its_names(photos: Path):
    told = []
    pixels = read_folder(str(photos), 16, 0, lambda *news: told.append(news))
    assert pixels.shape == (20, 3, 16, 16)
    order = [*range(10, 20), *range(10)]  # the folder "deeper" comes after the numbers
    expected = [picture(n).getpixel((0, 0)) for n in sorted(order)]
    assert np.abs(means(pixels.numpy()) - expected).max() < 3
    assert told[0] == ("Reading my photos: 0 of 21 images", 0)
    assert len(read_folder(str(photos), 16, 7, lambda *news: None)) == 7


def test_a_zip_is_read_where_it_lies(tmp_path: Path):
    path = tmp_path / "photos.zip"
    path.write_bytes(zipped(pictures(20)))
    pixels = read_folder(str(path), 16, 0, lambda *news: None)
    expected = [picture(n).getpixel((0, 0)) for n in range(20)]
    assert np.abs(means(pixels.numpy()) - expected).max() < 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos.zip"]


def refused(folder: str, **how: int) -> str:
    with pytest.raises(data.DataError) as caught:
        read_folder(folder, how.get("size", 16), how.get("limit", 0), lambda *news: None)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, photos: Path, monkeypatch):
    missing = str(tmp_path / "nowhere")
    assert refused(missing).startswith(f"folder is {missing!r}, which cannot be read (No such")
    (tmp_path / "empty").mkdir()
    assert "holds 0 images; at least 16 are needed" in refused(str(tmp_path / "empty"))
    notes = photos / "notes.txt"
    assert refused(str(notes)) == f"{notes}: That is not a zip file, or it is damaged."
    few = tmp_path / "few.zip"
    few.write_bytes(zipped(pictures(5) | {"a.png": b"broken"}))
    assert "holds 5 images, and 1 that cannot be read" in refused(str(few))
    assert len(read_folder(str(few), 16, 5, lambda *news: None)) == 5
    monkeypatch.setattr(folders, "_MEMORY", 1000)
    assert "take fewer with limit" in refused(str(photos))


def test_a_folder_that_may_not_be_read(tmp_path: Path, photos: Path):
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root")
    photos.chmod(0)
    try:
        assert "at least 16" in refused(str(photos))
    finally:
        photos.chmod(0o755)


# The command line ---------------------------------------------------------------------------

QUICK = ["width=4", "batch_size=4", "critic_steps=1", "image_size=8"]


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["train", *words, "--set", *QUICK, "--steps", "2", "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("preset", ["ring-wgan-gp", "digits-gan", "celeba64-wgan-gp"])
def test_folder_and_limit_on_the_command_line(
    preset: str, photos: Path, capsys, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(photos.parent)
    result = run(preset, "--folder", "my photos", "--limit", "18", capsys=capsys)
    config = result["config"]
    assert (config["data"], config["folder"], config["limit"]) == ("folder", str(photos), 18)
    assert (config["image_size"], result["step"]) == (8, 2)


def test_folder_and_limit_can_be_repeated_from_elsewhere(
    photos: Path, capsys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(photos.parent)
    out = str(tmp_path / "out")
    run("digits-wgan-gp", "--folder", "my photos", "--out", out, capsys=capsys)
    monkeypatch.chdir("/")
    assert main(["replay", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["identical"]


@pytest.mark.parametrize(
    "words",
    [
        ["--folder", "/nowhere"],
        ["--limit", "-1"],
        ["--limit", "many"],
        ["--folder", "x" * 600],
        ["--set", "data=folder"],
        ["--set", "data=hub:no-owner"],
    ],
)
def test_bad_folders_and_limits_are_one_line(words: list[str], capsys):
    assert main(["train", "digits-gan", *words, "--steps", "1"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("wgan: ")


# Patches ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [8, 32, 64])
def test_patches_are_cut_from_the_photographs(size: int):
    patches = load_patches(size)
    assert patches.shape == (20_000, 3, size, size)
    assert patches.dtype == torch.uint8
    assert torch.equal(patches, load_patches(size))
    photographs = load_sample_images().images
    for patch in patches[:4].permute(0, 2, 3, 1).numpy():
        found = 0
        for photograph in photographs:
            corners = np.argwhere((photograph == patch[0, 0]).all(2))
            for top, left in corners:
                window = photograph[top : top + size, left : left + size]
                found += window.shape == patch.shape and bool((window == patch).all())
        assert found >= 1


def test_patches_are_a_data_set_without_modes():
    dataset = load("patches", size=32)
    assert dataset.shape == (3, 32, 32)
    assert dataset.modes is None
    assert len(load_patches(128)) < 20_000
    assert load_patches(128).nbytes < 260e6


@pytest.mark.parametrize("name", ["digits", "patches"])
def test_a_limit_takes_so_many_images(name: str):
    few = data.load(ExperimentConfig(data=name, limit=5), CPU)
    samples = few.sample(500, seeded())
    assert len({sample.numpy().tobytes() for sample in samples}) == 5
    assert (few.modes is None) == (load(name).modes is None)  # all digits tell what a digit is
    many = data.load(ExperimentConfig(data=name, limit=10**6), CPU)
    assert torch.equal(many.sample(50, seeded()), load(name).sample(50, seeded()))
