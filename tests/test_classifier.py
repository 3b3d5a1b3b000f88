"""The classifier behind a large labelled set's meter: trained once, kept, its confusion used."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.test_metrics import Labelled, labelled
from wgan.config import from_dict
from wgan.data import archives, classifier, load
from wgan.data.images import ImageData
from wgan.data.modes import LearntModes, fit_classes
from wgan.data.pixels import decode
from wgan.metrics.coverage import coverage

DEBIAN = archives.SYSTEM["fashion"]
NAMES = tuple("0123456789")


def bars(n: int, noise: float = 0.2, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images (n, 1, 12, 12) with a bright row, whose place is the class, as bytes; the classes."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.randint(10, (n,), generator=rng)
    images = torch.rand(n, 1, 12, 12, generator=rng) * noise
    images[torch.arange(n), 0, labels] += 0.7
    return (images.clamp(0, 1) * 255).byte(), labels


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGAN_DATA", str(tmp_path))


def test_many_images_are_told_apart_by_a_network_that_is_trained_once(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(classifier, "SEEN", 12_000)
    pixels, labels = bars(6000)
    told: list[float | None] = []
    modes, accuracy = fit_classes(
        pixels, labels, NAMES, torch.device("cpu"), lambda _, share: told.append(share)
    )
    assert isinstance(modes, LearntModes)
    assert accuracy == modes.accuracy > 0.98
    assert told
    judged = coverage(modes, decode(bars(2500, seed=1)[0]))
    assert judged.modes == 10
    assert judged.high_quality > 0.9

    told.clear()
    again, same = fit_classes(
        pixels, labels, NAMES, torch.device("cpu"), lambda _, share: told.append(share)
    )
    assert isinstance(again, LearntModes)
    assert not told, "it was on disk"
    assert same == pytest.approx(accuracy)
    for name, tensor in modes.classifier.network.state_dict().items():
        assert torch.equal(tensor, again.classifier.network.state_dict()[name])

    fit_classes(pixels, labels.flip(0), NAMES, torch.device("cpu"), lambda *_: told.append(1))
    assert told, "other labels are another set"


def test_a_broken_file_is_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(classifier, "SEEN", 12_000)
    pixels, labels = bars(6000)
    first = classifier.fit(pixels, labels, 10, lambda *_: None)
    (kept,) = (tmp_path / "classifiers").iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    again = classifier.fit(pixels, labels, 10, lambda *_: None)
    assert torch.equal(first.confusion, again.confusion)


def test_classes_that_cannot_be_learnt_are_no_modes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(classifier, "SEEN", 6000)
    pixels, labels = bars(6000)
    modes, accuracy = fit_classes(pixels, labels.flip(0), NAMES, torch.device("cpu"))
    assert modes is None
    assert accuracy < 0.3


def test_a_class_counts_only_beyond_what_confusion_alone_gives():
    confusion = torch.tensor([[0.8, 0.2, 0.0], [0.1, 0.9, 0.0], [0.0, 0.0, 1.0]])
    modes = Labelled(3, confusion)
    # All of class 0, a fifth of which is taken for class 1: one mode, not two.
    collapsed = coverage(modes, labelled((0, 1, 2000), (1, 1, 500)))
    assert (collapsed.modes, collapsed.counts) == (1, (2000, 0, 0))
    assert collapsed.high_quality == 1
    # More than confusion explains is a mode.
    assert coverage(modes, labelled((0, 1, 1700), (1, 1, 800))).modes == 2
    assert coverage(modes, labelled((0, 1, 900), (1, 1, 900), (2, 1, 700))).modes == 3
    assert coverage(Labelled(3), labelled((0, 1, 2000), (1, 1, 500))).modes == 2


# Real pictures: Debian's package, read by the loader that reads what torchvision downloads.

needs_debian = pytest.mark.skipif(
    not DEBIAN.is_dir(), reason="apt-get install dataset-fashion-mnist"
)


@needs_debian
def test_the_packages_pictures_are_read_by_the_real_loader(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("wgan.data.archives.fetch", None)  # nothing is asked for
    pictures = archives.read_archive("fashion", lambda *_: None)
    assert pictures.pixels.shape == (60_000, 1, 28, 28)
    assert pictures.labels is not None
    assert torch.bincount(pictures.labels).tolist() == [6000] * 10
    assert pictures.names[0] == "T-shirt/top"
    content = gzip.decompress((DEBIAN / "train-images-idx3-ubyte.gz").read_bytes())
    assert bytes(pictures.pixels[0].flatten().tolist()) == content[16 : 16 + 784]


@needs_debian
def test_a_package_that_is_not_there_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(archives.SYSTEM, "fashion", tmp_path / "nowhere")
    asked: list[object] = []

    def fetch(*arguments: object) -> None:
        asked.append(arguments)
        raise OSError("no network")

    monkeypatch.setattr("wgan.data.archives.fetch", fetch)
    with pytest.raises(archives.DataError, match="could not be downloaded"):
        archives.read_archive("fashion", lambda *_: None)
    assert asked


@needs_debian
@pytest.mark.slow
def test_the_meter_of_real_fashion():
    started = time.monotonic()
    config = from_dict({"data": "fashion", "image_size": 28, "network": "mlp", "output": "tanh"})
    data = load(config, torch.device("cpu"))
    seconds = time.monotonic() - started
    assert isinstance(data, ImageData)
    assert data.accuracy >= 0.88
    assert data.modes is not None
    real = coverage(data.modes, data.sample(2500, torch.Generator().manual_seed(0)))
    assert real.modes == 10
    print(f"\nFashion-MNIST: accuracy {data.accuracy:.3f}, ready after {seconds:.0f} s, {real}")
