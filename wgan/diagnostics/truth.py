"""What the critic says against what is true: figures over time, for the measured ones.

`TruthMeter` applies `wgan.metrics.divergence` to a trainer whenever it is measured.
"""

from __future__ import annotations

import torch
from torch import Tensor

from wgan import losses
from wgan.data import Dataset
from wgan.metrics.divergence import (
    estimate_over_slope,
    grid_counts,
    jensen_shannon,
    jensen_shannon_of_loss,
)
from wgan.objectives import objective
from wgan.trainer import Trainer, stream

DRAWN = 2500  # real samples, as many as are generated for the modes
COMPARED = 512  # training and held-out images, of each
_TRUTH = 10  # purpose of random numbers, see `wgan.trainer.stream`


class TruthMeter:
    """The figures over time that a trainer's measurement has room for; see `Metrics`."""

    def __init__(self, trainer: Trainer, data: Dataset) -> None:
        self.trainer, self.data = trainer, data
        # For what is drawn once; what each moment draws is its own.
        self._rng = stream(trainer.config.seed, _TRUTH, trainer.device)
        self._floor: float | None = None
        self._shares: Tensor | None = None
        # The same images every time: the curves then show the critic change, not the images.
        self._train = self._held_out = None
        if data.held_out is not None:
            self._train = trainer.to_output_range(data.sample(COMPARED, self._rng))
            self._held_out = trainer.to_output_range(data.held_out.sample(COMPARED, self._rng))

    def figures(
        self,
        estimate: float,
        norms: Tensor,
        generated: Tensor,
        shares: tuple[float, ...],
    ) -> dict[str, float | None]:
        """Fields of `Metrics`.

        estimate: E[D(x)] − E[D(x̃)]. norms: ‖∇D‖ at interpolates, (N,). generated: samples (M, …),
        as the critic gets them. shares: of them on each class, empty where there are none.
        """
        rng = stream(self.trainer.config.seed, _TRUTH, self.trainer.device, self.trainer.steps)
        slope = norms.max().item()
        # A sigmoid's images live in [0, 1]: half as far from each other as in the data's units.
        unit = 2.0 if self.trainer.config.output == "sigmoid" else 1.0
        divergence, floor = self._divergence(generated, shares, rng)
        return {
            "slope_max": slope / unit,
            "estimate_over_slope": unit * estimate_over_slope(estimate, slope),
            "js": divergence,
            "js_floor": floor,
            "js_critic": self._from_loss(generated, rng),
            **self._overfitting(generated),
        }

    def _divergence(
        self, generated: Tensor, shares: tuple[float, ...], rng: torch.Generator
    ) -> tuple[float | None, float | None]:
        """JS of real against generated samples by histogram, and of real against real."""
        if self.trainer.config.is_points:
            extent = self.data.extent
            real = grid_counts(self.data.sample(DRAWN, rng), extent)
            if self._floor is None:
                both = self.data.sample(2 * DRAWN, self._rng)
                self._floor = jensen_shannon(
                    grid_counts(both[:DRAWN], extent), grid_counts(both[DRAWN:], extent)
                )
            return jensen_shannon(real, grid_counts(generated, extent)), self._floor
        if self.data.modes is None or not shares:
            return None, None
        if self._shares is None:
            self._shares = self._classes()
            # As many again from the same classes: to judge other images would take as long again.
            rng = self._rng
            again = torch.multinomial(self._shares.float(), DRAWN, replacement=True, generator=rng)
            self._floor = jensen_shannon(
                self._shares, torch.bincount(again, minlength=len(self._shares))
            )
        return jensen_shannon(self._shares.cpu(), torch.tensor(shares)), self._floor

    def _classes(self) -> Tensor:
        """How many of `DRAWN` real images there are of each class, (K,)."""
        modes = self.data.modes
        assert modes is not None
        index, _ = modes.judge(self.data.sample(DRAWN, self._rng))
        return torch.bincount(index, minlength=len(modes.names)).to(self._rng.device)

    def _from_loss(self, generated: Tensor, rng: torch.Generator) -> float | None:
        c = self.trainer.config
        if not objective(c.objective).logits:
            return None
        real = self.trainer.to_output_range(self.data.sample(256, rng))
        on_real, on_fake = self.trainer.score(real), self.trainer.score(generated[: len(real)])
        return jensen_shannon_of_loss(losses.critic_loss(c.objective, on_real, on_fake).item())

    def _overfitting(self, generated: Tensor) -> dict[str, float | None]:
        """Gap and loss on training images and on held-out ones, against the same fakes."""
        if self._train is None or self._held_out is None:
            return {}
        c, found = self.trainer.config, {}
        fake = generated[:COMPARED]
        on_fake = self.trainer.score(fake)
        for name, real in (("train", self._train), ("held_out", self._held_out)):
            on_real = self.trainer.score(real)
            found[f"gap_{name}"] = (on_real.mean() - on_fake.mean()).item()
            found[f"loss_{name}"] = losses.critic_loss(c.objective, on_real, on_fake).item()
        return found
