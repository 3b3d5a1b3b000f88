"""Data sets: what they draw and what they judge."""

from __future__ import annotations

import gc
import math
import random
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_moons, make_swiss_roll

from tests.data_sets import DEVICES, DRAWN, load, seeded
from wgan import data
from wgan.config import DATA, POINT_DATA, image_data
from wgan.data.images import ImageData
from wgan.data.modes import CentreModes, ClassModes, nearest
from wgan.data.pixels import decode, resize
from wgan.metrics.coverage import coverage
from wgan.metrics.transport import w1, w1_floor

OFFLINE = (*POINT_DATA, "digits", "patches")


def seconds(call: Callable[[], object], times: int) -> float:
    """The quickest of several calls on one core: its own time, whatever else the machine does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        taken = []
        for _ in range(times):
            start = time.thread_time()
            call()
            taken.append(time.thread_time() - start)
        return min(taken)
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def digits() -> ImageData:
    dataset = load("digits")
    assert isinstance(dataset, ImageData)
    return dataset


# What every set promises.


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", OFFLINE)
def test_samples_have_the_promised_shape_type_and_range(name: str, device: str):
    dataset = load(name, device=device)
    samples = dataset.sample(5000, seeded(device=device))
    assert samples.shape == (5000, *dataset.shape)
    assert samples.dtype == torch.float32
    assert samples.device.type == device
    reach = samples.abs().max().item()
    assert reach <= dataset.extent
    if name in POINT_DATA:
        assert dataset.shape == (2,)
        assert reach > 0.6 * dataset.extent, "the axes waste most of the picture"
    else:
        assert dataset.shape == (image_data(name)[0], 8, 8)
        assert (samples.min(), samples.max()) == (-1, 1)


@pytest.mark.parametrize("name", OFFLINE)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**31 - 2), n=st.integers(1, 300))
def test_the_generator_alone_decides_the_samples(name: str, seed: int, n: int):
    dataset = load(name)
    first = dataset.sample(n, seeded(seed))
    assert torch.equal(first, load(name).sample(n, seeded(seed)))
    more = dataset.sample(max(n, 16), seeded(seed))
    assert not torch.equal(more, dataset.sample(max(n, 16), seeded(seed + 1)))


@pytest.mark.parametrize("name", OFFLINE)
def test_the_generator_moves_on(name: str):
    generator = seeded()
    dataset = load(name)
    assert not torch.equal(dataset.sample(16, generator), dataset.sample(16, generator))


def test_global_random_states_are_left_alone():
    def states() -> list[str]:
        legacy = np.random.get_state()  # noqa: NPY002 (the global state is the point)
        return [
            repr(state) for state in (torch.get_rng_state().tolist(), legacy, random.getstate())
        ]

    before = states()
    for name in OFFLINE:
        load(name, size=16).sample(64, seeded())
    assert states() == before


def test_samples_are_the_callers_to_change(digits: ImageData):
    batch = digits.sample(4, seeded())
    kept = batch.clone()
    batch.fill_(7)
    assert torch.equal(digits.sample(4, seeded()), kept)


def test_every_set_has_a_title_and_a_sentence():
    assert len({data.title(name) for name in DATA}) == len(DATA)
    for name in DATA:
        assert data.about(name).endswith(".")
        assert data.title(name) != name
    assert data.title("hub:owner/name") == "owner/name"
    assert "owner/name on the Hub" in data.about("hub:owner/name")
    with pytest.raises(KeyError):
        data.title("nothing")


@pytest.mark.parametrize("name", POINT_DATA)
def test_drawing_costs_a_few_calls_of_torch(name: str):
    dataset, generator = load(name), seeded()
    one = seconds(lambda: torch.randn(256, 2, generator=generator), 200)
    # 4 to 11 times were measured.
    assert seconds(lambda: dataset.sample(256, generator), 200) < 40 * one


# The 2-D sets.


def test_ring_and_grid_have_the_authors_places():
    ring, grid = load("ring8").modes, load("grid25").modes
    assert isinstance(ring, CentreModes)
    assert isinstance(grid, CentreModes)
    assert torch.allclose(ring.centres.norm(dim=1), torch.full((8,), 2 / 1.414))
    assert torch.allclose(ring.centres[2], torch.tensor([0.0, 2 / 1.414]), atol=1e-6)
    assert ring.sigma == pytest.approx(0.02 / 1.414)
    assert torch.allclose(grid.centres[0] * 2.828, torch.tensor([-4.0, 4.0]))
    assert torch.allclose(grid.centres[1] * 2.828, torch.tensor([-2.0, 4.0]))
    assert grid.names[:2] == ("−4, 4", "−2, 4")
    assert grid.sigma == pytest.approx(0.05 / 2.828)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("name", "count"), [("ring8", 8), ("grid25", 25)])
def test_real_mixtures_score_what_theory_says(name: str, count: int, device: str):
    dataset = load(name, device=device)
    assert dataset.modes is not None
    assert dataset.modes.high_quality_real == pytest.approx(0.98889, abs=1e-5)
    figures = coverage(dataset.modes, dataset.sample(40_000, seeded(device=device)))
    # Five standard deviations of a share of .98889 among 40,000.
    assert figures.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.0027)
    assert figures.modes == figures.modes_any == figures.modes_total == count
    assert figures.mode_kl < 0.002
    assert len(dataset.modes.names) == len(set(dataset.modes.names)) == count


def test_three_sigmas_are_the_border():
    modes = CentreModes(("a", "b"), torch.tensor([[0.0, 0.0], [10.0, 0.0]]), sigma=0.5)
    places = [[1.49, 0.0], [0.0, -1.51], [9.0, 1.0], [5.1, 0.0], [math.nan, 0.0], [math.inf, 0.0]]
    index, high = modes.judge(torch.tensor(places))
    assert index.dtype == torch.int64
    assert index[:4].tolist() == [0, 0, 1, 1]
    assert high.tolist() == [True, False, True, False, False, False]


@pytest.mark.parametrize("name", ["swissroll", "moons"])
def test_rolls_and_moons_are_those_of_scikit_learn(name: str):
    n = 1000
    if name == "swissroll":
        theirs = make_swiss_roll(n, noise=0.25, random_state=0)[0][:, [0, 2]] / 7.5
    else:
        theirs = np.asarray(make_moons(n, noise=0.05, random_state=0)[0]) - (0.5, 0.25)
    dataset = load(name)
    floor = w1_floor(dataset, n, seeded())
    distance = w1(dataset.sample(n, seeded(1)), torch.from_numpy(theirs).float())
    assert distance < 1.5 * floor


def test_the_spiral_has_two_arms_of_one_and_a_half_turns():
    xy = load("spiral").sample(5000, seeded())
    radius = xy.norm(dim=1)
    assert 1.45 < radius.max() < 1.65
    # On an arm the angle is 2π·radius, on the other half a turn more: their doubles agree.
    doubled = 2 * (torch.atan2(xy[:, 1], xy[:, 0]) - 2 * math.pi * radius)
    assert doubled[radius > 0.7].cos().mean() > 0.9
    assert xy.mean(0).abs().max() < 0.06


def test_two_lines_are_lines():
    xy = load("twolines").sample(4000, seeded())
    assert set(xy[:, 0].tolist()) == {-0.5, 0.5}
    assert xy[:, 0].mean().abs() < 0.05
    assert xy[:, 1].min() < -0.99
    assert xy[:, 1].max() > 0.99
    assert xy[:, 1].mean().abs() < 0.05


def test_drawn_points_are_drawn_evenly_with_a_little_jitter():
    xy = load("points").sample(6000, seeded())
    centres = torch.tensor(DRAWN)
    distance, which = torch.cdist(xy, centres).min(1)
    assert distance.max() < 0.12
    assert distance.square().mean().sqrt() == pytest.approx(0.02 * math.sqrt(2), rel=0.05)
    assert torch.bincount(which).float().div(6000).tolist() == pytest.approx([1 / 3] * 3, abs=0.03)


@pytest.mark.parametrize("name", ["swissroll", "moons", "spiral", "twolines", "points"])
def test_sets_without_natural_modes_have_none(name: str):
    assert load(name).modes is None


# Digits, and modes that are classes.


def test_digits_know_their_classes(digits: ImageData):
    modes = digits.modes
    assert isinstance(modes, ClassModes)
    assert modes.names == tuple("0123456789")
    assert 0.97 <= modes.accuracy == digits.accuracy < 1
    assert modes.threshold == pytest.approx(3.32, abs=0.005)
    index, high = modes.judge(digits.pixels)
    assert torch.equal(index, modes.labels)
    assert high.all()


@pytest.mark.parametrize("device", DEVICES)
def test_real_digits_cover_all_classes(device: str):
    dataset = load("digits", device=device)
    assert dataset.modes is not None
    figures = coverage(dataset.modes, dataset.sample(2500, seeded(device=device)))
    assert figures.modes == 10
    assert figures.high_quality == 1
    assert figures.mode_kl < 0.01


def test_noise_and_blank_pages_are_not_digits(digits: ImageData):
    assert digits.modes is not None
    noise = torch.rand(100, 1, 8, 8, generator=seeded()) * 2 - 1
    blank = torch.full((1, 1, 8, 8), -1.0)
    broken = torch.full((1, 1, 8, 8), math.nan)
    index, high = digits.modes.judge(torch.cat((noise, blank, broken)))
    assert not high.any()
    assert index.min() >= 0
    assert index.max() < 10


def test_real_images_left_out_are_high_quality_at_the_promised_rate(digits: ImageData):
    modes = digits.modes
    assert isinstance(modes, ClassModes)
    distance, neighbour = nearest(modes.references, modes.references, others=True)
    assert (distance < modes.threshold).float().mean() == pytest.approx(0.99, abs=0.001)
    assert modes.high_quality_real == 0.99
    assert (neighbour != torch.arange(len(neighbour))).all()


def test_judging_digits_is_quick(digits: ImageData):
    assert digits.modes is not None
    samples = digits.sample(2500, seeded())
    judge = digits.modes.judge
    assert isinstance(digits.modes, ClassModes)
    a, b = samples.flatten(1), digits.modes.references.flatten(1)
    # All distances between the two, with nothing made of them; 2.2 times that were measured.
    assert seconds(lambda: judge(samples), 10) < 8 * seconds(lambda: torch.cdist(a, b), 10)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 40), m=st.integers(2, 40), d=st.integers(1, 6), seed=st.integers(0, 999))
def test_nearest_agrees_with_the_plain_definition(n: int, m: int, d: int, seed: int):
    generator = seeded(seed)
    a = torch.randn(n, d, generator=generator)
    b = torch.randn(m, d, generator=generator)
    plain = (a[:, None] - b).norm(dim=2)
    distance, index = nearest(a, b)
    assert torch.allclose(distance, plain.min(1).values, atol=1e-3)
    assert torch.allclose(plain[torch.arange(n), index], distance, atol=1e-3)


def test_nearest_in_chunks_is_nearest_at_once(monkeypatch: pytest.MonkeyPatch):
    a = torch.randn(50, 3, generator=seeded())
    whole = nearest(a, a, others=True)
    monkeypatch.setattr("wgan.data.modes._CHUNK", 50 * 7)
    chunked = nearest(a, a, others=True)
    assert torch.allclose(whole[0], chunked[0], atol=1e-6)
    assert torch.equal(whole[1], chunked[1])


def test_digits_at_another_size_keep_their_modes():
    dataset = load("digits", size=16)
    assert dataset.shape == (1, 16, 16)
    assert dataset.modes is not None
    samples = dataset.sample(200, seeded())
    assert samples.abs().max() <= 1
    assert coverage(dataset.modes, samples).high_quality == 1


def test_resizing_and_decoding_keep_flat_images_flat():
    for grey in (0, 77, 255):
        flat = torch.full((3, 2, 28, 28), grey, dtype=torch.uint8)
        for size in (8, 28, 32):
            resized = resize(flat, size)
            assert resized.dtype == torch.uint8
            assert resized.shape == (3, 2, size, size)
            assert (resized == grey).all()
        assert torch.allclose(decode(flat), torch.tensor(grey / 127.5 - 1), atol=1e-6)


# Sharing.


def test_runs_that_start_together_share_one_set(monkeypatch: pytest.MonkeyPatch):
    built = []
    real = ImageData.__init__

    def counted(self, *arguments, **named):
        built.append(1)
        real(self, *arguments, **named)

    monkeypatch.setattr(ImageData, "__init__", counted)
    with ThreadPoolExecutor(30) as pool:
        sets = list(pool.map(lambda _: load("digits", size=28), range(30)))
    assert len({id(s) for s in sets}) == 1
    assert len(built) == 1


def test_a_set_that_nobody_uses_is_freed():
    dataset = load("digits", size=32)
    alive = weakref.ref(dataset)
    assert load("digits", size=32) is dataset
    del dataset
    gc.collect()
    assert alive() is None
