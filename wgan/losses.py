"""What a critic and a generator minimise: the tables' equations, applied, with the deliberate bugs.

D(x) is the critic's raw score (a logit for the GAN objectives), x ~ real, x̃ = G(z) generated.
All functions take tensors and give tensors; none looks at a value, so that a step can be captured
as one graph. The equations are in `wgan.objectives` and `wgan.constraints`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn

from wgan.constraints import constraint as constraint_named
from wgan.constraints import norms
from wgan.objectives import objective as objective_named

Critic = Callable[[Tensor], Tensor]

# The bug: σ rounds to 0 or 1, and its log to −∞.
_RAW_GENERATOR_LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "gan": lambda fake: -fake.sigmoid().log().mean(),
    "gan_saturating": lambda fake: (1 - fake.sigmoid()).log().mean(),
}


def critic_loss(objective: str, real: Tensor, fake: Tensor, faults: Collection[str] = ()) -> Tensor:
    """What the critic minimises, from its scores D(x) and D(x̃), each (N,).

    Raises `ValueError` for an unknown objective.
    """
    entry = objective_named(objective)
    if "raw_log" in faults and entry.logits:
        return -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()
    return entry.critic_loss(real, fake)


def generator_loss(objective: str, fake: Tensor, faults: Collection[str] = ()) -> Tensor:
    """What the generator minimises, from the scores D(x̃), (N,).

    Raises `ValueError` for an unknown objective.
    """
    loss = objective_named(objective).generator_loss
    if "raw_log" in faults:
        loss = _RAW_GENERATOR_LOSSES.get(objective, loss)
    return -loss(fake) if "sign_flipped" in faults else loss(fake)


def penalty(
    constraint: str,
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    alpha: Tensor,
    *,
    weight: float,
    target: float,
    faults: Collection[str] = (),
) -> Tensor:
    """What a soft constraint adds to the critic's loss, λ E[cost]; 0 for those that add nothing.

    real, fake: (N, …); fake is a constant here. alpha: (N, 1, …), uniform in [0, 1].
    Raises `ValueError` for an unknown constraint.
    """
    entry = constraint_named(constraint)
    if entry.cost is None:
        return real.new_zeros(())
    x = {"real": real, "fake": fake}.get(entry.at)
    gradient = _gradient(critic, interpolate(real, fake, alpha) if x is None else x, faults)
    return weight * entry.cost(gradient, target, faults).mean()


def interpolate(real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """x̂ = α x + (1 − α) x̃ (Gulrajani et al. 2017, Algorithm 1)."""
    return alpha * real + (1 - alpha) * fake


def gradient_norm(critic: Critic, x: Tensor, faults: Collection[str] = ()) -> Tensor:
    """‖∇D(x)‖₂ of each sample, (N,); differentiable, also where the gradient is 0."""
    return norms(_gradient(critic, x, faults), faults)


def _gradient(critic: Critic, x: Tensor, faults: Collection[str]) -> Tensor:
    gradient = input_gradient(critic, x, create_graph=True)
    return gradient.detach() if "penalty_detached" in faults else gradient


def input_gradient(critic: Critic, x: Tensor, *, create_graph: bool = False) -> Tensor:
    """∇D at each sample of x, of its shape (N, …); works where gradients are switched off.

    create_graph: whether the gradient can be differentiated. No parameter gets a gradient.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        # The samples do not mix (no BatchNorm): the gradient of the sum holds each sample's own.
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=create_graph)
    return gradient


def draw_alpha(real: Tensor, rng: torch.Generator, faults: Collection[str] = ()) -> Tensor:
    """α for the interpolates, one a sample: (N, 1, …), uniform in [0, 1].

    The bug of one α an element, (N, …): the points then fill the box between x and x̃.
    """
    shape = [1 if "alpha_shared" in faults else len(real), *[1] * (real.dim() - 1)]
    if "alpha_of_elements" in faults:
        shape[1:] = real.shape[1:]
    draw = torch.randn if "alpha_normal" in faults else torch.rand
    return draw(shape, generator=rng, device=real.device, dtype=real.dtype)


@torch.no_grad()
def clip_weights(critic: nn.Module, c: float, faults: Collection[str] = ()) -> None:
    """w ← clip(w, −c, c) for all weights and biases (Arjovsky et al. 2017, Algorithm 1 line 7).

    The scale of a normalisation layer is left alone: clipping it to c would switch the layer off.
    """
    for module in critic.modules():
        scales = isinstance(module, (nn.modules.batchnorm._NormBase, nn.LayerNorm))
        if scales and "clip_norm_scale" not in faults:
            continue
        for parameter in module.parameters(recurse=False):
            parameter.clamp_(-c, c)
