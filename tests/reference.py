"""WGANs as the papers have them, in plain torch: what `wgan.trainer` is compared with.

Written from the papers alone; nothing here may import `wgan`. It computes in float64, on MLPs that
are no more than lists of weights and biases, so that a difference is the trainer's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Weights = list[Tensor]  # W1, b1, W2, b2, …
Score = Callable[[Tensor], Tensor]


def mlp(weights: Weights, x: Tensor, pieces: int = 1, kept: Weights | None = None) -> Tensor:
    """(N, …) -> (N, outputs), between the layers tanh or the largest of so many pieces.

    kept: of each hidden layer a mask (N, units) of what dropout leaves, with its weight.
    """
    x = x.flatten(1)
    for at in range(0, len(weights), 2):
        x = x @ weights[at].T + weights[at + 1]
        if at < len(weights) - 2:
            if pieces == 1:
                x = torch.tanh(x)
            else:  # Goodfellow et al. 2013, eq. 1: the pieces of a unit lie side by side
                x = torch.stack([x[:, piece::pieces] for piece in range(pieces)]).max(0).values
            x = x if kept is None else x * kept[at // 2]
    return x


def critic_objective(objective: str, real: Tensor, fake: Tensor) -> Tensor:
    """What the critic ascends in Algorithm 1 of each paper, with the sign of a loss."""
    if objective in ("gan", "gan_saturating"):  # Goodfellow et al. 2014, Algorithm 1
        inside = torch.log(torch.sigmoid(real)) + torch.log(1 - torch.sigmoid(fake))
        return -inside.mean()
    if objective == "lsgan":  # Mao et al. 2017, eq. 9
        return ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2
    if objective == "hinge":  # Lim & Ye 2017, eq. 9
        return (1 - real).clamp(min=0).mean() + (1 + fake).clamp(min=0).mean()
    if objective == "wgan":  # Arjovsky et al. 2017, Algorithm 1 line 5
        return -(real.mean() - fake.mean())
    raise ValueError(objective)


def generator_objective(objective: str, fake: Tensor) -> Tensor:
    """What the generator descends."""
    if objective == "gan":  # Goodfellow et al. 2014, §3: maximise log D(G(z))
        return -torch.log(torch.sigmoid(fake)).mean()
    if objective == "gan_saturating":  # the same, eq. 1
        return torch.log(1 - torch.sigmoid(fake)).mean()
    if objective == "lsgan":
        return ((fake - 1) ** 2).mean() / 2
    if objective in ("hinge", "wgan"):
        return -fake.mean()
    raise ValueError(objective)


def regulariser(
    constraint: str,
    score: Score,
    real: Tensor,
    fake: Tensor,
    alpha: Tensor,
    weight: float,
    k: float,
) -> Tensor:
    """The soft constraints; ε (α here) is one number a sample."""
    if constraint in ("gp", "gp_onesided"):  # Gulrajani et al. 2017, Algorithm 1 lines 6 and 7
        points = torch.stack(
            [a * x + (1 - a) * y for a, x, y in zip(alpha, real, fake, strict=True)]
        )
    elif constraint == "r1":  # Mescheder et al. 2018, eq. 9
        points = real.clone()
    elif constraint == "r2":  # the same, eq. 10
        points = fake.clone()
    else:
        return torch.zeros((), dtype=real.dtype)
    points.requires_grad_()
    # One sample at a time: its own gradient and nothing else's.
    slopes = torch.stack(
        [
            torch.autograd.grad(score(point[None]).squeeze(), point, create_graph=True)[0].norm()
            for point in points.unbind()
        ]
    )
    if constraint == "gp":
        return weight * ((slopes - k) ** 2).mean()
    if constraint == "gp_onesided":
        return weight * (torch.clamp(slopes - k, min=0) ** 2).mean()
    return weight / 2 * (slopes**2).mean()


@dataclass
class Rule:
    """One optimiser over one network's weights; `memory` has a mapping for each of them."""

    kind: str
    rate: float
    betas: tuple[float, float]
    memory: list[dict[str, Any]]

    def step(self, weights: Weights, gradients: tuple[Tensor, ...]) -> None:
        for weight, gradient, kept in zip(weights, gradients, self.memory, strict=True):
            weight -= self.rate * self.direction(gradient, kept)

    def direction(self, g: Tensor, kept: dict[str, Any]) -> Tensor:
        if self.kind == "sgd":
            return g
        if self.kind == "rmsprop":  # Tieleman & Hinton 2012; smoothing .99 in the WGAN code
            kept["v"] = 0.99 * kept.get("v", torch.zeros_like(g)) + 0.01 * g**2
            return g / (kept["v"] ** 0.5 + 1e-8)
        if self.kind == "adam":  # Kingma & Ba 2015, Algorithm 1
            one, two = self.betas
            t = kept["t"] = kept.get("t", 0) + 1
            kept["m"] = one * kept.get("m", torch.zeros_like(g)) + (1 - one) * g
            kept["v"] = two * kept.get("v", torch.zeros_like(g)) + (1 - two) * g**2
            return kept["m"] / (1 - one**t) / ((kept["v"] / (1 - two**t)) ** 0.5 + 1e-8)
        raise ValueError(self.kind)


