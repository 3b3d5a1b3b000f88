"""Uploaded zips: what is kept of them, and that no zip can do harm."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.image_files import encoded, means, picture, pictures, zipped
from wgan import data
from wgan.config import ConfigError, ExperimentConfig
from wgan.data import DataError, uploads, zips
from wgan.data.uploads import LEAST, SIZE, is_upload, open_upload, store_upload
from wgan.server.registry import Lab

ENOUGH = pictures(LEAST)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("WGAN_DATA", str(folder))
    return folder


def kept(cache: Path) -> list[str]:
    """Every file below the folder in which the test may write, as a path."""
    return sorted(str(p.relative_to(cache.parent)) for p in cache.parent.rglob("*") if p.is_file())


def refused(content: bytes, cache: Path) -> str:
    """The sentence with which a zip is refused; nothing of it is kept."""
    with pytest.raises(DataError) as caught:
        store_upload(content)
    assert kept(cache) == []
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", "bmp)."))
    return sentence


# What is kept -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_images_are_kept_as_pixels_in_the_order_of_the_zip(kind: str, cache: Path):
    told = []
    name = store_upload(zipped(pictures(20, kind)), lambda *news: told.append(news))
    assert is_upload(name)
    assert kept(cache) == [f"cache/folders/{name}.npy"]
    images = open_upload(name)
    assert images.shape == (20, 3, SIZE, SIZE)
    assert images.dtype == np.uint8
    expected = [picture(n).getpixel((0, 0)) for n in range(20)]
    assert np.abs(means(images) - expected).max() < 6
    assert told[-1] == ("Read 20 images", 1.0)


def test_a_run_trains_on_an_upload(cache: Path):
    name = store_upload(zipped(pictures(20)))
    config = ExperimentConfig(data="folder", folder=name, image_size=32, output="tanh")
    dataset = data.load(config, torch.device("cpu"))
    assert dataset.shape == (3, 32, 32)
    assert dataset.modes is None
    batch = dataset.sample(200, torch.Generator().manual_seed(0))
    assert batch.dtype == torch.float32
    assert -1 <= batch.min() < -0.7 < 0.7 < batch.max() <= 1
    assert len({tuple(row) for row in means(batch).round(2).tolist()}) == 20
    few = data.load(config.replace({"limit": 3}), torch.device("cpu"))
    assert len({tuple(r) for r in means(few.sample(99, torch.Generator())).round(2).tolist()}) == 3


def test_the_same_zip_is_kept_once_under_one_name(cache: Path, monkeypatch: pytest.MonkeyPatch):
    content = zipped(ENOUGH)
    name = store_upload(content)
    monkeypatch.setattr(uploads, "_decode", None)
    assert store_upload(io.BytesIO(content)) == name
    assert store_upload(content) == name


def test_a_set_that_is_gone_says_so():
    config = ExperimentConfig(data="folder", folder="0" * 64)
    with pytest.raises(DataError, match="upload the zip again"):
        data.load(config, torch.device("cpu"))


def test_the_oldest_sets_make_room(cache: Path, monkeypatch: pytest.MonkeyPatch):
    names = [store_upload(zipped(pictures(LEAST + n))) for n in range(3)]
    for age, name in enumerate(names):
        os.utime(cache / "folders" / f"{name}.npy", (age, age))
    open_set = open_upload(names[0])
    monkeypatch.setattr(uploads, "KEPT", 3 * 20 * 3 * SIZE**2)
    names.append(store_upload(zipped(pictures(LEAST + 3))))
    assert kept(cache) == sorted(f"cache/folders/{name}.npy" for name in names[1:])
    assert open_set.mean() > 0  # whoever has it open goes on


def test_an_upload_is_not_held_up_by_another(cache: Path):
    begun, over = threading.Event(), threading.Event()

    def wait(text: str, share: float | None) -> None:
        begun.set()
        over.wait(60)

    first = threading.Thread(target=store_upload, args=(zipped(pictures(30)), wait), daemon=True)
    first.start()
    assert begun.wait(20)
    second = threading.Thread(target=store_upload, args=(zipped(ENOUGH),), daemon=True)
    second.start()
    second.join(20)
    assert not second.is_alive()
    assert len(kept(cache)) == 2  # the second, and the part of the first
    over.set()
    first.join(20)
    assert len(kept(cache)) == 2


def test_one_image_at_a_time_is_decoded(cache: Path, monkeypatch: pytest.MonkeyPatch):
    inside: list[int] = []
    most: list[int] = []

    def read(*arguments: object) -> np.ndarray:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.002)
        inside.pop()
        return np.zeros((3, SIZE, SIZE), np.uint8)

    monkeypatch.setattr(zips, "read_member", read)
    threads = [
        threading.Thread(target=store_upload, args=(zipped(pictures(20 + n)),)) for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(kept(cache)) == 3
    assert len(most) == 63
    assert max(most) == 1


# What is left out ---------------------------------------------------------------------------


def bomb_png(width: int, height: int) -> bytes:
    """A small PNG whose header promises so many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000)))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def test_what_is_no_image_is_left_out(cache: Path):
    nested = zipped({"inner.png": encoded()})
    strangers = {
        "notes.txt": b"hello",
        "inner.zip": nested,
        "folder/": b"",
        "__MACOSX/images/._00000.png": b"\0\5\26\7",
        ".hidden.png": encoded(),
        "script.py": b"import os",
        "vector.svg": b"<svg/>",
    }
    told = []
    name = store_upload(zipped(strangers | ENOUGH), lambda *news: told.append(news))
    assert len(open_upload(name)) == LEAST
    assert told[-1][0] == f"Read {LEAST} images"


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no image at all",
        encoded()[:60],
        encoded(kind="JPEG")[:-300],
        encoded(kind="WEBP")[:40],
        encoded(kind="GIF")[:50],
        encoded(kind="BMP")[:100],
        bomb_png(60_000, 60_000),
        bomb_png(8000, 8000),
        bomb_png(1, 2**31 - 1),
        bomb_png(0, 0),
        encoded(kind="TIFF"),  # under a name that promises another kind
        zipped({"a.png": encoded()}),
    ],
    ids=lambda content: f"{content[:6]!r}{len(content)}",
)
def test_what_cannot_be_decoded_is_skipped_and_counted(broken: bytes, cache: Path):
    told = []
    content = zipped({"images/00000a.png": broken} | ENOUGH)
    name = store_upload(content, lambda *news: told.append(news))
    assert len(open_upload(name)) == LEAST
    assert told[-1][0] == f"Read {LEAST} images; 1 could not be read"


