"""Decoded images on disk: one growing array, and a note of how far it has come.

The array is `pixels.bin`, (N, 3, size, size) uint8, with `labels.bin`, (N,) int32, beside it. The
note, `state.json`, is written last and in one go: bytes beyond what it says do not count, so that
a process may end at any moment and another goes on from there.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout

from wgan.data.base import Progress
from wgan.data.pictures import Pixels
from wgan.data.pixels import Pictures

MOST_CLASSES = 100  # labels beyond that are no modes that a meter could show


@dataclass(frozen=True)
class State:
    """How far an array has come.

    images: in the array. skipped: rows that held no readable image. shards: the names of those
    read to their end, in order. row: rows read of the next one. complete: no shard is left.
    """

    images: int = 0
    skipped: int = 0
    shards: tuple[str, ...] = ()
    row: int = 0
    complete: bool = False

    def serves(self, limit: int) -> bool:
        """Whether `limit` images are there; 0 is all."""
        return self.images > 0 and (self.complete or 0 < limit <= self.images)


class ImageCache:
    """The array of one repository at one commit and one size. Raises `OSError`.

    `append` is for one process at a time, which holds the lock; `read` is for any.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        self.state = self._state()

    def read(self, limit: int) -> Pictures:
        """The first `limit` images, 0 for all, mapped from the disk; labels where all have one."""
        count = min(limit or self.state.images, self.state.images)
        # Copy on write: torch wants memory that it may write to.
        shape = (count, 3, self.size, self.size)
        pixels = torch.from_numpy(np.memmap(self._pixels, np.uint8, "c", shape=shape))
        labels = np.fromfile(self._labels, "<i4", count)
        classes = int(labels.max()) + 1
        if labels.min() < 0 or not 2 <= classes <= MOST_CLASSES:
            return Pictures(pixels)
        names = tuple(str(number) for number in range(classes))
        return Pictures(pixels, torch.from_numpy(labels.astype(np.int64)), names)

    @contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """No other process appends; the state is what the last one left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress("Waiting for another process that is loading the same images", None)
            lock.acquire()
        try:
            self.state = self._state()
            if not self.state.images:
                # A new file: whoever has the old one mapped must not see it shrink.
                self._pixels.unlink(missing_ok=True)
                self._labels.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def append(self, images: Sequence[Pixels], labels: Sequence[int], state: State) -> None:
        """Adds images and their labels (−1 for none); `state` is what is true with them."""
        row = 3 * self.size**2
        packed = np.array(labels, "<i4").tobytes()
        _write(self._pixels, self.state.images * row, b"".join(image.tobytes() for image in images))
        _write(self._labels, self.state.images * 4, packed)
        partial = self._note.with_suffix(".part")
        with partial.open("w") as file:
            json.dump(dataclasses.asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._note)
        self.state = state

    @property
    def _pixels(self) -> Path:
        return self.folder / "pixels.bin"

    @property
    def _labels(self) -> Path:
        return self.folder / "labels.bin"

    @property
    def _note(self) -> Path:
        return self.folder / "state.json"

    def _state(self) -> State:
        """What the note says; the beginning when it is not there, or the array does not bear it
        out."""
        try:
            state = State(**json.loads(self._note.read_text()))
            needed = state.images * 3 * self.size**2, state.images * 4
            there = self._pixels.stat().st_size, self._labels.stat().st_size
            whole = there[0] >= needed[0] and there[1] >= needed[1]
        except (OSError, ValueError, TypeError):
            return State()
        return dataclasses.replace(state, shards=tuple(state.shards)) if whole else State()


def _write(path: Path, start: int, data: bytes) -> None:
    """Puts bytes at `start`, and nothing behind them."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.truncate(start)
        file.seek(start)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
