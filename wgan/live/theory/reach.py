"""What reaches a generator while its discriminator learns, for both of its losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from wgan.live.blocks import Block, Chart, Number, figures, numbers, progress
from wgan.live.parts import Query, parse, whole
from wgan.live.theory.base import BoardPart
from wgan.plots.theory import value as drawn
from wgan.theory.board import Experiment
from wgan.theory.reach_settings import STEPS
from wgan.words import format_3_digits

SEEDS = 20


def part(query: Query) -> BoardPart:
    """`seed`: of the networks and the batches."""
    seed = parse(query, {"seed": whole(0, SEEDS - 1, default=0)})["seed"]
    return BoardPart({"reach": (("reach", seed), partial(_begin, seed))}, build)


def _begin(seed: int) -> Iterator[Any]:
    from wgan.theory.reach import run  # on the board's thread: it brings torch

    return run(seed)


def build(found: Mapping[str, Experiment]) -> Sequence[Block]:
    """The newest measurement in numbers, and all of them as curves."""
    state = found["reach"].state
    if state is None:
        return [progress("Preparing both networks", 0.0)]
    step = float(state.step[-1])
    shown = [
        Number("Mean D(G(z))", _tiny(state.seen[-1]), f"after {step:.0f} discriminator steps"),
        Number("Saturating", _tiny(state.norms["gan_saturating"][-1]), "gradient norm at G"),
        Number("Non-saturating", _tiny(state.norms["gan"][-1]), "gradient norm at G"),
    ]
    chart = Chart(
        drawn.reach(state.step, state.norms, STEPS),
        320,
        "Gradient norm of both generator losses over the discriminator's steps",
        name="reach",
    )
    blocks = [numbers(*shown), figures(chart)]
    if not found["reach"].done:
        blocks.append(progress(f"{step:.0f} of {STEPS} discriminator steps", step / STEPS))
    return blocks


def _tiny(value: float) -> str:
    return format_3_digits(float(value)) if value >= 1e-3 else f"{value:.0e}".replace("e-0", "e−")
