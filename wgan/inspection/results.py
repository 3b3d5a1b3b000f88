"""What an inspection finds: immutable, numpy only, of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Section = Literal["layers", "weights", "slopes", "anatomy"]


class Wish(NamedTuple):
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
