"""Nothing is lost: runs sleep, leave, come back, and survive faults of the disk and of steps."""

from __future__ import annotations

import dataclasses
import errno
import gc
import logging
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import MakeConfig
from tests.test_lab import threads, until
from wgan.persistence import autosave
from wgan.persistence.store import Store
from wgan.runs.access import Access
from wgan.runs.run import Run
from wgan.server.limits import LimitError, Limits
from wgan.server.registry import Lab

MakeLab = Callable[..., Lab]


@pytest.fixture
def make_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeLab]:
    """make_lab(max_runs=3): a lab that saves under tmp_path/runs, and soon."""
    monkeypatch.setattr(autosave, "FIRST", 0.1)
    monkeypatch.setattr(autosave, "EVERY", 0.3)
    monkeypatch.setattr(autosave, "CHANGED", 0.05)
    made: list[Lab] = []

    def make(**limits: Any) -> Lab:
        given = {"autosave": str(tmp_path / "runs"), **limits}
        made.append(Lab(dataclasses.replace(Limits(), **given)))
        return made[-1]

    yield make
    for lab in made:
        lab.shut_down()
    until(lambda: not threads())


def ready(run: Run) -> Run:
    until(lambda: run.state not in ("loading",) and run.frame.view is not None)
    return run


def trained(run: Run, steps: int = 1) -> Run:
    ready(run)
    until(lambda: run._loop.trainer.steps >= steps)
    return run


def saved(lab: Lab, id: str) -> dict[str, Any] | None:
    assert lab._autosaver.store is not None
    return lab._autosaver.store.read_about(id)


def found(lab: Lab, id: str) -> Run:
    run = lab.get(id)
    assert run is not None
    return run


def gone(lab: Lab, run: Run) -> None:
    """Waits until the run has left memory."""
    lab.limits = dataclasses.replace(lab.limits, sleep_after=0, leave_after=0)
    until(lambda: run.id not in lab.ids())
    lab.limits = dataclasses.replace(lab.limits, sleep_after=60, leave_after=1800)


# Saving.


def test_runs_are_saved_as_they_train_and_when_they_change(
    make_lab: MakeLab, make_config: MakeConfig
):
    lab = make_lab()
    run = lab.create(make_config(), secret="mine")
    until(lambda: (about := saved(lab, run.id)) and about["steps"] > 0)
    assert lab.warning is None
    first = saved(lab, run.id)
    assert first is not None
    until(lambda: (about := saved(lab, run.id)) and about["steps"] > first["steps"])
    run.apply({"lr": 0.005})
    until(lambda: (about := saved(lab, run.id)) and about["config"]["lr_g"] == 0.005)
    run.pause()
    until(lambda: (about := saved(lab, run.id)) and about["state"] == "paused")
    until(lambda: (about := saved(lab, run.id)) and about["steps"] == run._loop.trainer.steps)
    run.access.open = True
    until(lambda: (about := saved(lab, run.id)) and about["room"]["open"])
    assert Access.from_dict((saved(lab, run.id) or {})["room"]).is_owner("mine")
    path = next(Path(str(lab.limits.folder)).glob("*.safetensors"))
    assert b'"mine"' not in path.read_bytes()


