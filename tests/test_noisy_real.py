"""Real samples with noise in the generator's place: the authors' fixed generator (Fig. 1a)."""

from __future__ import annotations

import torch

from tests.conftest import MakeRun, MakeTrainer
from wgan.data import load
from wgan.presets import with_data
from wgan.runs.export import weights
from wgan.trainer import Trainer
from wgan.types import PointView

CPU = torch.device("cpu")


def test_the_fakes_are_real_samples_plus_unit_noise(make_trainer: MakeTrainer):
    trainer = make_trainer(fakes="noisy_real")
    fakes = trainer.sample(trainer.draw_latents(20_000, torch.Generator().manual_seed(0)))
    real = trainer.data.sample(20_000, torch.Generator().manual_seed(1))
    # Independent, so that the covariances add.
    expected = real.T.cov() + torch.eye(2)
    assert torch.allclose(fakes.T.cov(), expected, atol=0.05)
    assert torch.allclose(fakes.mean(0), real.mean(0), atol=0.05)


def test_only_the_critic_is_trained(make_trainer: MakeTrainer):
    trainer = make_trainer(fakes="noisy_real", critic_steps=2)
    before = weights(trainer)
    for _ in range(3):
        assert trainer.step().isfinite().all()
    after = weights(trainer)
    assert trainer.steps == 3
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    # A critic's last bias cancels in E[D(x)] − E[D(x̃)].
    critic = {name for name in before if name.startswith("critic")}
    assert changed == critic - {"critic.4.bias"}


def test_the_critic_sees_them(make_trainer: MakeTrainer):
    noisy, plain = (make_trainer(fakes=f, data="grid25") for f in ("noisy_real", "generated"))
    noisy.update_critic()
    plain.update_critic()
    # The same seed and so the same real samples; only the fakes differ.
    assert noisy.figures()["critic_estimate"] != plain.figures()["critic_estimate"]


def test_a_run_shows_them_and_repeats(make_run: MakeRun):
    run = make_run(fakes="noisy_real")
    run.stop_after(4)
    while run.active:
        run.advance(0.05)
    view = run.frame.view
    assert isinstance(view, PointView)
    assert len(view.manifold) == 0  # there is no generator to show one of
    assert run.measure_now().w1 is not None
    repeated = Trainer(run.config, load(run.config, CPU))
    for _ in range(4):
        repeated.step()
    for name, value in weights(run._loop.trainer).items():
        assert torch.equal(value, weights(repeated)[name]), name


def test_images_have_a_generator_again(make_trainer: MakeTrainer):
    config = make_trainer(fakes="noisy_real").config
    assert with_data(config, "digits").fakes == "generated"
    assert with_data(config, "grid25").fakes == "noisy_real"
