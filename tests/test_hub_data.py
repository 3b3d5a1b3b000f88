"""Image data sets on the Hub: parquet in the real layouts, from a Hub on the loopback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image, ImageDraw

from tests.hub_server import HubServer
from tests.hub_state import Fault
from tests.image_files import encoded, image_column, means, parquet, picture
from wgan import data
from wgan.cli import main
from wgan.config import ExperimentConfig
from wgan.data import hub_images, images
from wgan.data.hub_cache import State
from wgan.data.hub_images import train_shards
from wgan.data.images import ImageData
from wgan.data.titles import without_download
from wgan.hub import RepoFile

CPU = torch.device("cpu")
MINE = "owner/pictures"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("WGAN_DATA", str(folder))
    return folder


def load(name: str = f"hub:{MINE}", limit: int = 0, size: int = 16, progress=None) -> ImageData:
    config = ExperimentConfig(data=name, limit=limit, image_size=size)
    dataset = data.load(config, CPU, progress)
    assert isinstance(dataset, ImageData)
    return dataset


def refused(name: str = f"hub:{MINE}", **how: Any) -> str:
    """The one sentence that says why a set cannot be had."""
    with pytest.raises(data.DataError) as caught:
        load(name, **how)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def shards(
    counts: Sequence[int], make: Callable[[int], bytes | None] | None = None, **more: Any
) -> dict[str, bytes]:
    """Training shards of so many images each, numbered on; `more`: further columns, by number."""
    make = make or (lambda n: encoded(picture(n), "JPEG", quality=95))
    files, first = {}, 0
    for number, count in enumerate(counts):
        numbers = range(first, first + count)
        columns: dict[str, Any] = {"image": image_column([make(n) for n in numbers])}
        columns |= {name: [value(n) for n in numbers] for name, value in more.items()}
        name = f"data/train-{number:05}-of-{len(counts):05}.parquet"
        files[name] = parquet(columns, rows_a_group=30)
        first += count
    return files


def assert_numbers(dataset: ImageData, numbers: Sequence[int]) -> None:
    """The images are those of `picture`, in this order."""
    expected = [picture(n).getpixel((0, 0)) for n in numbers]
    assert len(dataset.pixels) == len(numbers)
    assert np.abs(means(dataset.pixels.numpy()) - expected).max() < 6


# The two known sets, in their real layouts --------------------------------------------------


def celeba_face(number: int) -> bytes:
    """178 × 218 pixels, as the aligned CelebA; a frame that the centre square must leave out."""
    face = picture(number, 178, 218)
    draw = ImageDraw.Draw(face)
    draw.rectangle((0, 0, 177, 18), "white")
    draw.rectangle((0, 199, 177, 217), "white")
    return encoded(face, "JPEG", quality=95)


def serve_celeba(hub: HubServer, count: int = 60) -> None:
    attributes = {f"Attribute_{i}": lambda n, i=i: bool((n >> i % 8) & 1) for i in range(40)}
    identity = {"celeb_id": lambda n: n}
    half = count // 2
    files = shards([half, count - half], celeba_face, **identity, **attributes)
    broken = parquet({"image": image_column([b"another split"])})
    files |= {f"data/{split}-00000-of-00001.parquet": broken for split in ("valid", "test")}
    hub.add_dataset("flwrlabs/celeba", files | {"README.md": b"# CelebA"})


def serve_lsun(hub: HubServer, count: int = 60) -> None:
    files = shards([count // 3] * 3, lambda n: encoded(picture(n, 341, 256), "JPEG"))
    files = {name.replace(".parquet", "-0a1b2c3d.parquet"): v for name, v in files.items()}
    hub.add_dataset("pcuenq/lsun-bedrooms", files | {".gitattributes": b""})


def test_celeba_is_the_centre_squares_of_its_training_split(hub: HubServer):
    serve_celeba(hub)
    dataset = load("celeba", size=64)
    assert dataset.shape == (3, 64, 64)
    assert dataset.modes is None
    assert_numbers(dataset, range(60))
    assert dataset.pixels.float().amax((1, 2, 3)).max() < 250, "the frame was not cropped"
    batch = dataset.sample(8, torch.Generator().manual_seed(0))
    assert batch.shape == (8, 3, 64, 64)
    assert batch.dtype == torch.float32
    assert -1 <= batch.min() < batch.max() <= 1
    assert torch.equal(batch, dataset.sample(8, torch.Generator().manual_seed(0)))
    assert not hub.asked("GET", "valid")
    assert not hub.asked("GET", "/test-")


def test_lsun_bedrooms_come_in_the_order_of_their_shards(hub: HubServer):
    serve_lsun(hub)
    assert_numbers(load("lsun", size=32), range(60))


QUICK = ["width=8", "batch_size=4", "critic_steps=1", "latent_dim=4"]


@pytest.mark.parametrize(
    ("preset", "fields"),
    [
        ("celeba-wgan-gp-mlp", ["depth=1", "image_size=16"]),
        ("celeba64-wgan-gp", ["image_size=32"]),
        ("lsun64-wgan-gp", ["image_size=32"]),
        ("lsun64-wgan-gp-mlp", ["depth=1", "image_size=16"]),
    ],
)
def test_the_presets_train_on_them(preset: str, fields: list[str], hub: HubServer, capsys):
    serve_celeba(hub)
    serve_lsun(hub)
    command = ["train", preset, "--set", *QUICK, *fields, "--limit", "50", "--steps", "3"]
    assert main([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["step"], result["finite"]) == (3, True)
    assert result["config"]["limit"] == 50
    assert result["modes"] is None
    assert 0 < result["w1_floor"] < result["w1"]


def test_the_command_line_says_what_it_loads(hub: HubServer, capsys, monkeypatch):
    serve_celeba(hub)
    real = hub_images._picture
    monkeypatch.setattr(hub_images, "CHUNK", 5)
    monkeypatch.setattr(hub_images, "_picture", lambda *row: (time.sleep(0.06), real(*row))[1])
    command = ["train", "celeba64-wgan-gp", "--set", *QUICK, "image_size=8", "--steps", "1"]
    assert main([*command, "--limit", "40"]) == 0
    assert re.search(r"Loading CelebA: \d+ of 40 images, 0 MB fetched", capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("preset", ["celeba-wgan-gp-mlp", "celeba64-wgan-gp", "lsun64-wgan-gp"])
def test_the_presets_as_they_are_train_for_fifty_steps(preset: str, hub: HubServer, capsys):
    serve_celeba(hub, 600)
    serve_lsun(hub, 600)
    assert main(["train", preset, "--steps", "50", "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["step"], result["finite"]) == (50, True)


# Only what is needed, and only once ---------------------------------------------------------


def fetched(hub: HubServer) -> list[str]:
    """The names of the shards that the Hub was asked for, in order."""
    asked = [Path(r.path.partition("?")[0]).name for r in hub.asked("HEAD", ".parquet")]
    return list(dict.fromkeys(asked))


def test_a_limit_takes_no_more_shards_than_it_needs(hub: HubServer):
    hub.add_dataset(MINE, shards([40, 40, 40]))
    assert_numbers(load(limit=30), range(30))
    assert fetched(hub) == ["train-00000-of-00003.parquet"]
    assert_numbers(load(limit=70), range(70))
    assert fetched(hub) == [f"train-0000{n}-of-00003.parquet" for n in range(2)]
    assert_numbers(load(limit=500), range(120))
    assert_numbers(load(), range(120))


def test_what_is_kept_needs_no_network(hub: HubServer):
    hub.add_dataset(MINE, shards([40, 40]))
    whole = load(limit=60)
    hub.stop()
    asked = len(hub.requests)
    for limit in (60, 45, 1):
        again = load(limit=limit)
        assert torch.equal(again.pixels, whole.pixels[:limit])
    assert len(hub.requests) == asked
    sentence = refused(limit=61)
    assert "60 images of it are kept here, which limit=60 uses" in sentence
    assert "Small digits, Avatars, Photo patches, Ring of 8 Gaussians" in sentence


def test_another_size_is_another_array(hub: HubServer):
    hub.add_dataset(MINE, shards([20]))
    assert load(size=16).shape == (3, 16, 16)
    assert load(size=28).shape == (3, 28, 28)
    assert load(size=16).shape == (3, 16, 16)
    assert len(hub.asked("GET", ".parquet")) <= 2


def test_a_newer_commit_is_read_when_more_is_wanted(hub: HubServer):
    hub.add_dataset(MINE, shards([40]))
    assert_numbers(load(limit=20), range(20))
    hub.add_dataset(MINE, shards([40], lambda n: encoded(picture(n + 100))))
    assert_numbers(load(limit=20), range(20))
    assert_numbers(load(limit=30), range(100, 130))
    assert_numbers(load(limit=20), range(100, 120))


def test_runs_that_start_together_load_once(hub: HubServer):
    hub.add_dataset(MINE, shards([60]))
    with ThreadPoolExecutor(8) as pool:
        sets = list(pool.map(lambda n: load(limit=20 + 5 * (n % 4)), range(16)))
    for n, dataset in enumerate(sets):
        assert_numbers(dataset, range(20 + 5 * (n % 4)))
    assert len({id(dataset) for dataset in sets}) == 4


def test_the_array_is_mapped_and_not_read(hub: HubServer, cache: Path):
    hub.add_dataset(MINE, shards([40]))
    dataset = load()
    assert f"{cache}/hub/owner--pictures/" in Path("/proc/self/maps").read_text()
    before = array_of(cache)
    dataset.pixels.zero_()
    assert array_of(cache) == before, "whoever changes samples must not change the cache"


@pytest.mark.parametrize(("size", "free"), [(5_000_000_000, 10**12), (10**6, 10**6)])
def test_what_would_fill_a_gpu_stays_where_it_is(size: int, free: int, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    pixels = torch.empty(1, dtype=torch.uint8).expand(size)
    assert images._placed(pixels, torch.device("cuda")) is pixels


def test_progress_says_how_many_of_how_many(hub: HubServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_images, "CHUNK", 10)
    hub.add_dataset(MINE, shards([40, 40]))
    told: list[tuple[str, float | None]] = []
    load(limit=60, progress=lambda *news: told.append(news))
    assert told[0] == (f"Asking the Hub for {MINE}", None)
    texts = [text for text, _ in told if text.startswith(f"Loading {MINE}: ")]
    assert any(": 50 of 60 images, " in text and text.endswith(" MB fetched") for text in texts)
    shares = [share for text, share in told if text.startswith("Loading") and share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1


# Broken off ---------------------------------------------------------------------------------


def array_of(cache: Path) -> tuple[bytes, bytes, dict[str, Any]]:
    (note,) = cache.rglob("state.json")
    files = (note.with_name("pixels.bin"), note.with_name("labels.bin"))
    pixels, labels = (file.read_bytes() for file in files)
    return pixels, labels, json.loads(note.read_text())


@pytest.mark.parametrize("stop_at", [1, 2, 3, 5, 6, 8, 11])
def test_a_load_that_was_broken_off_goes_on(
    stop_at: int, hub: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub_images, "CHUNK", 16)

    def damaged(n: int) -> bytes | None:
        return encoded(picture(n)) if n % 7 else b"damaged"

    hub.add_dataset(MINE, shards([50, 50, 50], damaged, label=lambda n: n % 3))
    load()
    whole = array_of(cache)
    shutil.rmtree(cache)
    calls = []

    def stop(text: str, share: float | None) -> None:
        calls.append(text)
        if len(calls) == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(progress=stop)
    for file in cache.rglob("*.bin"):  # what was written after the last note
        with file.open("ab") as opened:
            opened.write(b"half an image")
    load()
    assert array_of(cache) == whole
    assert whole[2]["images"] == 128
    assert whole[2]["skipped"] == 22


KILLED = """
import os, torch
from wgan import data
from wgan.config import ExperimentConfig
from wgan.data import hub_images
hub_images.CHUNK = 8
def progress(text, share):
    if ": 48 of" in text:
        os._exit(9)
