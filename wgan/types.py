"""What several packages speak of: curves, events, metrics, views, stages, what an inspection finds.

All of it is immutable, numpy only, of bounded size, and imports nothing of this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

State = Literal["loading", "playing", "paused", "failed"]
Section = Literal["layers", "weights", "slopes", "anatomy"]
Floats = npt.NDArray[np.float32]


class Curve(NamedTuple):
    """A series over generator steps, thinned to a bounded length.

    Each point stands for a stretch of steps that ends at `step`: the mean over the stretch, and
    the lowest and highest value in it. Four arrays of one length (K,).
    """

    step: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Event:
    """Something that was done to a run, or happened to it, before its step `step + 1`.

    kind: `change` (fields set), `update` (one network was stepped by hand), `failed`, `back` (it
    went back to this step; what came after it then is in the log no more).
    changes: for `change`, {field: (old, new)}.
    text: one short line for people; it labels the marker on the curves.
    """

    step: int
    kind: Literal["change", "update", "failed", "back"]
    text: str
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    update: Literal["", "critic", "generator"] = ""


@dataclass(frozen=True)
class Metrics:
    """The latest measured figures of a run; None where the data set has no such figure.

    step: generator steps done when it was measured.
    critic_estimate: E[D(real)] − E[D(fake)], in the critic's units.
    w1: exact W1 between equal-sized real and generated samples; w1_floor: real against real.
    gradient_norm: mean ‖∇D‖ at points between real and generated samples.
    counts: high-quality samples on each mode, of `samples` drawn; shape (modes_total,).
    modes: modes with at least 20 of 2,500 high-quality samples; modes_any: with at least one.
    high_quality: share of the samples that are high quality; high_quality_real: the same of real
    data, the ceiling. mode_kl: KL of the histogram over modes from uniform, in nats.
    class_accuracy: share of held-out real images whose class the judge gets right.
    density, reached, duplicates: of images without countable modes, see `wgan.metrics.spread`
    (reached is its coverage); with _real, the same of held-out real images.
    averaged: whether the samples came from the averaged (EMA) generator.
    layer_gradients, gradient_decades, pinned_share, update_cosine: vital signs of the critic, see
    `wgan.metrics.vitals`; the share only under clipping, the cosine only after an update of it.
    slope_max: the largest ‖∇D‖ at 256 interpolates; estimate_over_slope: the estimate over it, in
    the data's units. js: JS divergence of real and generated samples by histogram, in nats;
    js_floor: real against real; js_critic: by the loss of a GAN's critic.
    gap_train, gap_held_out: E[D(x)] − E[D(x̃)] on training images and on held-out ones, and
    loss_train, loss_held_out: the critic's loss there, without the penalty. See `wgan.diagnostics`.
    """

    step: int
    critic_estimate: float
    gradient_norm: float
    w1: float | None = None
    w1_floor: float | None = None
    mode_names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    samples: int = 2500
    modes: int | None = None
    modes_any: int | None = None
    modes_total: int | None = None
    high_quality: float | None = None
    high_quality_real: float | None = None
    mode_kl: float | None = None
    class_accuracy: float | None = None
    density: float | None = None
    density_real: float | None = None
    reached: float | None = None
    reached_real: float | None = None
    duplicates: float | None = None
    duplicates_real: float | None = None
    averaged: bool = False
    layer_gradients: tuple[float, ...] = ()
    gradient_decades: float | None = None
    pinned_share: float | None = None
    update_cosine: float | None = None
    slope_max: float | None = None
    estimate_over_slope: float | None = None
    js: float | None = None
    js_floor: float | None = None
    js_critic: float | None = None
    gap_train: float | None = None
    gap_held_out: float | None = None
    loss_train: float | None = None
    loss_held_out: float | None = None


@dataclass(frozen=True)
class PointView:
    """2-D data: points over the critic's value surface.

    real, fake: (N, 2). extent: the axes run from −extent to extent, both of them.
    surface: D on a regular grid over the axes, (G, G), row = y from low to high.
    manifold: the generator's image of a grid over the latent plane, polylines (L, M, 2);
    empty when the latent has more than two dimensions.
    arrow_tails, arrow_tips: (A, 2) at generated points, along ∇D (the way the critic pushes them),
    scaled so that the longest is a fixed share of the axes.
    """

    real: Floats
    fake: Floats
    extent: float
    surface: Floats
    manifold: Floats
    arrow_tails: Floats
    arrow_tips: Floats


@dataclass(frozen=True)
class ImageView:
    """Images: samples from fixed latents and real ones. Both (N, H, W, C) uint8, C is 1 or 3."""

    fake: npt.NDArray[np.uint8]
    real: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Stage:
    """Where slow motion stands inside a step.

    name: the stage just done, a key of `wgan.stages.STAGES`. update: which critic update of this
    step, from 1, of `updates`; 0 in the generator's update. figures: those of
    `wgan.stages.FIGURES` that are this update's by now.
    """

    name: str
    update: int
    updates: int
    figures: Mapping[str, float] = field(default_factory=dict)


# What an inspection finds ------------------------------------------------------------------------


class InspectionRequest(NamedTuple):
    """What somebody wants to see of the critic. batch: which batch the anatomy draws."""

    section: Section
    batch: int = 0


@dataclass(frozen=True)
class Layers:
    """Gradient of the critic's loss by hidden layer (WGAN-GP, Fig. 1b left).

    norms: (L,), from the input side: the mean over the samples of N ‖∂loss/∂aᵢ‖₂ at the layer's
    output a, before its activation. L is 0 for a critic without hidden layers.
    """

    step: int
    norms: Floats


@dataclass(frozen=True)
class Weights:
    """The Linear and Conv weights of the critic (WGAN-GP, Fig. 1b right).

    shares: of the weights in each of B equal bins, (B,), summing to 1; reach: the bins lie between
    −reach and reach. total: how many weights. largest: the largest |w|. clip: c under weight
    clipping, and pinned: the share within 1% of ±c; both None without.
    """

    step: int
    shares: Floats
    reach: float
    total: int
    largest: float
    clip: float | None = None
    pinned: float | None = None


@dataclass(frozen=True)
class Slopes:
    """‖∇D‖₂ at three kinds of points, (N,) each: interpolates, real and generated ones."""

    step: int
    between: Floats
    real: Floats
    fake: Floats


@dataclass(frozen=True)
class Anatomy:
    """One critic step on N samples, taken apart.

    real, fake, between: (N, 2), or images (N, H, W, C) uint8. between: α real + (1 − α) fake.
    at: the points at which the constraint looks at the gradient; where there is no soft
    constraint, the interpolates. gradients: ∇D there, (N, 2); None for images.
    norms: ‖∇D‖₂ there, (N,). target: k, the norm that the penalty pulls towards.
    penalty: `losses.penalty` of these samples, with `weight`; in_use: whether it is a part of the
    critic's loss now. faults: deliberate bugs are at work in it.
    """

    step: int
    batch: int
    real: npt.NDArray
    fake: npt.NDArray
    between: npt.NDArray
    at: Literal["between", "real", "fake"]
    gradients: Floats | None
    norms: Floats
    target: float
    weight: float
    penalty: float
    constraint: str
    in_use: bool
    extent: float
    faults: bool = False


Inspection = Layers | Weights | Slopes | Anatomy