HOSTILE_NAMES = [
    "../../../evil.png",
    "/etc/evil.png",
    "C:\\windows\\evil.png",
    "..\\..\\evil.png",
    "a/../../evil.png",
    "x\x00evil.png",
    "\u202egnp.png",
    "x" * 60_000 + ".png",
    "con.png",
]


def test_names_lead_nowhere(cache: Path):
    files = {name: encoded(picture(n)) for n, name in enumerate(HOSTILE_NAMES)}
    name = store_upload(zipped(files | ENOUGH))
    assert kept(cache) == [f"cache/folders/{name}.npy"]
    # zipfile cuts names at a NUL, and a name that begins with a dot is hidden.
    assert len(open_upload(name)) == LEAST + len(files) - 2


def test_links_are_not_followed(cache: Path, tmp_path: Path):
    secret = tmp_path / "cache"
    file = io.BytesIO(zipped(ENOUGH))
    with zipfile.ZipFile(file, "a") as archive:
        for target in ("/etc/passwd", "../../secret.png", str(secret)):
            link = zipfile.ZipInfo(f"{len(target)}.png")
            link.create_system = 3
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, target)
    assert len(open_upload(store_upload(file))) == LEAST


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bounds_are_not_used(method: int, cache: Path):
    file = io.BytesIO(zipped(ENOUGH))
    with zipfile.ZipFile(file, "a", method) as archive:
        archive.writestr("big.png", bytes(30_000_000))
    tracemalloc.start()
    assert len(open_upload(store_upload(file))) == LEAST
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