config = ExperimentConfig(data="hub:owner/pictures", limit=70, image_size=16)
data.load(config, torch.device("cpu"), progress)
"""


def test_a_process_that_was_killed_is_gone_on_from(hub: HubServer, cache: Path):
    hub.add_dataset(MINE, shards([40, 40]))
    done = subprocess.run([sys.executable, "-c", KILLED], timeout=100, check=False)
    assert done.returncode == 9
    assert array_of(cache)[2]["images"] == 48
    before = len(hub.asked("GET", "train-00000"))
    assert_numbers(load(limit=70), range(70))
    assert len(hub.asked("GET", "train-00000")) == before


@pytest.mark.parametrize("damage", ["note", "pixels", "labels", "empty note"])
def test_a_damaged_cache_is_made_again(damage: str, hub: HubServer, cache: Path):
    hub.add_dataset(MINE, shards([40]))
    load()
    (note,) = cache.rglob("state.json")
    if damage.endswith("note"):
        note.write_text("" if damage == "empty note" else '{"images": "many"}')
    else:
        file = note.with_name(f"{damage}.bin")
        file.write_bytes(file.read_bytes()[:-1])
    images._loaded.clear()
    assert_numbers(load(), range(40))


def test_a_full_cache_serves_any_limit_and_an_empty_one_none():
    assert State(5, complete=True).serves(0)
    assert State(5, complete=True).serves(100)
    assert State(5).serves(5)
    assert not State(5).serves(6)
    assert not State(5).serves(0)
    assert not State(0, complete=True).serves(1)


# Columns, labels, odd images ----------------------------------------------------------------


def test_labels_become_modes(hub: HubServer):
    """As ylecun/mnist: `image` and `label`, a ClassLabel, which is stored as int64."""
    rng = np.random.default_rng(0)

    def digit(n: int) -> bytes:
        image = rng.integers(0, 40, (28, 28)).astype(np.uint8)
        image[2 * (n % 10) + 3 : 2 * (n % 10) + 5, 4:24] += 200
        return encoded(Image.fromarray(image))

    files = shards([200, 100], digit, label=lambda n: n % 10)
    hub.add_dataset("ylecun/mnist", {k.replace("data/", "mnist/"): v for k, v in files.items()})
    dataset = load("hub:ylecun/mnist", size=28)
    assert dataset.accuracy == 1
    assert dataset.modes is not None
    assert dataset.modes.names == tuple("0123456789")
    index, high = dataset.modes.judge(dataset.sample(500, torch.Generator()))
    assert len(index.unique()) == 10
    assert high.float().mean() > 0.9


@pytest.mark.parametrize(
    "label", [lambda n: None if n == 5 else 1, lambda n: -1, lambda n: 0, lambda n: n, str]
)
def test_labels_that_are_no_classes_give_no_modes(label: Callable[[int], Any], hub: HubServer):
    hub.add_dataset(MINE, shards([250], label=label))
    assert load().modes is None


COLUMNS: dict[str, dict[str, Any]] = {
    "plain bytes": {"id": [1, 2], "photo": pa.array([encoded(), encoded()], pa.binary())},
    "large bytes": {"img": pa.array([encoded(), encoded()], pa.large_binary())},
    "struct before bytes": {
        "embedding": pa.array([b"ab", b"cd"]),
        "photo": image_column([encoded(), encoded()]),
    },
    "by its name": {
        "thumbnail": image_column([b"no", b"no"]),
        "image": image_column([encoded(), encoded()]),
    },
}


@pytest.mark.parametrize("layout", COLUMNS)
def test_the_column_of_images_is_found(layout: str, hub: HubServer):
    hub.add_dataset(MINE, {"train.parquet": parquet(COLUMNS[layout])})
    assert_numbers(load(), [0, 0])


def odd_images() -> list[bytes | None]:
    good = encoded(picture(3))
    bomb = good[:16] + (60_000).to_bytes(4, "big") * 2 + good[24:]
    return [
        *(None, b"", b"text", good[:50], bomb, encoded(kind="TIFF"), b"x" * 1000),
        *(good, encoded(picture(3).convert("CMYK"), "JPEG"), encoded(picture(3).convert("P"))),
        *(encoded(picture(3).convert("RGBA")), encoded(picture(3, 400, 300), "WEBP")),
    ]


def test_odd_images_are_decoded_or_skipped(hub: HubServer, cache: Path):
    hub.add_dataset(MINE, {"data/train-0.parquet": parquet({"image": image_column(odd_images())})})
    dataset = load()
    assert len(dataset.pixels) == 5
    assert array_of(cache)[2]["skipped"] == 7
    assert np.abs(means(dataset.pixels.numpy()) - picture(3).getpixel((0, 0))).max() < 12


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["data/train-1.parquet", "data/train-0.parquet", "data/test-0.parquet"], [1, 0]),
        (["plain/train-0.parquet", "plain/test-0.parquet"], [0]),
        (["b/train-0.parquet", "a/train-0.parquet"], [1]),
        (["32px/train-0.parquet", "default/train/0000.parquet"], [1]),
        (["train.parquet", "test.parquet", "README.md"], [0]),
        (["0000.parquet", "validation.parquet"], [0]),
        (["test.parquet"], [0]),
        (["data/training-set.parquet", "data/test.parquet"], [0]),
        (["train.csv", "README.md"], []),
    ],
)
def test_the_training_shards_are_found(names: list[str], chosen: list[int]):
    found = train_shards(RepoFile(name, 1) for name in names)
    assert [file.name for file in found] == [names[i] for i in chosen]


# When it cannot be had ----------------------------------------------------------------------


def test_without_a_network_other_sets_are_named(hub: HubServer):
    hub.stop()
    sentence = refused("celeba")
    assert sentence.startswith("CelebA comes from the Hub, which cannot be reached from here; ")
    assert sentence.endswith(f"these data sets need no download: {without_download()}.")


@pytest.mark.parametrize(
    ("fault", "words"),
    [("not_found", "knows no"), ("gated", "granted access"), ("error", "HTTP 500")],
)
def test_the_hubs_refusals_are_passed_on(fault: Fault, words: str, hub: HubServer):
    hub.add_dataset(MINE, shards([20]))
    hub.fault(MINE, fault)
    assert words in refused()


def test_a_set_that_is_not_there(hub: HubServer):
    assert "knows no data set nobody/nothing" in refused("hub:nobody/nothing")


def test_a_set_without_parquet_says_what_it_has(hub: HubServer):
    hub.add_dataset(MINE, {"images.zip": b"PK", "README.md": b"# Pictures"})
    assert refused().endswith("it has .md, .zip.")


def test_a_set_without_images_names_its_columns(hub: HubServer):
    text = parquet({"text": ["a"], "label": [1], "vector": [[1.0]]})
    hub.add_dataset(MINE, {"data/train-0.parquet": text})
    assert "has no column of images; its columns are 'text', 'label', 'vector'." in refused()


@pytest.mark.parametrize("hopeless", [5, 2000])
def test_a_set_of_which_nothing_can_be_read(
    hopeless: int, hub: HubServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub_images, "HOPELESS", hopeless)
    hub.add_dataset(MINE, shards([20, 20], lambda n: None))
    sentence = (
        f"None of the {min(hopeless, 40)} images in the column 'image' of {MINE} can be read."
    )
    assert refused() == sentence
    assert len(fetched(hub)) == (1 if hopeless == 5 else 2)
    assert refused(limit=3) == sentence


@pytest.mark.parametrize("content", [b"", b"PAR1", b"text" * 100, parquet({"a": [1]})[:-9]])
def test_files_that_are_no_parquet(content: bytes, hub: HubServer):
    hub.add_dataset(MINE, {"data/train-0.parquet": content})
    assert "data/train-0.parquet of owner/pictures cannot be read as parquet" in refused()


def test_damaged_parquet_never_does_more_than_refuse(hub: HubServer):
    whole = shards([40])["data/train-00000-of-00001.parquet"]
    rng = np.random.default_rng(0)
    for number in range(60):
        content = bytearray(whole)
        for place in rng.integers(4, len(content), 5):
            content[place] = rng.integers(256)
        hub.add_dataset(f"owner/damaged{number}", {"train.parquet": bytes(content)})
        try:
            load(f"hub:owner/damaged{number}")
        except data.DataError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_a_full_disk_is_said_before_anything_is_fetched(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
):
    hub.add_dataset(MINE, shards([20]))
    usage = shutil._ntuple_diskusage  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setattr(hub_images.shutil, "disk_usage", lambda path: usage(10**12, 10**12, 10**6))
    sentence = refused()
    assert sentence.startswith(f"{MINE} could not be stored in ")
    assert sentence.endswith("(the disk is full).")
    assert not hub.asked("GET", ".parquet")


def test_a_cache_that_cannot_be_written_is_named(hub: HubServer, cache: Path):
    hub.add_dataset(MINE, shards([20]))
    cache.write_text("a file, not a folder")
    assert f"could not be stored in {cache}" in refused()


def test_a_download_that_was_cut_is_tried_again_and_then_refused(hub: HubServer):
    hub.add_dataset(MINE, shards([40]))
    hub.fault(MINE, "corrupt", 9)
    refused()
    hub.fault(MINE, None)
    assert_numbers(load(), range(40))
