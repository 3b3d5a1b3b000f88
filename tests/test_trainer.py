"""The trainer: what a step is, what changes keep, and that every bit repeats."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.conftest import KINDS, MakeTrainer
from wgan.config import choices
from wgan.runs.evaluation import Evaluator
from wgan.stages import FIGURES, FRESH, STAGES
from wgan.trainer import Trainer, stream


def flat(value: Any) -> list[Any]:
    """The leaves of a trainer's state, in order."""
    if isinstance(value, dict):
        return [leaf for key in value for leaf in [str(key), *flat(value[key])]]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def bits(tensor: Tensor) -> Tensor:
    """The bytes of a tensor: two NaN are the same."""
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def equal(a: Any, b: Any) -> bool:
    """Whether two states are the same bit for bit."""
    x, y = flat(a), flat(b)
    return len(x) == len(y) and all(
        torch.equal(bits(i), bits(j)) if isinstance(i, Tensor) and isinstance(j, Tensor) else i == j
        for i, j in zip(x, y, strict=True)
    )


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in network.named_parameters()}


def steps(trainer: Trainer, n: int) -> Trainer:
    for _ in range(n):
        trainer.step()
    return trainer


# What a step is.


@pytest.mark.parametrize("critic_steps", [1, 2, 5])
def test_a_step_is_critic_updates_then_one_generator_update(
    make_trainer: MakeTrainer, critic_steps: int
):
    trainer = make_trainer(critic_steps=critic_steps)
    done: list[str] = []
    before = weights(trainer.generator), weights(trainer.critic)
    for stage in trainer.stages():
        after = weights(trainer.generator), weights(trainer.critic)
        for name, old, new in zip(("G", "D"), before, after, strict=True):
            if not equal(old, new):
                done.append(name)
                assert stage.name == {"G": "generator", "D": "critic"}[name]
        before = after
    assert done == ["D"] * critic_steps + ["G"]
    assert trainer.steps == 1


def test_an_update_alone_is_no_step(make_trainer: MakeTrainer):
    trainer = make_trainer()
    generator, critic = weights(trainer.generator), weights(trainer.critic)
    trainer.update_critic()
    assert equal(weights(trainer.generator), generator)
    assert not equal(weights(trainer.critic), critic)
    critic = weights(trainer.critic)
    trainer.update_generator()
    assert not equal(weights(trainer.generator), generator)
    assert equal(weights(trainer.critic), critic)
    assert trainer.steps == 0


