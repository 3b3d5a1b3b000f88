"""A run on disk: it goes on bit for bit, and no half of a file is ever taken for a whole one."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.conftest import KINDS, MakeRun
from wgan.persistence.store import Store
from wgan.runs import state as module
from wgan.runs.run import Run
from wgan.runs.series import Series
from wgan.runs.state import RunState, pack, unpack


def train(run: Run, steps: int) -> Run:
    """Until `steps` are done in all."""
    run.stop_after(steps)
    run.play()
    while run.active:
        run.advance(0.5)
    return run


def kept(run: Run) -> RunState:
    found = run.record()
    assert found is not None
    return found


def through_disk(run: Run, folder: Path) -> Run:
    """The run, written, read, and alive again."""
    store = Store(folder)
    store.write("test", *pack(kept(run)))
    read = store.read("test")
    assert read is not None
    again = Run("test", run.config)
    again.prepare(unpack(*read))
    assert again.state != "loading"
    return again


def same(a: Any, b: Any) -> bool:
    """Whether two states are the same bit for bit."""
    if isinstance(a, Tensor):
        a, b = (x.detach().contiguous().reshape(-1).view(torch.uint8) for x in (a, b))
        return torch.equal(a, b)
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


CHANGES: list[dict[str, Any]] = [
    {},
    {"norm": "batch", "optimizer": "rmsprop", "ema": 0.9},
    {"norm": "spectral", "constraint": "r1"},
    {"norm": "layer", "optimizer_g": "sgd", "constraint": "clip"},
    {"norm": "instance", "ema": 0.5},
    {"faults": ["fakes_attached"], "freeze_g": True},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_goes_on_bit_for_bit(
    make_run: MakeRun, tmp_path: Path, kind: str, changes: dict[str, Any]
):
    run = train(make_run(kind), 4)
    run.apply({"norm": "spectral"})
    train(run, 6)
    run.apply({"norm": "none", **changes})
    train(run, 9)
    again = through_disk(run, tmp_path)
    assert same(again._loop.trainer.state_dict(), run._loop.trainer.state_dict())
    for one in (run, again):
        one.apply({"lr": 0.002, "freeze_g": False})
        train(one, 14)
        one.apply({"norm": "layer"})  # draws from the generator for weights
        one.update("critic")
        train(one, 17)
    assert same(again._loop.trainer.state_dict(), run._loop.trainer.state_dict())
    assert again.events == run.events
    for name, curve in run._loop.history.curves().items():
        if name in ("critic_loss", "generator_loss", "critic_estimate", "penalty"):
            assert all(map(np.array_equal, again._loop.history.curves()[name], curve))


@pytest.mark.parametrize("changes", CHANGES[-2:], ids=str)
def test_a_copy_goes_on_beside_its_origin(make_run: MakeRun, changes: dict[str, Any]):
    run = train(make_run("dcgan", **changes), 3)
    run.update("critic")
    run.advance(0.05)
    again = Run("copy", run.config)
    again.prepare(kept(run))
    for one in (run, again):
        train(one, 8)
    assert same(again._loop.trainer.state_dict(), run._loop.trainer.state_dict())


def test_the_past_comes_back(make_run: MakeRun, tmp_path: Path):
    run = make_run(ema=0.9)
    for steps in (5, 12, 20):
        train(run, steps)
        run._loop._evaluate(measure=True)
    run.apply({"objective": "hinge", "faults": ["alpha_normal"]})
    run.update("critic")
    run.advance(0.05)
    run.slow_down(0.5)
    again = through_disk(run, tmp_path)
    assert (again.state, again.slow, again.seconds) == ("paused", 0.5, run.seconds)
    assert again.config == run.config
    assert again.first_config == run.first_config
    assert again.events == run.events
    assert again.frame.events[0].changes["faults"] == ((), ("alpha_normal",))
    assert again.frame.metrics == run.frame.metrics
    steps = [item.step for item in run.snapshots.items]
    assert [item.step for item in again.snapshots.items] == steps
    for one, other in zip(again.snapshots.items, run.snapshots.items, strict=True):
        assert one.metrics == other.metrics
        for name, array in vars(other.view).items():
            assert np.array_equal(getattr(one.view, name), array), name
    for name, curve in run.frame.curves.items():
        assert all(map(np.array_equal, again.frame.curves[name], curve))


def test_a_failed_run_comes_back_failed_and_recovers(make_run: MakeRun, tmp_path: Path):
    run = train(make_run(), 5)
    next(run._loop.trainer.critic.parameters()).data.fill_(torch.nan)
    record = kept(run)  # broken weights are never saved
    assert record.state == "failed"
    again = through_disk(run, tmp_path)
    assert (again.state, again.frame.message) == ("failed", run.frame.message)
    assert again.events[-1].kind == "failed"
    train(again, 8)
    assert (again.state, again._loop.trainer.steps) == ("paused", 8)


def test_the_midst_of_a_step_is_not_saved_unless_it_must_be(make_run: MakeRun):
    run = make_run()
    run.slow_down(0.0)
    for _ in range(3):
        run.advance(0.05)
    assert run.record() is None
    assert run.frame.stage is not None
    record = run.record(finish=True)
    assert record is not None
    assert record.trainer["steps"] == 1


def test_large_snapshots_are_fewer_and_spread(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch):
    run = make_run("mlp")
    for steps in range(1, 21):
        train(run, steps)
        run._loop._evaluate(measure=True)
    each = run.snapshots.items[0].view.fake.nbytes
    monkeypatch.setattr(module, "SNAPSHOT_BYTES", 7 * each)
    about, _ = pack(kept(run))
    steps = [snapshot["step"] for snapshot in about["snapshots"]]
    assert 4 <= len(steps) <= 7
    assert steps[-1] == 20
    assert steps[0] <= 4


def test_series_go_on_where_they_were():
    one, other = Series(("a", "b"), 16), Series(("a", "b"), 16)
    for step in range(1, 101):
        if step == 57:
            other.load_state_dict(one.state_dict())
        for series in (one, other) if step >= 57 else (one,):
            series.append(step, np.array([step % 7, np.nan], np.float32))
    for a, b in zip(one.curves()["a"], other.curves()["a"], strict=True):
        assert np.array_equal(a, b)


def test_series_from_before_a_figure_was_kept_go_on():
    old, new = Series(("a", "b"), 16), Series(("a", "b", "late"), 16)
    for step in range(1, 6):
        new.append(step, np.array([9, 9, 9], np.float32))  # of a life before: forgotten
        old.append(step, np.array([step, -step], np.float32))
    new.load_state_dict(old.state_dict())
    assert new.curves().keys() == {"a", "b"}
    for row in (old, new):
        row.append(6, np.array([6, -6, 0.5][: len(row.names)], np.float32))
    for name in ("a", "b"):
        assert np.array_equal(new.curves()[name], old.curves()[name])
    late = new.curves()["late"]
    assert (late.step.tolist(), late.mean.tolist(), late.low.tolist()) == ([6], [0.5], [0.5])


def test_a_run_saved_before_the_vital_signs_opens(make_run: MakeRun, tmp_path: Path):
    run = train(make_run(), 4)
    run._loop._evaluate(measure=True)
    about, tensors = pack(kept(run))
    for name in ("count", "sum", "low", "high"):
        tensors[f"past.measures.{name}"] = tensors[f"past.measures.{name}"][:, :5].contiguous()
    signs = ("layer_gradients", "gradient_decades", "pinned_share", "update_cosine")
    for snapshot in about["snapshots"]:
        for name in signs:
            snapshot["measures"].pop(name, None)
    Store(tmp_path).write("test", about, tensors)
    read = Store(tmp_path).read("test")
    assert read is not None
    again = Run("test", run.config)
    again.prepare(unpack(*read))
    assert again.state == run.state
    assert "w1" in again._loop.history.curves()
    assert "gradient_decades" not in again._loop.history.curves()
    again._loop._evaluate(measure=True)
    assert again._loop.history.curves()["gradient_decades"].step.tolist() == [4]


# Files.


@pytest.fixture
def saved(make_run: MakeRun, tmp_path: Path) -> Path:
    """The file of a saved run."""
    Store(tmp_path).write("test", *pack(kept(train(make_run(), 3))))
    return tmp_path / "test.safetensors"


def test_a_run_that_is_not_saved_is_none(tmp_path: Path):
    for id in ("abcd", "../../etc/passwd", "", "a" * 300, "ab/c", "a\x00cd", ".", "été-"):
        assert Store(tmp_path / "none").read(id) is None
        assert Store(tmp_path).read_about(id) is None
    with pytest.raises(ValueError, match="no id"):
        Store(tmp_path).write("../x", {}, {})


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_cut_file_is_set_aside(saved: Path, share: float, caplog: pytest.LogCaptureFixture):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * share)])
    store = Store(saved.parent)
    assert store.read_about("test") is None
    assert not saved.exists()
    assert [path.name for path in saved.parent.iterdir()] == ["test.safetensors.broken"]
    assert len(caplog.records) == 1
    assert "\n" not in caplog.messages[0]
    assert store.read("test") is None  # it is gone, which is no fault


@pytest.mark.parametrize("where", [3, 40, 2000, -5000, -1])
def test_a_flipped_bit_is_found(saved: Path, where: int):
    content = bytearray(saved.read_bytes())
    content[where] ^= 4
    saved.write_bytes(content)
    assert Store(saved.parent).read("test") is None
    assert saved.with_name("test.safetensors.broken").exists()


def test_other_files_are_set_aside(saved: Path):
    for metadata in (None, {"format": "x"}, {"format": "wgan-lab-run/1", "about": "[]"}):
        save_file({"a": torch.zeros(2)}, saved, metadata)
        assert Store(saved.parent).read_about("test") is None
        assert not saved.exists()


def test_a_failed_write_leaves_what_was_there(saved: Path, monkeypatch: pytest.MonkeyPatch):
    before = saved.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        Store(saved.parent).write("test", {}, {"a": torch.zeros(3)})
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_the_oldest_leave_the_disk(tmp_path: Path):
    store = Store(tmp_path, most=3, most_bytes=1_000_000)
    for number in range(6):
        store.write(f"run{number}", {}, {"a": torch.zeros(10)})
        os.utime(tmp_path / f"run{number}.safetensors", (number, number))
    (tmp_path / "run0.1234.part").touch()
    os.utime(tmp_path / "run0.1234.part", (0, 0))
    (tmp_path / "run1.1234.part").touch()
    (tmp_path / "notes.txt").touch()
    store.make_room(keep=["run0"])
    names = sorted(path.name.split(".")[0] for path in tmp_path.glob("*.safetensors"))
    assert names == ["run0", "run4", "run5"]
    assert (tmp_path / "notes.txt").exists()
    assert [path.name for path in tmp_path.glob("*.part")] == ["run1.1234.part"]
    store.most_bytes = 300
    store.make_room(keep=["run0", "run5"])
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        "run0.safetensors",
        "run5.safetensors",
    ]
    store.delete("run5")
    store.delete("run5")
    assert store.read_about("run5") is None
