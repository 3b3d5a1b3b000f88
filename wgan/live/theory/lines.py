"""The generator of one parameter under several objectives at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from wgan.live.blocks import Block, Chart, Number, figures, numbers, progress
from wgan.live.parts import Query, one_of, parse, some_of, whole
from wgan.live.theory.base import BoardPart
from wgan.plots.theory import lines as drawn
from wgan.theory.board import Experiment
from wgan.theory.line_methods import LABELS, STEPS
from wgan.words import format_3_digits

STARTS = ("100", "75", "50", "25")  # hundredths of θ
CRITIC_STEPS = ("10", "5", "1")
SEEDS = 20
LAST = 50  # generator steps over which a run's end is averaged
ARRIVED = 0.1  # |mean θ| of the last steps, at most


def part(query: Query) -> BoardPart:
    """`methods`: some of `LABELS`; `start`: θ in hundredths; `critic_steps`; `seed`."""
    given = parse(
        query,
        {
            "methods": some_of(*LABELS),
            "start": one_of(*STARTS),
            "critic_steps": one_of(*CRITIC_STEPS),
            "seed": whole(0, SEEDS - 1, default=0),
        },
    )
    start, critic_steps, seed = int(given["start"]), int(given["critic_steps"]), given["seed"]
    names: dict[str, Hashable] = {
        method: ("lines", method, start, critic_steps, seed) for method in given["methods"]
    }
    return BoardPart(
        {
            method: (name, partial(_begin, method, start / 100, seed, critic_steps))
            for method, name in names.items()
        },
        build,
    )


def _begin(method: str, start: float, seed: int, critic_steps: int) -> Iterator[Any]:
    from wgan.theory.line_run import run  # on the board's thread: it brings torch

    return run(method, start=start, seed=seed, critic_steps=critic_steps)


def build(found: Mapping[str, Experiment]) -> Sequence[Block]:
    """How far all are, where each stands, and both curves."""
    states = {key: e.state for key, e in found.items() if e.state is not None}
    done = sum(len(state.gradient) for state in states.values())
    if not states:
        return [progress("The critics train before the first generator step", 0.0)]
    way, length = drawn.runs({k: (s.theta, s.gradient) for k, s in states.items()}, STEPS)
    shown = [
        Number(LABELS[key], _sign(float(state.theta[-1])), _verdict(state.theta, state.gradient))
        for key, state in states.items()
    ]
    blocks = [
        numbers(*shown),
        figures(
            Chart(way, 300, "θ over generator steps", title="Where θ goes", name="line-runs"),
            Chart(
                length,
                300,
                "Length of the generator's gradient over its steps",
                title="What reaches the generator",
                name="line-gradients",
            ),
        ),
    ]
    total = STEPS * len(found)
    if not all(e.done for e in found.values()):
        blocks.append(progress(f"{done} of {total} generator steps", done / total))
    return blocks


def _sign(value: float) -> str:
    return f"θ = {value:.2f}".replace("-", "−")


def _verdict(theta: Any, gradient: Any) -> str:
    if len(gradient) < STEPS:
        steep = float(gradient[-1]) if len(gradient) else 0.0
        told = format_3_digits(steep) if steep >= 1e-3 else "below 0.001"
        return f"step {len(gradient)}; gradient {told}" if len(gradient) else "step 0"
    end = float(np.mean(theta[-LAST:]))
    word = "arrived" if abs(end) < ARRIVED else "did not arrive"
    return f"{word}: {_sign(end)[4:]} on the mean of the last {LAST} steps"
