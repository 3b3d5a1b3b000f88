"""What a run publishes: an immutable picture of itself that any number of readers may share.

The training thread builds a frame, everybody else only reads it; so no reader ever waits for the
trainer or sees it half-way. All arrays are numpy, read-only by agreement, and of bounded size.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from wgan.config import ExperimentConfig
from wgan.inspection.results import Inspection, Wish

State = Literal["loading", "playing", "paused", "failed"]
Floats = npt.NDArray[np.float32]
T = TypeVar("T")


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
class Measures:
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
    density, reached, duplicates: of images without countable modes, see `wgan.spread` (reached is
    its coverage); with _real, the same of held-out real images.
    averaged: whether the samples came from the averaged (EMA) generator.
    layer_gradients, gradient_decades, pinned_share, update_cosine: vital signs of the critic, see
    `wgan.vitals`; the share only under clipping, the cosine only after an update of the critic.
    slope_max: the largest ‖∇D‖ at 256 interpolates; estimate_over_slope: the estimate over it, in
    the data's units. js: JS divergence of real and generated samples by histogram, in nats;
    js_floor: real against real; js_critic: by the loss of a GAN's critic.
    gap_train, gap_held_out: E[D(x)] − E[D(x̃)] on training images and on held-out ones, and
    loss_train, loss_held_out: the critic's loss there, without the penalty. See `wgan.inspection`.
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


@dataclass(frozen=True)
class Frame:
    """One published state of a run. `version` grows by one at every publication.

    curves: name -> Curve; the names are critic_loss, generator_loss, critic_estimate, penalty,
    seconds (training time when a step was done) and `wgan.lab.past.MEASURED_FIGURES`, each there
    only when there is something to show. message: what is being loaded, or why the run failed.
    progress: 0..1 while it loads, or trains again to the step that it goes back to. seconds:
    training time. inspections: what somebody wants to see of the critic, see `wgan.inspection`.
    """

    version: int
    run: str
    state: State
    config: ExperimentConfig
    step: int = 0
    seconds: float = 0.0
    steps_per_second: float = 0.0
    device: str = ""
    message: str = ""
    progress: float | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    measures: Measures | None = None
    view: PointView | ImageView | None = None
    stage: Stage | None = None
    inspections: Mapping[Wish, Inspection] = field(default_factory=dict)
    _built: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def once(self, key: Any, build: Callable[[], T]) -> T:
        """`build()`, computed once a frame and key, then shared by all readers."""
        with self._lock:
            if key not in self._built:
                self._built[key] = build()
            return self._built[key]
