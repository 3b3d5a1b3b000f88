"""A 2-D generator as the lab shows it: samples, real data, the critic's surface."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from wgan.data import load
from wgan.runs.evaluation import SURFACE
from wgan.types import PointView
from wgan.zoo.checkpoint import Checkpoint


def point_view(checkpoint: Checkpoint, latents: Tensor) -> PointView:
    """Samples of latents (N, latent_dim) among N real points, where the data is known.

    Without a critic the surface is flat.
    """
    fake = checkpoint.sample(latents)
    real, extent = torch.zeros(0, 2), float(fake.abs().max()) * 1.1
    if checkpoint.experiment is not None:
        data = load(checkpoint.experiment, torch.device("cpu"))
        real, extent = data.sample(len(fake), torch.Generator().manual_seed(0)), data.extent
    ticks = torch.linspace(-extent, extent, SURFACE)
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    places = torch.stack([x, y], -1).reshape(-1, 2)
    surface = checkpoint.score(places) if checkpoint.critic is not None else places[:, 0] * 0
    none = fake[:0].numpy()
    return PointView(
        real=real.numpy(),
        fake=fake.numpy(),
        extent=extent,
        surface=surface.reshape(SURFACE, SURFACE).numpy(),
        manifold=np.zeros((0, 2, 2), np.float32),
        arrow_tails=none,
        arrow_tips=none,
    )
