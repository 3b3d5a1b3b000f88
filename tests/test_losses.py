"""Losses, penalties, clipping and deliberate bugs against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.conftest import MakeTrainer
from wgan import losses
from wgan.config import choices
from wgan.constraints import CONSTRAINTS
from wgan.objectives import OBJECTIVES as OBJECTIVE_TABLE

OBJECTIVES = choices("objective")
GAN_OBJECTIVES = ("gan", "gan_saturating")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def scores(n: int, seed: int, scale: float) -> Tensor:
    return scale * torch.randn(n, generator=seeded(seed), dtype=torch.float64)


def log_sigmoid(s: float) -> float:
    return -math.log1p(math.exp(-s)) if s > 0 else s - math.log1p(math.exp(s))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


# The formulas by hand, of a critic's scores on real (r) and generated (f) samples.
BY_HAND: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {
    "gan": (
        lambda r, f: -mean([log_sigmoid(x) for x in r]) - mean([log_sigmoid(-x) for x in f]),
        lambda f: -mean([log_sigmoid(x) for x in f]),
    ),
    "gan_saturating": (
        lambda r, f: -mean([log_sigmoid(x) for x in r]) - mean([log_sigmoid(-x) for x in f]),
        lambda f: mean([log_sigmoid(-x) for x in f]),
    ),
    "lsgan": (
        lambda r, f: (mean([(x - 1) ** 2 for x in r]) + mean([x**2 for x in f])) / 2,
        lambda f: mean([(x - 1) ** 2 for x in f]) / 2,
    ),
    "wgan": (lambda r, f: mean(f) - mean(r), lambda f: -mean(f)),
    "hinge": (
        lambda r, f: mean([max(0, 1 - x) for x in r]) + mean([max(0, 1 + x) for x in f]),
        lambda f: -mean(f),
    ),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(OBJECTIVES), st.integers(1, 9), st.integers(0, 99), st.floats(0.1, 20))
def test_losses_are_the_papers_formulas(objective: str, n: int, seed: int, scale: float):
    real, fake = scores(n, seed, scale), scores(n, seed + 100, scale)
    critic, generator = BY_HAND[objective]
    found = losses.critic_loss(objective, real, fake).item()
    assert found == pytest.approx(critic(real.tolist(), fake.tolist()), rel=1e-9, abs=1e-9)
    found = losses.generator_loss(objective, fake).item()
    assert found == pytest.approx(generator(fake.tolist()), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_both_sides_descend_the_right_way(objective: str):
    """The critic wants real scores up and generated ones down, the generator those up."""
    real, fake = torch.zeros(2, 4, requires_grad=True)
    for loss, (x, sign) in (
        (losses.critic_loss(objective, real, fake), (real, -1)),
        (losses.critic_loss(objective, real, fake + 0.5), (fake, 1)),
        (losses.generator_loss(objective, fake), (fake, -1)),
    ):
        (gradient,) = torch.autograd.grad(loss, x)
        assert (gradient.sign() == sign).all()


def test_equations_are_there_for_every_choice():
    assert set(OBJECTIVE_TABLE) == set(OBJECTIVES) == set(BY_HAND)
    assert set(CONSTRAINTS) == set(choices("constraint"))
    for objective in OBJECTIVE_TABLE.values():
        assert objective.critic_equation
        assert objective.generator_equation
        assert objective.source
    for name, constraint in CONSTRAINTS.items():
        assert bool(constraint.equation) == bool(constraint.source) == (name != "none")


@pytest.mark.parametrize("objective", GAN_OBJECTIVES)
def test_a_raw_log_breaks_where_logits_stay_finite(objective: str):
    for sign in (1, -1):
        far = torch.full((4,), sign * 1e4, requires_grad=True)
        near = -far
        for loss in (
            losses.critic_loss(objective, far, near),
            losses.generator_loss(objective, far),
        ):
            (gradient,) = torch.autograd.grad(loss, far)
            assert loss.isfinite()
            assert gradient.isfinite().all()
    wrong = torch.full((4,), 1e4)
    assert not losses.critic_loss(objective, -wrong, wrong, ["raw_log"]).isfinite()
    worst = wrong if objective == "gan_saturating" else -wrong
    assert not losses.generator_loss(objective, worst, ["raw_log"]).isfinite()
    x = torch.tensor([0.3, -2.0, 1.5])
    assert torch.allclose(
        losses.critic_loss(objective, x, -x, ["raw_log"]), losses.critic_loss(objective, x, -x)
    )


# Penalties of the linear critic D(x) = w·x, whose gradient is w everywhere.


def linear_penalty(constraint: str, w: Tensor, weight: float, target: float) -> float:
    real, fake = torch.randn(2, 6, *w.shape, dtype=torch.float64, generator=seeded())
    alpha = losses.draw_alpha(real, seeded())
    critic = lambda x: (x * w).flatten(1).sum(1)  # noqa: E731
    return losses.penalty(
        constraint, critic, real, fake, alpha, weight=weight, target=target
    ).item()


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from([(2,), (1, 3, 3), (3, 2, 2)]),
    seed=st.integers(0, 99),
    weight=st.floats(0.1, 100),
    target=st.floats(0, 5),
)
def test_penalties_of_a_linear_critic(shape: Any, seed: int, weight: float, target: float):
    w = torch.randn(shape, dtype=torch.float64, generator=seeded(seed))
    norm = w.square().sum().sqrt().item()
    expected = {
        "gp": weight * (norm - target) ** 2,
        "gp_onesided": weight * max(0.0, norm - target) ** 2,
        "r1": weight / 2 * norm**2,
        "r2": weight / 2 * norm**2,
        "none": 0.0,
        "clip": 0.0,
    }
    for constraint, value in expected.items():
        assert linear_penalty(constraint, w, weight, target) == pytest.approx(value, abs=1e-6)


def test_one_sided_forgives_slopes_below_the_target():
    w = torch.tensor([0.3, 0.4], dtype=torch.float64)
    assert linear_penalty("gp", w, 10, 1) == pytest.approx(2.5)
    assert linear_penalty("gp_onesided", w, 10, 1) == 0


def test_penalties_look_where_they_say():
    """The gradient of x²/2 is x: so each penalty tells at which points it looked."""
    real, fake = torch.full((4, 1), 3.0), torch.full((4, 1), -1.0)
    alpha = torch.tensor([[0.0], [0.25], [0.5], [1.0]])
    at = alpha * real + (1 - alpha) * fake  # −1, 0, 1, 3

    def find(constraint: str) -> float:
        return losses.penalty(
            constraint, lambda x: x.square().sum(1) / 2, real, fake, alpha, weight=2, target=1
        ).item()

    assert find("gp") == pytest.approx(2 * (at.abs() - 1).square().mean().item(), abs=1e-5)
    assert find("gp_onesided") == pytest.approx(2 * (2**2) / 4)
    assert find("r1") == pytest.approx(9)
    assert find("r2") == pytest.approx(1)


def test_the_penalty_reaches_the_critic_and_not_the_samples():
    first = nn.Linear(2, 8)
    critic = nn.Sequential(first, nn.Tanh(), nn.Linear(8, 1))
    real, fake = torch.randn(2, 5, 2).requires_grad_()
    alpha = losses.draw_alpha(real, seeded())
    for constraint in ("gp", "gp_onesided", "r1", "r2"):
        loss = losses.penalty(constraint, critic, real, fake, alpha, weight=1, target=0)
        weight, samples = torch.autograd.grad(
            loss, [first.weight, real], allow_unused=True, retain_graph=True
        )
        assert weight.abs().max() > 0
        assert samples is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.sampled_from([(2,), (3, 4, 4)]))
def test_interpolates_lie_on_the_segments(seed: int, shape: tuple[int, ...]):
    real, fake = torch.randn(2, 64, *shape, generator=seeded(seed))
    alpha = losses.draw_alpha(real, seeded(seed))
    assert alpha.shape == (64, *[1] * len(shape))
    assert (alpha >= 0).all()
    assert (alpha <= 1).all()
    assert len(alpha.unique()) > 50
    seen: list[Tensor] = []

    def critic(x: Tensor) -> Tensor:
        seen.append(x)
        return x.flatten(1).sum(1)

    losses.penalty("gp", critic, real, fake, alpha, weight=1, target=1)
    (x,) = seen
    ways = (x - fake).flatten(1).norm(dim=1) + (real - x).flatten(1).norm(dim=1)
    assert torch.allclose(ways, (real - fake).flatten(1).norm(dim=1), rtol=1e-4)


def test_what_is_no_objective_or_constraint_raises():
    x = torch.zeros(2, 2)
    for name in ("", "wasserstein", "gp"):
        for call in (
            lambda name=name: losses.critic_loss(name, x, x),
            lambda name=name: losses.generator_loss(name, x),
        ):
            with pytest.raises(ValueError, match="no objective"):
                call()
    for name in ("", "wgan", "gradient"):
        with pytest.raises(ValueError, match="no constraint"):
            losses.penalty(name, torch.sum, x, x, x, weight=1, target=1)


# Gradient norms.


def test_the_norm_has_a_finite_derivative_where_the_gradient_is_0():
    for faults, finite in (((), True), (("norm_without_eps",), False)):
        w = torch.zeros(2, requires_grad=True)
        norm = losses.gradient_norm(lambda x, w=w: x @ w, torch.randn(3, 2), faults)
        assert norm.max() < 1e-5
        (gradient,) = torch.autograd.grad((norm - 1).square().mean(), w)
        assert gradient.isfinite().all() == finite


def test_faults_of_the_norm():
    x = torch.randn(5, 3, 2, 2, generator=seeded())
    critic = lambda x: x.pow(2).flatten(1).sum(1) / 2  # noqa: E731
    own = losses.gradient_norm(critic, x)
    assert torch.allclose(own, x.flatten(1).norm(dim=1), atol=1e-5)
    batch = losses.gradient_norm(critic, x, ["norm_of_batch"])
    assert torch.allclose(batch, x.norm().expand(5), atol=1e-5)
    channels = losses.gradient_norm(critic, x, ["norm_of_channels"])
    assert channels.shape == (5, 2, 2)
    assert torch.allclose(channels, x.norm(dim=1), atol=1e-5)
    points = losses.gradient_norm(critic, x[:, :, 0, 0], ["norm_of_channels"])
    assert torch.allclose(points, x[:, :, 0, 0].norm(dim=1), atol=1e-5)


def test_a_detached_penalty_has_the_value_and_no_effect():
    critic = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    real, fake = torch.randn(2, 5, 2)
    alpha = losses.draw_alpha(real, seeded())
    for constraint in ("gp", "r1"):
        args = (constraint, critic, real, fake, alpha)
        whole = losses.penalty(*args, weight=1, target=1)
        detached = losses.penalty(*args, weight=1, target=1, faults=["penalty_detached"])
        assert detached.item() == whole.item()
        assert whole.requires_grad
        assert not detached.requires_grad


# Other deliberate bugs.


def test_faults_of_alpha():
    real = torch.zeros(4000, 3, 2, 2)
    shared = losses.draw_alpha(real, seeded(), ["alpha_shared"])
    assert shared.shape == (1, 1, 1, 1)
    normal = losses.draw_alpha(real, seeded(), ["alpha_normal"])
    outside = ((normal < 0) | (normal > 1)).float().mean().item()
    assert outside == pytest.approx(0.659, abs=0.03)
    of_elements = losses.draw_alpha(real, seeded(), ["alpha_of_elements"])
    assert of_elements.shape == real.shape
    assert len(of_elements.unique()) > real.numel() / 2
    assert (of_elements.min() >= 0) & (of_elements.max() <= 1)
    # A square away from x̃ = 0 the points fill it; one α a sample keeps them on its diagonal.
    x = torch.ones(4000, 2)
    apart = {
        faults: losses.draw_alpha(x, seeded(), faults) * x
        for faults in ((), ("alpha_of_elements",))
    }
    off = {faults: (at[:, 0] - at[:, 1]).abs().mean().item() for faults, at in apart.items()}
    assert off[()] == 0
    assert off["alpha_of_elements",] == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_flipped_sign_turns_the_generator_round(objective: str):
    fake = scores(5, 0, 2)
    flipped = losses.generator_loss(objective, fake, ["sign_flipped"])
    assert flipped.item() == pytest.approx(-losses.generator_loss(objective, fake).item())


def test_attached_fakes_let_the_critics_loss_reach_the_generator(make_trainer: MakeTrainer):
    for faults in ((), ("fakes_attached",)):
        trainer = make_trainer(faults=faults)
        trainer.update_critic()
        reached = any(
            p.grad is not None and p.grad.abs().max() > 0 for p in trainer.generator.parameters()
        )
        assert reached == bool(faults)


def test_a_range_mismatch_is_one(make_trainer: MakeTrainer):
    for output, faults, low in (
        ("tanh", (), -1),
        ("tanh", ("range_mismatch",), 0),
        ("sigmoid", (), 0),
        ("sigmoid", ("range_mismatch",), -1),
    ):
        real = make_trainer("mlp", output=output, faults=faults).draw_real(500)
        assert real.min().item() == low
        assert real.max().item() == 1


def test_the_batchnorm_fault_sets_eps_wherever_there_is_one(make_trainer: MakeTrainer):
    trainer = make_trainer("dcgan", norm="batch", ema=0.9)
    for faults, eps in (((), 1e-5), (("batchnorm_eps",), 0.8), ((), 1e-5)):
        trainer.change(trainer.config.replace({"faults": faults}))
        assert trainer.averaged is not None
        for network in (trainer.generator, trainer.critic, trainer.averaged):
            found = [m.eps for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
            assert found
            assert set(found) == {eps}


# Clipping.


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "spectral"])
@pytest.mark.parametrize("kind", ["points", "dcgan", "resnet"])
def test_clipping_bounds_every_weight_but_norm_scales(
    make_trainer: MakeTrainer, kind: str, norm: str
):
    critic = make_trainer(kind, norm_d=norm).critic
    scales = [
        m for m in critic.modules() if isinstance(m, (nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d))
    ]
    of_norms = {id(p) for m in scales for p in m.parameters()}
    losses.clip_weights(critic, 0.01)
    for parameter in critic.parameters():
        if id(parameter) not in of_norms:
            assert parameter.abs().max() <= 0.01
    assert bool(scales) == (norm in ("batch", "layer"))
    assert all((m.weight == 1).all() for m in scales)
    losses.clip_weights(critic, 0.01, ["clip_norm_scale"])
    assert all(p.abs().max() <= 0.01 for p in critic.parameters())


def test_clipping_keeps_what_is_inside():
    layer = nn.Linear(2, 1)
    layer.weight.data = torch.tensor([[0.5, -3.0]])
    layer.bias.data = torch.tensor([2.0])
    losses.clip_weights(layer, 1.0)
    assert layer.weight.tolist() == [[0.5, -1.0]]
    assert layer.bias.tolist() == [1.0]
