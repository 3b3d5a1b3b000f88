"""`kill -9` at random moments: every run opens again, and no half of a file is ever taken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wgan.persistence.store import Store
from wgan.runs.run import Run
from wgan.runs.state import RunState, unpack


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize(("kills", "seed"), [(3, 1), pytest.param(20, 2, marks=pytest.mark.slow)])
def test_every_run_opens_after_a_kill(tmp_path: Path, kills: int, seed: int):
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.killed_server", str(tmp_path), str(kills), str(seed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert server.stdin is not None
    assert server.stdout is not None
    saved: dict[str, RunState] = {}
    try:
        for kill in range(kills):
            assert server.stdout.readline() == "killed\n"
            before, saved = saved, opened(tmp_path)
            assert before.keys() <= saved.keys()
            for id, record in saved.items():
                steps = record.trainer["steps"]
                assert record.state == "playing"
                assert id not in before or steps >= before[id].trainer["steps"]
                assert steps >= noted(tmp_path).get(id, 0)
            if kill % 3 == 0:  # after several saves: there was something to lose, and it is there
                assert any(noted(tmp_path).values())
                assert noted(tmp_path).keys() <= saved.keys()
            (tmp_path / "saves").unlink(missing_ok=True)
            server.stdin.write("\n")
            server.stdin.flush()
        assert server.wait(60) == 0
    finally:
        server.kill()
        server.wait()
        server.stdin.close()
        server.stdout.close()
    assert len(saved) == 3
    assert not list(tmp_path.glob("*.broken"))
    # The bits are those of a run that was never killed.
    record = min(saved.values(), key=lambda record: record.trainer["steps"])
    whole = Run("whole", record.first_config)
    whole.prepare()
    whole.stop_after(record.trainer["steps"])
    while whole.active:
        whole.advance(0.5)
    for name, weight in whole._loop.trainer.critic.state_dict().items():
        assert torch.equal(weight, record.trainer["critic"][name])


def opened(folder: Path) -> dict[str, RunState]:
    """All runs in the folder; each must be whole."""
    found = {}
    for path in folder.glob("*.safetensors"):
        read = Store(folder).read(path.stem)
        assert read is not None, f"{path.name} is broken"
        found[path.stem] = unpack(*read)
    return found


def noted(folder: Path) -> dict[str, int]:
    """The steps of every run at its last save that was done before the kill."""
    path = folder / "saves"
    lines = path.read_text().splitlines() if path.exists() else []
    return {id: int(steps) for id, steps in map(str.split, lines)}
