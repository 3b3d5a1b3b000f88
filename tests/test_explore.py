"""Ways through the latent space: closed forms and properties."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from tests.conftest import MakeConfig
from wgan.config import ExperimentConfig
from wgan.data import load
from wgan.zoo.architecture import LabNetworks
from wgan.zoo.explore import (
    NO_TRUNCATION,
    directions,
    draw_latents,
    gif,
    nearest_real,
    slerp,
    walk,
)

PLAIN = LabNetworks(ExperimentConfig(latent_dim=5))
UNIFORM = LabNetworks(ExperimentConfig(latent_dim=5, latent="uniform"))
SEEDS = st.integers(0, 2**31 - 1)


@given(seed=SEEDS, n=st.integers(1, 50), truncation=st.floats(0.1, NO_TRUNCATION))
def test_latents_are_of_their_seed_and_within_the_truncation(seed: int, n: int, truncation: float):
    latents = draw_latents(PLAIN, n, seed, truncation)
    assert latents.shape == (n, 5)
    assert latents.abs().max() <= truncation + 1e-5
    assert torch.equal(latents, draw_latents(PLAIN, n + 3, seed, truncation)[:n])
    scaled = draw_latents(UNIFORM, n, seed, truncation)
    assert scaled.abs().max() <= truncation / NO_TRUNCATION


def test_latents_have_the_distribution_that_they_are_said_to_have():
    normal = draw_latents(PLAIN, 20_000, seed=1)
    assert normal.mean().item() == pytest.approx(0, abs=0.02)
    assert normal.std().item() == pytest.approx(1, abs=0.02)
    # The variance of a normal cut off at ±1 is 1 − 2φ(1) / (2Φ(1) − 1) = 0.2911.
    cut = draw_latents(PLAIN, 20_000, seed=1, truncation=1.0)
    assert cut.var().item() == pytest.approx(0.2911, abs=0.01)
    uniform = draw_latents(UNIFORM, 20_000, seed=1)
    assert uniform.std().item() == pytest.approx(1 / math.sqrt(3), abs=0.01)


@given(seed=SEEDS, steps=st.integers(2, 20))
def test_slerp_keeps_its_ends_and_turns_by_equal_angles(seed: int, steps: int):
    a, b = nn.functional.normalize(draw_latents(PLAIN, 2, seed), dim=1)
    line = slerp(a, b, steps)
    assert torch.allclose(line[[0, -1]], torch.stack([a, b]), atol=1e-4)
    assert torch.allclose(line.norm(dim=1), torch.ones(steps), atol=1e-3)
    angles = torch.arccos((line[1:] * line[:-1]).sum(1).clamp(-1, 1))
    assert (angles.max() - angles.min()).item() < 0.02


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_slerp_without_a_circle_is_a_line(factor: float):
    a = torch.tensor([1.0, 2.0])
    line = slerp(a, factor * a, 5)
    assert line.isfinite().all()
    assert torch.allclose(line[2], (1 + factor) / 2 * a)


def test_a_walk_is_closed_and_passes_its_stops():
    stops = draw_latents(PLAIN, 3, seed=0)
    tour = walk(stops, 4)
    assert tour.shape == (12, 5)
    assert torch.allclose(tour[[0, 4, 8]], stops, atol=1e-5)


@pytest.mark.parametrize("kind", ["mlp", "dcgan", "resnet"])
def test_directions_are_orthonormal_and_the_first_moves_most(kind: str, make_config: MakeConfig):
    generator = LabNetworks(make_config(kind)).build()
    moves = directions(generator, latent_dim=4, count=3)
    assert moves.shape == (3, 4)
    assert torch.allclose(moves @ moves.T, torch.eye(3), atol=1e-4)
    first = next(m for m in generator.modules() if isinstance(m, nn.Linear | nn.ConvTranspose2d))

    def moved(z: torch.Tensor) -> float:
        shaped = z if isinstance(first, nn.Linear) else z[:, None, None]
        with torch.no_grad():
            return (first(shaped[None]) - first(torch.zeros_like(shaped)[None])).norm().item()

    effects = [moved(move) for move in moves]
    assert effects == sorted(effects, reverse=True)
    others = nn.functional.normalize(torch.randn(50, 4, generator=torch.Generator()), dim=1)
    assert max(moved(one) for one in others) <= effects[0] * 1.0001


def test_the_nearest_real_image_of_a_real_image_is_itself():
    data = load(ExperimentConfig(data="digits", output="tanh"), torch.device("cpu"))
    real = data.sample(3, torch.Generator().manual_seed(5))
    found = nearest_real(real[1], data, candidates=20_000)  # practically all 1,797
    assert torch.equal(found.image, real[1])
    assert found.distance == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gif_has_all_frames_and_repeats(channels: int):
    frames = [np.full((8, 8, channels), value, np.uint8) for value in (0, 100, 255)]
    image = Image.open(io.BytesIO(gif(frames, scale=4)))
    assert (image.size, getattr(image, "n_frames", 1), image.info["loop"]) == ((32, 32), 3, 0)
