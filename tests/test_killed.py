"""`kill -9` at random moments: every run opens again, and no half of a file is ever taken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.killed_server import EVERY
from wgan.lab.record import Record, unpack
from wgan.lab.run import Run
from wgan.lab.store import Store

LATE = EVERY + 1.3  # seconds of training that may be lost here: a save, on a busy machine


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
    saved: dict[str, Record] = {}
    try:
        for kill in range(kills):
            killed_at = float(server.stdout.readline())
            before, saved = saved, opened(tmp_path)
            assert before.keys() <= saved.keys()
            for id, record in saved.items():
                steps = record.trainer["steps"]
                assert record.state == "playing"
                assert id not in before or steps >= before[id].trainer["steps"]
                assert steps >= steps_at(tmp_path, id, killed_at - LATE)
            if kill % 3 == 0:  # after several saves: there was something to lose, and it is there
                assert any(steps_at(tmp_path, id, killed_at - LATE) > 0 for id in saved)
                assert all(record.trainer["steps"] > 0 for record in saved.values())
            # What was lost with this kill is lost; the next one begins from what was saved.
            (tmp_path / "progress").unlink(missing_ok=True)
            server.stdin.write("\n")
            server.stdin.flush()
        assert server.wait(20) == 0
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
    whole.stop_at = record.trainer["steps"]
    while whole.active:
        whole.advance(0.5)
    for name, weight in whole.trainer.critic.state_dict().items():
        assert torch.equal(weight, record.trainer["critic"][name])


def opened(folder: Path) -> dict[str, Record]:
    """All runs in the folder; each must be whole."""
    found = {}
    for path in folder.glob("*.safetensors"):
        read = Store(folder).read(path.stem)
        assert read is not None, f"{path.name} is broken"
        found[path.stem] = unpack(*read)
    return found


def steps_at(folder: Path, id: str, moment: float) -> int:
    """The steps that a run had at a moment, 0 when it was not there yet."""
    steps, path = 0, folder / "progress"
    if not path.exists():
        return 0
    for line in path.read_text().splitlines():
        time, of, count = line.split()
        if of == id and float(time) <= moment:
            steps = int(count)
    return steps
