"""A small critic that learns the Kantorovich potential of two clouds.

It sees both whole clouds at every step, so that nothing separates its estimate from W₁ but its
shape, its constraint and its training. The clip or the penalty is as in the lab.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from wgan import optimizers
from wgan.losses import clip_weights, draw_alpha, gradient_norm, penalty
from wgan.theory.critic import small_critic
from wgan.theory.dual_settings import BETWEEN, LINE, REACH, SIDE, STEPS
from wgan.theory.transport import Pair

Array = npt.NDArray[np.float64]

WIDTH, BATCH = 64, 128
GROWS = 200  # steps in which the penalty comes to its weight


@dataclass(frozen=True)
class Dual:
    """A critic at one step. estimate: E D(x) − E D(y). steps, estimates: all so far, (k,).

    values: D on the grid, (LINE,) on a line or (SIDE, SIDE) on the plane, row = second coordinate.
    slopes: ‖∇D‖ at interpolates of random pairs, (BATCH,). steepest: the largest of them and of
    those on the grid. saturated: the share of weights at ±c; 0 without clipping.
    """

    step: int
    estimate: float
    steps: Array
    estimates: Array
    values: Array
    slopes: Array
    steepest: float
    saturated: float


def run(
    pair: Pair, constraint: str, strength: float, seed: int = 0, steps: int = STEPS
) -> Iterator[Dual]:
    """Yields the critic at every `BETWEEN` steps. constraint: `clip` (strength c) or `gp` (λ)."""
    rng = torch.Generator().manual_seed(seed)
    x, y, p, q = (torch.tensor(a, dtype=torch.float32) for a in (pair.x, pair.y, pair.p, pair.q))
    critic = small_critic(x.shape[1], WIDTH, seed)
    if constraint == "clip":
        clip_weights(critic, strength)
        # Steps that suit the box: they cross it in a few hundred.
        rate = min(1e-3, strength / 20)
        optimizer: torch.optim.Optimizer = optimizers.RMSprop(critic.parameters(), rate)
    else:
        optimizer = optimizers.Adam(critic.parameters(), 2e-3, betas=(0.5, 0.9))
    # The last stretch in ever smaller steps: the estimate is to come to rest.
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, max(0.02, 2 * (1 - step / steps)))
    )
    at: list[int] = []
    estimates: list[float] = []
    for step in range(steps + 1):
        scores = critic(torch.cat([x, y]))
        gain = p @ scores[: len(x)] - q @ scores[len(x) :]
        if step % BETWEEN == 0:
            at.append(step)
            estimates.append(gain.item())
            yield _picture(critic, x, y, p, q, rng, at, estimates, constraint, strength)
        loss = -gain
        if constraint == "gp":
            real, fake = _random_pairs(x, y, p, q, rng)
            alpha = draw_alpha(real, rng)
            # On a line the slopes 1 and −1 are two valleys of the penalty: it grows while the
            # critic finds the right one.
            weight = strength * min(1.0, step / GROWS)
            loss = loss + penalty("gp", critic, real, fake, alpha, weight=weight, target=1.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if constraint == "clip":
            clip_weights(critic, strength)


def _random_pairs(
    x: Tensor, y: Tensor, p: Tensor, q: Tensor, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """x ~ p and y ~ q, independent as in Algorithm 1 of WGAN-GP: no optimal pairs."""
    i = torch.multinomial(p, BATCH, replacement=True, generator=rng)
    j = torch.multinomial(q, BATCH, replacement=True, generator=rng)
    return x[i], y[j]


def _picture(
    critic: nn.Module,
    x: Tensor,
    y: Tensor,
    p: Tensor,
    q: Tensor,
    rng: torch.Generator,
    at: list[int],
    estimates: list[float],
    constraint: str,
    strength: float,
) -> Dual:
    real, fake = _random_pairs(x, y, p, q, rng)
    alpha = draw_alpha(real, rng)
    slopes = gradient_norm(critic, alpha * real + (1 - alpha) * fake).detach().double().numpy()
    ticks = torch.linspace(-REACH, REACH, LINE if x.shape[1] == 1 else SIDE)
    grid = ticks[:, None]
    if x.shape[1] == 2:
        across, up = torch.meshgrid(ticks, ticks, indexing="xy")
        grid = torch.stack([across.flatten(), up.flatten()], 1)
    with torch.no_grad():
        values = critic(grid).double().numpy()
        weights = torch.cat([w.flatten() for w in critic.parameters()])
        pinned = (weights.abs() >= 0.99 * strength).float().mean().item()
    steepest = max(float(slopes.max()), gradient_norm(critic, grid).max().item())
    return Dual(
        at[-1],
        estimates[-1],
        np.array(at, float),
        np.array(estimates),
        values if x.shape[1] == 1 else values.reshape(SIDE, SIDE),
        slopes,
        steepest,
        pinned if constraint == "clip" else 0.0,
    )
