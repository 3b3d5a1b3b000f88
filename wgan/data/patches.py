"""Patches of photographs, without a download: scikit-learn brings two along."""

from __future__ import annotations

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

PATCHES = 20_000
_MEMORY = 256_000_000  # bytes at most: of large patches there are fewer


def load_patches(size: int) -> Tensor:
    """Crops (N, 3, size, size) uint8 at random places of both photographs; always the same."""
    from sklearn.datasets import load_sample_images  # imported here: slow, and few need it

    photographs = np.stack(load_sample_images().images)  # (2, 427, 640, 3)
    crops = sliding_window_view(photographs, (size, size), axis=(1, 2))  # (2, rows, columns, 3, …)
    count = min(PATCHES, _MEMORY // (3 * size * size))
    places = np.random.default_rng(0).integers(0, crops.shape[:3], (count, 3))
    return torch.from_numpy(np.ascontiguousarray(crops[tuple(places.T)]))
