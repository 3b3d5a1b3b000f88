"""2-D data sets: made on the fly, a few tensor operations a batch.

A critic step draws a new batch, so drawing must cost microseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wgan.data.base import Modes
from wgan.data.modes import CentreModes

Draw = Callable[[int, torch.Generator], Tensor]

# Scales and noises of the WGAN-GP authors' toy experiments (Gulrajani et al. 2017, their code):
# they bring each set to about unit variance.
RING_SCALE = 1.414
GRID_SCALE = 2.828
ROLL_SCALE = 7.5

JITTER = 0.02  # σ around each hand-drawn point


@dataclass(frozen=True, eq=False)
class PointData:
    """A 2-D data set; see `Dataset`. `draw(n, generator)` gives (n, 2)."""

    draw: Draw
    extent: float
    modes: Modes | None = None
    shape: tuple[int, ...] = (2,)
    held_out: None = None

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.draw(n, generator)


def make_points(
    name: str, points: Sequence[tuple[float, float]], device: torch.device
) -> PointData:
    """The 2-D data set `name`; `points` are the hand-drawn ones, used by the set "points"."""
    match name:
        case "ring8":
            return ring8(device)
        case "grid25":
            return grid25(device)
        case "swissroll":
            return PointData(swissroll(device), _axes((4.5 * math.pi + 3 * 0.25) / ROLL_SCALE))
        case "moons":
            return PointData(moons(device), _axes(1.65))
        case "spiral":
            return PointData(spiral(device), _axes(1.6))
        case "twolines":
            return PointData(twolines(device), _axes(1.0))
        case "points":
            centres = torch.tensor(points, dtype=torch.float32, device=device)
            return PointData(
                mixture(centres, JITTER), _axes(centres.abs().max().item() + 3 * JITTER)
            )
    raise KeyError(name)


def ring8(device: torch.device) -> PointData:
    """Eight Gaussians on a circle of radius 2, σ = 0.02, divided by 1.414; from angle 0 upwards."""
    angles = torch.arange(8, dtype=torch.float64) * (math.pi / 4)
    centres = 2 / RING_SCALE * torch.stack((angles.cos(), angles.sin()), 1)
    names = tuple(f"{45 * i}°" for i in range(8))
    return _gaussians(centres, 0.02 / RING_SCALE, names, device)


def grid25(device: torch.device) -> PointData:
    """25 Gaussians on −4..4 in steps of 2, σ = 0.05, divided by 2.828.

    In reading order (left to right, then down), so that five rows of five cells are a map.
    """
    places = [(x, y) for y in (4, 2, 0, -2, -4) for x in (-4, -2, 0, 2, 4)]
    centres = torch.tensor(places, dtype=torch.float64) / GRID_SCALE
    names = tuple(f"{x}, {y}".replace("-", "−") for x, y in places)
    return _gaussians(centres, 0.05 / GRID_SCALE, names, device)


def _gaussians(
    centres: Tensor, sigma: float, names: tuple[str, ...], device: torch.device
) -> PointData:
    centres = centres.to(device, torch.float32)
    extent = _axes(centres.abs().max().item() + 3 * sigma)
    return PointData(mixture(centres, sigma), extent, CentreModes(names, centres, sigma))


def mixture(centres: Tensor, sigma: float) -> Draw:
    """Equal Gaussians of deviation σ around centres (K, 2)."""

    def draw(n: int, generator: torch.Generator) -> Tensor:
        device = centres.device
        which = torch.randint(len(centres), (n,), generator=generator, device=device)
        noise = torch.randn(n, 2, generator=generator, device=device)
        return centres[which].add_(noise, alpha=sigma)

    return draw


def swissroll(device: torch.device) -> Draw:
    """t·(cos t, sin t), t uniform on 1.5π..4.5π, plus noise of σ = 0.25, divided by 7.5.

    The first and third coordinate of scikit-learn's `make_swiss_roll(noise=0.25)`.
    """

    def draw(n: int, generator: torch.Generator) -> Tensor:
        t = torch.rand(n, generator=generator, device=device) * (3 * math.pi) + 1.5 * math.pi
        noise = torch.randn(n, 2, generator=generator, device=device)
        roll = torch.stack((t.cos(), t.sin()), 1).mul_(t[:, None])
        return roll.add_(noise, alpha=0.25).div_(ROLL_SCALE)

    return draw


def moons(device: torch.device) -> Draw:
    """Two half circles of radius 1, as scikit-learn's `make_moons`, centred; noise σ = 0.05.

    The upper is (cos t, sin t), the lower (1 − cos t, ½ − sin t), each less (½, ¼): the lower is
    the upper turned by half a turn, so that one sign makes both.
    """
    shift = torch.tensor([0.5, 0.25], device=device)

    def draw(n: int, generator: torch.Generator) -> Tensor:
        t = torch.rand(n, generator=generator, device=device) * math.pi
        arc = torch.stack((t.cos(), t.sin()), 1).sub_(shift)
        noise = torch.randn(n, 2, generator=generator, device=device)
        return arc.mul_(_signs(n, generator, device)).add_(noise, alpha=0.05)

    return draw


def spiral(device: torch.device) -> Draw:
    """Two Archimedean arms of one and a half turns, outer radius 1.5; noise σ = 0.03.

    The angle is the root of a uniform number: even along the arm but for its innermost part.
    """

    def draw(n: int, generator: torch.Generator) -> Tensor:
        share = torch.rand(n, generator=generator, device=device).sqrt_()
        angle = share * (3 * math.pi)
        arm = torch.stack((angle.cos(), angle.sin()), 1).mul_(1.5 * share[:, None])
        noise = torch.randn(n, 2, generator=generator, device=device)
        return arm.mul_(_signs(n, generator, device)).add_(noise, alpha=0.03)

    return draw


def twolines(device: torch.device) -> Draw:
    """x = ±0.5, y uniform on −1..1: two parallel lines at distance θ = 1, without noise.

    After Example 1 of Arjovsky et al. 2017, where W1 between such lines is |θ|.
    """

    def draw(n: int, generator: torch.Generator) -> Tensor:
        y = torch.rand(n, 1, generator=generator, device=device).mul_(2).sub_(1)
        return torch.cat((0.5 * _signs(n, generator, device), y), 1)

    return draw


def _signs(n: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """−1 or +1, evenly, (n, 1)."""
    return torch.randint(2, (n, 1), generator=generator, device=device).mul_(2).sub_(1)


def _axes(reach: float) -> float:
    """A fifth more than the furthest coordinate, to one decimal, and at least 1."""
    return max(1.0, round(1.2 * reach, 1))