def test_a_quiet_run_is_not_written_again(
    make_lab: MakeLab, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    lab = make_lab()
    run = ready(lab.create(make_config(), playing=False))
    until(lambda: saved(lab, run.id))
    writes: list[str] = []
    monkeypatch.setattr(Store, "write", lambda self, id, *_: writes.append(id))
    time.sleep(0.8)
    assert writes == []


def test_a_closed_run_leaves_no_file(make_lab: MakeLab, make_config: MakeConfig):
    lab = make_lab()
    run = trained(lab.create(make_config()))
    until(lambda: saved(lab, run.id))
    lab.close(run.id)
    lab.close("../../x")
    until(lambda: not threads())
    lab._autosaver.wait(time.monotonic() + 60)
    assert saved(lab, run.id) is None
    assert lab.get(run.id) is None


def test_all_is_saved_when_the_process_ends_and_opens_in_the_next(
    make_lab: MakeLab, make_config: MakeConfig
):
    lab = make_lab()
    playing = trained(lab.create(make_config()), 5)
    paused = ready(lab.create(make_config(), playing=False, secret="s"))
    slow = ready(lab.create(make_config(), playing=False))
    slow.slow_down(60.0)
    slow.play()
    until(lambda: slow.frame.stage is not None)
    lab.shut_down()
    steps = playing._loop.trainer.steps
    state = playing._loop.trainer.state_dict()
    after = make_lab()
    again = found(after, playing.id)
    assert again is not playing
    assert found(after, playing.id) is again
    trained(again, steps + 1)
    assert again.state == "playing"
    assert not found(after, paused.id).access.may_control("other")  # from the first moment
    assert ready(found(after, paused.id)).state == "paused"
    # The step that was under way begins again, or was finished before it was saved.
    assert ready(found(after, slow.id))._loop.trainer.steps in (0, 1)
    assert again.first_config == playing.first_config
    # The same bits as if it had never stopped.
    whole = playing
    whole.play()
    again.pause()
    until(lambda: not again.active)
    whole.stop_after(again._loop.trainer.steps)
    while whole.active:
        whole.advance(0.1)
    assert state["steps"] == steps
    for a, b in zip(
        whole._loop.trainer.critic.parameters(),
        again._loop.trainer.critic.parameters(),
        strict=True,
    ):
        assert torch.equal(a, b)


# Sleep.


def test_unwatched_runs_leave_for_the_disk_and_wake(
    make_lab: MakeLab, make_config: MakeConfig, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "wgan.lab")
    lab = make_lab()
    run = trained(lab.create(make_config(), secret="secret word"))
    run.apply({"norm": "layer"})
    until(lambda: run.events)
    run.pause()
    until(lambda: not run.active)
    id, steps, events = run.id, run._loop.trainer.steps, run.events
    weights = weakref.ref(run._loop.trainer)
    gone(lab, run)
    assert (saved(lab, id) or {})["steps"] == steps
    # This test still holds the run, as a session does whose visitor has left; it is empty now.
    gc.collect()
    assert weights() is None
    assert (run.state, run.events, run.frame.view) == ("loading", (), None)
    again = found(lab, id)
    assert again is not run
    again.play()
    assert again.state in ("loading", "playing")
    trained(again, steps + 1)
    assert again.events == events
    assert again.access.is_owner("secret word")
    said = "\n".join(caplog.messages)
    for word in ("made", "slept", "left", "restored"):
        assert f"{word} run={id}" in said
    assert "secret" not in said


def test_a_restored_run_whose_data_are_gone_says_so_and_keeps_its_file(
    make_lab: MakeLab, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    from wgan.data import DataError

    lab = make_lab()
    run = trained(lab.create(make_config()))
    gone(lab, run)
    about = saved(lab, run.id)

    def refuse(*_: Any) -> Any:
        raise DataError("The data are gone.")

    with monkeypatch.context() as patch:
        patch.setattr("wgan.runs.loop.load", refuse)
        again = found(lab, run.id)
        until(lambda: again.frame.state == "failed")
        assert again.frame.message == "The data are gone."
        gone(lab, again)
    assert saved(lab, run.id) == about
    trained(found(lab, run.id))


def test_a_broken_file_is_set_aside(make_lab: MakeLab, make_config: MakeConfig):
    lab = make_lab()
    one, other = (trained(lab.create(make_config())) for _ in range(2))
    lab.shut_down()
    folder = lab.limits.folder
    assert folder is not None
    path = folder / f"{one.id}.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    inside = folder / f"{other.id}.safetensors"
    content = bytearray(inside.read_bytes())
    content[-9] ^= 1
    inside.write_bytes(content)
    after = make_lab()
    assert after.get(one.id) is None
    damaged = found(after, other.id)
    until(lambda: damaged.frame.state == "failed")
    assert damaged.frame.message == "The saved copy of this run is damaged; start a new one."
    assert sorted(path.name for path in folder.glob("*.broken")) == sorted(
        f"{run.id}.safetensors.broken" for run in (one, other)
    )
    # Who opens the link later is told the same.
    for run in (one, other):
        assert make_lab().why_missing(run.id) == "This run's file was damaged and set aside."
    for id in ("nobody", "../../etc/passwd", "x" * 99, ""):
        assert make_lab().why_missing(id).startswith("There is no run ")
    trained(after.create(make_config()))


# Room.


def test_watched_runs_are_never_sent_away(make_lab: MakeLab, make_config: MakeConfig):
    lab = make_lab(max_runs=3)
    runs = [trained(lab.create(make_config())) for _ in range(3)]
    with pytest.raises(LimitError, match="is full, with 3 runs being watched; try again a minute"):
        lab.create(make_config())
    assert lab.ids() == [run.id for run in runs]
    runs[1].pause()
    until(lambda: not runs[1].active)
    steps, events = runs[1]._loop.trainer.steps, runs[1].events
    lab.leave(runs[1].id)
    new = lab.create(make_config())
    assert lab.ids() == [runs[0].id, runs[2].id, new.id]
    until(lambda: runs[1].id not in lab._slots)
    assert (saved(lab, runs[1].id) or {})["steps"] == steps
    with pytest.raises(LimitError):
        lab.get(runs[1].id)
    lab.leave(new.id)
    again = found(lab, runs[1].id)
    until(lambda: again.state == "paused")
    assert again.events == events


def test_a_watcher_holds_a_run_that_was_on_its_way(make_lab: MakeLab, make_config: MakeConfig):
    lab = make_lab(max_runs=1, autosave="off")
    run = trained(lab.create(make_config()))
    assert "switched off" in (lab.warning or "")
    lab.leave(run.id)
    lab._slots[run.id].leaving = True
    assert lab.get(run.id) is run
    time.sleep(0.2)
    assert lab.ids() == [run.id]


def test_a_visitor_has_so_many_runs(make_lab: MakeLab, make_config: MakeConfig):
    lab = make_lab(max_runs_per_visitor=2)
    runs = [ready(lab.create(make_config(), playing=False, visitor="ann")) for _ in range(2)]
    with pytest.raises(LimitError, match="You have 2 runs open"):
        lab.create(make_config(), visitor="ann")
    lab.create(make_config(), visitor="bob")
    lab.create(make_config())
    lab.leave(runs[0].id)
    lab.create(make_config(), visitor="ann")
    assert runs[0].id not in lab.ids()


def test_memory_has_an_end(make_lab: MakeLab, make_config: MakeConfig):
    one = Limits().check(make_config())
    lab = make_lab(max_parameters_in_all=2 * one + 1)
    runs = [ready(lab.create(make_config(), playing=False)) for _ in range(2)]
    with pytest.raises(LimitError, match="memory is full"):
        lab.create(make_config())
    lab.leave(runs[0].id)
    lab.create(make_config())
    assert runs[0].id not in lab.ids()
    alone = make_lab(max_parameters_in_all=1)
    alone.create(make_config())  # one run is always allowed


def test_a_live_change_has_limits_too(make_lab: MakeLab, make_config: MakeConfig):
    run = ready(make_lab(max_batch=8).create(make_config(), playing=False))
    with pytest.raises(LimitError, match="at most 8"):
        run.apply({"batch_size": 9})
    assert run.config.batch_size == 8


# Faults of the disk.


def test_a_full_disk_is_told_once_and_tried_again(
    make_lab: MakeLab,
    make_config: MakeConfig,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(autosave, "RETRY", 0.1)
    lab = make_lab()
    tries: list[str] = []

    def full(self: Store, id: str, *_: Any) -> None:
        tries.append(id)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        runs = [trained(lab.create(make_config())) for _ in range(2)]
        until(lambda: len(tries) > 4)
        assert set(tries) == {run.id for run in runs}  # one that fails does not hold up another
        assert lab.warning == (
            "Runs are not being saved, because the disk is full; training goes on."
        )
        steps = [run._loop.trainer.steps for run in runs]
        until(lambda: all(r._loop.trainer.steps > s for r, s in zip(runs, steps, strict=True)))
    assert sum("autosave failed" in message for message in caplog.messages) == 1
    until(lambda: lab.warning is None)
    until(lambda: all(saved(lab, run.id) for run in runs))


def test_a_folder_that_cannot_be_made(make_lab: MakeLab, make_config: MakeConfig, tmp_path: Path):
    (tmp_path / "file").touch()
    lab = make_lab(autosave=str(tmp_path / "file" / "runs"), max_runs=1)
    run = trained(lab.create(make_config()))
    until(lambda: lab.warning)
    assert "Runs are not being saved" in (lab.warning or "")
    trained(run, run._loop.trainer.steps + 5)
    lab.leave(run.id)  # there is no saving it, and somebody else needs the room
    trained(lab.create(make_config()))
    until(lambda: run.id not in lab._slots)


def test_a_clock_that_jumps_does_not_matter(
    make_lab: MakeLab, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    now = iter(range(10**9, 0, -100_000))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    lab = make_lab()
    run = trained(lab.create(make_config()))
    until(lambda: (about := saved(lab, run.id)) and about["steps"] > 0)
    steps = (saved(lab, run.id) or {})["steps"]
    until(lambda: (about := saved(lab, run.id)) and about["steps"] > steps)
    assert lab.ids() == [run.id]


# Faults of a run.


def broken(kind: str, run: Run) -> None:
    """Breaks a run in one way, in the midst of its training."""

    def fail(*_: Any, **__: Any) -> Any:
        raise {
            "memory": MemoryError(),
            "gpu memory": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
            "metric": ZeroDivisionError("a metric"),
            "step": KeyError("a step"),
        }[kind]

    if kind == "nan":
        run._loop.trainer.generator.get_parameter("0.weight").data.fill_(torch.nan)
    elif kind == "metric":
        run._loop.session.evaluation._evaluator.measure = fail
        run._loop.session.evaluation._measured_at = -1e9
    else:
        run._loop.trainer.step = fail


@pytest.mark.parametrize("kind", ["nan", "memory", "gpu memory", "metric", "step"])
def test_a_fault_stays_in_its_run(
    make_lab: MakeLab, make_config: MakeConfig, kind: str, caplog: pytest.LogCaptureFixture
):
    lab = make_lab()
    bad, sound = trained(lab.create(make_config())), trained(lab.create(make_config()))
    broken(kind, bad)
    until(lambda: bad.frame.state == "failed")
    said = {
        "nan": "Stopped at step",
        "memory": "There is not enough memory for this",
        "gpu memory": "There is not enough memory for this",
        "metric": "An unexpected ZeroDivisionError.",
        "step": "An unexpected KeyError.",
    }
    assert bad.frame.message.startswith(said[kind])
    assert bad.events[-1].kind == "failed"
    assert bad._loop.trainer.is_finite()
    steps = sound._loop.trainer.steps
    until(lambda: sound._loop.trainer.steps > steps + 20)
    until(lambda: (about := saved(lab, bad.id)) and about["state"] == "failed")
    for record in caplog.records:
        ours = kind in ("metric", "step")
        assert "\n" not in record.getMessage()
        assert ours or not record.exc_info
    # What can be mended goes on.
    if kind != "metric":
        bad._loop.trainer.__dict__.pop("step", None)
        bad.play()
        trained(bad, bad._loop.trainer.steps + 5)
        assert bad.state == "playing"


def test_even_a_fault_in_saying_so_stops_nobody(
    make_lab: MakeLab, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
):
    lab = make_lab()
    bad, sound = trained(lab.create(make_config())), trained(lab.create(make_config()))

    def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("oops")

    bad._loop.trainer.step = bad._loop.fail_with = fail
    with monkeypatch.context() as patch:
        patch.setattr(lab._autosaver, "save_due", fail)
        steps = sound._loop.trainer.steps
        until(lambda: sound._loop.trainer.steps > steps + 20)
    until(lambda: saved(lab, sound.id))
