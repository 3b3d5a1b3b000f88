"""Looking at a trainer: its samples, its critic's surface, its measured figures.

Everything here draws from a generator of its own and runs in evaluation mode, so that a run that
is looked at gives the same weights as one that is not.
"""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

from wgan.constraints import constraint
from wgan.data import Dataset
from wgan.data.avatars import FaceModes
from wgan.data.pixels import to_pixels
from wgan.diagnostics.truth import TruthMeter
from wgan.losses import input_gradient
from wgan.metrics import vitals
from wgan.metrics.coverage import coverage
from wgan.metrics.critic import critic_estimate, gradient_norms
from wgan.metrics.spread import SpreadGauge
from wgan.metrics.table import METRICS
from wgan.metrics.transport import w1_floor
from wgan.networks import evaluating
from wgan.trainer import Trainer, stream
from wgan.types import Floats, ImageView, Metrics, PointView

MEASURED = 2500  # samples for mode coverage: the VEEGAN and PacGAN papers' number
COMPARED = 256  # samples for W1 (assignment is cubic) and for the gradient norm
GAUGED = 2000  # real images for the gauge of collapse, half of them for its floor
LAYERED = 32  # samples of each kind for the gradients by layer
POINTS = 600  # drawn of each kind
IMAGES = 64  # in the grid of samples
SURFACE = 48  # places an axis of the critic's surface
LATTICE, FINE = 11, 41  # lines of the latent grid each way, and places on a line
ARROWS = 120
_LOOK = 9  # purpose of random numbers, see `wgan.trainer.stream`


