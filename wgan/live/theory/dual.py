"""A critic that learns a Kantorovich potential, beside the exact one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from wgan.live.blocks import Block, Chart, Number, figures, numbers, progress
from wgan.live.parts import Query, parse, text
from wgan.live.theory.base import BoardPart
from wgan.plots.meter import format_3_digits
from wgan.plots.theory import transport as drawn
from wgan.server.stream import StreamError
from wgan.theory.board import Experiment
from wgan.theory.dual_settings import CLIPS, PENALTIES, STEPS
from wgan.theory.transport import Transport, named, solve

STRENGTHS = {"gp": PENALTIES, "clip": CLIPS}


@lru_cache(maxsize=128)
def solved(pair: str) -> Transport:
    """The transport between a pair of this name. Raises `ValueError` for another name."""
    return solve(named(pair))


def part(query: Query) -> BoardPart:
    """`pair`: a name, see `transport.named`; `constraint`: gp or clip; `strength`: its λ or c."""
    given = parse(query, {"pair": text, "constraint": text, "strength": text})
    pair, constraint = given["pair"], given["constraint"]
    allowed = {f"{value:g}": value for value in STRENGTHS.get(constraint, ())}
    if given["strength"] not in allowed:
        raise StreamError("A critic is clipped or penalised with a strength that the page has.")
    try:
        named(pair)
    except ValueError as error:
        raise StreamError(str(error)) from None
    strength = allowed[given["strength"]]
    name = ("dual", pair, constraint, strength)
    begin = partial(_begin, pair, constraint, strength)
    return BoardPart({"dual": (name, begin)}, partial(build, pair, constraint, strength))


def _begin(pair: str, constraint: str, strength: float) -> Iterator[Any]:
    from wgan.theory.dual import run  # on the board's thread: it brings torch

    return run(named(pair), constraint, strength)


def build(
    pair: str, constraint: str, strength: float, found: Mapping[str, Experiment]
) -> Sequence[Block]:
    """The gap in numbers; the critic, its estimate over the steps, and its slopes."""
    state = found["dual"].state
    if state is None:
        return [progress("Preparing the critic", 0.0)]
    exact = solved(pair)
    line = exact.pair.x.shape[1] == 1
    scaled = state.estimate / max(state.steepest, 1e-12)
    shown = [
        Number("Estimate", _signed(state.estimate), f"exact W₁ = {exact.distance:.4f}"),
        Number("Gap to W₁", _gap(state.estimate, exact.distance), "of the raw estimate"),
        Number(
            "Gap, ÷ slope",
            _gap(scaled, exact.distance),
            f"estimate ÷ steepest slope {format_3_digits(state.steepest)}",
            "Steepest on the grid and at the interpolates: what is left is the critic's shape.",
        ),
        Number("Mean ‖∇D‖", format_3_digits(float(np.mean(state.slopes))), "random interpolates"),
    ]
    if constraint == "clip":
        shown.append(Number("Weights at ±c", f"{state.saturated:.0%}", f"c = {strength:g}"))
    if line:
        critic = Chart(
            drawn.potential_line(exact, state.values),
            340,
            "The critic's value beside the exact potential",
            title="Critic and exact potential",
            name="critic",
        )
    else:
        critic = Chart(
            drawn.plane(exact, state.values),
            400,
            "The critic's value over the plane",
            title="The critic’s value",
            name="critic",
        )
    height = critic.height
    blocks: list[Block] = [
        numbers(*shown),
        figures(
            critic,
            Chart(
                drawn.estimates(state.steps, state.estimates, exact.distance, STEPS),
                height,
                "The critic's estimate over its steps",
                title="Its estimate",
                name="estimates",
            ),
            Chart(
                drawn.slopes(exact.slopes(), state.slopes),
                height,
                "Slopes of the exact potential and of the critic",
                title="Slopes, sorted",
                name="slopes",
            ),
        ),
    ]
    if not found["dual"].done:
        blocks.append(progress(f"{state.step} of {STEPS} critic steps", state.step / STEPS))
    return blocks


def _signed(value: float) -> str:
    return f"{value:.4f}".replace("-", "−")


def _gap(value: float, exact: float) -> str:
    if exact < 1e-6:
        return "–"  # nothing to compare with: both are the same
    percent = round(100 * (value / exact - 1), 1)
    return f"{percent:+.1f}%".replace("-", "−") if percent else "0.0%"