class Reference:
    """A generator and a critic, trained on the draws that somebody else makes.

    settings: the fields of an experiment, as plain values. real, latents and alpha are called for
    each batch; masks(n) for each pass of n samples through a critic with dropout (no penalty).
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        generator: Weights,
        critic: Weights,
        real: Callable[[], Tensor],
        latents: Callable[[], Tensor],
        alpha: Callable[[], Tensor],
        masks: Callable[[int], Weights] | None = None,
    ) -> None:
        self.settings, self.real, self.latents, self.alpha = settings, real, latents, alpha
        self.masks = masks
        self.generator = [w.detach().double().clone() for w in generator]
        self.critic = [w.detach().double().clone() for w in critic]
        betas = settings["beta1"], settings["beta2"]
        self.rules = {
            side: Rule(settings[f"optimizer_{side}"], settings[f"lr_{side}"], betas, memory)
            for side, memory in (
                ("g", [{} for _ in generator]),
                ("d", [{} for _ in critic]),
            )
        }

    def score(self, x: Tensor, kept: Weights | None = None) -> Tensor:
        return mlp(self.critic, x, self.settings["maxout_d"], kept).squeeze(1)

    def dropped(self, *batches: Tensor) -> list[Tensor]:
        """Scores of batches that go through the critic together."""
        if self.masks is None:
            return [self.score(x) for x in batches]
        masks, scores = self.masks(sum(map(len, batches))), []
        for x in batches:
            scores.append(self.score(x, [mask[: len(x)] for mask in masks]))
            masks = [mask[len(x) :] for mask in masks]
        return scores

    def step(self) -> None:
        """Algorithm 1 of Arjovsky et al. 2017, with whatever objective and constraint."""
        s = self.settings
        shape, z = torch.Size(), torch.empty(0)
        for _ in range(s["critic_steps"]):
            x = self.real().double()
            shape = x.shape
            z = self.latents().double()
            fake = mlp(self.generator, z).reshape(shape)
            alpha = self.alpha().double() if s["constraint"] not in ("none", "clip") else x
            for weight in self.critic:
                weight.requires_grad_()
            loss = critic_objective(s["objective"], *self.dropped(x, fake))
            loss = loss + regulariser(
                s["constraint"], self.score, x, fake, alpha, s["gp_weight"], s["gp_target"]
            )
            self._descend("d", self.critic, loss)
            if s["constraint"] == "clip":  # line 7
                for weight in self.critic:
                    weight.clamp_(-s["clip_value"], s["clip_value"])
        for _ in range(s["generator_steps"]):
            z = z if s["shared_latents"] else self.latents().double()
            for weight in self.generator:
                weight.requires_grad_()
            fake = mlp(self.generator, z).reshape(shape)
            loss = generator_objective(s["objective"], *self.dropped(fake))
            self._descend("g", self.generator, loss)

    def _descend(self, side: str, weights: Weights, loss: Tensor) -> None:
        # The last bias of a critic may not matter to its loss: WGAN's cancels.
        gradients = torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True)
        for weight in weights:
            weight.requires_grad_(False)
        self.rules[side].step(weights, gradients)