# What is refused ----------------------------------------------------------------------------


def test_a_zip_needs_enough_images(cache: Path):
    assert "holds 0 images; at least 16" in refused(zipped({}), cache)
    assert "holds 0 images" in refused(zipped({"a.txt": b"a"}), cache)
    assert "holds 15 images" in refused(zipped(pictures(LEAST - 1)), cache)
    broken = {f"{n}.png": b"broken" for n in range(30)}
    assert "holds 3 images, and 30 that cannot be read" in refused(
        zipped(pictures(3) | broken), cache
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"not a zip", encoded(), os.urandom(5000), zipped(ENOUGH)[:-30]],
    ids=["empty", "two letters", "text", "a PNG", "noise", "cut off"],
)
def test_what_is_no_zip_is_refused(content: bytes, cache: Path):
    assert refused(content, cache) == "That is not a zip file, or it is damaged."


def test_encrypted_zips_are_refused(cache: Path):
    content = bytearray(zipped(ENOUGH))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(signature, at + 1)) >= 0:
            content[at + offset] |= 1
    assert "encrypted" in refused(bytes(content), cache)


def zeros(megabytes: int, count: int = 1) -> bytes:
    """A zip bomb of so many members of so many MB each."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(count):
            with archive.open(f"{number}.png", "w", force_zip64=False) as member:
                for _ in range(megabytes):
                    member.write(bytes(1_000_000))
    return file.getvalue()


def test_zip_bombs_are_refused_before_they_are_unpacked(cache: Path):
    tracemalloc.start()
    assert "unpack to 520 MB; 500 MB are allowed" in refused(zeros(40, 13), cache)
    assert "100 times its size" in refused(zeros(60), cache)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_zip_that_lies_about_sizes_is_bounded_by_what_it_says(cache: Path):
    content = bytearray(zipped(ENOUGH | {"z.png": bytes(60_000_000)}))
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<L", 100)  # the unpacked size in the directory
    tracemalloc.start()
    assert len(open_upload(store_upload(bytes(content)))) == LEAST
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_members_that_share_their_bytes_count_each(cache: Path):
    """After Fifield's bomb: many entries of the directory point to one compressed member."""
    content = zeros(30)
    at = content.find(b"PK\x01\x02")
    end = content.rfind(b"PK\x05\x06")
    entry = content[at:end]
    fields = list(struct.unpack("<4s4H2LH", content[end:]))
    fields[3] = fields[4] = 20
    fields[5] = 20 * len(entry)
    bomb = content[:at] + 20 * entry + struct.pack("<4s4H2LH", *fields)
    assert "overlap" in refused(bomb, cache)


def test_one_picture_under_many_names_is_refused_before_it_is_decoded(
    cache: Path, monkeypatch: pytest.MonkeyPatch
):
    decoded: list[int] = []
    monkeypatch.setattr("wgan.data.zips.read_picture", lambda data, size: decoded.append(size))
    content = zipped({"a.png": encoded(picture(0, 400, 400))}, zipfile.ZIP_STORED)
    at, end = content.find(b"PK\x01\x02"), content.rfind(b"PK\x05\x06")
    fields = list(struct.unpack("<4s4H2LH", content[end:]))
    fields[3] = fields[4] = 19_000
    fields[5] = 19_000 * (end - at)
    bomb = content[:at] + 19_000 * content[at:end] + struct.pack("<4s4H2LH", *fields)
    assert "overlap" in refused(bomb, cache)
    assert decoded == []


def test_a_zip_has_a_budget_of_pixels(cache: Path, monkeypatch: pytest.MonkeyPatch):
    large = {f"{n}.png": encoded(picture(n, 100, 100)) for n in range(20)}
    monkeypatch.setattr(uploads, "PIXELS_EACH", 0)
    monkeypatch.setattr(uploads, "PIXELS", 20 * 100 * 100)
    store_upload(zipped(large))
    monkeypatch.setattr(uploads, "PIXELS", 20 * 100 * 100 - 1)
    with pytest.raises(DataError, match="fewer or smaller"):
        store_upload(zipped(large | {"z.txt": b""}))


