"""The trainer against an independent reference: the same draws, the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.conftest import MakeTrainer
from tests.reference import Reference
from wgan.config import choices
from wgan.trainer import Trainer

STEPS = 3
# No default among them, and no two alike: a constant in the place of one is seen.
SETTINGS: dict[str, Any] = {
    "activation": "tanh",
    "latent_dim": 3,
    "critic_steps": 2,
    "batch_size": 8,  # a power of two: what cancels then cancels without rounding
    "gp_weight": 3.7,
    "gp_target": 0.42,  # slopes lie on both sides of it
    "clip_value": 0.27,
    "lr_g": 2e-3,
    "lr_d": 3e-3,
    "beta1": 0.3,
    "beta2": 0.95,
    "seed": 5,
}
OPTIMIZERS = [("adam", "rmsprop"), ("rmsprop", "sgd"), ("sgd", "adam")]


def beside(trainer: Trainer) -> Reference:
    """The reference at the trainer's weights, that will make the very draws that it makes."""
    _, data, noise, alpha, dropout = (
        torch.Generator().set_state(state) for state in trainer.state_dict()["rng"]
    )
    c = trainer.config
    dimensions = len(c.sample_shape)

    def draw_real() -> Tensor:
        return trainer.data.sample(c.batch_size, data)

    def masks(n: int) -> list[Tensor]:
        draws = [torch.rand(n, units, generator=dropout) for units in c.hidden_d]
        return [(draw >= c.dropout_d).double() / (1 - c.dropout_d) for draw in draws]

    return Reference(
        c.to_dict(),
        list(trainer.generator.parameters()),
        list(trainer.critic.parameters()),
        real=draw_real,
        latents=lambda: torch.randn(c.batch_size, c.latent_dim, generator=noise),
        alpha=lambda: torch.rand(c.batch_size, *[1] * dimensions, generator=alpha),
        masks=masks if c.dropout_d else None,
    )


def furthest(network: nn.Module, weights: list[Tensor]) -> float:
    """The largest difference between two networks' weights."""
    pairs = zip(network.parameters(), weights, strict=True)
    return max((ours.double() - theirs).abs().max().item() for ours, theirs in pairs)


def compare(trainer: Trainer) -> None:
    reference = beside(trainer)
    start = [w.clone() for w in reference.generator], [w.clone() for w in reference.critic]
    for _ in range(STEPS):
        trainer.step()
        reference.step()
    assert furthest(trainer.generator, start[0]) > 1e-4  # both have moved
    assert furthest(trainer.critic, start[1]) > 1e-3
    assert furthest(trainer.generator, reference.generator) < 1e-6
    assert furthest(trainer.critic, reference.critic) < 1e-6


@pytest.mark.parametrize(("optimizer_g", "optimizer_d"), OPTIMIZERS)
@pytest.mark.parametrize("constraint", choices("constraint"))
@pytest.mark.parametrize("objective", choices("objective"))
def test_three_steps_are_the_papers(
    make_trainer: MakeTrainer, objective: str, constraint: str, optimizer_g: str, optimizer_d: str
):
    choice = {"objective": objective, "constraint": constraint}
    optimizers = {"optimizer_g": optimizer_g, "optimizer_d": optimizer_d}
    compare(make_trainer(**SETTINGS, **choice, **optimizers))


@pytest.mark.parametrize("constraint", ["gp", "gp_onesided", "r1", "r2"])
def test_a_picture_has_one_slope_over_all_its_pixels(make_trainer: MakeTrainer, constraint: str):
    of_images = {"output": "linear", "gp_target": 0.26}
    compare(make_trainer("mlp", **SETTINGS | of_images, constraint=constraint))


LAYERS = {"widths_g": [7, 9], "widths_d": [6, 8, 5]}


@pytest.mark.parametrize(
    "fields",
    [
        LAYERS,
        {"maxout_d": 3, "constraint": "gp"},
        {"generator_steps": 3},
        {"shared_latents": True},
        {"generator_steps": 2, "shared_latents": True},
        {"dropout_d": 0.3, "constraint": "clip"},
        LAYERS | {"maxout_d": 2, "dropout_d": 0.6, "generator_steps": 2, "shared_latents": True},
    ],
    ids=lambda fields: "-".join(fields),
)
@pytest.mark.parametrize("objective", ["gan", "wgan"])
def test_three_steps_of_the_first_gans_choices(
    make_trainer: MakeTrainer, objective: str, fields: dict[str, Any]
):
    choice: dict[str, Any] = {"objective": objective, "constraint": "none"} | fields
    compare(make_trainer(**SETTINGS | choice))


@pytest.mark.parametrize("fused", [False, True])
def test_a_graph_from_before_the_critics_update(make_trainer: MakeTrainer, fused: bool):
    """What the page says of `retain_graph`: PyTorch refuses it, or does not notice."""
    trainer = make_trainer(objective="gan", constraint="none")
    scores = trainer.critic(trainer.generator(trainer.draw_latents(8)))
    scores.mean().backward(retain_graph=True)
    torch.optim.Adam(trainer.critic.parameters(), fused=fused).step()
    if fused:
        scores.mean().backward()  # through weights that are no longer those of the scores
    else:
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            scores.mean().backward()
