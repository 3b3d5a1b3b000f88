"""Ways through a generator's latent space: pure functions of a seed, numpy and torch only."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from scipy.special import ndtr, ndtri
from torch import Tensor, nn

from wgan.data import Dataset
from wgan.data.modes import nearest
from wgan.networks import Weighted
from wgan.zoo.architecture import Architecture

NO_TRUNCATION = 4.0  # standard deviations; so far out lies one latent of 16,000


def draw_latents(
    architecture: Architecture, n: int, seed: int, truncation: float = NO_TRUNCATION
) -> Tensor:
    """Latents (n, latent_dim) of a seed; the first ones are the same for every n.

    truncation: a normal latent is drawn from within ±truncation standard deviations (the
    truncation trick, Brock et al. 2019, by the inverse of the normal's distribution function, so
    that a sample moves smoothly with it); a uniform one is scaled by truncation / 4.
    """
    uniform = np.random.default_rng(seed).random((n, architecture.latent_dim))
    if architecture.latent == "uniform":
        values = (2 * uniform - 1) * truncation / NO_TRUNCATION
    else:
        low = ndtr(-truncation)
        values = ndtri(low + uniform * (1 - 2 * low))
    return torch.from_numpy(values).float()


def slerp(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """From a to b (latent_dim,) along the great circle: (steps, latent_dim), both ends included.

    A straight line would pass near the origin, where a normal latent hardly ever lies (White
    2016). slerp(t) = [sin((1 − t)Ω) a + sin(tΩ) b] / sin Ω, Ω the angle between a and b; nearly
    parallel and opposite latents, whose circle is not defined, are joined by a line.
    """
    t = torch.linspace(0, 1, steps, dtype=torch.float64)[:, None]
    a, b = a.double(), b.double()
    cosine = torch.dot(a, b) / (a.norm() * b.norm()).clamp_min(1e-12)
    angle = torch.arccos(cosine.clamp(-1, 1))
    if angle.sin() < 1e-4:
        return ((1 - t) * a + t * b).float()
    return ((((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()).float()


def walk(stops: Tensor, steps: int) -> Tensor:
    """A closed tour (stops · steps, latent_dim) through latents (stops, latent_dim), by slerp."""
    legs = zip(stops, stops.roll(-1, 0), strict=True)
    return torch.cat([slerp(a, b, steps + 1)[:-1] for a, b in legs])


def directions(generator: nn.Module, latent_dim: int, count: int) -> Tensor:
    """The unit latent directions (≤ count, latent_dim) that move the first layer most.

    SeFa (Shen & Zhou 2021, eq. 6): the eigenvectors of AᵀA with the largest eigenvalues, where A
    is the weight of the first layer; each has its largest entry positive, so that a direction does
    not depend on the solver's choice of sign.
    """
    first = next(m for m in generator.modules() if isinstance(m, Weighted))
    weight = first.weight.detach().double()
    if isinstance(first, nn.ConvTranspose2d):
        weight = weight.flatten(1).T  # (latent_dim, maps, k, k) -> (maps · k · k, latent_dim)
    weight = weight.reshape(-1, latent_dim)
    if len(weight) > 4 * latent_dim:  # by the eigenvectors themselves: a tenth of the time
        rows = torch.linalg.eigh(weight.T @ weight).eigenvectors.T.flip(0)
    else:
        _, _, rows = torch.linalg.svd(weight, full_matrices=False)
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    return (rows * largest.sign())[:count].float()


@dataclass(frozen=True)
class Neighbour:
    """A real image (C, H, W) in [−1, 1] and its distance to a sample, Euclidean over pixels."""

    image: Tensor
    distance: float


def nearest_real(sample: Tensor, data: Dataset, candidates: int = 5000) -> Neighbour:
    """The nearest of so many real images to a sample (C, H, W): has the generator memorised?"""
    real = data.sample(candidates, torch.Generator().manual_seed(0))
    distance, index = nearest(sample.flatten()[None], real.flatten(1))
    return Neighbour(real[index[0]], float(distance[0]))


def gif(frames: Sequence[np.ndarray], scale: int, milliseconds: int = 60) -> bytes:
    """An endless GIF of frames (H, W, 1 or 3) uint8, each pixel drawn `scale` × `scale`."""
    images = [
        Image.fromarray(frame.squeeze())
        .convert("RGB")
        .resize((frame.shape[1] * scale, frame.shape[0] * scale), Image.Resampling.NEAREST)
        for frame in frames
    ]
    out = io.BytesIO()
    images[0].save(
        out, "GIF", save_all=True, append_images=images[1:], duration=milliseconds, loop=0
    )
    return out.getvalue()
