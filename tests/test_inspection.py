"""Inside the critic, against closed forms: a linear critic's slope is known everywhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.conftest import MakeRun, MakeTrainer
from wgan import losses
from wgan.data import load
from wgan.diagnostics.inspections import Inspections
from wgan.diagnostics.inspector import BINS, Inspector, histogram, weights_of
from wgan.diagnostics.viewer_requests import ViewerRequests
from wgan.metrics.critic import critic_estimate, gradient_norms
from wgan.metrics.divergence import (
    estimate_over_slope,
    grid_counts,
    jensen_shannon,
    jensen_shannon_of_loss,
)
from wgan.metrics.transport import w1
from wgan.runs.run import Run
from wgan.trainer import Trainer
from wgan.types import Anatomy, InspectionRequest, Layers, Section, Slopes, Weights

A = torch.tensor([3.0, -4.0])  # |a| = 5
SECTIONS: tuple[Section, ...] = ("layers", "weights", "slopes", "anatomy")


class Linear(nn.Module):
    """D(x) = a·x, with its weight where the inspector looks for weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1, bias=False)
        self.layer.weight.data = A[None]

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[:, 0]


def inspector(trainer: Trainer) -> Inspector:
    return Inspector(trainer, load(trainer.config, trainer.device))


def linear(make_trainer: MakeTrainer, **fields: Any) -> Inspector:
    found = inspector(make_trainer(**fields))
    found.trainer.critic = Linear()  # pyright: ignore[reportAttributeAccessIssue]
    return found


# Closed forms.


def test_a_linear_critic_has_one_slope_everywhere(make_trainer: MakeTrainer):
    slopes = linear(make_trainer).inspect(InspectionRequest("slopes"))
    assert isinstance(slopes, Slopes)
    for norms in (slopes.between, slopes.real, slopes.fake):
        assert len(norms) == 256
        assert norms == pytest.approx(5.0, abs=1e-5)


@pytest.mark.parametrize("shift", [[0.6, -0.8], [3.0, -4.0]])  # along a, where the bound is reached
def test_the_estimate_over_the_slope_is_the_shift(shift: list[float]):
    fake = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    real = fake + torch.tensor(shift)
    critic, rng = Linear(), torch.Generator().manual_seed(1)
    slope = gradient_norms(critic, real, fake, rng).max().item()
    bound = estimate_over_slope(critic_estimate(critic, real, fake), slope)
    assert bound == pytest.approx(math.hypot(*shift), abs=1e-5)
    assert bound == pytest.approx(w1(real, fake), abs=1e-5)


def test_across_the_slope_the_bound_stays_below_w1():
    fake = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    real = fake + torch.tensor([4.0, 3.0])  # a·shift = 0
    estimate = critic_estimate(Linear(), real, fake)
    assert estimate_over_slope(estimate, 5.0) == pytest.approx(0.0, abs=1e-5)
    assert math.isnan(estimate_over_slope(1.0, 0.0))


def test_js_of_equal_histograms_is_zero_and_of_disjoint_ones_log_2():
    p, q = torch.tensor([3, 1, 0, 0]), torch.tensor([0, 0, 2, 7])
    assert jensen_shannon(p, p) == jensen_shannon(p, 10 * p) == 0.0
    assert jensen_shannon(p, q) == pytest.approx(math.log(2))
    assert jensen_shannon(q, p) == pytest.approx(math.log(2))
    # By hand: p = (1, 0), q = (½, ½), m = (¾, ¼).
    by_hand = 0.5 * math.log(4 / 3) + 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2))
    assert jensen_shannon(torch.tensor([1, 0]), torch.tensor([4, 4])) == pytest.approx(by_hand)
    assert math.isnan(jensen_shannon(p, torch.zeros(4)))


def test_points_count_in_their_cells():
    points = torch.tensor([[-0.9, -0.9], [0.9, -0.9], [0.9, -0.8], [50.0, 50.0], [math.nan, 0.0]])
    assert grid_counts(points, extent=1.0, cells=2).tolist() == [1, 2, 0, 1]


def test_the_loss_of_a_gan_tells_js():
    blind = losses.critic_loss("gan", torch.zeros(8), torch.zeros(8)).item()
    assert jensen_shannon_of_loss(blind) == pytest.approx(0.0, abs=1e-6)
    perfect = losses.critic_loss("gan", torch.full((8,), 50.0), torch.full((8,), -50.0)).item()
    assert jensen_shannon_of_loss(perfect) == pytest.approx(math.log(2))


