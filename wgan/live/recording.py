"""The first seconds: a real run, recorded by this code, plays while the live one is made ready.

A server needs some seconds for torch and the data; a page that opens meanwhile shows how the
default run goes: its beginning, its collapse, and its cure. `python -m wgan.live.recording` makes
the file again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from wgan.config import ExperimentConfig
from wgan.frame import Frame
from wgan.presets import DEFAULT, PRESETS, cure
from wgan.runs.run import Run
from wgan.types import Curve, Event, ImageView, Metrics

EVERY = 0.25  # seconds that a moment stays
FILE = Path(__file__).with_name("recording.npz")
TOLD = "Recorded earlier; the live run starts in a moment"
LOSSES = ("critic_loss", "generator_loss")
# The generator steps that are shown: the beginning, the collapse, and after the cure how it heals.
BEFORE = (1, 10, 20, 40, 60, 80, 110, 150, 200, 300, 450, 700)
AFTER = (1, 20, 40, 60, 80, 110, 150, 200, 300, 450, 700, 1000)
SEEDLESS = {"seed": 0}
# (run, its first moment) -> when somebody first looked (time.monotonic)
_began: dict[tuple[str, int], float] = {}


@dataclass(frozen=True)
class _Recording:
    """steps: of the M moments. fake: (M, 64, 8, 8, 1), real: (24, 8, 8, 1), both uint8.

    curves: the losses of the whole run, in tenfold thinned stretches of steps.
    """

    steps: Sequence[int]
    metrics: Sequence[Metrics]
    fake: np.ndarray
    real: np.ndarray
    curves: dict[str, Curve]
    event: Event

    def frame(self, moment: int, run: Run) -> Frame:
        """A moment as a frame of this run."""
        step = self.steps[moment]
        return Frame(
            version=-1 - moment,
            run=run.id,
            state="loading",
            config=run.config,
            step=step,
            message=TOLD,
            curves={
                name: Curve(*(column[curve.step <= step] for column in curve))
                for name, curve in self.curves.items()
            },
            events=(self.event,) if step > self.event.step else (),
            metrics=self.metrics[moment],
            view=ImageView(self.fake[moment], self.real),
        )


@cache
def _read() -> _Recording:
    with np.load(FILE) as file:
        told = json.loads(str(file["told"]))
        return _Recording(
            steps=told["steps"],
            metrics=[Metrics(**fields) for fields in told["measures"]],
            fake=file["fake"],
            real=file["real"],
            curves={name: Curve(*file[name]) for name in LOSSES},
            event=Event(**told["event"]),
        )


def moment(run: Run) -> int | None:
    """Which moment stands in for a run that loads; None once it has something of its own.

    Only the run that was recorded has a stand-in, from its beginning, or once somebody has cured
    it from the cure on: another would promise what does not come.
    """
    frame = run.frame  # the run's own state is ahead of what there is to show
    first = None
    if frame.state == "loading" and frame.view is None:
        first = _first_moment(run.config if run.config.seed == 0 else run.config.replace(SEEDLESS))
    if first is None:
        for begun in (0, len(BEFORE)):
            _began.pop((run.id, begun), None)
        return None
    now = time.monotonic()
    elapsed = now - _began.setdefault((run.id, first), now)
    return min(first + int(elapsed / EVERY), len(_read().steps) - 1)


def _first_moment(config: ExperimentConfig) -> int | None:
    recorded = PRESETS[DEFAULT].config
    if config == recorded:
        return 0
    return len(BEFORE) if config == recorded.replace(cure(recorded)) else None


def frame_of(run: Run) -> Frame:
    """What a page shows of a run: what it published last, or what stands in for it."""
    now = moment(run)
    return run.frame if now is None else _read().frame(now, run)


# Making it ------------------------------------------------------------------------------------


def record() -> None:
    """Trains the default preset until it has collapsed, cures it, and keeps what a page shows."""
    from wgan.threads import use_training_threads  # brings in torch

    use_training_threads()
    run = Run("recording", PRESETS[DEFAULT].config)
    run.prepare()
    steps = [*BEFORE, *(BEFORE[-1] + step for step in AFTER)]
    frames = []
    for step in steps:
        if step == BEFORE[-1] + AFTER[0]:
            run.apply(cure(run.config))
        run.stop_after(step)
        run.play()
        while (metrics := run.frame.metrics) is None or metrics.step < step:
            run.advance(0.05)
        frames.append(run.frame)
    views = [f.view for f in frames if isinstance(f.view, ImageView)]
    (event,) = frames[-1].events
    told = {
        "steps": steps,
        "measures": [asdict(f.metrics) for f in frames if f.metrics],
        "event": asdict(replace(event, changes={})),
    }
    np.savez_compressed(
        FILE,
        told=json.dumps(told),
        fake=np.stack([view.fake[:64] for view in views]),
        real=views[-1].real[:24],
        critic_loss=_thinned(frames[-1].curves["critic_loss"]),
        generator_loss=_thinned(frames[-1].curves["generator_loss"]),
    )


def _thinned(curve: Curve) -> np.ndarray:
    """(4, K): every tenth stretch of steps."""
    return np.stack([column[::10] for column in curve])


if __name__ == "__main__":
    record()
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")
