"""Vital signs against closed forms, and proof that looking for them changes nothing."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.conftest import KINDS, MakeTrainer
from wgan.losses import clip_weights
from wgan.metrics import vitals
from wgan.networks import Score


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chain(*weights: float) -> nn.Sequential:
    """A critic x ↦ wₖ … w₂ w₁ x of one number a sample."""
    layers: list[nn.Module] = []
    for weight in weights:
        layer = nn.Linear(1, 1)
        nn.init.constant_(layer.weight, weight)
        nn.init.zeros_(layer.bias)
        layers.append(layer)
    return nn.Sequential(*layers, Score())


# Gradient norms by layer.


def test_the_gradient_of_a_chain_is_the_product_of_the_weights_behind():
    norms = vitals.layer_gradient_norms(chain(7, 2, 3, 5), torch.ones(4, 1))
    assert norms.tolist() == [2 * 3 * 5, 3 * 5, 5, 1]
    assert vitals.gradient_decades(norms.tolist()) == pytest.approx(math.log10(30))


def test_the_norm_is_over_all_of_a_samples_output_and_the_mean_over_samples():
    # D(x) = Σ relu(x·1): every unit that is awake has gradient 1.
    first, last = nn.Linear(1, 4), nn.Linear(4, 1)
    for layer in (first, last):
        nn.init.ones_(layer.weight)
        nn.init.zeros_(layer.bias)
    critic = nn.Sequential(first, nn.ReLU(), last, Score())
    asleep_and_awake = torch.tensor([[-1.0], [1.0]])
    norms = vitals.layer_gradient_norms(critic, asleep_and_awake)
    assert norms.tolist() == [(0 + math.sqrt(4)) / 2, 1]


def test_another_loss_than_the_mean_score():
    x = torch.tensor([[1.0], [3.0]])
    norms = vitals.layer_gradient_norms(chain(1, 1), x, lambda scores: scores.square().mean())
    assert norms.tolist() == [4, 4]  # the mean of 2·1 and 2·3


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "spectral"])
@pytest.mark.parametrize("kind", KINDS)
def test_looking_at_a_critic_leaves_it_as_it_is(make_trainer: MakeTrainer, kind: str, norm: str):
    trainer = make_trainer(kind, norm=norm)
    trainer.step()
    before = copy.deepcopy(trainer.critic.state_dict())
    gradients = [copy.deepcopy(p.grad) for p in trainer.critic.parameters()]
    with torch.inference_mode():
        norms = vitals.layer_gradient_norms(trainer.critic, trainer.data.sample(8, seeded()))
        vitals.pinned_share(trainer.critic, 0.01)
    layers = vitals.weighted_layers(trainer.critic)
    assert norms.shape == (len(layers),)
    assert norms.isfinite().all()
    assert (norms > 0).all()
    assert norms[-1] == pytest.approx(1)
    assert trainer.critic.training
    assert not any(layer._forward_hooks for _, layer in layers)
    for name, value in trainer.critic.state_dict().items():
        assert torch.equal(value, before[name]), name
    for parameter, gradient in zip(trainer.critic.parameters(), gradients, strict=True):
        assert gradient is not None
        assert torch.equal(parameter.grad, gradient)  # pyright: ignore[reportArgumentType]


def test_no_parameter_gets_a_gradient_and_frozen_weights_do_not_matter():
    critic = chain(2, 3).requires_grad_(False)
    assert vitals.layer_gradient_norms(critic, torch.ones(1, 1)).tolist() == [3, 1]
    assert all(parameter.grad is None for parameter in critic.parameters())


@pytest.mark.parametrize(
    ("norms", "decades"),
    [([0.01, 0.1, 1], -2), ([100, 1], 2), ([1], 0), ([0, 1], -12)],
)
def test_decades(norms: list[float], decades: float):
    assert vitals.gradient_decades(norms) == pytest.approx(decades)


# Weights at ±c.


def test_pinned_weights_are_those_within_a_hundredth_of_c():
    layer = nn.Linear(4, 1)
    critic = nn.Sequential(layer, nn.LayerNorm(1), Score())
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.1, -0.0995, 0.098, 0.0]]))
        layer.bias.fill_(0.1)  # biases and norm layers do not count
    assert vitals.pinned_share(critic, 0.1) == 0.5


@pytest.mark.parametrize("norm", ["none", "spectral"])
def test_clipping_large_weights_pins_all_of_them(make_trainer: MakeTrainer, norm: str):
    trainer = make_trainer("dcgan", norm=norm)
    assert vitals.pinned_share(trainer.critic, 1e-4) < 0.01
    with torch.no_grad():
        for parameter in trainer.critic.parameters():
            parameter.add_(parameter.sign() * 1e-3)
    clip_weights(trainer.critic, 1e-4)
    assert vitals.pinned_share(trainer.critic, 1e-4) == 1


# The optimiser's step.

OPTIMIZERS: dict[str, Any] = {
    "adam": lambda p: torch.optim.Adam(p, 1e-2, betas=(0.9, 0.99), fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 1e-2),
    "sgd": lambda p: torch.optim.SGD(p, 1e-2),
}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_last_update_is_what_was_added_to_the_weights(kind: str):
    network = nn.Linear(3, 2)
    optimizer = OPTIMIZERS[kind](network.parameters())
    for seed in range(3):
        before = [p.detach().clone() for p in network.parameters()]
        optimizer.zero_grad()
        network(torch.randn(5, 3, generator=seeded(seed))).square().mean().backward()
        optimizer.step()
        pairs = vitals.last_update(optimizer)
        assert len(pairs) == 2
        for parameter, old, (direction, gradient) in zip(
            network.parameters(), before, pairs, strict=True
        ):
            torch.testing.assert_close(parameter - old, 1e-2 * direction, rtol=1e-3, atol=1e-6)
            assert gradient is parameter.grad


def pairs(*values: tuple[list[float], list[float]]) -> list[tuple[Tensor, Tensor]]:
    return [(torch.tensor(step), torch.tensor(gradient)) for step, gradient in values]


@pytest.mark.parametrize(
    ("given", "cosine"),
    [
        (pairs(([-1, 0], [5, 0])), 1),  # straight downhill
        (pairs(([1, 0], [5, 0])), -1),  # straight uphill
        (pairs(([0, 1], [5, 0])), 0),
        (pairs(([-1], [1]), ([-1], [0])), math.sqrt(0.5)),  # over all parameters at once
        (pairs(([0, 0], [1, 0])), None),
        ([], None),
    ],
)
def test_the_cosine(given: list[tuple[Tensor, Tensor]], cosine: float | None):
    assert vitals.update_cosine(given) == (None if cosine is None else pytest.approx(cosine))


def test_momentum_past_a_turn_of_the_gradient_goes_uphill():
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], betas=(0.9, 0.999))
    found = []
    for gradient in (1.0, 1.0, 1.0, -1.0):
        parameter.grad = torch.tensor([gradient])
        optimizer.step()
        found.append(vitals.update_cosine(vitals.last_update(optimizer)))
    assert found == pytest.approx([1, 1, 1, -1])


def test_before_the_first_step_there_is_no_update(make_trainer: MakeTrainer):
    optimizer = torch.optim.Adam(make_trainer().critic.parameters())
    assert vitals.update_cosine(vitals.last_update(optimizer)) is None
