"""The image sets that torchvision knows: fetched into the cache folder, read by torchvision."""

from __future__ import annotations

import os
import shutil
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

import torch
from torch import Tensor

from wgan.data.base import DataError, Progress
from wgan.data.cache import cache_folder
from wgan.data.download import fetch, is_intact
from wgan.data.pixels import Pictures
from wgan.data.titles import title, without_download

# Our name -> torchvision's.
ARCHIVES = {"mnist": "MNIST", "fashion": "FashionMNIST", "cifar10": "CIFAR10"}
# Where a Linux distribution's package puts its files (Debian: dataset-fashion-mnist).
SYSTEM = {"fashion": Path("/usr/share/datasets/fashion-mnist")}


def read_archive(name: str, progress: Progress) -> Pictures:
    """The training images (N, C, H, W) uint8 of a set, with their labels.

    Files that are not in the cache folder are downloaded. Raises `DataError`.
    """
    from torchvision import datasets  # imported here: slow, and few need it

    kind = getattr(datasets, ARCHIVES[name])
    folder = cache_folder()
    progress(f"Reading {title(name)}", None)
    try:
        # torchvision checks the sums of CIFAR-10's pickles before it opens them.
        read = kind(folder)
    except Exception:
        # Not there, or cut off when a process died while unpacking: torchvision raises anything
        # from an AssertionError to an EOFError. Either way unpack again, from archives that are
        # checked first.
        _unpack(name, kind, folder, progress)
        try:
            read = kind(folder)
        except Exception as error:
            raise DataError(
                f"The files of {title(name)} in {folder} cannot be read ({error}); "
                "delete that folder and try again."
            ) from error
    names = tuple(label.split(" - ")[0] for label in read.classes)  # MNIST has "0 - zero"
    return Pictures(_channels_first(read.data), torch.as_tensor(read.targets), names)


def _channels_first(data: Any) -> Tensor:
    """(N, H, W), or (N, H, W, C), as (N, C, H, W)."""
    data = torch.as_tensor(data)
    return data[:, None] if data.ndim == 3 else data.permute(0, 3, 1, 2).contiguous()


def _unpack(name: str, kind: Any, folder: Path, progress: Progress) -> None:
    """Brings every archive of a set into the cache folder, and unpacks it as torchvision would."""
    from torchvision.datasets.utils import extract_archive

    archives = _archives(kind, folder)
    for number, (urls, path, md5) in enumerate(archives):
        if not is_intact(path, md5) and not _copied(name, path):

            def report(done: int, total: int | None, number: int = number) -> None:
                share = (number + done / total) / len(archives) if total else None
                size = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB" if total else f"{done:,} bytes"
                part = f", file {number + 1} of {len(archives)}" if len(archives) > 1 else ""
                progress(f"Downloading {title(name)}{part}: {size}", share)

            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                fetch(urls, path, md5, report)
            except (OSError, HTTPException) as error:
                raise DataError(_why_not(name, urls, error)) from error
        progress(f"Unpacking {title(name)}", (number + 1) / len(archives))
        try:
            extract_archive(os.fspath(path), os.fspath(path.parent))
        except OSError as error:
            raise DataError(
                f"{title(name)} could not be unpacked in {path.parent} ({_reason(error)})."
            ) from error


def _copied(name: str, path: Path) -> bool:
    """Whether the machine's own package has the file; it is copied then.

    It is packed anew there, so that its sum is another one; the package manager has checked it.
    """
    packaged = SYSTEM.get(name, Path()) / path.name
    if not packaged.is_file():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(packaged, path)
    return True


def _archives(kind: Any, folder: Path) -> list[tuple[list[str], Path, str]]:
    """(addresses to try, where to keep it, MD5 sum) of every file that a set consists of."""
    if hasattr(kind, "resources"):  # the MNIST family: four files, on mirrors
        raw = folder / kind.__name__ / "raw"
        return [([m + file for m in kind.mirrors], raw / file, md5) for file, md5 in kind.resources]
    return [([kind.url], folder / kind.filename, kind.tgz_md5)]


def _why_not(name: str, urls: list[str], error: Exception) -> str:
    """One sentence for the person: what failed, where, and what works all the same."""
    if isinstance(error, OSError) and error.filename and not isinstance(error, URLError):
        # Only an error of the disk names a file; but an HTTPError uses that name for its address.
        what = f"stored in {error.filename}"
    else:
        what = f"downloaded from {' or '.join(urlsplit(url).netloc for url in urls)}"
    return (
        f"{title(name)} could not be {what} ({_reason(error)}); "
        f"these data sets need no download: {without_download()}."
    )


def _reason(error: Any) -> str:
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        error = error.reason
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
