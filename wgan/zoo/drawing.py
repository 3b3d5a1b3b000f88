"""Large pictures, drawn beside everything else: one at a time, with progress, in bounded memory.

A picture of 1024 pixels takes seconds and a third of a gigabyte while it is made. So one is made
at a time in the whole process, by a thread that yields to the training thread, and is kept at
preview size; only the file that is downloaded has every pixel.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from wgan.data.base import Progress
from wgan.data.cache import cache_folder
from wgan.data.pixels import to_pixels
from wgan.hub import Cancelled
from wgan.zoo.checkpoint import Checkpoint

PREVIEW = 256  # pixels a side on screen
LARGE = 128  # a generator of larger pictures than this is drawn here
KEEP = 1800.0  # seconds that a file waits to be downloaded
_NICE = 15  # of 19: how far the thread yields, on systems where one thread can

Pictures = npt.NDArray[np.uint8]  # (N, H, W, C)

_turn = threading.Lock()


def is_large(checkpoint: Checkpoint) -> bool:
    """Whether its pictures take long enough to be drawn as a job."""
    return not checkpoint.is_points and checkpoint.architecture.sample_shape[-1] > LARGE


def draw_previews(
    checkpoint: Checkpoint, latents: Tensor, report: Progress, cancelled: Callable[[], bool]
) -> Pictures:
    """Pictures of the latents at no more than `PREVIEW` pixels a side. Raises `Cancelled`."""
    small = [_shrunk(one) for one in _drawn(checkpoint, latents, report, cancelled)]
    return np.stack(small)


def draw_file(
    checkpoint: Checkpoint, latents: Tensor, report: Progress, cancelled: Callable[[], bool]
) -> Path:
    """A PNG with pictures of the latents in a square grid, every pixel of them.

    It lies in the folder of downloads for half an hour. Raises `Cancelled` and `OSError`.
    """
    columns = math.ceil(math.sqrt(len(latents)))
    rows = math.ceil(len(latents) / columns)
    channels, height, width = checkpoint.architecture.sample_shape
    grid = np.zeros((rows * height, columns * width, channels), np.uint8)
    for number, one in enumerate(_drawn(checkpoint, latents, report, cancelled)):
        top, left = number // columns * height, number % columns * width
        grid[top : top + height, left : left + width] = one
    report("Writing the file", None)
    folder = _folder()
    with tempfile.NamedTemporaryFile(suffix=".png", dir=folder, delete=False) as file:
        Image.fromarray(grid.squeeze()).save(file, "PNG", compress_level=1)
    return Path(file.name)


def _drawn(
    checkpoint: Checkpoint, latents: Tensor, report: Progress, cancelled: Callable[[], bool]
) -> Iterator[npt.NDArray[np.uint8]]:
    _yield_to_training()
    for number, latent in enumerate(latents):
        report(f"Drawing picture {number + 1} of {len(latents)}", number / len(latents))
        while not _turn.acquire(timeout=0.2):
            if cancelled():
                raise Cancelled
        try:
            pixels = to_pixels(checkpoint.sample(latent[None]))[0]
        finally:
            _turn.release()
        yield pixels


def _shrunk(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(H, W, C), by whole factors where it can be."""
    if max(pixels.shape[:2]) <= PREVIEW:
        return pixels
    image = Image.fromarray(pixels.squeeze())
    image = image.resize((PREVIEW, PREVIEW), Image.Resampling.BOX)
    return np.asarray(image).reshape(PREVIEW, PREVIEW, -1)


def _yield_to_training() -> None:
    # On Linux a priority belongs to a thread; those that it starts for its arithmetic inherit it.
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _folder() -> Path:
    """Where files wait; those that waited for too long are gone."""
    folder = cache_folder() / "drawings"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > KEEP:
                old.unlink()
    return folder
