"""Objectives and Lipschitz constraints: each equation next to the lines that compute it.

D(x) is the critic's raw score (a logit for the GAN objectives), x ~ real, x̃ = G(z) generated.
All functions take tensors and give scalar tensors; none looks at a value, so that a step can be
captured as one graph.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, relu, softplus

Critic = Callable[[Tensor], Tensor]


def critic_loss(objective: str, real: Tensor, fake: Tensor, faults: Collection[str] = ()) -> Tensor:
    """What the critic minimises, from its scores D(x) and D(x̃), each (N,).

    GAN: Goodfellow et al. 2014 eq. 1; LSGAN: Mao et al. 2017 eq. 9 (a=0, b=c=1);
    WGAN: Arjovsky et al. 2017 Algorithm 1; hinge: Lim & Ye 2017.
    Raises `ValueError` for another objective.
    """
    if objective in ("gan", "gan_saturating"):
        # −E[log σ(D(x))] − E[log(1 − σ(D(x̃)))], and log(1 − σ(s)) = log σ(−s)
        if "raw_log" in faults:  # σ rounds to 0 or 1, its log to −∞
            return -torch.log(real.sigmoid()).mean() - torch.log(1 - fake.sigmoid()).mean()
        return softplus(-real).mean() + softplus(fake).mean()
    if objective == "lsgan":
        # ½ E[(D(x) − 1)²] + ½ E[D(x̃)²]
        return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()
    if objective == "hinge":
        # E[max(0, 1 − D(x))] + E[max(0, 1 + D(x̃))]
        return relu(1 - real).mean() + relu(1 + fake).mean()
    if objective == "wgan":
        # E[D(x̃)] − E[D(x)], minus the estimate of W1 up to the critic's slope
        return fake.mean() - real.mean()
    raise ValueError(f"There is no objective {objective!r}.")


def generator_loss(objective: str, fake: Tensor, faults: Collection[str] = ()) -> Tensor:
    """What the generator minimises, from the scores D(x̃), (N,). Sources as for `critic_loss`."""
    sign = -1 if "sign_flipped" in faults else 1
    if objective == "gan":
        # −E[log σ(D(x̃))], the non-saturating form
        if "raw_log" in faults:
            return sign * -torch.log(fake.sigmoid()).mean()
        return sign * -logsigmoid(fake).mean()
    if objective == "gan_saturating":
        # E[log(1 − σ(D(x̃)))]
        if "raw_log" in faults:
            return sign * torch.log(1 - fake.sigmoid()).mean()
        return sign * logsigmoid(-fake).mean()
    if objective == "lsgan":
        # ½ E[(D(x̃) − 1)²]
        return sign * 0.5 * (fake - 1).square().mean()
    if objective in ("wgan", "hinge"):
        # −E[D(x̃)]
        return sign * -fake.mean()
    raise ValueError(f"There is no objective {objective!r}.")


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
    """What a soft constraint adds to the critic's loss; 0 for `none` and `clip`.

    real, fake: (N, …); fake is a constant here. alpha: (N, 1, …), uniform in [0, 1].
    gp: Gulrajani et al. 2017 eq. 3; one-sided: their §4, Petzka et al. 2018;
    R1 and R2: Mescheder et al. 2018 eqs. 9 and 10.
    Raises `ValueError` for another constraint.
    """
    if constraint in ("gp", "gp_onesided"):
        # λ E[(‖∇D(x̂)‖ − k)²] at x̂ = α x + (1 − α) x̃; one-sided: only where the norm is over k
        norm = gradient_norm(critic, alpha * real + (1 - alpha) * fake, faults)
        excess = norm - target if constraint == "gp" else relu(norm - target)
        return weight * excess.square().mean()
    if constraint in ("r1", "r2"):
        # ½ γ E[‖∇D‖²] at the real points (R1) or at the generated ones (R2)
        gradient = _gradient(critic, real if constraint == "r1" else fake, faults)
        return 0.5 * weight * gradient.flatten(1).square().sum(1).mean()
    if constraint in ("none", "clip"):
        return real.new_zeros(())
    raise ValueError(f"There is no constraint {constraint!r}.")


def gradient_norm(critic: Critic, x: Tensor, faults: Collection[str] = ()) -> Tensor:
    """‖∇D(x)‖₂ of each sample, (N,); differentiable, also where the gradient is 0."""
    gradient = _gradient(critic, x, faults)
    # d√s/ds is infinite at s = 0: a small number under the root keeps 0 · ∞ = NaN away.
    epsilon = 0.0 if "norm_without_eps" in faults else 1e-12
    if "norm_of_batch" in faults:
        squares = gradient.square().sum().expand(len(x))
    elif "norm_of_channels" in faults:  # (N, C, H, W) -> (N, H, W): a norm at each pixel
        squares = gradient.square().sum(1)
    else:
        squares = gradient.flatten(1).square().sum(1)
    return (squares + epsilon).sqrt()


def _gradient(critic: Critic, x: Tensor, faults: Collection[str]) -> Tensor:
    x = x.detach().requires_grad_(True)
    # The samples do not mix (no BatchNorm), so the gradient of the sum holds each sample's own.
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.detach() if "penalty_detached" in faults else gradient


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
