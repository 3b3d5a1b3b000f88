"""Changing a run while it trains: what stays, what starts afresh, and that it always goes on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.conftest import KINDS, MakeRun, MakeTrainer
from wgan.config import LIVE_FIELDS, choices
from wgan.networks import Weighted
from wgan.runs.run import Run
from wgan.trainer import Trainer


def change(trainer: Trainer, **fields: Any) -> None:
    trainer.change(trainer.config.replace(fields))


def weights(network: nn.Module) -> list[Tensor]:
    """Of the Linear and Conv layers, as they are stored."""
    found = []
    for module in network.modules():
        if isinstance(module, Weighted):
            own = dict(module.named_parameters())
            found += [own["weight" if "weight" in own else "parametrizations.weight.original"]]
            found += [own["bias"]]
    return found


def adam(trainer: Trainer, side: str) -> dict[int, dict[str, Tensor]]:
    """The state of an optimiser, by the identity of the parameter."""
    optimizer = {"g": trainer.generator_optimizer, "d": trainer.critic_optimizer}[side]
    return {id(p): dict(state) for p, state in optimizer.state.items()}


def copy_state(state: dict[int, dict[str, Tensor]]) -> dict[int, dict[str, Tensor]]:
    return {p: {name: value.clone() for name, value in s.items()} for p, s in state.items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def trained(trainer: Trainer) -> Trainer:
    for _ in range(3):
        trainer.step()
    return trainer


# What a change keeps.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", ["rmsprop", "sgd"])
def test_a_new_optimizer_keeps_weights_and_starts_fresh(
    make_trainer: MakeTrainer, kind: str, optimizer: str
):
    trainer = trained(make_trainer(kind))
    before = [w.detach().clone() for w in weights(trainer.generator)]
    assert adam(trainer, "g")
    kept = copy_state(adam(trainer, "d"))
    change(trainer, optimizer_g=optimizer)
    assert not adam(trainer, "g")
    assert all(map(torch.equal, weights(trainer.generator), before))
    assert all(same(kept[p], state) for p, state in adam(trainer, "d").items())  # the other's stays
    trainer.step()
    change(trainer, optimizer_g="adam")
    assert not adam(trainer, "g")


def test_learning_rates_and_betas_keep_adams_state(make_trainer: MakeTrainer):
    trainer = trained(make_trainer())
    kept = {side: copy_state(adam(trainer, side)) for side in "gd"}
    change(trainer, lr_g=0.5, lr_d=0.25, beta1=0.2, beta2=0.7, gp_weight=3, objective="hinge")
    for side, lr in (("g", 0.5), ("d", 0.25)):
        assert kept[side].keys() == adam(trainer, side).keys()
        assert all(same(kept[side][p], state) for p, state in adam(trainer, side).items())
        optimizer = {"g": trainer.generator_optimizer, "d": trainer.critic_optimizer}[side]
        assert [(g["lr"], g["betas"]) for g in optimizer.param_groups] == [(lr, (0.2, 0.7))]


def test_a_learning_rate_is_used_at_once(make_trainer: MakeTrainer):
    for optimizer in choices("optimizer_g"):
        trainer = trained(make_trainer(optimizer=optimizer, norm="layer"))
        before = [p.detach().clone() for p in trainer.generator.parameters()]
        change(trainer, lr=0)
        trainer.step()
        assert all(map(torch.equal, trainer.generator.parameters(), before))
        change(trainer, lr=0.1)
        trainer.step()
        assert not any(map(torch.equal, weights(trainer.generator), before))


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_normalisation_keeps_weights_and_their_adam_state(
    make_trainer: MakeTrainer, kind: str
):
    trainer = trained(make_trainer(kind))
    for norm in ("batch", "spectral", "layer", "none", "instance"):
        before = {
            side: [w.detach().clone() for w in weights(network)]
            for side, network in (("g", trainer.generator), ("d", trainer.critic))
        }
        kept = {side: copy_state(adam(trainer, side)) for side in "gd"}
        change(trainer, norm=norm)
        for side, network in (("g", trainer.generator), ("d", trainer.critic)):
            assert all(map(torch.equal, weights(network), before[side]))
            found = adam(trainer, side)
            assert all(same(found[id(w)], kept[side][id(w)]) for w in weights(network))
            alive = {id(p) for p in network.parameters()}
            assert set(found) <= alive  # nothing is kept of layers that left
        trainer.step()
        assert all(w.isfinite().all() for w in weights(trainer.generator))


def test_a_change_of_nothing_changes_no_bit(make_trainer: MakeTrainer):
    plain, changed = trained(make_trainer(norm="batch")), trained(make_trainer(norm="batch"))
    change(changed, lr=changed.config.lr_g, norm="batch")
    assert all(map(torch.equal, weights(trained(plain).critic), weights(trained(changed).critic)))


def test_batch_size_and_critic_steps_follow(make_trainer: MakeTrainer):
    trainer = make_trainer(critic_steps=1, batch_size=8)
    sizes: list[int] = []

    def keep(_: nn.Module, x: Any) -> None:
        sizes.append(len(x[0]))

    trainer.generator.register_forward_pre_hook(keep)
    trainer.step()
    change(trainer, critic_steps=3, batch_size=5)
    trainer.step()
    assert sizes == [8, 8, 5, 5, 5, 5]


# Every two choices together.

AXES: dict[str, tuple[Any, ...]] = {
    "objective": choices("objective"),
    "constraint": choices("constraint"),
    "norm": choices("norm_g"),
    "optimizer": choices("optimizer_g"),
    "kind": tuple(KINDS),
}


def pairs(row: tuple[Any, ...]) -> set[Any]:
    return set(itertools.combinations(enumerate(row), 2))


def covering() -> Iterator[tuple[Any, ...]]:
    """Few rows of choices in which every two choices of different axes meet at least once."""
    rows = list(itertools.product(*AXES.values()))
    missing = set().union(*map(pairs, rows))
    while missing:
        best = max(rows, key=lambda row: len(pairs(row) & missing))
        missing -= pairs(best)
        yield best


def goes_on(run: Run, steps: int) -> None:
    """Trains so many steps further; the run must end finite, or say why it stopped."""
    run.stop_after(run._loop.trainer.steps + steps)
    run.play()
    while run.active:
        run.advance(1)
    if run.state == "failed":
        assert run.frame.message.startswith("Stopped at step ")
        assert run.frame.events[-1].kind == "failed"
    else:
        assert run._loop.trainer.steps == run.stop_at
    tensors = [*run._loop.trainer.generator.parameters(), *run._loop.trainer.critic.parameters()]
    assert all(p.isfinite().all() for p in tensors)


def run_of(make_run: MakeRun, row: tuple[Any, ...]) -> Run:
    """A run of 20 steps: finite to its end, or stopped with a message of its own."""
    run = make_run(**dict(zip(AXES, row, strict=True)), critic_steps=1, batch_size=4)
    goes_on(run, 20)
    return run


def check(run: Run) -> None:
    assert run.state == "paused", run.frame.message  # at these gentle rates nothing blows up
    names = {"critic_loss", "generator_loss", "critic_estimate", "w1", "gradient_norm"}
    assert names <= set(run.frame.curves)


def test_the_design_covers_all_pairs():
    rows = list(covering())
    assert len(rows) < 60
    for a, b in itertools.combinations(range(len(AXES)), 2):
        met = {(row[a], row[b]) for row in rows}
        sizes = [len(axis) for axis in AXES.values()]
        assert len(met) == sizes[a] * sizes[b]


@pytest.mark.parametrize("row", list(covering()), ids=lambda row: "-".join(row))
def test_every_two_choices_train_together(make_run: MakeRun, row: tuple[Any, ...]):
    check(run_of(make_run, row))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_all_choices_train_together(make_run: MakeRun):
    stopped = []
    for row in itertools.product(*AXES.values()):
        run = run_of(make_run, row)
        if run.state == "failed":
            stopped.append(row)
        else:
            check(run)
    # Spectral normalisation divides by a weight's norm, which clipping can bring near 0.
    assert all({"clip", "spectral"} <= set(row) for row in stopped), stopped
    print(f"{len(stopped)} stopped with their message: {stopped}")


@pytest.mark.parametrize("kind", ["points", "dcgan"])
def test_half_precision_trains(make_run: MakeRun, kind: str):
    for norm, constraint in (("none", "gp"), ("layer", "r1"), ("spectral", "none")):
        run = make_run(kind, precision="bfloat16", norm=norm, constraint=constraint)
        goes_on(run, 3)
        assert run.state == "paused"


# Any changes, at any time.

GENTLE: dict[str, st.SearchStrategy[Any]] = {
    **{name: st.sampled_from(choices(name)) for name in LIVE_FIELDS if choices(name)},
    "faults": st.lists(st.sampled_from(choices("faults")), max_size=3),
    "clip_value": st.floats(1e-4, 1),
    "gp_weight": st.floats(0, 20),
    "gp_target": st.floats(0, 2),
    "lr_g": st.floats(0, 1e-3),
    "lr_d": st.floats(0, 1e-3),
    "beta1": st.floats(0, 0.99),
    "beta2": st.floats(0, 0.999),
    "critic_steps": st.integers(1, 3),
    "generator_steps": st.integers(1, 2),
    "shared_latents": st.booleans(),
    "dropout_d": st.sampled_from([0.0, 0.5]),
    "batch_size": st.integers(2, 12),
    "ema": st.sampled_from([0.0, 0.5, 0.999]),
    "freeze_g": st.booleans(),
    "freeze_d": st.booleans(),
}


def test_every_live_field_takes_part():
    assert set(GENTLE) == set(LIVE_FIELDS)


@settings(max_examples=15, deadline=None)
@given(
    kind=st.sampled_from(["points", "mlp", "dcgan"]),
    plan=st.lists(st.fixed_dictionaries({}, optional=GENTLE), min_size=1, max_size=5),
)
def test_any_sequence_of_changes_leaves_a_run_that_goes_on(
    make_run: MakeRun, kind: str, plan: list[dict[str, Any]]
):
    run = make_run(kind)
    start = {name: getattr(run.config, name) for name in LIVE_FIELDS}
    for changes in [*plan, *reversed(plan), start]:
        wanted = run.apply(changes)
        goes_on(run, 2)
        if run.state != "failed":
            assert run._loop.trainer.config == wanted == run.config
    goes_on(run, 2)
    run.reset()
    goes_on(run, 2)
    assert run.frame.events == ()
