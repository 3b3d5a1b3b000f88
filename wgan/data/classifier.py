"""A small convolutional classifier of a labelled set: trained once, kept on disk by content."""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from math import ceil

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from wgan.data.base import Progress
from wgan.data.cache import cache_folder
from wgan.data.pixels import decode

SIDE = 32  # pixels; larger images are classified at this size
SEEN = 120_000  # images that it learns from, counting each as often as it comes: 25 s on a core
BATCH = 128
SHIFT, OFTEN = 2, 5  # pixels that images are moved by, once they come so often
RATE = 3e-3
HELD_OUT = 5000  # at most so many images measure it
_VERSION = 3  # of what is kept on disk


@dataclass(frozen=True, eq=False)
class Classifier:
    """network: images (N, C, H, W) in [−1, 1] to scores (N, K).

    confusion: (K, K) of held-out images, the share of class i that is taken for class j; accuracy:
    the share that is taken for its own.
    """

    network: nn.Module
    confusion: Tensor
    accuracy: float

    @torch.no_grad()
    def classify(self, images: Tensor) -> Tensor:
        """The class of each image, (N,)."""
        return torch.cat([self.network(_small(some)).argmax(1) for some in images.split(1000)])


def build(channels: int, side: int, classes: int) -> nn.Sequential:
    """Two convolutions at stride 2, and two linear layers."""
    maps = -(-side // 4)
    return nn.Sequential(
        *(nn.Conv2d(channels, 24, 5, stride=2, padding=2), nn.ReLU()),
        *(nn.Conv2d(24, 48, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(48 * maps**2, 128), nn.ReLU(), nn.Linear(128, classes)),
    )


def fit(pixels: Tensor, labels: Tensor, classes: int, progress: Progress) -> Classifier:
    """The classifier of these images, from disk if this machine has trained it before.

    pixels: (N, C, H, W) as `decode` takes them, on the CPU; labels: (N,) int64. A tenth of the
    images, at most `HELD_OUT`, is held out to measure it. The same images give the same weights.
    """
    side = min(SIDE, pixels.shape[-1])
    network = build(pixels.shape[1], side, classes)
    path = cache_folder() / "classifiers" / f"{_fingerprint(pixels, labels, classes)}.safetensors"
    with suppress(Exception):  # not there, or not whole: it is trained again
        kept = load_file(path)
        confusion = kept.pop("confusion")
        network.load_state_dict(kept)
        return Classifier(network.eval(), confusion, float(_accuracy(confusion, labels)))
    rng = torch.Generator().manual_seed(0)
    order = torch.randperm(len(pixels), generator=rng)
    count = min(len(pixels) // 10, HELD_OUT)
    _train(network, pixels, labels, order[count:], rng, progress)
    confusion = _confusion(network.eval(), pixels[order[:count]], labels[order[:count]], classes)
    _keep(path, {**network.state_dict(), "confusion": confusion})
    return Classifier(network, confusion, float(_accuracy(confusion, labels)))


def _accuracy(confusion: Tensor, labels: Tensor) -> Tensor:
    """The share of held-out images that is right, were the classes as frequent as in `labels`."""
    frequency = torch.bincount(labels, minlength=len(confusion)).float() / len(labels)
    return (confusion.diagonal() * frequency).sum()


def _train(
    network: nn.Module,
    pixels: Tensor,
    labels: Tensor,
    which: Tensor,
    rng: torch.Generator,
    progress: Progress,
) -> None:
    """Adam, the rate rising and falling once, over `SEEN` images."""
    # As everywhere that trains: threads that wait for each other crawl beside anything else.
    torch.set_num_threads(max(1, min(4, (os.cpu_count() or 1) // 2)))
    for parameter in network.parameters():
        bound = parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.0
        nn.init.uniform_(parameter, -bound, bound, generator=rng)
    epochs = max(1, min(60, ceil(SEEN / len(which))))
    steps = epochs * ceil(len(which) / BATCH)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps + 1)
    done = 0
    for _ in range(epochs):
        for batch in which[torch.randperm(len(which), generator=rng)].split(BATCH):
            images = _small(decode(pixels[batch]))
            if epochs >= OFTEN:
                images = _moved(images, rng)
            loss = cross_entropy(network(images), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            done += 1
            if done % 20 == 0:
                progress("Learning to tell the classes apart, once", done / steps)
    network.requires_grad_(False)


def _moved(images: Tensor, rng: torch.Generator) -> Tensor:
    """The batch, moved by up to `SHIFT` pixels each way: few images teach as more would."""
    down, right = torch.randint(-SHIFT, SHIFT + 1, (2,), generator=rng).tolist()
    return images.roll((down, right), (2, 3))


@torch.no_grad()
def _confusion(network: nn.Module, pixels: Tensor, labels: Tensor, classes: int) -> Tensor:
    found = torch.cat([network(_small(decode(some))).argmax(1) for some in pixels.split(1000)])
    table = torch.zeros(classes, classes)
    table.index_put_((labels, found), torch.ones(len(labels)), accumulate=True)
    return table / table.sum(1, keepdim=True).clamp_min(1)


def _small(images: Tensor) -> Tensor:
    if images.shape[-1] <= SIDE:
        return images
    return interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True)


def _fingerprint(pixels: Tensor, labels: Tensor, classes: int) -> str:
    about = f"{_VERSION} {SEEN} {classes} {tuple(pixels.shape)} {pixels.dtype}"
    digest = hashlib.sha256(about.encode())
    for chunk in pixels.split(5000):
        digest.update(chunk.contiguous().numpy().data)
    digest.update(labels.contiguous().numpy().data)
    return digest.hexdigest()[:32]


def _keep(path: os.PathLike[str], tensors: dict[str, Tensor]) -> None:
    """On disk, whole or not at all; a disk that cannot be written costs the time again."""
    target = os.fspath(path)
    partial = f"{target}.{uuid.uuid4().hex}.part"
    with suppress(OSError):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial)
        os.replace(partial, target)
