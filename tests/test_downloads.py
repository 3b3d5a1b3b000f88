"""Data sets that are downloaded: torchvision's own file formats, served from this machine."""

from __future__ import annotations

import gc
import gzip
import hashlib
import http.server
import io
import pickle
import socket
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from tests.data_sets import load, seeded
from wgan import data
from wgan.data import download
from wgan.data.images import ImageData
from wgan.data.titles import without_download
from wgan.metrics.coverage import coverage


class Server:
    """An HTTP server of one folder on the loopback; counts what it is asked for."""

    def __init__(self, folder: Path):
        self.asked = asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=str(folder))

            def do_GET(self):
                asked.append(self.path)
                super().do_GET()

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


NOWHERE = "http://127.0.0.1:9/"  # the discard port: refused at once


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """(what the server has, the cache folder)."""
    site, cache = tmp_path / "site", tmp_path / "cache"
    site.mkdir()
    monkeypatch.setenv("WGAN_DATA", str(cache))
    monkeypatch.setattr("wgan.data.archives.SYSTEM", {})  # whatever this machine has installed
    return site, cache


@pytest.fixture
def server(folders: tuple[Path, Path]):
    server = Server(folders[0])
    yield server
    server.close()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the IDX format of the MNIST files, gzipped."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">i4").tobytes()
    return gzip.compress(header + array.astype(np.uint8).tobytes())


def images_and_labels(count: int, *, learnable: bool) -> tuple[np.ndarray, np.ndarray]:
    """(count, 28, 28) of bytes and their labels; either every class is a bar, or all is noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 10
    images = rng.integers(0, 40, (count, 28, 28))
    if learnable:
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 3 : 2 * label + 5, 4:24] += 200
    return images, labels


def serve_mnist(
    monkeypatch: pytest.MonkeyPatch, site: Path, mirrors: list[str], *, fashion: bool = False
) -> np.ndarray:
    """Puts a small set in MNIST's format on the site; returns its training images."""
    train = images_and_labels(300, learnable=not fashion)
    test = images_and_labels(20, learnable=True)
    contents = [idx(array) for array in (*train, *test)]
    kind = datasets.FashionMNIST if fashion else datasets.MNIST
    resources = []
    for (name, _), content in zip(kind.resources, contents, strict=True):
        (site / name).write_bytes(content)
        resources.append((name, md5(content)))
    monkeypatch.setattr(kind, "resources", resources)
    monkeypatch.setattr(kind, "mirrors", mirrors)
    return train[0]


