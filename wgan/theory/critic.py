"""The small critic of the page Theory's own experiments."""

from __future__ import annotations

import torch
from torch import nn

from wgan.networks import initialised


def small_critic(inputs: int, width: int, seed: int) -> nn.Sequential:
    """Two hidden layers, (n, inputs) -> (n,); the weights are those of the seed."""

    def build() -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(inputs, width), nn.LeakyReLU(0.2), nn.Linear(width, width),
            nn.LeakyReLU(0.2), nn.Linear(width, 1), nn.Flatten(0),
        )  # fmt: skip

    return initialised(build, torch.device("cpu"), torch.Generator().manual_seed(seed))
