"""What `limit` leaves out: a held-out set that is never trained on."""

from __future__ import annotations

import torch

from tests.data_sets import CPU, seeded
from wgan import data
from wgan.config import ExperimentConfig
from wgan.data.images import HELD_OUT, ImageData


def load(name: str, **fields: int) -> ImageData:
    dataset = data.load(ExperimentConfig(data=name, image_size=8).replace(fields), CPU)
    assert isinstance(dataset, ImageData)
    return dataset


def rows(images: ImageData) -> set[bytes]:
    return {image.numpy().tobytes() for image in images.pixels}


def test_a_hundred_digits_and_the_rest_are_all_of_them():
    few, every = load("digits", limit=100), load("digits")
    assert few.held_out is not None
    assert len(few.pixels) == 100
    assert len(few.held_out.pixels) == 1697
    assert not rows(few) & rows(few.held_out)
    assert rows(few) | rows(few.held_out) == rows(every)
    assert every.held_out is None
    assert few.held_out.sample(3, seeded()).shape == (3, 1, 8, 8)


def test_the_hundred_are_the_same_for_every_seed_and_of_all_classes():
    one, other = load("digits", limit=100, seed=1), load("digits", limit=100, seed=2)
    assert torch.equal(one.pixels, other.pixels)
    assert not torch.equal(one.pixels, load("digits").pixels[:100])  # shuffled
    assert one.modes is not None
    labels, _ = one.modes.judge(one.pixels)
    assert set(labels.tolist()) == set(range(10))


def test_the_judge_of_the_classes_has_seen_all_digits():
    few, every = load("digits", limit=100), load("digits")
    assert few.accuracy == every.accuracy > 0.97
    assert few.modes is not None
    assert every.modes is not None
    judged = few.modes.judge(every.pixels), every.modes.judge(every.pixels)
    for one, other in zip(*judged, strict=True):
        assert torch.equal(one, other)


def test_a_limit_that_takes_all_leaves_nothing_out():
    every = load("digits", limit=1797)
    assert every.held_out is None
    assert torch.equal(every.pixels, load("digits").pixels)


def test_other_sets_keep_their_order_and_a_bounded_rest():
    few, every = load("patches", limit=20), load("patches")
    assert few.held_out is not None
    assert torch.equal(few.pixels, every.pixels[:20])
    assert torch.equal(few.held_out.pixels, every.pixels[20 : 20 + HELD_OUT])


def test_points_are_new_in_every_batch():
    assert data.load(ExperimentConfig(), CPU).held_out is None
