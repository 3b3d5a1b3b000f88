"""Large pictures: the right pixels, one at a time, with progress, left when not wanted."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from tests.layouts import genforce
from wgan.data.pixels import to_pixels
from wgan.hub import Cancelled, never
from wgan.zoo import drawing
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.drawing import PREVIEW, draw_file, draw_previews, is_large
from wgan.zoo.families import from_plain
from wgan.zoo.families.layouts import recognised

LARGE = (8, 8, 4, 4, 4, 4, 4, 2)  # 512 pixels


def quiet(text: str, share: float | None) -> None:
    pass


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGAN_DATA", str(tmp_path))


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    read = recognised(genforce(z_dim=5, maps=LARGE)[0])
    assert read is not None
    architecture, weights = read
    generator = architecture.build()
    generator.load_state_dict(weights)
    return Checkpoint(architecture, generator.eval().requires_grad_(False))


@pytest.fixture
def latents() -> Tensor:
    return torch.randn(3, 5, generator=torch.Generator().manual_seed(0))


def test_previews_are_the_pictures_made_smaller(checkpoint: Checkpoint, latents: Tensor):
    told: list[tuple[str, float | None]] = []
    small = draw_previews(checkpoint, latents, lambda *now: told.append(now), never)
    assert small.shape == (3, PREVIEW, PREVIEW, 3)
    full = to_pixels(checkpoint.sample(latents)).astype(float)
    halved = full.reshape(3, PREVIEW, 2, PREVIEW, 2, 3).mean((2, 4))
    assert np.abs(small - halved).max() <= 1
    assert told == [(f"Drawing picture {i + 1} of 3", i / 3) for i in range(3)]


def test_the_file_has_every_pixel(checkpoint: Checkpoint, latents: Tensor):
    path = draw_file(checkpoint, latents, quiet, never)
    grid = np.asarray(Image.open(path))
    assert grid.shape == (1024, 1024, 3)
    full = to_pixels(checkpoint.sample(latents))
    for number, (row, column) in enumerate([(0, 0), (0, 1), (1, 0)]):
        part = grid[row * 512 : row * 512 + 512, column * 512 : column * 512 + 512]
        # Alone or among others, the sums may add in another order.
        assert np.abs(part.astype(int) - full[number]).max() <= 1
    assert not grid[512:, 512:].any()
    path.unlink()


def test_files_that_nobody_fetched_are_gone_in_time(
    checkpoint: Checkpoint, latents: Tensor, monkeypatch: pytest.MonkeyPatch
):
    old = draw_file(checkpoint, latents[:1], quiet, never)
    monkeypatch.setattr(drawing, "KEEP", -1.0)
    new = draw_file(checkpoint, latents[:1], quiet, never)
    assert not old.exists()
    new.unlink()


def test_a_drawing_that_nobody_wants_ends_between_two_pictures(
    checkpoint: Checkpoint, latents: Tensor
):
    drawn: list[str] = []

    def report(text: str, share: float | None) -> None:
        if drawn:
            raise Cancelled
        drawn.append(text)

    with pytest.raises(Cancelled):
        draw_previews(checkpoint, latents, report, never)
    assert len(drawn) == 1


def test_one_that_waits_for_its_turn_can_be_left(checkpoint: Checkpoint, latents: Tensor):
    with drawing._turn, pytest.raises(Cancelled):
        draw_previews(checkpoint, latents, quiet, lambda: True)


class Counting(nn.Module):
    """Counts how many pictures are made at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = self.batch = 0
        self.lock = threading.Lock()

    def forward(self, z: Tensor) -> Tensor:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.batch = max(self.batch, len(z))
        threading.Event().wait(0.02)
        with self.lock:
            self.now -= 1
        return z.new_zeros(len(z), 3, 1024, 1024)


def test_one_picture_is_made_at_a_time_whoever_asks(checkpoint: Checkpoint):
    counting = Counting()
    values = {**checkpoint.architecture.to_dict(), "maps": [4] * 9}
    large = replace(checkpoint, architecture=from_plain(values), generator=counting)
    threads = [
        threading.Thread(target=draw_previews, args=(large, torch.zeros(2, 5), quiet, never))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (counting.most, counting.batch) == (1, 1)
    large.sample(torch.zeros(3, 5))
    assert counting.batch == 1, "of 1024 pixels one at a time"


def test_what_is_large():
    for scales, large in ((5, False), (6, False), (7, True), (9, True)):
        values = {"family": "progressive", "variant": "karras", "latent_dim": 5, "channels": 3}
        architecture = from_plain({**values, "maps": [4] * scales})
        assert is_large(Checkpoint(architecture, nn.Identity())) is large
