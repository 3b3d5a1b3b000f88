"""A run: its verbs, its events, its failures and what it publishes."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import MakeConfig, MakeRun
from wgan.config import ConfigError
from wgan.frame import Frame
from wgan.runs.run import Run, ScheduledChange


def finish(run: Run, steps: int) -> None:
    """Trains until `steps` are done in all, or it stops by itself."""
    run.stop_after(steps)
    run.play()
    settle(run)


def settle(run: Run) -> None:
    while run.active:
        run.advance(0.5)


def finite(run: Run) -> bool:
    tensors = [*run._loop.trainer.generator.parameters(), *run._loop.trainer.critic.parameters()]
    return all(bool(p.isfinite().all()) for p in tensors)


# Verbs.


def test_a_run_plays_pauses_and_goes_on(make_run: MakeRun):
    run = make_run(playing=False)
    assert (run.state, run.frame.state, run._loop.trainer.steps) == ("paused", "paused", 0)
    assert not run.active
    run.advance(0.05)
    assert run._loop.trainer.steps == 0
    run.play()
    run.advance(0.05)
    steps = run._loop.trainer.steps
    assert run.state == "playing"
    assert steps > 0
    run.pause()
    run.advance(0.05)
    assert (run.state, run.frame.state, run.frame.step) == ("paused", "paused", steps)
    run.play()
    run.advance(0.05)
    assert run._loop.trainer.steps > steps


def test_a_slice_ends_when_its_budget_is_spent(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    run = make_run()
    # By a clock on which a step takes a hundredth of a second.
    clock = SimpleNamespace(monotonic=lambda: run._loop.trainer.steps / 100)
    monkeypatch.setattr("wgan.runs.loop.time", clock)
    run.advance(0.1)
    assert run._loop.trainer.steps == 10


def test_single_updates_pause_and_are_logged(make_run: MakeRun):
    run = make_run()
    for which, steps in (("critic", 0), ("generator", 0), ("both", 1), ("critic", 1)):
        run.update(which)  # pyright: ignore[reportArgumentType]
        run.advance(0.05)
        assert (run.state, run._loop.trainer.steps) == ("paused", steps)
    events = [(e.kind, e.step, e.update) for e in run.frame.events]
    assert events == [
        ("update", 0, "critic"),
        ("update", 0, "generator"),
        ("update", 1, "critic"),
    ]


def test_a_change_is_logged_with_its_step_and_comes_before_the_next(make_run: MakeRun):
    run = make_run()
    finish(run, 7)
    wanted = run.apply({"lr": 0.5, "objective": "hinge"})
    assert run.config == wanted
    assert run._loop.trainer.config.lr_g != 0.5  # nothing touches the trainer from outside
    run.update("both")
    run.advance(0.05)
    (event,) = run.frame.events
    assert (event.step, event.kind) == (7, "change")
    assert event.changes == {
        "objective": ("wgan", "hinge"),
        "lr_g": (1e-3, 0.5),
        "lr_d": (1e-3, 0.5),
    }
    assert "Hinge" in event.text
    assert run._loop.trainer.config == run.frame.config == wanted
    # Step 8 is trained with it.
    expected = make_run()
    expected.schedule(ScheduledChange(7, {"lr": 0.5, "objective": "hinge"}))
    finish(expected, 8)
    for a, b in zip(
        run._loop.trainer.critic.parameters(),
        expected._loop.trainer.critic.parameters(),
        strict=True,
    ):
        assert torch.equal(a, b)


def test_changes_asked_for_in_a_row_add_up(make_run: MakeRun):
    run = make_run(playing=False)
    run.apply({"lr": 0.5})
    run.apply({"lr_g": 0.25})
    assert run.apply({"norm": "batch"}).lr_d == 0.5
    run.apply({"norm": "batch"})  # nothing new: no event
    run.advance(0.05)
    assert [list(e.changes) for e in run.frame.events] == [
        ["lr_g", "lr_d"],
        ["lr_g"],
        ["norm_g", "norm_d"],
    ]
    assert (run._loop.trainer.config.lr_g, run._loop.trainer.config.lr_d) == (0.25, 0.5)


def test_a_structural_or_bad_change_is_refused_and_changes_nothing(make_run: MakeRun):
    run = make_run(playing=False)
    before, version = run.config, run.frame.version
    for changes in ({"width": 16}, {"lr": 0.5, "data": "moons"}, {"lr": -1}, {"lrr": 1}):
        with pytest.raises(ConfigError):
            run.apply(changes)
        assert not run.active
    run.advance(0.05)
    assert run.config == run._loop.trainer.config == before
    assert (run.frame.events, run.frame.version) == ((), version)


def test_reset_starts_again_with_the_settings_on_screen(make_run: MakeRun):
    run = make_run()
    finish(run, 30)
    run.apply({"lr": 0.01})
    run.reset()
    finish(run, 5)
    assert run._loop.trainer.config.lr_g == 0.01
    assert run.first_config == run.config  # what a replay begins with
    assert run.frame.events == ()
    assert (run.frame.step, run.frame.curves["critic_loss"].step[-1]) == (5, 5)
    fresh = make_run(lr=0.01)
    finish(fresh, 5)
    for a, b in zip(
        run._loop.trainer.critic.parameters(), fresh._loop.trainer.critic.parameters(), strict=True
    ):
        assert torch.equal(a, b)


def test_a_reset_while_it_plays_leaves_nothing_of_the_past(make_run: MakeRun):
    run = make_run()
    calls = {"n": 0}
    step = run._loop.trainer.step

    def stepping() -> Any:
        calls["n"] += 1
        if calls["n"] == 20:
            run.reset()  # as somebody does on the page, in the middle of a slice
        return step()

    run._loop.trainer.step = stepping  # pyright: ignore[reportAttributeAccessIssue]
    while calls["n"] < 20:
        run.advance(0.2)
    run.advance(0.2)
    run.pause()
    run.advance(0.05)
    steps = run.frame.curves["critic_loss"].step
    assert calls["n"] == 20
    assert (np.diff(steps) > 0).all()
    assert steps[-1] == run._loop.trainer.steps


def test_the_order_on_the_curves_is_that_of_the_steps(make_run: MakeRun):
    run = make_run()
    updates: tuple[Any, ...] = ((3, "critic"), (5, "generator"), (9, "critic"))
    for at, update in updates:
        run.schedule(ScheduledChange(at, {}, update))
    finish(run, 12)
    steps = run.frame.curves["critic_loss"].step
    assert (np.diff(steps) >= 0).all()
    assert set(steps) == set(range(1, 13))


def test_what_is_planned_comes_at_its_step_the_last_one_included(make_run: MakeRun):
    run = make_run()
    for at, changes in ((4, {"lr": 0.5}), (0, {"lr": 0.1}), (6, {"norm": "layer"}), (9, {"lr": 1})):
        run.schedule(ScheduledChange(at, changes))
    run.schedule(ScheduledChange(6, {}, "critic"))
    finish(run, 6)
    assert [(e.step, e.kind) for e in run.events] == [
        (0, "change"),
        (4, "change"),
        (6, "change"),
        (6, "update"),
    ]
    assert run._loop.trainer.steps == 6
    assert [due.step for due in run.scheduled] == [9]


# Slow motion.


@pytest.mark.parametrize("constraint", ["gp", "clip"])
def test_slow_motion_names_every_stage_in_order(make_run: MakeRun, constraint: str):
    run = make_run(playing=False, constraint=constraint, critic_steps=2)
    run.slow_down(0.0)
    run.play()
    seen: list[tuple[str, int]] = []
    while run._loop.trainer.steps == 0:
        run.advance(0.05)
        if run.frame.stage:
            seen.append((run.frame.stage.name, run.frame.stage.update))
            assert run.frame.stage.updates == 2
    own = "penalty" if constraint == "gp" else "clip"
    once = ["data", "scores", "critic"]
    once.insert(2 if own == "penalty" else 3, own)
    expected = [(name, update) for update in (1, 2) for name in once]
    assert seen == [*expected, ("generate", 0), ("generator", 0)]
    assert run.frame.curves["critic_loss"].step.tolist() == [1]


def test_slow_motion_gives_the_same_bits_and_misses_no_step(make_run: MakeRun):
    slow, plain = make_run(), make_run()
    slow.slow_down(0.0)
    for stage in range(25):
        slow.advance(0.05)
        if stage == 13:
            slow.apply({"lr": 0.01})  # in the middle of a step: it is finished first
    slow.slow_down(None)
    finish(slow, 20)
    (event,) = slow.events
    plain.schedule(ScheduledChange(event.step, {"lr": 0.01}))
    finish(plain, 20)
    for a, b in zip(
        slow._loop.trainer.critic.parameters(), plain._loop.trainer.critic.parameters(), strict=True
    ):
        assert torch.equal(a, b)
    assert slow.frame.curves["critic_loss"].step.tolist() == list(range(1, 21))


def test_a_pause_between_stages_makes_it_wait(make_run: MakeRun):
    run = make_run()
    run.slow_down(60.0)
    run.advance(0.05)
    version = run.frame.version
    assert run.frame.stage is not None
    for _ in range(3):
        run.advance(0.01)
    assert run._loop.trainer.steps == 0
    assert run.frame.stage.name == "data"
    assert run.frame.version - version <= 1


# Failures.


def test_a_blow_up_stops_with_the_step_and_why(make_run: MakeRun):
    run = make_run(
        constraint="none", optimizer="sgd", lr=10.0, width=64, depth=3, objective="lsgan"
    )
    run.play()
    settle(run)
    assert run.state == run.frame.state == "failed"
    event = run.frame.events[-1]
    assert event.kind == "failed"
    assert f"Stopped at step {event.step}: " in run.frame.message
    assert event.text in run.frame.message
    assert "NaN" in event.text or "infinite" in event.text or "finite" in event.text
    assert finite(run)
    for curve in run.frame.curves.values():
        assert all(np.isfinite(values).all() for values in curve)
    view: Any = run.frame.view
    assert np.isfinite(view.fake).all()
    assert np.isfinite(view.surface).all()
    # A sound setting, and it goes on from there.
    run.apply({"lr": 1e-4, "constraint": "gp", "objective": "wgan"})
    finish(run, run._loop.trainer.steps + 5)
    assert (run.state, run.frame.message) == ("paused", "")
    assert finite(run)
    steps = run.frame.curves["critic_loss"].step
    assert (np.diff(steps) > 0).all()


def test_a_failure_brings_back_the_last_good_settings_and_their_log(make_run: MakeRun):
    run = make_run()
    run.apply({"norm": "layer"})
    finish(run, 5)
    run._loop.session.evaluation._kept_at = -1e9
    run._loop._evaluate(measure=True)  # now the networks of step 5 are the last good ones
    good = [p.detach().clone() for p in run._loop.trainer.generator.parameters()]
    run.apply({"lr": 0.002})
    run.apply({"norm": "spectral"})
    finish(run, 8)
    next(run._loop.trainer.critic.parameters()).data.fill_(torch.nan)
    run.stop_after(None)
    run.play()
    settle(run)
    assert run.state == "failed"
    assert "step 5" in run.frame.message
    assert run.config == run._loop.trainer.config
    assert (run.config.lr_g, run.config.norm_g) == (1e-3, "layer")
    assert [e.kind for e in run.events] == ["change", "failed"]
    assert all(map(torch.equal, run._loop.trainer.generator.parameters(), good))
    finish(run, 10)
    assert run.state == "paused"


@pytest.mark.parametrize("side", ["critic", "generator"])
@pytest.mark.parametrize("verb", ["critic", "generator", "both", "look"])
def test_broken_networks_never_count_as_good(make_run: MakeRun, side: str, verb: Any):
    run = make_run(playing=False)
    run._loop.session.evaluation._kept_at = -1e9
    next(getattr(run._loop.trainer, side).parameters()).data.fill_(torch.nan)
    if verb == "look":
        run._loop._evaluate(measure=True)
    else:
        run.update(verb)
        run.advance(0.05)
    assert run.state == "failed"
    assert finite(run)
    assert np.isfinite(run.frame.view.fake).all()  # pyright: ignore
    finish(run, 3)
    assert run.state == "paused"


def test_data_that_cannot_be_had_fails_with_its_sentence(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    from wgan.data import DataError

    def refuse(*_: Any) -> Any:
        raise DataError("The archive is gone;\nand more")

    monkeypatch.setattr("wgan.runs.loop.load", refuse)
    run = Run("x", make_config())
    run.prepare()
    assert (run.state, run.frame.message) == ("failed", "The archive is gone;")
    run.play()
    run.apply({"lr": 0.5})
    settle(run)
    assert run.frame.state == "failed"


@pytest.mark.parametrize(
    "where",
    [
        "session.Trainer",
        "evaluation_schedule.Evaluator",
        "evaluation.Evaluator.view",
        "evaluation.Evaluator.measure",
    ],
)
def test_a_fault_of_ours_while_loading_fails_the_run(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, where: str
):
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("oops")

    monkeypatch.setattr(f"wgan.runs.{where}", broken)
    run = Run("x", make_config())
    run.prepare()
    assert (run.frame.state, run.frame.message) == ("failed", "An unexpected KeyError.")


# What it publishes.


def test_frames_are_immutable_and_count_up(make_run: MakeRun):
    run = make_run()
    frames: list[Frame] = [run.frame]
    copies: list[Any] = [run.frame.view.fake.copy()]  # pyright: ignore
    for _ in range(6):
        run._loop.session.evaluation.invalidate()
        run.advance(0.02)
        frames.append(run.frame)
        copies.append(run.frame.view.fake.copy())  # pyright: ignore
    first = frames[0].version
    assert [frame.version for frame in frames] == list(range(first, first + 7))
    steps = [frame.step for frame in frames]
    assert steps == sorted(set(steps))
    for frame, copy in zip(frames, copies, strict=True):  # later training changed none of them
        assert np.array_equal(frame.view.fake, copy)  # pyright: ignore
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.frame.step = 3  # pyright: ignore
    assert frames[-1].once("key", lambda: 3) == frames[-1].once("key", lambda: 4) == 3


@pytest.mark.parametrize("kind", ["points", "dcgan"])
def test_a_frame_shows_samples_and_figures(make_run: MakeRun, kind: str):
    run = make_run(kind)
    finish(run, 3)
    frame, view = run.frame, run.frame.view
    assert (frame.run, frame.step, frame.device) == ("test", 3, "cpu")
    assert frame.seconds > 0
    assert frame.metrics is not None
    if kind == "points":
        assert view.surface.shape[0] == view.surface.shape[1]  # pyright: ignore
        assert view.real.shape == view.fake.shape  # pyright: ignore
        assert frame.metrics.modes_total == 8
    else:
        assert view.fake.dtype == np.uint8  # pyright: ignore
        assert view.fake.shape[1:] == (8, 8, 1)  # pyright: ignore
        assert frame.metrics.modes_total == 10
    assert frame.metrics.w1 is not None
    assert frame.metrics.w1_floor is not None
    assert frame.metrics.w1 > frame.metrics.w1_floor > 0