def test_updates_alone_add_up_to_a_step(make_trainer: MakeTrainer):
    whole, parts = make_trainer(critic_steps=2), make_trainer(critic_steps=2)
    whole.step()
    parts.update_critic()
    parts.update_critic()
    parts.update_generator()
    assert equal(whole.state_dict()["generator"], parts.state_dict()["generator"])
    assert equal(whole.state_dict()["critic"], parts.state_dict()["critic"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_network_keeps_every_bit(make_trainer: MakeTrainer, kind: str):
    for frozen, moving in (("g", "d"), ("d", "g")):
        trainer = make_trainer(kind, norm="layer", **{f"freeze_{frozen}": True})
        networks = {"g": trainer.generator, "d": trainer.critic}
        before = {side: weights(network) for side, network in networks.items()}
        steps(trainer, 3)
        assert equal(weights(networks[frozen]), before[frozen])
        assert not equal(weights(networks[moving]), before[moving])
        assert trainer.steps == 3


def test_figures_are_those_of_the_step(make_trainer: MakeTrainer):
    trainer = make_trainer(objective="wgan", constraint="gp", gp_weight=3)
    figures = trainer.step()
    found = trainer.figures()
    assert [found[name] for name in FIGURES] == figures.tolist()
    # WGAN: the critic's loss is the penalty minus the estimate.
    assert found["critic_loss"] == pytest.approx(found["penalty"] - found["critic_estimate"])
    trainer.change(trainer.config.replace({"constraint": "clip"}))
    trainer.step()
    found = trainer.figures()
    assert not found["penalty"] > 0
    assert found["critic_loss"] == pytest.approx(-found["critic_estimate"])


def test_stages_come_in_order(make_trainer: MakeTrainer):
    def names(**fields: Any) -> list[str]:
        return [stage.name for stage in make_trainer(critic_steps=1, **fields).stages()]

    generate = ["generate", "generator"]
    assert names(constraint="gp") == ["data", "scores", "penalty", "critic", *generate]
    assert names(constraint="clip") == ["data", "scores", "critic", "clip", *generate]
    assert names(constraint="none") == ["data", "scores", "critic", *generate]
    assert names(constraint="r1", freeze_d=True) == ["data", "scores", "penalty", *generate]
    assert names(constraint="none", freeze_g=True) == ["data", "scores", "critic", "generate"]
    assert set(STAGES) == {"data", "scores", "penalty", "critic", "clip", *generate}
    stages = list(make_trainer(critic_steps=3, constraint="none").stages())
    assert [s.update for s in stages] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0]
    assert {s.updates for s in stages} == {3}


def test_fresh_figures_are_those_of_the_update_at_hand(make_trainer: MakeTrainer):
    trainer = steps(make_trainer(constraint="gp", critic_steps=3), 1)
    seen: dict[tuple[int, str], float] = {}
    for stage in trainer.stages():
        figures = trainer.figures()
        for name in FRESH[stage.name]:
            assert seen.setdefault((stage.update, name), figures[name]) == figures[name]
    assert {name for _, name in seen} == set(FIGURES)


@pytest.mark.parametrize("norm", ["none", "spectral"])
def test_clipping_holds_after_every_step(make_trainer: MakeTrainer, norm: str):
    trainer = make_trainer(constraint="clip", clip_value=0.01, norm_d=norm)
    for _ in range(3):
        trainer.step()
        assert all(p.abs().max() <= 0.01 for p in trainer.critic.parameters())


# Bits.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", choices("norm_g"))
def test_the_same_seed_gives_the_same_bits(make_trainer: MakeTrainer, kind: str, norm: str):
    fields: dict[str, Any] = {"norm": norm, "ema": 0.9}
    a, b, c = (make_trainer(kind, seed=seed, **fields) for seed in (1, 1, 2))
    torch.manual_seed(123)
    steps(a, 3)
    before = torch.get_rng_state()
    for _ in range(3):  # the second in slow motion, and looked at all the time
        for _ in b.stages():
            observer = Evaluator(b, b.data)  # pyright: ignore[reportArgumentType]
            observer.view()
    observer.measure()  # pyright: ignore[reportPossiblyUnbound]
    assert torch.equal(torch.get_rng_state(), before)
    assert equal(a.state_dict(), b.state_dict())
    assert not equal(steps(c, 3).state_dict()["generator"], a.state_dict()["generator"])


def test_looking_changes_no_bit(make_trainer: MakeTrainer):
    for fields in ({"norm": "batch"}, {"norm": "spectral", "ema": 0.9}, {"constraint": "clip"}):
        trainer = steps(make_trainer(**fields), 2)
        observer = Evaluator(trainer, trainer.data)  # pyright: ignore[reportArgumentType]
        before = trainer.state_dict()
        observer.view()
        observer.measure()
        assert equal(trainer.state_dict(), before)
        assert all(m.training for n in (trainer.generator, trainer.critic) for m in n.modules())


def test_every_purpose_has_randomness_of_its_own():
    draws = {
        (seed, purpose): tuple(
            torch.randn(4, generator=stream(seed, purpose, torch.device("cpu"))).tolist()
        )
        for seed in (0, 1, 2, 2**31 - 1)
        for purpose in (1, 2, 3, 9)
    }
    assert len(set(draws.values())) == len(draws)
    steps = [stream(0, 9, torch.device("cpu"), *step) for step in ((), (0,), (1,), (2**31,))]
    assert len({rng.initial_seed() for rng in steps}) == len(steps)


def test_latents_and_data_are_not_the_same_numbers(make_trainer: MakeTrainer):
    trainer = make_trainer(data="twolines", latent="uniform", latent_dim=1)
    y, z = trainer.draw_real(2000)[:, 1], trainer.draw_latents(2000)[:, 0]
    assert torch.corrcoef(torch.stack([y, z]))[0, 1].abs() < 0.1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", choices("optimizer_g"))
def test_state_and_load_go_back_bit_for_bit(make_trainer: MakeTrainer, kind: str, optimizer: str):
    trainer = steps(make_trainer(kind, norm="batch", optimizer=optimizer, ema=0.9), 2)
    kept = trainer.state_dict()
    after = steps(trainer, 3).state_dict()
    assert trainer.steps == 5
    assert not equal(kept["generator"], after["generator"])
    trainer.load_state_dict(kept)
    assert trainer.steps == 2
    assert equal(trainer.state_dict(), kept)
    assert equal(steps(trainer, 3).state_dict(), after)


DETOURS: list[list[dict[str, Any]]] = [
    [{"norm": "spectral"}],
    [{"norm": "spectral"}, {"norm": "none"}],
    [{"norm": "layer", "optimizer": "sgd"}],
    [{"optimizer_g": "rmsprop", "lr": 0.01, "ema": 0.0}],
    [{"constraint": "clip", "objective": "hinge", "faults": ["alpha_normal"], "beta1": 0.1}],
]


@pytest.mark.parametrize("detour", DETOURS, ids=str)
@pytest.mark.parametrize("norm", ["none", "spectral", "batch"])
def test_load_goes_back_over_any_change(
    make_trainer: MakeTrainer, norm: str, detour: list[dict[str, Any]]
):
    trainer = steps(make_trainer(norm=norm, ema=0.9), 2)
    kept = trainer.state_dict()
    after = steps(trainer, 3).state_dict()
    for changes in detour:
        trainer.change(trainer.config.replace(changes))
        steps(trainer, 1)
    trainer.load_state_dict(kept)
    assert trainer.config == kept["config"]
    assert equal(steps(trainer, 3).state_dict()["generator"], after["generator"])
    assert equal(trainer.state_dict()["critic"], after["critic"])
    assert equal(trainer.state_dict()["averaged"], after["averaged"])
    assert equal(trainer.state_dict()["rng"], after["rng"])


# The average.


def test_the_average_follows_its_closed_form(make_trainer: MakeTrainer):
    trainer = make_trainer(ema=0.75)
    expected = {name: p.double() for name, p in weights(trainer.generator).items()}
    for _ in range(6):
        trainer.step()
        for name, now in weights(trainer.generator).items():
            expected[name] = 0.75 * expected[name] + 0.25 * now.double()
    assert trainer.averaged is trainer.shown_generator
    for name, found in weights(trainer.shown_generator).items():
        assert torch.allclose(found.double(), expected[name], atol=1e-6)
    trainer.change(trainer.config.replace({"ema": 0}))
    assert trainer.averaged is None
    assert trainer.shown_generator is trainer.generator
    trainer.change(trainer.config.replace({"ema": 0.5}))
    assert equal(weights(trainer.shown_generator), weights(trainer.generator))


# Ranges.


def test_a_sigmoid_generator_trains_against_0_to_1(make_trainer: MakeTrainer):
    for output, low in (("sigmoid", 0), ("tanh", -1), ("linear", -1)):
        trainer = make_trainer("mlp", output=output)
        real = trainer.draw_real(300)
        assert (real.min().item(), real.max().item()) == (low, 1)
        shown = trainer.sample(trainer.draw_latents(300))
        if output == "sigmoid":  # shown in [−1, 1] all the same
            assert shown.min() < 0
        assert shown.abs().max() <= 1 or output == "linear"


@pytest.mark.parametrize("faults", [(), ("range_mismatch",)])
@pytest.mark.parametrize("output", ["tanh", "sigmoid"])
def test_measuring_shows_the_critic_what_training_shows_it(
    make_trainer: MakeTrainer, output: str, faults: tuple[str, ...]
):
    trainer = make_trainer("mlp", output=output, faults=faults)
    seen: list[tuple[float, float]] = []

    def keep(_: nn.Module, x: Any) -> None:
        seen.append((x[0].min().item(), x[0].max().item()))

    observer = Evaluator(trainer, trainer.data)  # pyright: ignore[reportArgumentType]
    trainer.critic.register_forward_pre_hook(keep)
    observer.measure()
    (real, fake), raw = seen[:2], trainer.generator(trainer.draw_latents(2500))
    assert real == (trainer.draw_real(300).min().item(), 1)
    assert fake[0] == pytest.approx(raw.min().item(), abs=0.2)  # extremes of other samples
    assert fake[1] == pytest.approx(raw.max().item(), abs=0.2)
