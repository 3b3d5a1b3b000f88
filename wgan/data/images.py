"""Image data sets: loaded once a process, shared by every run that uses them."""

from __future__ import annotations

import threading
import weakref
from collections import defaultdict
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wgan.config import ExperimentConfig
from wgan.data.archives import ARCHIVES, read_archive
from wgan.data.avatars import load_faces
from wgan.data.base import Modes, Progress
from wgan.data.cache import cache_folder
from wgan.data.folders import read_folder
from wgan.data.modes import fit_classes
from wgan.data.patches import load_patches
from wgan.data.pixels import Pictures, decode, resize
from wgan.data.titles import title

HELD_OUT = 5000  # at most so many of the images that were left out are kept
ON_GPU = 4_000_000_000  # bytes: a larger set stays on the CPU, and batches travel


@dataclass(frozen=True, eq=False)
class ImageData:
    """An image data set; see `Dataset`.

    pixels: (N, C, H, W), bytes 0..255 or floats in [−1, 1]; on the generator's device or, of a
    large set, on the CPU, mapped from the disk. accuracy: share of held-out images whose class the
    judge of modes gets right, 0..1, and 0 without classes; modes are there only when it is high.
    held_out: images that `limit` left out, where they were at hand anyway; at most `HELD_OUT`.
    """

    pixels: Tensor
    modes: Modes | None
    accuracy: float
    extent: float = 1.0
    held_out: ImageData | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.pixels.shape[1:])

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        device = generator.device
        which = torch.randint(len(self.pixels), (n,), generator=generator, device=device)
        return decode(self.pixels[which.to(self.pixels.device)].to(device))


# Weak: a set that no run uses any more gives its memory back. One lock a set: thirty runs that
# start together load it once, and one that downloads does not hold up the others.
_Key = tuple[str, str, int, int, torch.device, Path]
_loaded: weakref.WeakValueDictionary[_Key, ImageData] = weakref.WeakValueDictionary()
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def load_images(config: ExperimentConfig, device: torch.device, progress: Progress) -> ImageData:
    """The image set of a config, at its size, for training on `device`. Raises `DataError`."""
    name = config.data
    folder = config.folder if name == "folder" else ""
    key = (name, folder, config.limit, config.image_size, device, cache_folder())
    lock = _locks[name + folder]
    if lock.locked():
        progress(f"Waiting for {title(name)}, which another run is loading", None)
    with lock:
        found = _loaded.get(key)
        if found is None:
            found = _loaded[key] = _load(config, device, progress)
        return found


def _load(config: ExperimentConfig, device: torch.device, progress: Progress) -> ImageData:
    name, size, limit = config.data, config.image_size, config.limit
    if name == "avatars":
        progress("Drawing the avatars", None)
        pixels, faces = load_faces(size, device)
        return _limited(pixels, limit, device, faces, faces.accuracy)
    pixels, labels, names = _read(config, progress)
    progress(f"Preparing {title(name)}", None)
    # A hundred digits are too few to tell the classes by: their judge sees them all.
    judged = len(pixels) if name == "digits" or not limit else limit
    pixels = resize(pixels[: judged + HELD_OUT], size)
    modes, accuracy = None, 0.0
    if labels is not None:
        modes, accuracy = fit_classes(pixels[:judged], labels[:judged], names, device, progress)
    if name == "digits" and 0 < limit < len(pixels):
        # They come in the order of their writers. The same shuffle whatever the run's seed.
        pixels = pixels[torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))]
    return _limited(pixels, limit, device, modes, accuracy)


def _limited(
    pixels: Tensor, limit: int, device: torch.device, modes: Modes | None, accuracy: float
) -> ImageData:
    """The first `limit` images (0: all) to train on, and those behind them as the held-out set."""
    held_out = None
    if 0 < limit < len(pixels):
        rest = _placed(pixels[limit : limit + HELD_OUT], device)
        held_out = ImageData(rest, modes, accuracy)
    return ImageData(_placed(pixels[: limit or None], device), modes, accuracy, held_out=held_out)


def _read(config: ExperimentConfig, progress: Progress) -> Pictures:
    """The images of a config's data, not all of them at its size yet."""
    name, size, limit = config.data, config.image_size, config.limit
    if name == "digits":
        return _digits()
    if name == "patches":
        progress("Cutting the patches", None)
        return Pictures(load_patches(size))
    if name == "folder":
        return Pictures(read_folder(config.folder, size, limit, progress))
    if name in ARCHIVES:
        return read_archive(name, progress)
    from wgan.data.hub_images import read_hub  # imported here: slow, and few need it

    return read_hub(name, size, limit, progress)


def _placed(pixels: Tensor, device: torch.device) -> Tensor:
    """On the device; on the CPU, and perhaps on the disk, what would fill a GPU."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if pixels.nbytes > min(ON_GPU, free / 2):
            return pixels
    return pixels.to(device)


def _digits() -> Pictures:
    """scikit-learn's 1,797 digits: images (N, 1, 8, 8) in [−1, 1] with their labels."""
    sklearn = find_spec("sklearn")  # not imported, which takes longer than all else before a run
    assert sklearn is not None
    file = Path(sklearn.origin or "").parent / "datasets/data/digits.csv.gz"
    rows = torch.from_numpy(np.loadtxt(file, delimiter=",")).float()
    pixels = rows[:, :64].div(8).sub_(1)  # grey levels are 0..16
    names = tuple(str(digit) for digit in range(10))
    return Pictures(pixels.view(-1, 1, 8, 8), rows[:, 64].long(), names)
