"""What a critic says of samples, and how steep it is."""

from __future__ import annotations

import torch
from torch import Tensor

from wgan.losses import Critic, input_gradient, interpolate


@torch.no_grad()
def critic_estimate(critic: Critic, real: Tensor, fake: Tensor) -> float:
    """E[D(real)] − E[D(fake)], in the critic's units (Arjovsky et al. 2017, equations 2 and 3).

    For a critic that is K-Lipschitz and optimal it is K·W1; a critic's K is not known, so that
    figures of one critic over time compare, those of different critics do not.

    real, fake: (n, *shape), (m, *shape); critic: (n, *shape) -> (n,).
    """
    return (critic(real).mean() - critic(fake).mean()).item()


def gradient_norms(
    critic: Critic, real: Tensor, fake: Tensor, generator: torch.Generator
) -> Tensor:
    """‖∇D(x̂)‖₂ at x̂ = α·real + (1 − α)·fake, α uniform on 0..1 for each pair.

    The points at which WGAN-GP penalises (Gulrajani et al. 2017, Algorithm 1); 1 is its target.

    real, fake: (n, *shape); critic: (n, *shape) -> (n,); generator: on the samples' device.
    Gives (n,), detached. Works under any grad mode, and leaves no gradient on the parameters.
    """
    # A caller's inference mode would forbid gradients even where they are enabled again.
    with torch.inference_mode(False):
        alpha = torch.rand(len(real), generator=generator, device=real.device)
        alpha = alpha.view(-1, *[1] * (real.ndim - 1))
        gradient = input_gradient(critic, interpolate(real, fake, alpha))
        return gradient.flatten(1).norm(dim=1)
