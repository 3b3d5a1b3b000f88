"""Image data sets: loaded once a process, shared by every run that uses them."""

from __future__ import annotations

import threading
import weakref
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from wgan.data.archives import cache_folder, read_archive
from wgan.data.avatars import load_faces
from wgan.data.base import Modes, Progress
from wgan.data.modes import fit_classes
from wgan.data.pixels import decode, resize
from wgan.data.titles import title


@dataclass(frozen=True, eq=False)
class ImageData:
    """An image data set; see `Dataset`.

    pixels: (N, C, H, W), bytes 0..255 or floats in [−1, 1]. accuracy: share of held-out images
    whose class the judge of modes gets right, 0..1; the set has modes only when it is high.
    """

    pixels: Tensor
    modes: Modes | None
    accuracy: float
    extent: float = 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.pixels.shape[1:])

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        device = self.pixels.device
        which = torch.randint(len(self.pixels), (n,), generator=generator, device=device)
        return decode(self.pixels[which])


# Weak: a set that no run uses any more gives its memory back. One lock a set: thirty runs that
# start together load it once, and one that downloads does not hold up the others.
_Key = tuple[str, int, torch.device, Path]
_loaded: weakref.WeakValueDictionary[_Key, ImageData] = weakref.WeakValueDictionary()
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def load_images(name: str, size: int, device: torch.device, progress: Progress) -> ImageData:
    """The image set `name` at size × size pixels on `device`. Raises `DataError`."""
    key = (name, size, device, cache_folder())
    lock = _locks[name]
    if lock.locked():
        progress(f"Waiting for {title(name)}, which another run is loading", None)
    with lock:
        found = _loaded.get(key)
        if found is None:
            found = _loaded[key] = _read(name, size, device, progress)
        return found


def _read(name: str, size: int, device: torch.device, progress: Progress) -> ImageData:
    if name == "avatars":
        progress("Drawing the avatars", None)
        pixels, faces = load_faces(size, device)
        return ImageData(pixels.to(device), faces, faces.accuracy)
    if name == "digits":
        pixels, labels, names = _digits()
    else:
        pixels, labels, names = read_archive(name, progress)
    progress(f"Preparing {title(name)}", None)
    pixels = resize(pixels, size)
    modes, accuracy = fit_classes(pixels, labels, names, device)
    return ImageData(pixels.to(device), modes, accuracy)


def _digits() -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """scikit-learn's 1,797 digits: images (N, 1, 8, 8) in [−1, 1], labels (N,), class names."""
    from sklearn.datasets import load_digits  # imported here: slow, and few need it

    images, labels = load_digits(return_X_y=True)
    pixels = torch.from_numpy(images).float().div_(8).sub_(1)  # grey levels are 0..16
    names = tuple(str(digit) for digit in range(10))
    return pixels.view(-1, 1, 8, 8), torch.from_numpy(labels).long(), names
