"""How many parameters the networks of `wgan.networks` have, without building them.

A server refuses networks that are too large before torch is there, so the layers are counted here
once more; a test holds every count against the network itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from math import log2

from wgan.config import ExperimentConfig


def count_parameters(config: ExperimentConfig) -> int:
    """Parameters of generator and critic together."""
    generator, critic = {"mlp": _mlp, "dcgan": _dcgan, "resnet": _resnet}[config.network](config)
    return generator + critic


def _mlp(c: ExperimentConfig) -> tuple[int, int]:
    size = math.prod(c.sample_shape)

    def count(inputs: int, hidden: tuple[int, ...], outputs: int, pieces: int, norm: str) -> int:
        layers = sum(
            _linear(before, units * pieces) + _norm(norm, units * pieces)
            for before, units in pairwise((inputs, *hidden))
        )
        return layers + _linear(hidden[-1], outputs)

    return (
        count(c.latent_dim, c.hidden_g, size, 1, c.norm_g),
        count(size, c.hidden_d, 1, c.maxout_d, c.norm_d),
    )


def _dcgan(c: ExperimentConfig) -> tuple[int, int]:
    # From the image side inwards: maps double as their size halves, down to 4 × 4 pixels.
    maps = [c.width * 2**i for i in range(int(log2(c.image_size // 4)))]
    sizes = [c.image_size // 2 ** (i + 1) for i in range(len(maps))]
    between = sum(_conv(outer, inner, 4) for outer, inner in pairwise(maps))
    # A transposed convolution has as many biases as it gives maps: the outer ones.
    transposed = between - sum(maps[1:]) + sum(maps[:-1])
    channels, places = c.sample_shape[0], list(zip(maps, sizes, strict=True))
    first_in_critic = places if len(places) == 1 else places[1:]
    generator = (
        _conv(c.latent_dim, maps[-1], 4)
        + transposed
        + _conv(maps[0], channels, 4)
        + _norms(c.norm_g, places)
    )
    critic = (
        _conv(channels, maps[0], 4)
        + between
        + _conv(maps[-1], 1, 4)
        + _norms(c.norm_d, first_in_critic)
    )
    return generator, critic


def _resnet(c: ExperimentConfig) -> tuple[int, int]:
    maps, channels = c.width, c.sample_shape[0]
    sizes = [4 * 2**i for i in range(int(log2(c.image_size // 4)) + 1)]  # 4 … image_size
    blocks = (len(sizes) - 1) * (_conv(maps, maps, 1) + 2 * _conv(maps, maps, 3))
    # A block normalises before each of its convolutions: one that doubles the maps once at either
    # size, one that halves them twice at the larger.
    doubling = [*sizes[:-1], *sizes[1:], sizes[-1]]  # the last one stands before the image
    halving = [*sizes[1:], *sizes[1:]]
    generator = (
        _linear(c.latent_dim, maps * 16)
        + blocks
        + _conv(maps, channels, 3)
        + _norms(c.norm_g, ((maps, size) for size in doubling))
    )
    critic = (
        _conv(channels, maps, 3)
        + blocks
        + _linear(maps, 1)
        + _norms(c.norm_d, ((maps, size) for size in halving))
    )
    return generator, critic


def _linear(inputs: int, units: int) -> int:
    return (inputs + 1) * units


def _conv(inputs: int, outputs: int, side: int) -> int:
    return (inputs * side * side + 1) * outputs


def _norms(kind: str, places: Iterable[tuple[int, int]]) -> int:
    """Of normalisation layers over maps: (maps, height and width) each."""
    return sum(_norm(kind, maps, size, size) for maps, size in places)


def _norm(kind: str, *shape: int) -> int:
    """Scales and shifts of one `wgan.networks.Norm`."""
    if kind == "layer":
        return 2 * math.prod(shape)
    per_channel = kind == "batch" or (kind == "instance" and len(shape) == 3)
    return 2 * shape[0] if per_channel else 0
