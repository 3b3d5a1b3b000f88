"""One entry a metric: what it is called, its unit, where its curve is kept. Needs no torch.

A history, the charts, the cards and the comparison read this table. To add a metric of samples: a
function and an entry here, and a field of `wgan.types.Metrics`. What needs more than samples is
filled in by `wgan.runs.evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wgan.words import format_3_digits

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Metric:
    """title: of its chart. axis: the unit beside it. label: in a card, with what it is measured on.

    better: which way is an improvement; empty where neither is. reference: the metric of real data,
    its floor or ceiling. column: its place in the saved curves, in which a number is never used
    again; None for what has no measured curve. tell: a value in a few words. of_samples: its
    function of real and generated samples, (256, *shape) each, where it needs nothing else.
    """

    title: str
    axis: str
    label: str = ""
    better: Literal["higher", "lower", ""] = ""
    reference: str = ""
    column: int | None = None
    tell: Callable[[float], str] = format_3_digits
    of_samples: Callable[[Tensor, Tensor], float] | None = None


def _exact_w1(real: Tensor, fake: Tensor) -> float:
    from wgan.metrics.transport import w1

    return w1(real, fake)


METRICS: dict[str, Metric] = {
    "w1": Metric(
        "Exact W1",
        "W1",
        "exact W1, 256 generated against 256 real samples",
        "lower",
        "w1_floor",
        0,
        lambda value: f"W1 {format_3_digits(value)}",
        _exact_w1,
    ),
    "w1_floor": Metric("W1 of real data", "W1", "the same, real against real", column=1),
    "modes": Metric(
        "Modes",
        "modes",
        "modes covered (at least 20 high-quality samples of 2,500)",
        "higher",
        "modes_total",
        2,
        lambda value: f"{value:.0f} modes",
    ),
    "modes_any": Metric("Modes", "modes", "modes with at least one high-quality sample", "higher"),
    "modes_total": Metric("Modes of the data", "modes", "modes of the data"),
    "critic_estimate": Metric(
        "Critic estimate", "critic estimate", "critic's estimate, in its own units"
    ),
    "critic_loss": Metric("Critic's loss", "loss"),
    "generator_loss": Metric("Generator's loss", "loss"),
    "high_quality": Metric(
        "High-quality share",
        "share",
        "share of high-quality samples",
        "higher",
        "high_quality_real",
        3,
        lambda value: f"{value:.0%} look real",
    ),
    "high_quality_real": Metric("High-quality share", "share", "the same of real data"),
    "gradient_norm": Metric(
        "Slope",
        "mean ‖∇D‖",
        "mean norm of the critic's gradient between real and generated",
        column=4,
        tell=lambda value: f"slope {format_3_digits(value)}",
    ),
    "gradient_decades": Metric(
        "Gradient through the layers", "first ÷ last, powers of ten", column=5
    ),
    "pinned_share": Metric("Weights at ±c", "share", column=6),
    "update_cosine": Metric("Update against gradient", "cosine", better="higher", column=7),
    "mode_kl": Metric(
        "KL to even modes",
        "nats",
        "KL of the histogram over modes from uniform, nats",
        "lower",
        column=8,
        tell=lambda value: f"KL to even {format_3_digits(value)}",
    ),
    "estimate_over_slope": Metric("Estimate over slope", "data's units", column=9),
    "js": Metric("JS divergence", "nats", better="lower", reference="js_floor", column=10),
    "js_floor": Metric("JS of real data", "nats", column=11),
    "js_critic": Metric("JS by the critic's loss", "nats", column=12),
    "gap_train": Metric("Critic's gap on training images", "critic estimate", column=13),
    "gap_held_out": Metric("Critic's gap on held-out images", "critic estimate", column=14),
    "loss_train": Metric("Critic's loss on training images", "loss", column=15),
    "loss_held_out": Metric("Critic's loss on held-out images", "loss", column=16),
}

# The metrics with a measured curve, in the order of the columns of saved curves.
COLUMNS: tuple[str, ...] = tuple(
    sorted(
        (name for name, metric in METRICS.items() if metric.column is not None),
        key=lambda name: METRICS[name].column or 0,
    )
)


def metric(name: str) -> Metric:
    """The entry of a metric. Raises `ValueError` for an unknown name."""
    if name not in METRICS:
        raise ValueError(f"There is no metric {name!r}; there are {', '.join(METRICS)}.")
    return METRICS[name]
