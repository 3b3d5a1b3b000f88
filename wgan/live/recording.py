"""The first seconds: a real run, recorded by this code, plays while the live one is made ready.

A server needs some seconds for torch and the data; a page that opens meanwhile shows how the
default run goes: its beginning, its collapse, and its cure. `python -m wgan.live.recording` makes
the file again.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from wgan.lab.run import Run
from wgan.live.blocks import Block
from wgan.presets import DEFAULT, PRESETS

EVERY = 0.25  # seconds that a moment stays
FILE = "recording.json.gz"
_began: dict[str, float] = {}  # run -> when somebody first looked (time.monotonic)


@cache
def _moments() -> Sequence[Mapping[str, Sequence[Block]]]:
    """Of each moment its parts by name."""
    return json.loads(gzip.decompress((files("wgan.live") / FILE).read_bytes()))


def moment(run: Run) -> int | None:
    """Which moment of the recording stands in for a run that loads; None once it is there.

    Only the run that was recorded has a stand-in: another would promise what does not come.
    """
    if run.state != "loading" or run.frame.view is not None or not _is_recorded(run):
        _began.pop(run.id, None)
        return None
    elapsed = time.monotonic() - _began.setdefault(run.id, time.monotonic())
    return min(int(elapsed / EVERY), len(_moments()) - 1)


def _is_recorded(run: Run) -> bool:
    return run.config.replace({"seed": 0}) == PRESETS[DEFAULT].config


def blocks(moment: int, part: str) -> Sequence[Block]:
    """A part of a page at a moment."""
    return _moments()[moment][part]


# Making it ------------------------------------------------------------------------------------


def record() -> bytes:
    """Trains the default preset until it has collapsed, cures it, and keeps what a page showed."""
    from wgan.lab.scheduler import use_training_threads
    from wgan.live import lab
    from wgan.presets import cure

    use_training_threads()
    run = Run("recording", PRESETS[DEFAULT].config)
    run.prepare()
    # The steps that are shown: soon the beginning, then the collapse, then how it heals.
    before = [0, 5, 10, 20, 40, 60, 80, 110, 150, 200, 300, 400, 600, 900, 1200, 1500]
    after = [1, 10, 20, 40, 60, 80, 100, 130, 160, 200, 250, 300, 400, 500, 650, 800, 1000]
    moments: list[dict[str, Any]] = []
    for step in [*before, *(before[-1] + more for more in after)]:
        if step == before[-1] + after[0]:
            run.apply(cure(run.config))
        run.stop_at = step
        run.play()
        while (measures := run.frame.measures) is None or measures.step < step:
            run.advance(0.05)
        frame = run.frame
        told = f"Recorded · step {frame.step:,} · the live run starts in a moment"
        moments.append(
            {
                "status": [{"html": f'<div role="status" class="wgan-status">{told}</div>'}],
                "meter": lab.meter(run, frame, {}),
                "samples": lab.samples(run, frame, {}),
                "losses": lab.curves(run, frame, {"names": ("losses",), "smoothing": 1}),
            }
        )
    return gzip.compress(json.dumps(moments, separators=(",", ":")).encode(), 9, mtime=0)


if __name__ == "__main__":
    from pathlib import Path

    path = Path(__file__).with_name(FILE)
    path.write_bytes(record())
    print(f"{path}: {path.stat().st_size:,} bytes")
