"""Images of one's own: an uploaded set, or a folder or zip on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wgan.data.base import DataError, Progress
from wgan.data.pictures import MAX_BYTES, SUFFIXES, PictureError, Pixels, read_picture
from wgan.data.uploads import LEAST, is_upload, open_upload
from wgan.data.zips import images_in, open_zip, read_members
from wgan.files import expanded, open_regular

_MEMORY = 4_000_000_000  # bytes of pixels at most


def read_folder(folder: str, size: int, limit: int, progress: Progress) -> Tensor:
    """The images (N, 3, H, W) uint8 of `ExperimentConfig.folder`; N ≤ limit, unless that is 0.

    Those of an uploaded set have the size at which it is kept; those of a path, taken in the
    order of their names, have size × size pixels. Raises `DataError`.
    """
    if is_upload(folder):
        images = open_upload(folder)
        return torch.from_numpy(images[: limit or len(images)])
    path = expanded(folder)
    try:
        if path.is_dir():
            files = sorted(_files(path))
            return _gather(path, len(files), _read_files(files, size), size, limit, progress)
        with open_regular(path) as file, open_zip(file) as opened:
            members = sorted(images_in(opened), key=lambda member: member.filename)
            images = read_members(opened, members, size)
            return _gather(path, len(members), images, size, limit, progress)
    except OSError as error:
        raise DataError(
            f"folder is {folder!r}, which cannot be read ({error.strerror}); expected the path of "
            "a folder or a zip of images."
        ) from error
    except DataError as error:
        if str(path) in str(error):
            raise
        raise DataError(f"{path}: {error}") from None


def _files(folder: Path) -> Iterator[Path]:
    """The files of images in a folder and the folders inside it."""
    for place, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(place, name)


def _read_files(files: Iterable[Path], size: int) -> Iterator[Pixels | None]:
    for path in files:
        try:
            with open_regular(path) as file:
                yield read_picture(file.read(MAX_BYTES + 1), size)
        except (PictureError, OSError):
            yield None


def _gather(
    path: Path,
    total: int,
    images: Iterable[Pixels | None],
    size: int,
    limit: int,
    progress: Progress,
) -> Tensor:
    """The images that could be read, at most `limit` of them, in one tensor."""
    most = min(limit or total, total)
    if most * 3 * size * size > _MEMORY:
        raise DataError(
            f"{path} holds {total:,} images, which need {most * 3 * size * size / 1e9:.0f} GB of "
            f"memory at {size} × {size} pixels; take fewer with limit, or a smaller image_size."
        )
    pixels = np.empty((most, 3, size, size), np.uint8)
    count = skipped = 0
    for image in images:
        if count == most:
            break
        if (count + skipped) % 100 == 0:
            progress(f"Reading {path.name}: {count:,} of {most:,} images", count / most)
        if image is None:
            skipped += 1
        else:
            pixels[count] = image
            count += 1
    if count < min(LEAST, limit or LEAST):
        broken = f", and {skipped:,} that cannot be read" if skipped else ""
        raise DataError(
            f"{path} holds {count:,} images{broken}; at least {LEAST} are needed "
            "(png, jpg, webp, gif or bmp)."
        )
    return torch.from_numpy(pixels[:count])
