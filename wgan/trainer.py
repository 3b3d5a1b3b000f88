"""One experiment: its state and `step()`. No thread, no clock, no screen.

A trainer is reproducible: its config, its seed and the changes made to it at which step give the
same weights again, bit for bit on a CPU with the same number of threads. All randomness comes from
generators of its own; looking at it (`sample`) draws from none of those that train it.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from wgan import constraints, losses, optimizers
from wgan.config import ExperimentConfig, diff
from wgan.networks import Dropout, build_critic, build_generator, evaluating, set_norm
from wgan.stages import FIGURES
from wgan.state_copy import copied
from wgan.types import Stage

_STEP_0 = 2**32 - 1  # no run has so many


class Data(Protocol):
    """What a trainer needs of a data set: `n` samples (n, *shape), images in [−1, 1]."""

    def sample(self, n: int, generator: torch.Generator) -> Tensor: ...


def resolve_device(name: str) -> torch.device:
    """`auto` is the GPU when there is one. Raises `RuntimeError` for a GPU that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("device is 'cuda', but no GPU is at hand; use auto or cpu.")
    return torch.device(name)


def stream(seed: int, purpose: int, device: torch.device, *step: int) -> torch.Generator:
    """A generator of random numbers for one purpose, independent of those for any other.

    step: gives each step numbers of its own, whatever was drawn before.
    """
    # SeedSequence pads with zeros: with a 0 for step 0, its numbers would be those of no step.
    words = (seed, purpose, *(number or _STEP_0 for number in step))
    # Mixed into 32 bits, because torch's generator on the CPU ignores the bits above them.
    mixed = np.random.SeedSequence(words).generate_state(1)[0]
    return torch.Generator(device).manual_seed(int(mixed))


