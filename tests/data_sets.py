"""Loading data sets in tests."""

from __future__ import annotations

import torch

from wgan import data
from wgan.config import ExperimentConfig

CPU = torch.device("cpu")
DRAWN = ((0.0, 1.0), (-1.5, 0.25), (2.0, -2.0))
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def load(name: str, size: int = 8, device: str = "cpu", progress=None) -> data.Dataset:
    """The data set `name` at a size; the hand-drawn points are `DRAWN`."""
    points = DRAWN if name == "points" else ()
    config = ExperimentConfig(data=name, points=points, image_size=size)
    return data.load(config, torch.device(device), progress)


def seeded(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)