def serve_cifar(monkeypatch: pytest.MonkeyPatch, site: Path, url: str) -> np.ndarray:
    """Puts a small set in CIFAR-10's format on the site; returns its training images (N, 3072)."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (100, 3072), dtype=np.uint8)
    members: dict[str, object] = {
        "batches.meta": {"label_names": [f"class {i}" for i in range(10)]}
    }
    for i in range(5):
        labels = rng.integers(0, 10, 20).tolist()
        members[f"data_batch_{i + 1}"] = {"data": rows[20 * i : 20 * i + 20], "labels": labels}
    members["test_batch"] = {"data": rows[:5], "labels": [0] * 5}
    pickled = {name: pickle.dumps(member) for name, member in members.items()}

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in pickled.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    (site / "cifar-10-python.tar.gz").write_bytes(packed.getvalue())

    kind = datasets.CIFAR10
    sums = {name: md5(content) for name, content in pickled.items()}
    monkeypatch.setattr(kind, "url", url + "cifar-10-python.tar.gz")
    monkeypatch.setattr(kind, "tgz_md5", md5(packed.getvalue()))
    monkeypatch.setattr(kind, "train_list", [[n, sums[n]] for n, _ in kind.train_list])
    monkeypatch.setattr(kind, "test_list", [[n, sums[n]] for n, _ in kind.test_list])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": sums["batches.meta"]})
    return rows


def test_mnist_is_downloaded_once_with_progress(monkeypatch, folders, server):
    site, cache = folders
    images = serve_mnist(monkeypatch, site, [server.url])
    told: list[tuple[str, float | None]] = []
    dataset = load("mnist", size=28, progress=lambda *news: told.append(news))
    assert isinstance(dataset, ImageData)
    assert torch.equal(dataset.pixels[:, 0], torch.from_numpy(images).to(torch.uint8))
    samples = dataset.sample(64, seeded())
    assert samples.shape == (64, 1, 28, 28)
    assert samples.dtype == torch.float32
    assert -1 <= samples.min() < -0.9 < 0.5 < samples.max() <= 1

    shares = [share for text, share in told if text.startswith("Downloading MNIST")]
    assert shares == sorted(shares)  # type: ignore[type-var]
    assert (shares[0], shares[-1]) == (0, 1)
    assert len(server.asked) == 4
    assert not list(cache.rglob("*.part"))

    # The classes are plain to see, so they are the modes.
    assert dataset.accuracy == 1
    assert dataset.modes is not None
    assert dataset.modes.names == tuple("0123456789")
    assert coverage(dataset.modes, dataset.sample(2500, seeded())).modes == 10

    del dataset
    gc.collect()
    again = load("mnist", size=32)
    assert again.shape == (1, 32, 32)
    assert len(server.asked) == 4


def test_fashion_without_learnable_classes_has_no_modes(monkeypatch, folders, server):
    serve_mnist(monkeypatch, folders[0], [server.url], fashion=True)
    dataset = load("fashion", size=28)
    assert isinstance(dataset, ImageData)
    assert dataset.accuracy < 0.5
    assert dataset.modes is None


def test_cifar_keeps_its_channels_in_order(monkeypatch, folders, server):
    rows = serve_cifar(monkeypatch, folders[0], server.url)
    dataset = load("cifar10", size=32)
    assert isinstance(dataset, ImageData)
    assert dataset.shape == (3, 32, 32)
    # In the files, a row is the red plane, then the green, then the blue.
    assert torch.equal(dataset.pixels.flatten(1), torch.from_numpy(rows))
    assert dataset.modes is None
    assert load("cifar10", size=16).shape == (3, 16, 16)
    assert len(server.asked) == 1


def test_the_second_mirror_is_tried(monkeypatch, folders, server):
    serve_mnist(monkeypatch, folders[0], [server.url + "gone/", server.url])
    assert load("mnist", size=28).shape == (1, 28, 28)
    assert len(server.asked) == 8


def test_files_cut_off_while_unpacking_are_unpacked_again(monkeypatch, folders, server):
    site, cache = folders
    serve_mnist(monkeypatch, site, [server.url])
    load("mnist", size=28)
    gc.collect()
    raw = cache / "MNIST" / "raw" / "train-images-idx3-ubyte"
    raw.write_bytes(raw.read_bytes()[:5000])
    monkeypatch.setattr(datasets.MNIST, "mirrors", [NOWHERE])
    assert load("mnist", size=28).shape == (1, 28, 28)


def test_a_damaged_archive_in_the_cache_is_fetched_again(monkeypatch, folders, server):
    site, cache = folders
    serve_mnist(monkeypatch, site, [server.url])
    raw = cache / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(b"half a file")
    assert load("mnist", size=28).shape == (1, 28, 28)


@pytest.mark.parametrize("name", ["mnist", "fashion", "cifar10"])
def test_without_a_network_the_reason_is_told(monkeypatch, folders, name: str):
    _, cache = folders
    for kind in (datasets.MNIST, datasets.FashionMNIST):
        monkeypatch.setattr(kind, "mirrors", [NOWHERE])
    monkeypatch.setattr(datasets.CIFAR10, "url", NOWHERE + "cifar.tar.gz")
    with pytest.raises(data.DataError) as caught:
        load(name, size=28)
    message = str(caught.value)
    assert message.startswith(f"{data.title(name)} could not be downloaded from 127.0.0.1:9 (")
    assert message.endswith(f"need no download: {without_download()}.")
    assert "\n" not in message
    assert not list(cache.rglob("*.part"))


def test_a_silent_server_is_given_up(monkeypatch, folders):
    patience = download.TIMEOUT
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(
            datasets.MNIST, "mirrors", [f"http://127.0.0.1:{silent.getsockname()[1]}/"]
        )
        start = time.perf_counter()
        with pytest.raises(data.DataError, match="timed out"):
            load("mnist", size=28)
        assert time.perf_counter() - start < patience


def test_a_damaged_download_is_refused_and_not_kept(monkeypatch, folders, server):
    site, cache = folders
    serve_mnist(monkeypatch, site, [server.url])
    damaged = site / "train-images-idx3-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    with pytest.raises(data.DataError, match="damaged"):
        load("mnist", size=28)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_failure_is_not_remembered(monkeypatch, folders, server):
    serve_mnist(monkeypatch, folders[0], [NOWHERE])
    with pytest.raises(data.DataError):
        load("mnist", size=28)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [server.url])
    assert load("mnist", size=28).shape == (1, 28, 28)


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, folders):
    site, _ = folders
    (site / "file").write_text("")
    monkeypatch.setenv("WGAN_DATA", str(site / "file"))
    with pytest.raises(data.DataError, match=r"MNIST could not be stored in .*site/file"):
        load("mnist", size=28)


def test_a_stopped_download_leaves_nothing(monkeypatch, folders, server):
    site, cache = folders
    serve_mnist(monkeypatch, site, [server.url])

    def stop(text: str, share: float | None) -> None:
        if text.startswith("Downloading"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load("mnist", size=28, progress=stop)
    assert not [path for path in cache.rglob("*") if path.is_file()]
