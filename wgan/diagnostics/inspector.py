"""Inspecting a critic: gradients by layer, weights, slopes, and one step taken apart.

Everything draws from generators of its own and runs in evaluation mode, as in
`wgan.runs.evaluation`: a run that is inspected gives the same weights as one that is not.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from wgan import losses
from wgan.constraints import constraint as constraint_named
from wgan.data import Dataset
from wgan.data.pixels import to_pixels
from wgan.losses import input_gradient, interpolate
from wgan.metrics import vitals
from wgan.networks import evaluating
from wgan.trainer import Trainer, stream
from wgan.types import Anatomy, Floats, Inspection, InspectionRequest, Layers, Slopes, Weights

SAMPLES = {"mlp": 256}  # of each kind; a convolution costs more a sample
FEWER = 64
BINS = 80
PAIRS, THUMBNAILS = 24, 12  # samples of the anatomy: points, images
_SLOPES, _ANATOMY = 12, 1000  # purposes of random numbers, see `wgan.trainer.stream`


class Inspector:
    """Looks into the critic of one trainer; for the thread that trains."""

    def __init__(self, trainer: Trainer, data: Dataset) -> None:
        self.trainer, self.data = trainer, data
        self._rng = stream(trainer.config.seed, _SLOPES, trainer.device)
        self._n = SAMPLES.get(trainer.config.network, FEWER)

    def inspect(self, request: InspectionRequest) -> Inspection:
        if request.section == "layers":
            return self._layers()
        if request.section == "weights":
            return self._weights()
        if request.section == "slopes":
            return self._slopes()
        return self._anatomy(request.batch)

    def _pair(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Real and generated samples (n, *shape), as the critic gets them."""
        trainer = self.trainer
        real = trainer.to_output_range(self.data.sample(n, rng))
        # Of the generator that is trained, not of the averaged one: those the critic learns from.
        with torch.no_grad(), evaluating(trainer.generator) as generator:
            fake = generator(trainer.draw_latents(n, rng)).float()
        return real, fake

    def _layers(self) -> Layers:
        c, critic = self.trainer.config, self.trainer.critic
        n = self._n // 2

        def loss(scores: Tensor) -> Tensor:
            # Half of it, because a mean over all 2n samples is asked for, not the sum of two.
            return losses.critic_loss(c.objective, scores[:n], scores[n:]) / 2

        norms = vitals.layer_gradient_norms(critic, torch.cat(self._pair(n, self._rng)), loss)
        return Layers(self.trainer.steps, _array(norms[:-1]))  # the last layer gives the score

    def _weights(self) -> Weights:
        c, critic = self.trainer.config, self.trainer.critic
        clip = c.clip_value if constraint_named(c.constraint).clips else None
        pinned = None if clip is None else vitals.pinned_share(critic, clip)
        shares, reach, largest, total = histogram(weights_of(critic), clip)
        return Weights(self.trainer.steps, shares, reach, total, largest, clip, pinned)

    def _slopes(self) -> Slopes:
        real, fake = self._pair(self._n, self._rng)
        alpha = losses.draw_alpha(real, self._rng)
        places = (interpolate(real, fake, alpha), real, fake)
        return Slopes(self.trainer.steps, *(_array(self._gradients(x)[1]) for x in places))

    def _gradients(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """∇D at x, (N, D) flattened, and its norms (N,)."""
        with evaluating(self.trainer.critic) as critic:
            gradient = input_gradient(critic, x).flatten(1)
        return gradient, gradient.norm(dim=1)

    def _anatomy(self, batch: int) -> Anatomy:
        trainer, c = self.trainer, self.trainer.config
        # The same batch at every step, so that one sees the critic change, not the samples.
        rng = stream(c.seed, _ANATOMY + batch, trainer.device)
        real, fake = self._pair(PAIRS if c.is_points else THUMBNAILS, rng)
        alpha = losses.draw_alpha(real, rng, c.faults)
        between = interpolate(real, fake, alpha)
        in_use = constraint_named(c.constraint).is_penalty
        constraint = c.constraint if in_use else "gp"
        at = constraint_named(constraint).at
        gradients, norms = self._gradients({"between": between, "real": real, "fake": fake}[at])
        with evaluating(trainer.critic) as critic:
            penalty = losses.penalty(
                constraint,
                critic,
                real,
                fake,
                alpha,
                weight=c.gp_weight,
                target=c.gp_target,
                faults=c.faults,
            ).item()
        show = _array if c.is_points else self._pixels
        return Anatomy(
            step=trainer.steps,
            batch=batch,
            real=show(real),
            fake=show(fake),
            between=show(between),
            at=at,
            gradients=_array(gradients) if c.is_points else None,
            norms=_array(norms),
            target=0.0 if at != "between" else c.gp_target,
            weight=c.gp_weight,
            penalty=penalty,
            constraint=constraint,
            in_use=in_use,
            extent=self.data.extent,
            faults=bool(c.faults),
        )

    def _pixels(self, x: Tensor) -> np.ndarray:
        """(N, C, H, W) as the critic gets them -> (N, H, W, C) uint8."""
        return to_pixels(self.trainer.to_shown_range(x))


def weights_of(critic: nn.Module) -> Tensor:
    """All Linear and Conv weights of a network, (W,), without biases; before a spectral norm."""
    layers = (layer for _, layer in vitals.weighted_layers(critic))
    named = (dict(layer.named_parameters()) for layer in layers)
    # A spectral norm keeps the weight as `parametrizations.weight.original`.
    found = [p for of in named for name, p in of.items() if "weight" in name]
    return torch.cat([p.detach().float().flatten() for p in found])


def histogram(weights: Tensor, clip: float | None = None) -> tuple[Floats, float, float, int]:
    """Shares of weights in `BINS` equal bins over ±reach; and reach, the largest |w|, how many.

    reach: over c where weights are clipped, else the largest |w| rounded up to 1, 2 or 5 times a
    power of ten, so that the axis seldom moves. What is not a finite number is left out.
    """
    values = weights[weights.isfinite()]
    largest = values.abs().max().item() if len(values) else 0.0
    # A fifth more than c, so that what piles up there stands clear of the edge.
    reach = 1.2 * clip if clip is not None and largest <= 1.2 * clip else _rounded(largest)
    counts = torch.histc(values, BINS, -reach, reach).cpu().numpy()
    shares = (counts / max(len(values), 1)).astype(np.float32)
    return shares, reach, largest, len(weights)


def _rounded(value: float) -> float:
    power = 10.0 ** np.floor(np.log10(max(value, 1e-6)))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= value * (1 - 1e-9)))


def _array(x: Tensor) -> Floats:
    return x.detach().float().cpu().numpy()