class Trainer:
    """Generator, critic, their optimisers and their randomness; `steps` generator steps done.

    Raises `RuntimeError` when the config asks for a device that is not there.
    """

    def __init__(self, config: ExperimentConfig, data: Data) -> None:
        self.config = config
        self.data = data
        self.device = resolve_device(config.device)
        self.steps = 0
        # One generator a purpose: changing the batch size must not change the initial weights.
        self._rng_weights = torch.Generator().manual_seed(config.seed)
        self._rng_data = stream(config.seed, 1, self.device)
        self._rng_noise = stream(config.seed, 2, self.device)
        self._rng_alpha = stream(config.seed, 3, self.device)
        self._rng_dropout = stream(config.seed, 4, self.device)
        self.generator = build_generator(config, self.device, self._rng_weights)
        self.critic = build_critic(config, self.device, self._rng_weights)
        for network in (self.generator, self.critic):
            # Convolutions are faster with the channels innermost: 10% on a CPU.
            network.to(memory_format=torch.channels_last)
        self.generator_optimizer = self._make_optimizer("g")
        self.critic_optimizer = self._make_optimizer("d")
        self.averaged: nn.Module | None = None
        self._figures = torch.zeros(len(FIGURES), device=self.device)
        self._sync_hyperparameters(config)

    # One step -----------------------------------------------------------------------------------

    def step(self) -> Tensor:
        """`critic_steps` critic updates, then `generator_steps` of the generator's, mostly one.

        Returns the figures of the step, (len(FIGURES),) on the device: no synchronisation.
        """
        for _ in self.stages():
            pass
        return self._figures.clone()

    def stages(self) -> Iterator[Stage]:
        """The same step, yielding after each of its stages; slow motion walks through it."""
        updates = self.config.critic_steps
        latents = None
        for update in range(1, updates + 1):
            latents = yield from self._critic_stages(update, updates)
        for _ in range(self.config.generator_steps):
            yield from self._generator_stages(latents if self.config.shared_latents else None)
        self.steps += 1

    def update_critic(self) -> Tensor:
        """One critic update alone; `steps` stays. Returns the figures."""
        for _ in self._critic_stages(1, 1):
            pass
        return self._figures.clone()

    def update_generator(self) -> Tensor:
        """One generator update alone; `steps` stays. Returns the figures."""
        for _ in self._generator_stages():
            pass
        return self._figures.clone()

    def figures(self) -> dict[str, float]:
        """The newest figures by name; waits for the device."""
        return dict(zip(FIGURES, self._figures.tolist(), strict=True))

    def _critic_stages(self, update: int, updates: int) -> Generator[Stage, None, Tensor]:
        """One critic update; returns its latents."""
        c, faults = self.config, self.config.faults
        real = self.draw_real(c.batch_size)
        latents = self.draw_latents(c.batch_size)
        attached = "fakes_attached" in faults
        with torch.set_grad_enabled(attached), self._autocast():
            fake = self._generated(self.generator, latents).float()
        yield Stage("data", update, updates)

        with self._autocast():
            on_real, on_fake = self._scores(real, fake)
        on_real, on_fake = on_real.float(), on_fake.float()
        loss = losses.critic_loss(c.objective, on_real, on_fake, faults)
        self._figures[2] = (on_real.mean() - on_fake.mean()).detach()
        yield Stage("scores", update, updates)

        constraint = constraints.constraint(c.constraint)
        if constraint.is_penalty:
            alpha = losses.draw_alpha(real, self._rng_alpha, faults)
            with self._autocast():
                penalty = losses.penalty(
                    c.constraint,
                    self.critic,
                    real,
                    fake.detach(),
                    alpha,
                    weight=c.gp_weight,
                    target=c.gp_target,
                    faults=faults,
                )
            loss = loss + penalty
            self._figures[3] = penalty.detach()
            yield Stage("penalty", update, updates)
        else:
            self._figures[3] = torch.nan

        self._figures[0] = loss.detach()
        if not c.freeze_d:
            self.critic_optimizer.zero_grad(set_to_none=True)
            parameters = list(self.critic.parameters())
            # The bug: fakes that were not detached let the critic's loss reach the generator.
            loss.backward(inputs=parameters + attached * list(self.generator.parameters()))
            self.critic_optimizer.step()
            yield Stage("critic", update, updates)
            if constraint.clips:
                losses.clip_weights(self.critic, c.clip_value, faults)
                yield Stage("clip", update, updates)
        return latents

    def _generator_stages(self, latents: Tensor | None = None) -> Iterator[Stage]:
        """One generator update, from these latents or new ones.

        With the critic's own the fakes are the same, and scored anew. A graph that was kept from
        before the critic's update (`retain_graph=True`) is one that PyTorch refuses to go back
        through, its weights having changed in place; after a fused update it does not notice.
        """
        c, faults = self.config, self.config.faults
        with self._autocast():
            if latents is None:
                latents = self.draw_latents(c.batch_size)
            scores = self.critic(self._generated(self.generator, latents))
        loss = losses.generator_loss(c.objective, scores.float(), faults)
        self._figures[1] = loss.detach()
        yield Stage("generate", 0, c.critic_steps)

        if not c.freeze_g and c.fakes == "generated":
            if "fakes_attached" not in faults:
                self.generator_optimizer.zero_grad(set_to_none=True)
            loss.backward(inputs=list(self.generator.parameters()))
            self.generator_optimizer.step()
            self.generator_optimizer.zero_grad(set_to_none=True)
            self._average()
            yield Stage("generator", 0, c.critic_steps)

    def _scores(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """D(x) and D(x̃). One pass over both, unless BatchNorm would then mix them."""
        if self.config.norm_d == "batch":
            return self.critic(real), self.critic(fake)
        both = self.critic(torch.cat([real, fake]))
        return both[: len(real)], both[len(real) :]

    @torch.no_grad()
    def _average(self) -> None:
        """θ̄ ← β θ̄ + (1 − β) θ; buffers are copied (Yazıcı et al. 2019)."""
        if self.averaged is None:
            return
        pairs = zip(self.averaged.parameters(), self.generator.parameters(), strict=True)
        for mean, now in pairs:
            mean.lerp_(now, 1 - self.config.ema)
        for kept, now in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(now)

    # What it draws ------------------------------------------------------------------------------

    def draw_real(self, n: int) -> Tensor:
        """(n, *sample_shape) in the range that the generator's output can reach."""
        return self.to_output_range(self.data.sample(n, self._rng_data))

    def draw_latents(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        """z, (n, latent_dim): standard normal, or uniform in [−1, 1].

        Without a generator (`fakes`) the fakes themselves, (n, 2): real samples + N(0, 1).
        """
        rng = rng or self._rng_noise
        if self.config.fakes == "noisy_real":
            real = self.data.sample(n, rng)
            return real + torch.randn(real.shape, generator=rng, device=self.device)
        shape = (n, self.config.latent_dim)
        if self.config.latent == "uniform":
            return torch.rand(shape, generator=rng, device=self.device) * 2 - 1
        return torch.randn(shape, generator=rng, device=self.device)

    def _generated(self, network: nn.Module, latents: Tensor) -> Tensor:
        """G(z); where nothing is generated, what was drawn in its place."""
        return latents if self.config.fakes == "noisy_real" else network(latents)

    def to_output_range(self, x: Tensor) -> Tensor:
        """Images in [−1, 1] -> [0, 1] for a sigmoid generator (the bug: for any other)."""
        sigmoid = self.config.output == "sigmoid"
        if self.config.is_points or sigmoid == ("range_mismatch" in self.config.faults):
            return x
        return (x + 1) / 2

    @property
    def shown_generator(self) -> nn.Module:
        """The averaged generator where there is one, else the trained one."""
        return self.averaged if self.averaged is not None else self.generator

    @torch.no_grad()
    def generate(self, latents: Tensor) -> Tensor:
        """G(z), (N, *sample_shape), as the critic gets it: a sigmoid's images in [0, 1].

        In evaluation mode, so that looking changes neither the running statistics nor anything
        else that trains.
        """
        with evaluating(self.shown_generator) as network, self._autocast():
            return self._generated(network, latents).float()

    def to_shown_range(self, x: Tensor) -> Tensor:
        """The generator's output as it is shown and measured: images in [−1, 1]."""
        return x * 2 - 1 if self.config.output == "sigmoid" else x

    def sample(self, latents: Tensor) -> Tensor:
        """Samples (N, *sample_shape) as they are shown and measured: images in [−1, 1]."""
        return self.to_shown_range(self.generate(latents))

    @torch.no_grad()
    def score(self, x: Tensor) -> Tensor:
        """D(x), (N,), in evaluation mode; x in the range of the training data."""
        with evaluating(self.critic) as critic:
            return critic(x).float()

    def _autocast(self) -> torch.autocast:
        enabled = self.config.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    # Changes ------------------------------------------------------------------------------------

    def change(self, config: ExperimentConfig) -> None:
        """Goes on with this config, which may differ in live fields only, from the next step.

        Linear and Conv weights always stay. A new normalisation starts at scale 1 and shift 0; a
        new optimiser starts with fresh state; learning rates and betas keep the state.
        """
        changed = diff(self.config, config)
        self.config = config
        for side, network in (("g", self.generator), ("d", self.critic)):
            if f"norm_{side}" in changed:
                set_norm(network, getattr(config, f"norm_{side}"), self._rng_weights)
            if f"optimizer_{side}" in changed:
                self._set_optimizer(side, self._make_optimizer(side))
            elif f"norm_{side}" in changed:
                self._set_optimizer(side, self._rebuild_optimizer(side, network))
        if "norm_g" in changed:
            self.averaged = None  # its layers no longer match; the average starts again from here
        self._sync_hyperparameters(config)

    def _sync_hyperparameters(self, config: ExperimentConfig) -> None:
        """Brings what follows directly from the config in line with it."""
        for side, optimizer in (("g", self.generator_optimizer), ("d", self.critic_optimizer)):
            for group in optimizer.param_groups:
                group["lr"] = getattr(config, f"lr_{side}")
                if "betas" in group:
                    group["betas"] = (config.beta1, config.beta2)
        if config.ema == 0:
            self.averaged = None
        elif self.averaged is None:
            self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        for module in self.critic.modules():
            if isinstance(module, Dropout):
                module.p, module.rng = config.dropout_d, self._rng_dropout
        # BatchNorm(n, 0.8) in a widely used port sets eps, not momentum.
        eps = 0.8 if "batchnorm_eps" in config.faults else 1e-5
        for network in (self.generator, self.critic, self.averaged or nn.Identity()):
            for module in network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eps = eps

    def _make_optimizer(self, side: str) -> torch.optim.Optimizer:
        c = self.config
        network = self.generator if side == "g" else self.critic
        parameters, lr = list(network.parameters()), getattr(c, f"lr_{side}")
        kind = getattr(c, f"optimizer_{side}")
        if kind == "adam":
            return optimizers.Adam(parameters, lr, betas=(c.beta1, c.beta2), fused=True)
        if kind == "rmsprop":
            # Smoothing 0.99, as the WGAN authors have it.
            return optimizers.RMSprop(parameters, lr)
        return optimizers.SGD(parameters, lr)

    def _rebuild_optimizer(self, side: str, network: nn.Module) -> torch.optim.Optimizer:
        """An optimiser for a network whose norm layers changed; weights that stayed keep state."""
        old = self.generator_optimizer if side == "g" else self.critic_optimizer
        new = self._make_optimizer(side)
        for parameter in network.parameters():
            if parameter in old.state:
                new.state[parameter] = old.state[parameter]
        return new

    def _set_optimizer(self, side: str, optimizer: torch.optim.Optimizer) -> None:
        if side == "g":
            self.generator_optimizer = optimizer
        else:
            self.critic_optimizer = optimizer

    def is_finite(self) -> bool:
        """Whether all weights are finite numbers; waits for the device."""
        weights = [*self.generator.parameters(), *self.critic.parameters()]
        return all(bool(weight.isfinite().all()) for weight in weights)

    # State --------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything that the future depends on, the config included."""
        state = {
            "config": self.config,
            "steps": self.steps,
            "generator": self.generator.state_dict(),
            "critic": self.critic.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged is not None else None,
            "optimizer_g": self.generator_optimizer.state_dict(),
            "optimizer_d": self.critic_optimizer.state_dict(),
            "rng": [rng.get_state() for rng in self._rngs],
            # Left over between steps only by fakes that were not detached.
            "gradients": [parameter.grad for parameter in self.generator.parameters()],
            "figures": self._figures,
        }
        return copied(state)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes back to a `state_dict()` of this trainer, or of another one of the same experiment.

        It stays as it is, so many may load it.
        """
        self.change(state["config"])
        self.steps = state["steps"]
        self.generator.load_state_dict(state["generator"])
        self.critic.load_state_dict(state["critic"])
        self.critic.zero_grad(set_to_none=True)  # they belong to another past
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])
        # An optimiser takes the very tensors that it is given.
        self.generator_optimizer.load_state_dict(copy.deepcopy(state["optimizer_g"]))
        self.critic_optimizer.load_state_dict(copy.deepcopy(state["optimizer_d"]))
        # A state from before there was dropout has none for it.
        for rng, kept in zip(self._rngs, state["rng"], strict=False):
            rng.set_state(kept)
        for parameter, gradient in zip(
            self.generator.parameters(), state["gradients"], strict=True
        ):
            parameter.grad = None if gradient is None else gradient.clone()
        self._figures = state["figures"].clone()

    @property
    def _rngs(self) -> list[torch.Generator]:
        drawn = [self._rng_weights, self._rng_data, self._rng_noise, self._rng_alpha]
        return [*drawn, self._rng_dropout]
