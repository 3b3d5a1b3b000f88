"""A generator with one parameter, G_θ(z) = (θ, z), trained against a real critic.

The data is (0, Z), Z uniform on [0, 1] (Arjovsky et al. 2017, Example 1), so that the generator is
perfect at θ = 0 and nowhere else. The critic is trained near its optimum before the generator's
first step and between two steps; the generator takes plain gradient steps, without Adam, whose
normalisation would hide how long the gradient is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wgan import optimizers
from wgan.constraints import constraint as constraint_named
from wgan.losses import clip_weights, critic_loss, draw_alpha, generator_loss, penalty
from wgan.theory.critic import small_critic
from wgan.theory.line_methods import CLIP, METHODS, STEPS, WEIGHT

BATCH, WIDTH = 64, 32
BEFORE = 100  # critic steps before the generator's first
MOST = 0.1  # the longest step of θ: a GAN's critic grows as steep as it likes


@dataclass(frozen=True)
class LineRun:
    """A run so far. theta: θ after 0 … n generator steps, (n + 1,). gradient: |∂L_G/∂θ| of the n
    steps, (n,)."""

    theta: npt.NDArray[np.float64]
    gradient: npt.NDArray[np.float64]


def run(
    method: str,
    *,
    start: float,
    seed: int,
    steps: int = STEPS,
    critic_steps: int = 10,
    step: float = 0.02,
) -> Iterator[LineRun]:
    """Yields the run after each generator step. Raises `KeyError` for another method."""
    critic = small_critic(2, WIDTH, seed)
    rng = torch.Generator().manual_seed(seed)
    how = METHODS[method]
    constraint = constraint_named(how.constraint)
    if constraint.clips:
        clip_weights(critic, CLIP)
        optimizer: torch.optim.Optimizer = optimizers.RMSprop(critic.parameters(), how.lr)
    else:
        optimizer = optimizers.Adam(critic.parameters(), how.lr, betas=(0.5, 0.9))
    theta = torch.tensor(start, requires_grad=True)

    def critic_step() -> None:
        real, fake = _segment(torch.zeros(()), rng), _segment(theta.detach(), rng)
        scores = critic(torch.cat([real, fake]))
        loss = critic_loss(how.objective, scores[:BATCH], scores[BATCH:])
        if constraint.is_penalty:
            alpha = draw_alpha(real, rng)
            loss = loss + penalty(
                how.constraint, critic, real, fake, alpha, weight=WEIGHT, target=1.0
            )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if constraint.clips:
            clip_weights(critic, CLIP)

    for _ in range(BEFORE):
        critic_step()
    path, lengths = [start], []
    yield LineRun(np.array(path), np.array(lengths))
    for _ in range(steps):
        for _ in range(critic_steps):
            critic_step()
        # ∂L_G/∂θ = E[∂L_G/∂D · ∂D/∂x₁]: the critic's slope along the first axis is all that moves θ
        loss = generator_loss(how.objective, critic(_segment(theta, rng)))
        (gradient,) = torch.autograd.grad(loss, theta)
        with torch.no_grad():
            theta -= (step * gradient).clamp(-MOST, MOST)
        path.append(theta.item())
        lengths.append(abs(gradient.item()))
        yield LineRun(np.array(path), np.array(lengths))


def _segment(theta: Tensor, rng: torch.Generator) -> Tensor:
    """A batch of (θ, Z), (BATCH, 2)."""
    z = torch.rand(BATCH, generator=rng)
    return torch.stack([theta.expand(BATCH), z], dim=1)