def test_a_thread_of_pixels_is_not_decoded(cache: Path):
    threads = {f"{n}.png": bomb_png(1, 40_000_000) for n in range(16)}
    assert "holds 0 images, and 16 that cannot be read" in refused(zipped(threads), cache)


@pytest.mark.parametrize("count", [20_001, 70_000])
def test_too_many_members_are_refused(count: int, cache: Path):
    content = zipped({f"{n}.png": b"" for n in range(count)}, zipfile.ZIP_STORED)
    assert "20,000" in refused(content, cache)


def test_a_directory_that_claims_gigabytes_is_not_read(cache: Path):
    content = bytearray(zipped(ENOUGH))
    at = content.rfind(b"PK\x05\x06")
    content[at + 12 : at + 16] = struct.pack("<L", 2**32 - 2)
    assert "too many files" in refused(bytes(content), cache)


def test_endless_decoding_is_given_up(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "PATIENCE", -1.0)
    assert "fewer or smaller" in refused(zipped(ENOUGH), cache)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_damage_anywhere_is_skipped_or_refused(flips: list[tuple[float, int]], cache: Path):
    content = bytearray(zipped(pictures(18)))
    for place, value in flips:
        content[round(place * (len(content) - 1))] = value
    with suppress(DataError):
        assert LEAST <= len(open_upload(store_upload(bytes(content)))) <= 18


# All or nothing -----------------------------------------------------------------------------


def test_an_upload_that_is_broken_off_leaves_nothing(cache: Path):
    def stop(text: str, share: float | None) -> None:
        if share:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_upload(zipped(pictures(50)), stop)
    assert kept(cache) == []


def test_a_full_disk_is_said_in_a_sentence(cache: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(uploads, "_write", full)
    assert "the disk is full" in refused(zipped(ENOUGH), cache)


MEMORY = """
import io, resource, sys
from tests.image_files import encoded, picture, zipped
from tests.test_uploads import bomb_png
from wgan.data.uploads import store_upload
image = encoded(picture(1, 128, 128))
files = {f"{n}.png": image for n in range(3000)}
files |= {f"b{n}.png": bomb_png(60_000, 60_000) for n in range(100)}
content = zipped(files)
del files
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
store_upload(content)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1000)
"""


def test_memory_does_not_grow_with_the_number_of_images():
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=200
    )
    assert int(done.stdout) < 60  # MB; the pixels of 3,000 images have 147


def test_the_largest_image_takes_little_memory(cache: Path):
    (cache.parent / "large.png").write_bytes(encoded(Image.new("RGBA", (7000, 7000))))
    code = MEMORY.split("image =")[0] + (
        f"large = open({str(cache.parent / 'large.png')!r}, 'rb').read()\n"
        "files = {f'{n}.png': encoded(picture(n)) for n in range(16)} | {'z.png': large}\n"
        "content = zipped(files)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "store_upload(content)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200
    )
    assert int(done.stdout) < 450


# A server reads no paths --------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["/etc", "../images", "~/images", "photos.zip", "A" * 64])
def test_a_server_takes_the_names_of_uploads_only(folder: str):
    lab = Lab()
    with pytest.raises(ConfigError) as caught:
        lab.create(ExperimentConfig(data="folder", folder=folder))
    assert str(caught.value).startswith("folder is ")
    assert str(caught.value).endswith(".")
    assert lab.ids() == []


def test_a_server_takes_an_upload():
    name = store_upload(zipped(ENOUGH))
    lab = Lab()
    run = lab.create(ExperimentConfig(data="folder", folder=name, image_size=8), playing=False)
    assert run.config.folder == name
    lab.shut_down()
    assert run.state == "paused", run.frame.message
