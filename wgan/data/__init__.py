"""Data sets: `load` one, then `sample` it; where a set has modes, it can judge samples by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wgan.config import ExperimentConfig
from wgan.data.base import DataError, Dataset, Modes, Progress, silent
from wgan.data.titles import about, title

if TYPE_CHECKING:
    import torch

__all__ = ["DataError", "Dataset", "Modes", "Progress", "about", "load", "title"]


def load(
    config: ExperimentConfig, device: torch.device, progress: Progress | None = None
) -> Dataset:
    """The data set `config.data`, for generators on `device`.

    2-D data are made at once. An image set is read (and downloaded, the first time) once a
    process; every caller with the same set, limit, size and device shares it. Safe to call from
    several threads. `progress(text, share)` is told what is going on; share is 0..1, or None if
    unknown.

    Raises `DataError` when the data set cannot be had.
    """
    # Imported here: they bring torch, and most who ask for a title or an error load nothing.
    from wgan.data.images import load_images
    from wgan.data.points import make_points

    if config.is_points:
        return make_points(config.data, config.points, device)
    return load_images(config, device, progress or silent)
