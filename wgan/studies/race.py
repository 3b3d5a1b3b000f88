"""Clipping, GP and the GAN by generator steps and by time (WGAN-GP, Fig. 3).

On the ring of eight Gaussians, so that the exact W1 to the data can be drawn in place of a score,
with its floor, real against real. A penalty costs a second pass through the critic: by steps GP is
far ahead of clipping, and it stays ahead by time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wgan.config import from_dict
from wgan.data import load
from wgan.metrics.coverage import coverage
from wgan.metrics.transport import w1, w1_floor
from wgan.plots import papers
from wgan.plots.base import Figure
from wgan.presets import TOY
from wgan.recipes import GAN, GP_POINTS, GP_POINTS_RMSPROP, WGAN_CLIP, WGAN_GP
from wgan.studies.base import Numbers, Progress, Steps, in_turns
from wgan.studies.trainers import CPU
from wgan.trainer import Trainer, stream
from wgan.types import Floats

DATA = "ring8"
LOOKS = 40  # points of a curve
COMPARED = 256  # samples for W1 and its floor
DRAWN = 2500  # samples for the modes

# Learning rates as in the papers for clipping and GAN, larger for GP as in our presets; the two
# with a penalty differ in the optimiser alone.
GP: dict[str, Any] = TOY | WGAN_GP | GP_POINTS
RACERS: dict[str, dict[str, Any]] = {
    "clip": TOY | WGAN_CLIP,
    "gp_rmsprop": GP | GP_POINTS_RMSPROP,
    "gp_adam": GP,
    "gan": TOY | GAN | {"lr": 2e-4, "beta2": 0.999},
}


@dataclass
class _Lane:
    """One racer on its way."""

    trainer: Trainer
    seconds: list[float] = field(default_factory=list)  # a step, of each turn
    step: list[int] = field(default_factory=list)
    w1: list[float] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Curve:
    """One method. step, w1, modes: (K,). seconds_per_step: median over the turns; their product
    with `step` is the time axis, so that whatever else the machine does at a moment is left out.
    """

    step: Floats
    w1: Floats
    modes: Floats
    seconds_per_step: float

    @property
    def seconds(self) -> Floats:
        return (self.step * self.seconds_per_step).astype(np.float32)


@dataclass(frozen=True)
class Race:
    """The curves by method; floor: W1 of real against real samples, in the data's units."""

    curves: dict[str, Curve]
    floor: float
    modes_total: int

    @property
    def numbers(self) -> Numbers:
        """price: seconds a step of GP over clipping, same optimiser, same critic steps.

        …_w1: at the end of the race, mean of the last four looks. …_w1_in_time: when the first of
        the three WGANs is through with its steps, in seconds.
        """
        found: dict[str, float | int] = {"w1_floor": self.floor, "modes_total": self.modes_total}
        wgans = [curve for name, curve in self.curves.items() if name != "gan"]
        until = min(float(curve.seconds[-1]) for curve in wgans)
        for name, curve in self.curves.items():
            at = max(1, int(np.searchsorted(curve.seconds, until, "right")))
            found[f"{name}_w1"] = float(curve.w1[-4:].mean())
            found[f"{name}_w1_in_time"] = float(curve.w1[max(0, at - 4) : at].mean())
            found[f"{name}_modes"] = int(curve.modes[-1])
            found[f"{name}_ms_per_step"] = 1000 * curve.seconds_per_step
        price = [self.curves[name].seconds_per_step for name in ("gp_rmsprop", "clip")]
        return found | {"price": price[0] / price[1]}


def run(seed: int, steps: int) -> Steps[Race]:
    """Four methods, `steps` generator steps each, in turns, so that all meet the same machine.

    Everything but the seconds is the same again for the same seed.
    """
    data = load(from_dict({"data": DATA}), CPU)
    assert data.modes is not None
    lanes = {
        name: _Lane(Trainer(from_dict(fields | {"data": DATA, "seed": seed}), data))
        for name, fields in RACERS.items()
    }
    rng = stream(seed, 24, CPU)
    floor = w1_floor(data, COMPARED, rng)
    done = 0
    for turn in in_turns(steps, LOOKS):
        done += turn
        for i, (name, lane) in enumerate(lanes.items()):
            started = time.perf_counter()
            for _ in range(turn):
                lane.trainer.step()
            lane.seconds.append((time.perf_counter() - started) / turn)
            fake = lane.trainer.sample(lane.trainer.draw_latents(DRAWN, rng))
            real = data.sample(COMPARED, rng)
            lane.step.append(lane.trainer.steps)
            lane.w1.append(w1(real, fake[:COMPARED]))
            lane.modes.append(coverage(data.modes, fake).modes)
            yield Progress((done - turn + turn * (i + 1) / len(lanes)) / steps, name)
    curves = {name: _curve(lane) for name, lane in lanes.items()}
    return Race(curves, floor, len(data.modes.names))


def _curve(lane: _Lane) -> Curve:
    step, w1, modes = (np.array(v, np.float32) for v in (lane.step, lane.w1, lane.modes))
    return Curve(step, w1, modes, float(np.median(lane.seconds)))


def draw(result: Race) -> Figure:
    """W1 and modes by steps and by seconds, a line a method."""
    curves = {name: (c.step, c.seconds, c.w1, c.modes) for name, c in result.curves.items()}
    return papers.race_curves(curves, result.floor)
