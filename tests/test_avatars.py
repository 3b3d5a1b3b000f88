"""The drawn faces: what is in them can be told, and their modes say what a generator lost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from tests.data_sets import DEVICES, load, seeded
from wgan.data import avatars
from wgan.data.avatars import ATTRIBUTES, FACES, MODES, FaceModes, draw, load_faces, random_labels
from wgan.data.images import ImageData
from wgan.data.pixels import decode, resize
from wgan.metrics.coverage import coverage

SIZES = (16, 64)
Set = tuple[torch.Tensor, FaceModes]


@pytest.fixture(scope="module", params=SIZES)
def faces(request: pytest.FixtureRequest) -> Set:
    """The whole set at a size, and its modes."""
    return load_faces(request.param, torch.device("cpu"))


def unseen(faces: Set, count: int = 1000) -> tuple[torch.Tensor, torch.Tensor]:
    """Faces (count, 3, size, size) in [−1, 1] that another seed draws, and their labels."""
    rng = np.random.default_rng(77)
    labels = random_labels(count, rng)
    shifts = rng.integers(-1, 2, (count, 2))
    images = resize(draw(labels, shifts), faces[0].shape[-1])
    return decode(images), torch.from_numpy(labels)


def test_the_set_is_made_of_the_same_bytes_each_time(faces: Set):
    pixels, modes = faces
    size = pixels.shape[-1]
    assert pixels.shape == (FACES, 3, size, size)
    assert pixels.dtype == torch.uint8
    avatars._drawn.cache_clear()
    rng = np.random.default_rng(0)
    labels = random_labels(FACES, rng)
    shifts = rng.integers(-1, 2, (FACES, 2))
    assert torch.equal(resize(draw(labels[:500], shifts[:500]), size), pixels[:500])
    assert len({face.tobytes() for face in pixels[:3000].numpy()}) > 2000, "faces repeat"
    assert modes.resolution == min(size, 32)


def test_every_attribute_is_told_right_on_faces_that_are_not_in_the_set(faces: Set):
    images, labels = unseen(faces)
    right = (faces[1].attributes(images) == labels).float().mean(0)
    for name, share in zip(ATTRIBUTES, right.tolist(), strict=True):
        assert share >= 0.97, (name, share)


def test_modes_are_24_and_told_right(faces: Set):
    images, labels = unseen(faces)
    modes = faces[1]
    assert len(modes.names) == len(set(modes.names)) == 24
    assert modes.names[0] == "short hair, smile, no glasses"
    index, high = modes.judge(images)
    columns = [list(ATTRIBUTES).index(name) for name in MODES]
    chosen = labels[:, columns]
    values = itertools.product(*(range(len(ATTRIBUTES[name])) for name in MODES))
    number = {value: i for i, value in enumerate(values)}
    expected = torch.tensor([number[tuple(row)] for row in chosen.tolist()])
    assert (index == expected).float().mean() >= 0.97
    assert high.float().mean() == pytest.approx(modes.high_quality_real, abs=0.012)


def test_a_collapsed_generator_covers_one_mode(faces: Set):
    pixels, modes = faces
    one = decode(pixels[:1]).expand(2500, -1, -1, -1)
    noise = 0.02 * torch.randn(one.shape, generator=seeded())
    figures = coverage(modes, (one + noise).clamp(-1, 1))
    assert (figures.modes, figures.modes_any, figures.modes_total) == (1, 1, 24)
    assert figures.mode_kl == pytest.approx(np.log(24), abs=0.01)
    everything = coverage(modes, decode(pixels[:2500]))
    assert everything.modes == 24
    assert everything.mode_kl < 0.02


def test_what_is_no_face_is_not_high_quality(faces: Set):
    pixels, modes = faces
    shape = (200, *pixels.shape[1:])
    mean = decode(pixels).mean(0, keepdim=True)
    halves = [decode(pixels[first : first + 200, :, ::2]) for first in (0, 200)]
    wrong = {
        "noise": torch.rand(shape, generator=seeded()) * 2 - 1,
        "grey": torch.zeros(shape),
        "white": torch.ones(shape),
        "the mean face": mean.expand(shape),
        "halves of two": torch.cat(halves, 2),
        "upside down": decode(pixels[:200]).flip(2),
        "not finite": torch.full(shape, torch.nan),
    }
    for name, images in wrong.items():
        index, high = modes.judge(images)
        assert high.float().mean() <= 0.02, name
        assert 0 <= index.min() <= index.max() < 24, name


@pytest.mark.parametrize("device", DEVICES)
def test_they_load_as_a_data_set(device: str):
    dataset = load("avatars", size=16, device=device)
    assert isinstance(dataset, ImageData)
    assert dataset.shape == (3, 16, 16)
    assert dataset.accuracy >= 0.97
    samples = dataset.sample(2500, seeded(device=device))
    assert samples.device.type == device
    assert dataset.modes is not None
    assert coverage(dataset.modes, samples).modes == 24
    assert torch.equal(dataset.sample(9, seeded(3, device)), dataset.sample(9, seeded(3, device)))