def test_the_histogram_holds_all_weights_and_the_clip(make_trainer: MakeTrainer):
    weights = torch.tensor([-0.01, -0.01, 0.01, 0.0, 0.005])
    shares, reach, largest, total = histogram(weights, clip=0.01)
    assert (len(shares), total) == (BINS, 5)
    assert shares.sum() == pytest.approx(1.0)
    assert reach == pytest.approx(0.012)
    assert largest == pytest.approx(0.01)
    assert shares[: BINS // 8].sum() == pytest.approx(0.4)  # about −c
    assert histogram(torch.tensor([0.3, -0.2]))[1] == 0.5
    assert histogram(torch.tensor([math.nan, 0.3]))[0].sum() == pytest.approx(1.0)

    trainer = make_trainer(constraint="clip", clip_value=0.02)
    for _ in range(2):
        trainer.step()
    with torch.no_grad():
        for parameter in trainer.critic.parameters():
            parameter.copy_(parameter.sign() * 0.02)
    found = inspector(trainer).inspect(InspectionRequest("weights"))
    assert isinstance(found, Weights)
    assert (found.clip, found.pinned) == (0.02, 1.0)
    assert found.total == len(weights_of(trainer.critic)) == 2 * 8 + 8


def test_a_linear_critic_has_no_hidden_layer(make_trainer: MakeTrainer):
    layers = linear(make_trainer).inspect(InspectionRequest("layers"))
    assert isinstance(layers, Layers)
    assert len(layers.norms) == 0


def test_the_gradient_by_layer_is_that_of_the_loss(make_trainer: MakeTrainer):
    trainer = make_trainer(depth=2, objective="wgan")
    layers = inspector(trainer).inspect(InspectionRequest("layers"))
    assert isinstance(layers, Layers)
    assert layers.norms.shape == (2,)
    # WGAN: the loss's gradient at a score is ±1, so that at the last hidden layer, before its
    # activation (ReLU), it is at most the norm of the last weights.
    *_, last = (m for m in trainer.critic if isinstance(m, nn.Linear))
    assert 0 < layers.norms[1] <= last.weight.norm().item() * (1 + 1e-5)


@pytest.mark.parametrize(
    ("constraint", "at", "expected"),
    [
        ("gp", "between", 0.3 * (5 - 1) ** 2),
        ("gp_onesided", "between", 0.3 * (5 - 1) ** 2),
        ("r1", "real", 0.5 * 0.3 * 25),
        ("r2", "fake", 0.5 * 0.3 * 25),
        ("clip", "between", 0.3 * (5 - 1) ** 2),
    ],
)
def test_the_penalty_of_a_linear_critic(
    make_trainer: MakeTrainer, constraint: str, at: str, expected: float
):
    step = linear(make_trainer, constraint=constraint, gp_weight=0.3).inspect(
        InspectionRequest("anatomy")
    )
    assert isinstance(step, Anatomy)
    assert (step.at, step.in_use) == (at, constraint != "clip")
    assert step.penalty == pytest.approx(expected, rel=1e-4)
    assert step.gradients is not None
    assert np.allclose(step.gradients, A)
    assert step.norms == pytest.approx(5.0, abs=1e-5)


def test_the_penalty_agrees_with_its_norms_and_the_points_lie_between(make_trainer: MakeTrainer):
    trainer = make_trainer(constraint="gp", gp_weight=0.7, gp_target=0.4)
    for _ in range(3):
        trainer.step()
    step = inspector(trainer).inspect(InspectionRequest("anatomy"))
    assert isinstance(step, Anatomy)
    assert step.step == 3
    assert step.penalty == pytest.approx(0.7 * float(np.mean((step.norms - 0.4) ** 2)), rel=1e-4)
    # |real − between| + |between − fake| = |real − fake|: on the segment
    ways = [
        np.linalg.norm(a - b, axis=1)
        for a, b in ((step.real, step.between), (step.between, step.fake), (step.real, step.fake))
    ]
    assert ways[0] + ways[1] == pytest.approx(ways[2], abs=1e-5)


def test_a_batch_stays_until_another_is_asked_for(make_trainer: MakeTrainer):
    look = inspector(make_trainer())
    one, again, other = (look.inspect(InspectionRequest("anatomy", n)) for n in (0, 0, 1))
    assert isinstance(one, Anatomy)
    assert isinstance(again, Anatomy)
    assert isinstance(other, Anatomy)
    assert np.array_equal(one.real, again.real)
    assert np.array_equal(one.between, again.between)
    assert not np.array_equal(one.real, other.real)


def test_the_fakes_are_those_the_critic_learns_from(make_trainer: MakeTrainer):
    trainer = make_trainer(ema=0.9999, lr=0.05)
    for _ in range(3):
        trainer.step()
    look = inspector(trainer)
    trained = look.inspect(InspectionRequest("anatomy"))
    trainer.averaged = None
    alone = look.inspect(InspectionRequest("anatomy"))
    assert isinstance(trained, Anatomy)
    assert isinstance(alone, Anatomy)
    assert np.array_equal(trained.fake, alone.fake)


# Looking changes nothing, and costs nothing unless somebody looks.


@pytest.mark.parametrize("kind", ["points", "dcgan"])
@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_a_run_that_is_inspected_trains_the_same(make_trainer: MakeTrainer, kind: str, norm: str):
    plain, looked_at = (make_trainer(kind, norm=norm, constraint="gp") for _ in range(2))
    look = inspector(looked_at)
    for _ in range(3):
        plain.step()
        looked_at.step()
        for section in SECTIONS:
            look.inspect(InspectionRequest(section))
    trained = looked_at.critic.state_dict()
    for name, tensor in plain.critic.state_dict().items():
        assert torch.equal(tensor, trained[name]), name


def watched(run: Run, *sections: Section) -> None:
    for section in sections:
        run.inspect(InspectionRequest(section))
    run.advance(0.02)


def test_frames_have_what_somebody_looks_at(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    run = make_run()
    run.advance(0.02)
    assert run.frame.inspections == {}
    watched(run, "slopes", "weights")
    assert set(run.frame.inspections) == {InspectionRequest("slopes"), InspectionRequest("weights")}
    monkeypatch.setattr("wgan.diagnostics.viewer_requests.FORGETS_AFTER", 0.0)
    run.advance(0.02)
    run._loop._evaluate_if_due()
    assert run.frame.inspections == {}


def test_a_paused_run_is_inspected_at_the_step_where_it_stands(make_run: MakeRun):
    run = make_run(playing=False)
    assert not run.active
    run.inspect(InspectionRequest("slopes"))
    assert run.active
    run.advance(0.02)
    run.inspect(InspectionRequest("slopes"))
    assert not run.active  # it has what is wanted: asking again wakes nobody
    run.update("both")
    run.advance(0.02)
    (found,) = run.frame.inspections.values()
    assert found.step == run.frame.step == 1


def test_inspecting_keeps_to_its_share(make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch):
    now = [100.0]
    for module in ("viewer_requests", "inspections"):
        monkeypatch.setattr(f"wgan.diagnostics.{module}.time.monotonic", lambda: now[0])

    class Slow(Inspector):
        def inspect(self, request: InspectionRequest) -> Any:
            now[0] += 0.1
            return super().inspect(request)

    trainer = make_trainer()
    attention = ViewerRequests()
    watch = Inspections(Slow(trainer, load(trainer.config, trainer.device)), attention)
    spent = 0.0
    for _ in range(200):
        attention.look(InspectionRequest("weights"))
        attention.look(InspectionRequest("slopes"))
        before = now[0]
        watch.renew(playing=True)
        spent += now[0] - before
        now[0] += 0.5
    assert spent > 0.4
    assert spent / (now[0] - 100) < 0.035


def test_no_more_is_inspected_than_a_few_wishes():
    attention = ViewerRequests()
    for batch in range(40):
        attention.look(InspectionRequest("anatomy", batch))
    assert [request.batch for request in attention.wanted()] == list(range(28, 40))
    assert not attention.look(InspectionRequest("anatomy", 39))
    assert attention.look(InspectionRequest("anatomy", 0))


# Figures over time.


def test_measured_figures_tell_the_truth(make_run: MakeRun):
    run = make_run("points", objective="gan", constraint="none")
    run.advance(0.05)
    metrics = run.measure_now()
    assert metrics.slope_max is not None
    assert metrics.slope_max >= metrics.gradient_norm > 0
    assert metrics.estimate_over_slope is not None
    assert metrics.estimate_over_slope == pytest.approx(metrics.critic_estimate / metrics.slope_max)
    assert metrics.w1 is not None
    assert metrics.estimate_over_slope <= metrics.w1 * 1.02
    assert metrics.js is not None
    assert metrics.js_floor is not None
    assert 0 < metrics.js_floor < metrics.js <= math.log(2) + 1e-9
    assert metrics.js_critic is not None
    assert metrics.js_critic <= math.log(2)
    assert metrics.gap_held_out is None


def test_held_out_digits_are_measured(make_run: MakeRun):
    run = make_run("mlp", limit=100)
    run.advance(0.05)
    run._loop._evaluate(measure=True)
    curves = run.frame.curves
    for name in ("gap_train", "gap_held_out", "loss_train", "loss_held_out", "js", "js_floor"):
        assert np.isfinite(curves[name].mean).all(), name
    metrics = run.frame.metrics
    assert metrics is not None
    assert metrics.gap_train is not None
    assert metrics.loss_train == pytest.approx(-metrics.gap_train, abs=1e-5)  # WGAN
    assert "js_critic" not in curves
    assert metrics.js is not None
    assert 0 <= metrics.js <= math.log(2)


def test_a_sigmoids_bound_is_in_the_datas_units(make_trainer: MakeTrainer, make_run: MakeRun):
    run = make_run("mlp", output="sigmoid")
    run.advance(0.03)
    metrics = run.measure_now()
    assert metrics.estimate_over_slope is not None
    assert metrics.slope_max is not None
    # The critic sees images in [0, 1], where the slope is twice that in the data's units.
    assert metrics.slope_max == pytest.approx(metrics.critic_estimate / metrics.estimate_over_slope)
    assert metrics.w1 is not None
    assert metrics.estimate_over_slope <= metrics.w1 * 1.02
