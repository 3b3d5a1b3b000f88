"""What of the discriminator's judgement reaches a generator (Arjovsky & Bottou 2017, Fig. 2).

A generator at its first step stands still while a discriminator learns to tell its samples from the
data. From time to time the gradient of both generator losses is measured at the same weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from wgan import optimizers
from wgan.config import ExperimentConfig
from wgan.data import load
from wgan.losses import critic_loss, generator_loss
from wgan.networks import build_critic, build_generator
from wgan.theory.reach_settings import BETWEEN, LOSSES, STEPS

CPU = torch.device("cpu")
CONFIG = ExperimentConfig(data="ring8", width=64, depth=2, objective="gan", constraint="none")
BATCH, LR = 256, 1e-3


@dataclass(frozen=True)
class Reach:
    """Measured so far. step: discriminator steps, (n,). norms: ‖∂L_G/∂w‖ over all of the
    generator's weights, by loss, (n,) each. seen: the mean D(G(z)), (n,)."""

    step: npt.NDArray[np.float64]
    norms: dict[str, npt.NDArray[np.float64]]
    seen: npt.NDArray[np.float64]


def run(seed: int, steps: int = STEPS) -> Iterator[Reach]:
    """Yields what is known after each measurement."""
    rng = torch.Generator().manual_seed(seed)
    generator, critic = build_generator(CONFIG, CPU, rng), build_critic(CONFIG, CPU, rng)
    data = load(CONFIG, CPU)
    optimizer = optimizers.Adam(critic.parameters(), LR, betas=(0.5, 0.9))
    at: list[int] = []
    norms: dict[str, list[float]] = {loss: [] for loss in LOSSES}
    seen: list[float] = []
    for step in range(steps + 1):
        z = torch.randn(BATCH, CONFIG.latent_dim, generator=rng)
        if step % BETWEEN == 0:
            scores = critic(generator(z))
            for name in LOSSES:
                gradients = torch.autograd.grad(
                    generator_loss(name, scores), list(generator.parameters()), retain_graph=True
                )
                norms[name].append(sum(g.square().sum().item() for g in gradients) ** 0.5)
            seen.append(scores.sigmoid().mean().item())
            at.append(step)
            lists = {name: np.array(values) for name, values in norms.items()}
            yield Reach(np.array(at, float), lists, np.array(seen))
        with torch.no_grad():
            fake = generator(z)
        loss = critic_loss("gan", critic(data.sample(BATCH, rng)), critic(fake))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
