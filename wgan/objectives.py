"""One entry an objective: its losses, their equations, what it is called. Imports no torch.

The config, the switches, the labels, the trainer, the export and the guide read this table. To add
an objective: its two losses and an entry here, and its explanation in
`wgan/ui/text/en/objectives_each.md`.

D(x) is the critic's raw score (a logit for the GAN objectives), x ~ real, x̃ = G(z) generated. The
losses take scores (N,) and give scalars; none looks at a value, so that a step can be captured as
one graph. An exported script has their lines as they stand here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Objective:
    """What critic and generator minimise.

    critic_loss: of D(x) and D(x̃); generator_loss: of D(x̃). critic_equation, generator_equation:
    the same in LaTeX. label: in a sentence. logits: whether σ(D) is the probability that a sample
    is real. linear: whether the generator's loss is linear in the scores, so that the critic's gap
    E[D(x)] − E[D(x̃)] is what both play for.
    """

    label: str
    critic_equation: str
    generator_equation: str
    critic_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]
    source: str
    logits: bool = False
    linear: bool = False


def gan_critic(real: Tensor, fake: Tensor) -> Tensor:
    from torch.nn.functional import softplus

    # −E[log σ(D(x))] − E[log(1 − σ(D(x̃)))], and −log σ(s) = softplus(−s)
    return softplus(-real).mean() + softplus(fake).mean()


def gan_generator(fake: Tensor) -> Tensor:
    from torch.nn.functional import logsigmoid

    # −E[log σ(D(x̃))], the non-saturating form
    return -logsigmoid(fake).mean()


def saturating_generator(fake: Tensor) -> Tensor:
    from torch.nn.functional import logsigmoid

    # E[log(1 − σ(D(x̃)))], and 1 − σ(s) = σ(−s)
    return logsigmoid(-fake).mean()


def least_squares_critic(real: Tensor, fake: Tensor) -> Tensor:
    # ½ E[(D(x) − 1)²] + ½ E[D(x̃)²]
    return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()


def least_squares_generator(fake: Tensor) -> Tensor:
    # ½ E[(D(x̃) − 1)²]
    return 0.5 * (fake - 1).square().mean()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    # E[D(x̃)] − E[D(x)]: minus the estimate of W1, up to the critic's slope
    return fake.mean() - real.mean()


def hinge_critic(real: Tensor, fake: Tensor) -> Tensor:
    # E[max(0, 1 − D(x))] + E[max(0, 1 + D(x̃))]
    return (1 - real).relu().mean() + (1 + fake).relu().mean()


def linear_generator(fake: Tensor) -> Tensor:
    # −E[D(x̃)]
    return -fake.mean()


_GAN_CRITIC = r"-\mathbb{E}[\log\sigma(D(x))]-\mathbb{E}[\log(1-\sigma(D(\tilde x)))]"
_LINEAR_GENERATOR = r"-\mathbb{E}[D(\tilde x)]"

OBJECTIVES: dict[str, Objective] = {
    "gan": Objective(
        "GAN",
        _GAN_CRITIC,
        r"-\mathbb{E}[\log\sigma(D(\tilde x))]",
        gan_critic,
        gan_generator,
        "Goodfellow et al. 2014, equation 1 and section 3",
        logits=True,
    ),
    "gan_saturating": Objective(
        "saturating GAN",
        _GAN_CRITIC,
        r"\mathbb{E}[\log(1-\sigma(D(\tilde x)))]",
        gan_critic,
        saturating_generator,
        "Goodfellow et al. 2014, equation 1",
        logits=True,
    ),
    "lsgan": Objective(
        "LSGAN",
        r"\tfrac12\mathbb{E}[(D(x)-1)^2]+\tfrac12\mathbb{E}[D(\tilde x)^2]",
        r"\tfrac12\mathbb{E}[(D(\tilde x)-1)^2]",
        least_squares_critic,
        least_squares_generator,
        "Mao et al. 2017, equation 9 (a = 0, b = c = 1)",
    ),
    "wgan": Objective(
        "WGAN",
        r"\mathbb{E}[D(\tilde x)]-\mathbb{E}[D(x)]",
        _LINEAR_GENERATOR,
        wasserstein_critic,
        linear_generator,
        "Arjovsky et al. 2017, Algorithm 1",
        linear=True,
    ),
    "hinge": Objective(
        "Hinge",
        r"\mathbb{E}[\max(0,1-D(x))]+\mathbb{E}[\max(0,1+D(\tilde x))]",
        _LINEAR_GENERATOR,
        hinge_critic,
        linear_generator,
        "Lim and Ye 2017",
        linear=True,
    ),
}


def objective(name: str) -> Objective:
    """The entry of an objective. Raises `ValueError` for an unknown name."""
    if name not in OBJECTIVES:
        raise ValueError(f"There is no objective {name!r}; there are {', '.join(OBJECTIVES)}.")
    return OBJECTIVES[name]
