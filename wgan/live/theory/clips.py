"""Critics under every clipping bound at once, and one of them closely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from wgan.live.blocks import Block, Chart, Number, figures, numbers, progress
from wgan.live.parts import Query, one_of, parse
from wgan.live.theory.base import BoardPart
from wgan.live.theory.dual import solved
from wgan.plots.meter import format_3_digits
from wgan.plots.theory import lipschitz as drawn
from wgan.plots.theory.transport import potential_line
from wgan.theory.board import Experiment
from wgan.theory.dual_settings import CLIPS, STEPS
from wgan.theory.lipschitz import clip_bound
from wgan.theory.transport import gaussian, named

PAIR = f"{gaussian(0.45, 0.2)}.{gaussian(-0.35, 0.15)}"


def part(query: Query) -> BoardPart:
    """`c`: the bound that is looked at closely; all others train too."""
    chosen = float(parse(query, {"c": one_of(*(f"{c:g}" for c in CLIPS))})["c"])
    begins = {
        f"{c:g}": (("dual", PAIR, "clip", c), partial(_begin, c))
        # The chosen one first: it takes its turns before the others.
        for c in sorted(CLIPS, key=lambda c: c != chosen)
    }
    return BoardPart(begins, partial(build, chosen))


def _begin(c: float) -> Iterator[Any]:
    from wgan.theory.dual import run  # on the board's thread: it brings torch

    return run(named(PAIR), "clip", c)


def build(chosen: float, found: Mapping[str, Experiment]) -> Sequence[Block]:
    """One critic in numbers and as a curve, stretched to slope 1; the slopes of all."""
    state = found[f"{chosen:g}"].state
    if state is None:
        return [progress("Preparing the critics", 0.0)]
    exact = solved(PAIR)
    steepest = max(state.steepest, 1e-12)
    shown = [
        Number("Slope K, measured", _tiny(state.steepest), f"at most {_tiny(clip_bound(chosen))}"),
        Number("Estimate", _tiny(state.estimate), f"K · W₁ = {_tiny(steepest * exact.distance)}"),
        Number(
            "Estimate ÷ K",
            f"{state.estimate / steepest:.3f}".replace("-", "−"),
            f"exact W₁ = {exact.distance:.3f}",
        ),
        Number("Reaches the generator", _tiny(float(np.mean(state.slopes))), "mean slope"),
        Number("Weights at ±c", f"{state.saturated:.0%}", f"after {state.step:,} steps"),
    ]
    measured = {
        float(c): found[c].state.steepest if found[c].state is not None else 0.0
        for c in sorted(found, key=float)
    }
    blocks: list[Block] = [
        numbers(*shown),
        figures(
            Chart(
                potential_line(exact, state.values / steepest),
                340,
                "The clipped critic, stretched to slope 1, beside the exact potential",
                title="The critic ÷ K beside the exact potential",
                name="clipped",
            ),
            Chart(
                drawn.clips(measured, chosen),
                340,
                "Slope of the critic over the clipping bound",
                title="The slope that c allows, and the slope reached",
                name="clips",
            ),
        ),
    ]
    if not all(e.done for e in found.values()):
        done = sum(e.state.step for e in found.values() if e.state is not None)
        total = STEPS * len(found)
        blocks.append(progress(f"{done:,} of {total:,} critic steps", done / total))
    return blocks


def _tiny(value: float) -> str:
    if value == 0 or abs(value) >= 1e-3:
        return format_3_digits(value).replace("-", "−")
    return f"{value:.1e}".replace("e-0", "e−").replace("-", "−")