class Evaluator:
    """Fixed latents, fixed real samples and figures of the data, for one trainer."""

    def __init__(self, trainer: Trainer, data: Dataset) -> None:
        self.trainer, self.data = trainer, data
        rng = self._random()
        n = POINTS if trainer.config.is_points else IMAGES
        self._latents = trainer.draw_latents(n, rng)
        self._real = data.sample(n, rng)
        self._truth = TruthMeter(trainer, data)
        self._floor_rng = torch.Generator(rng.device)  # as it is now: see `w1_floor`
        self._floor_rng.set_state(rng.get_state())
        self._w1_floor: float | None = None
        self._gauge: SpreadGauge | None = None
        if data.modes is None and len(data.shape) == 3:
            self._w1_floor = w1_floor(data, COMPARED, rng)
            with suppress(ValueError):  # too few images
                self._gauge = SpreadGauge(data.sample(GAUGED, rng))

    @property
    def w1_floor(self) -> float:
        """Computed when it is first needed: a copy of a run knows it already."""
        if self._w1_floor is None:
            self._w1_floor = w1_floor(self.data, COMPARED, self._floor_rng)
        return self._w1_floor

    def know_floor(self, floor: float | None) -> None:
        """The floor as another observer of the same data and seed has measured it."""
        self._w1_floor = floor if floor is not None else self._w1_floor

    def _random(self, *step: int) -> torch.Generator:
        return stream(self.trainer.config.seed, _LOOK, self.trainer.device, *step)

    def view(self) -> PointView | ImageView:
        """Samples from the fixed latents beside fixed real ones."""
        fake = self.trainer.sample(self._latents)
        if self.trainer.config.is_points:
            return self._point_view(fake)
        return ImageView(to_pixels(fake), to_pixels(self._real))

    def _point_view(self, fake: Tensor) -> PointView:
        extent = self.data.extent
        ticks = torch.linspace(-extent, extent, SURFACE, device=fake.device)
        y, x = torch.meshgrid(ticks, ticks, indexing="ij")
        surface = self.trainer.score(torch.stack([x, y], -1).reshape(-1, 2))
        tails = fake[:ARROWS]
        return PointView(
            real=_array(self._real),
            fake=_array(fake),
            extent=extent,
            surface=_array(surface.reshape(SURFACE, SURFACE)),
            manifold=self._manifold(),
            arrow_tails=_array(tails),
            arrow_tips=_array(tails + self._arrows(tails, longest=0.12 * extent)),
        )

    def _manifold(self) -> Floats:
        """G on a grid over the latent plane: (lines, FINE, 2)."""
        config = self.trainer.config
        if config.latent_dim != 2 or config.fakes != "generated":
            return np.zeros((0, FINE, 2), np.float32)
        # ±2 standard deviations, or the whole square of the uniform latent
        reach = 2.0 if config.latent == "normal" else 1.0
        device = self.trainer.device
        along = torch.linspace(-reach, reach, FINE, device=device).expand(LATTICE, FINE)
        across = torch.linspace(-reach, reach, LATTICE, device=device)[:, None].expand_as(along)
        lines = torch.cat([torch.stack([along, across], -1), torch.stack([across, along], -1)])
        return _array(self.trainer.sample(lines.reshape(-1, 2)).reshape(-1, FINE, 2))

    def _arrows(self, x: Tensor, longest: float) -> Tensor:
        """∇D at x, scaled so that the longest arrow has this length: the critic's push."""
        with evaluating(self.trainer.critic) as critic:
            gradient = input_gradient(critic, x)
        return gradient * (longest / gradient.norm(dim=1).max().clamp_min(1e-12))

    def measure(self, samples: int = MEASURED) -> Metrics:
        """The figures of this moment; measured again at the same step they are the same.

        Raises `FloatingPointError` when a sample or a score is not finite.
        """
        trainer, data = self.trainer, self.data
        rng = self._random(trainer.steps)
        generated = trainer.generate(trainer.draw_latents(samples, rng))
        fake = trainer.to_shown_range(generated)
        if not fake.isfinite().all():
            raise FloatingPointError("the generator's samples are no longer finite numbers")
        real = data.sample(COMPARED, rng)
        few = fake[:COMPARED]
        inputs = trainer.to_output_range(real), generated[:COMPARED]
        with evaluating(trainer.critic) as critic:
            estimate = critic_estimate(critic, *inputs)
            norms = gradient_norms(critic, *inputs, rng)
        layers = vitals.layer_gradient_norms(
            trainer.critic, torch.cat([x[:LAYERED] for x in inputs])
        ).tolist()
        clipped = constraint(trainer.config.constraint).clips
        gradient_norm = norms.mean().item()
        if not (math.isfinite(estimate) and math.isfinite(gradient_norm)):
            raise FloatingPointError("the critic's scores are no longer finite numbers")
        covered = coverage(data.modes, fake) if data.modes is not None else None
        return Metrics(
            step=trainer.steps,
            critic_estimate=estimate,
            gradient_norm=gradient_norm,
            **{k: m.of_samples(real, few) for k, m in METRICS.items() if m.of_samples},
            w1_floor=self.w1_floor,
            mode_names=data.modes.names if data.modes is not None else (),
            counts=covered.counts if covered else (),
            samples=samples,
            modes=covered.modes if covered else None,
            modes_any=covered.modes_any if covered else None,
            modes_total=covered.modes_total if covered else None,
            high_quality=covered.high_quality if covered else None,
            high_quality_real=data.modes.high_quality_real if data.modes else None,
            mode_kl=covered.mode_kl if covered else None,
            class_accuracy=getattr(data.modes, "accuracy", None),
            **_spread_figures(self._gauge, fake),
            averaged=trainer.averaged is not None,
            layer_gradients=tuple(layers),
            gradient_decades=vitals.gradient_decades(layers),
            pinned_share=(
                vitals.pinned_share(trainer.critic, trainer.config.clip_value) if clipped else None
            ),
            update_cosine=self._update_cosine(),
            **self._truth.figures(estimate, norms, generated, covered.shares if covered else ()),
        )

    def _update_cosine(self) -> float | None:
        """Of the critic's last update; None where there was none."""
        if self.trainer.config.freeze_d:
            return None
        return vitals.update_cosine(vitals.last_update(self.trainer.critic_optimizer))

    def shares(self, samples: int = MEASURED) -> dict[str, dict[str, float]]:
        """How fresh samples spread over the attributes of drawn faces; empty for other data."""
        if not isinstance(self.data.modes, FaceModes):
            return {}
        latents = self.trainer.draw_latents(samples, self._random(self.trainer.steps))
        return self.data.modes.shares(self.trainer.sample(latents))


def _spread_figures(gauge: SpreadGauge | None, fake: Tensor) -> dict[str, float]:
    """The gauge's figures by their names in `Metrics`, beside those of real images."""
    if gauge is None:
        return {}
    now, floor = gauge.measure(fake), gauge.floor
    return {
        "density": now.density,
        "density_real": floor.density,
        "reached": now.coverage,
        "reached_real": floor.coverage,
        "duplicates": now.duplicates,
        "duplicates_real": floor.duplicates,
    }


def _array(x: Tensor) -> Floats:
    return x.detach().float().cpu().numpy()
