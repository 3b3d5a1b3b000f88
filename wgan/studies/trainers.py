"""Where the studies train."""

from __future__ import annotations

import torch

from wgan.config import ExperimentConfig
from wgan.data import load
from wgan.trainer import Trainer

# Small networks: a CPU is as fast as a GPU, whose launches would cost more than the arithmetic,
# and gives the same bits again.
CPU = torch.device("cpu")


def trainer_of(config: ExperimentConfig) -> Trainer:
    """A trainer on the CPU with the config's data. Raises `DataError`."""
    return Trainer(config, load(config, CPU))
