"""Uploaded zips of images: checked, decoded and kept as one array of pixels each.

A set's name is the SHA-256 of its zip, so the same zip is kept once, and a name says nothing
about where on the server anything is.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from wgan.data.base import DataError, Progress, silent
from wgan.data.cache import cache_folder
from wgan.data.pictures import Pixels
from wgan.data.zips import check_directory, images_in, open_zip, read_members

SIZE = 128  # pixels at which uploads are kept
LEAST = 16  # images that make a data set
MOST = 20_000  # images in a zip
UNPACKED = 500_000_000  # bytes of all images of a zip
RATIO, RATIO_FROM = 100, 50_000_000  # unpacked to packed; small zips may pack better
# Pixels that a zip may have decoded, and more for each of its images; seconds of the processor.
PIXELS, PIXELS_EACH = 400_000_000, 250_000
PATIENCE = 120.0
KEPT = 10_000_000_000  # bytes of all uploads; beyond them the oldest go

_NAME = re.compile(r"[0-9a-f]{64}")
# One image is decoded at a time, so that many uploads take no more memory than one. Who waits for
# it holds the other lock, so that uploads take turns and none is held up by a larger one.
_decoding, _next = threading.Lock(), threading.Lock()
_keeping = threading.Lock()


def is_upload(name: str) -> bool:
    """Whether this is the name of an uploaded set, kept here or not, and no path."""
    return _NAME.fullmatch(name) is not None


def store_upload(data: bytes | BinaryIO, progress: Progress = silent) -> str:
    """Keeps the images of a zip, cropped to squares; returns the set's name.

    Images that cannot be decoded are left out. Raises `DataError` when the zip is refused; then
    nothing is kept. A zip that was uploaded before is known again.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    file.seek(0)
    name = hashlib.file_digest(file, "sha256").hexdigest()  # pyright: ignore[reportArgumentType]
    path = _path(name)
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _decode(file, path, progress)
            with _keeping:
                _make_room(keep=path)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "the disk is full" if full else error.strerror
            raise DataError(f"The images could not be kept on the server: {why}.") from error
    return name


def open_upload(name: str) -> npt.NDArray[np.uint8]:
    """The images (N, 3, SIZE, SIZE) of a set, mapped from the disk. Raises `DataError`."""
    try:
        # Copy on write: torch wants memory that it may write to.
        return np.load(_path(name), mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise DataError(
            "The uploaded images are not kept here any more; upload the zip again."
        ) from None


def _path(name: str) -> Path:
    return cache_folder() / "folders" / f"{name}.npy"


def _decode(file: BinaryIO, path: Path, progress: Progress) -> None:
    """Writes the zip's images to `path`, all of them or no file."""
    check_directory(file)
    with open_zip(file) as opened:
        members = images_in(opened)
        _check_sizes([(member.file_size, member.compress_size) for member in members])
        _check_count(len(members), skipped=0)
        partial = path.with_name(f"{uuid.uuid4().hex}.part")
        try:
            budget = _Budget(len(members))
            images = _in_turns(read_members(opened, members, SIZE, budget.spend))
            count = _write(partial, images, len(members), budget, progress)
            _check_count(count, skipped=len(members) - count)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _check_sizes(sizes: list[tuple[int, int]]) -> None:
    """(unpacked, packed) bytes of every image, as the zip has them."""
    unpacked, packed = (sum(column) for column in zip(*sizes, strict=True)) if sizes else (0, 0)
    if len(sizes) > MOST:
        raise DataError(f"The zip holds {len(sizes):,} images; {MOST:,} are allowed.")
    if unpacked > UNPACKED:
        raise DataError(
            f"The zip's images unpack to {unpacked / 1e6:,.0f} MB; {UNPACKED / 1e6:,.0f} MB are "
            "allowed."
        )
    if unpacked > RATIO_FROM and unpacked > RATIO * packed:
        raise DataError(f"The zip unpacks to more than {RATIO} times its size; that is refused.")


def _check_count(count: int, skipped: int) -> None:
    if count < LEAST:
        broken = f", and {skipped:,} that cannot be read" if skipped else ""
        raise DataError(
            f"The zip holds {count:,} images{broken}; at least {LEAST} are needed "
            "(png, jpg, webp, gif or bmp)."
        )


class _Budget:
    """What decoding a whole zip may cost."""

    def __init__(self, images: int) -> None:
        self._pixels = PIXELS + PIXELS_EACH * images
        self._deadline = time.thread_time() + PATIENCE

    def spend(self, pixels: int) -> None:
        self._pixels -= pixels

    def check(self) -> None:
        """Raises `DataError` when it is spent."""
        if self._pixels < 0 or time.thread_time() > self._deadline:
            raise DataError("Decoding the images takes too long; upload fewer or smaller ones.")


def _in_turns(images: Iterator[Pixels | None]) -> Iterator[Pixels | None]:
    """The same images, each decoded when it is this upload's turn."""
    while True:
        with _next:
            _decoding.acquire()
        try:
            image = next(images)
        except StopIteration:
            return
        finally:
            _decoding.release()
        yield image


def _write(
    path: Path, images: Iterable[Pixels | None], total: int, budget: _Budget, progress: Progress
) -> int:
    """Writes the images that could be read as one .npy, one after the other; how many they are."""
    count = 0
    with path.open("wb") as file:
        _write_header(file, 0)
        for number, image in enumerate(images):
            if number % 20 == 0:
                progress(f"Reading the images: {number:,} of {total:,}", number / total)
            if image is not None:
                file.write(image.tobytes())
                count += 1
            budget.check()
        file.seek(0)
        _write_header(file, count)
    skipped = f"; {total - count:,} could not be read" if count < total else ""
    progress(f"Read {count:,} images{skipped}", 1.0)
    return count


def _write_header(file: BinaryIO, count: int) -> None:
    """numpy leaves room in it for any number of rows, so that it can be written again."""
    shape = (count, 3, SIZE, SIZE)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _make_room(keep: Path) -> None:
    """Deletes the oldest sets beyond `KEPT` bytes; runs that have them open keep them."""
    kept = sorted(keep.parent.glob("*.npy"), key=os.path.getmtime, reverse=True)
    total = 0
    for path in kept:
        total += path.stat().st_size
        if total > KEPT and path != keep:
            path.unlink()
