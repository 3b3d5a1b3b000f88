"""Files that were made to hurt: each is refused in one sentence, quickly and in little memory."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickletools
import shutil
import struct
import time
import zipfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.test_refusals import refused, saved
from wgan import cli
from wgan.config import ExperimentConfig
from wgan.files import open_regular, read_bounded
from wgan.persistence import run_files
from wgan.zoo.architecture import ZooError
from wgan.zoo.bundled import FOLDER
from wgan.zoo.checkpoint import open_checkpoint
from wgan.zoo.importers import import_weights
from wgan.zoo.open import open_named
from wgan.zoo.upload import open_upload

Capture = pytest.CaptureFixture[str]
RING = FOLDER / "ring-wgan-gp"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe that nobody writes into: who opens it waits for ever."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of a sound checkpoint."""
    return Path(shutil.copytree(RING, tmp_path / "checkpoint"))


# Pipes and devices.


def test_only_regular_files_are_read(pipe: Path, tmp_path: Path):
    regular = tmp_path / "file"
    regular.write_bytes(b"12345")
    (tmp_path / "link").symlink_to(regular)
    assert read_bounded(tmp_path / "link", 5) == b"12345"
    with pytest.raises(OSError, match="larger"):
        read_bounded(regular, 4)
    for place in (pipe, Path("/dev/zero"), Path("/dev/random"), tmp_path, tmp_path / "none"):
        with pytest.raises(OSError, match=r"regular|directory"):
            open_regular(place)


@pytest.mark.parametrize("place", ["/dev/zero", "/dev/random", "PIPE", "LINK"])
@pytest.mark.parametrize(
    "words",
    [
        ["train", "X"],
        ["train", "ring-gan", "--folder", "X", "--steps", "1"],
        ["replay", "X"],
        ["sample", "X", "--out", "OUT"],
        ["import", "X", "--out", "OUT"],
        ["export", "X", "--csv", "OUT"],
        ["push", "X", "owner/name"],
    ],
    ids=" ".join,
)
def test_a_special_file_is_refused(
    capsys: Capture, pipe: Path, tmp_path: Path, words: list[str], place: str
):
    (tmp_path / "link").symlink_to("/dev/zero")
    known = {"PIPE": str(pipe), "LINK": str(tmp_path / "link"), "OUT": str(tmp_path / "out")}
    words = [known.get(word, word) for word in words]
    refused(capsys, *[known.get(place, place) if word == "X" else word for word in words])


@pytest.mark.parametrize("name", ["config.json", "events.json", "model.safetensors"])
def test_a_run_whose_file_is_a_device_is_refused(capsys: Capture, tmp_path: Path, name: str):
    saved(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    refused(capsys, "replay", str(tmp_path))


def test_a_checkpoint_whose_files_are_devices_is_refused_or_does_without(
    capsys: Capture, checkpoint: Path, tmp_path: Path
):
    for name in ("history.json", "events.json", "README.md", "samples.png"):
        (checkpoint / name).unlink()
        (checkpoint / name).symlink_to("/dev/zero")
    opened = open_checkpoint(checkpoint)
    assert (opened.curves, opened.events, opened.card) == ({}, (), "")
    for name in ("model.safetensors", "config.json"):
        (checkpoint / name).unlink()
        (checkpoint / name).symlink_to("/dev/zero")
        refused(capsys, "sample", str(checkpoint), "--out", str(tmp_path / "x.png"))


def test_pictures_that_are_pipes_are_left_out(capsys: Capture, pipe: Path, tmp_path: Path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    pipe.rename(folder / "a.png")
    (folder / "b.png").symlink_to("/dev/zero")
    words = ["--folder", str(folder), "--steps", "1"]
    assert "2 that cannot be read" in refused(capsys, "train", "ring-gan", *words)


# Words that name nothing.


LONG = "x" * 300


@pytest.mark.parametrize(
    "words",
    [
        ["train", "ring-gan", "--steps", "1", "--out", LONG],
        ["train", "ring-gan", "--steps", "1", "--folder", "nope"],
        ["train", "ring-gan", "--steps", "1", "--folder", "~nosuchuser/x"],
        ["train", LONG],
        ["sample", "~nosuchuser", "--out", "x.png"],
        ["sample", LONG, "--out", "x.png"],
        ["sample", "a\0b", "--out", "x.png"],
        ["sample", str(RING), "-n", "1", "--out", LONG],
        ["sample", str(RING), "-n", "1", "--out", "a\0b"],
        ["sample", str(RING), "-n", "1", "--out", "/dev/full"],
        ["import", LONG, "--out", "x"],
        ["import", "a\0b", "--out", "x"],
        ["export", LONG, "--csv", "x"],
        ["export", "a\0b", "--csv", "x"],
        ["export", "ring-gan", "--config", LONG],
        ["export", "ring-gan", "--gif", "."],
        ["export", "ring-gan", "--gif", LONG],
        ["push", LONG, "owner/name"],
        ["push", "nope", "owner/name"],
        ["pull", "a/b--c"],
        ["modes", "--out", ""],
        ["modes", "--out", "."],
        ["modes", "--out", "/dev/full"],
        ["modes", "--out", LONG],
        ["modes", "--out", "a\0b"],
        ["figure", "layers", "--out", LONG],
        ["figure", "layers", "--out", "/dev/full"],
    ],
    ids=lambda words: " ".join(words)[:40].replace("\0", "0"),
)
def test_words_that_name_nothing_are_refused(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    refused(capsys, *words)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["out"])


def test_a_full_device_is_no_success(capsys: Capture, monkeypatch: pytest.MonkeyPatch):
    full = os.fdopen(os.open("/dev/full", os.O_WRONLY), "w", closefd=False)
    monkeypatch.setattr("sys.stdout", full)
    assert cli.main(["presets"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    monkeypatch.undo()
    with contextlib.suppress(OSError):
        full.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_refused(capsys: Capture, checkpoint: Path, tmp_path: Path):
    checkpoint.chmod(0)
    try:
        for words in (["sample", str(checkpoint)], ["sample", str(checkpoint / "x")]):
            refused(capsys, *words, "--out", str(tmp_path / "x.png"))
        refused(capsys, "replay", str(checkpoint))
        refused(capsys, "train", "ring-gan", "--folder", str(checkpoint), "--steps", "1")
    finally:
        checkpoint.chmod(0o700)


# What lies beside a generator.


HUGE = "9" * 4000


@pytest.mark.parametrize("step", ["Infinity", "NaN", HUGE, "-1e400", '"1"', "null", "[1]"])
def test_a_log_of_impossible_steps_shows_nothing(checkpoint: Path, step: str):
    event = f'{{"step": {step}, "kind": "change", "text": "x", "changes": {{}}}}'
    (checkpoint / "events.json").write_text(f'{{"steps": 1, "events": [{event}]}}')
    assert open_checkpoint(checkpoint).events == ()


@pytest.mark.parametrize("number", ["Infinity", HUGE, '"x"', "[1]", "{}"])
def test_curves_of_impossible_steps_are_left_out(checkpoint: Path, number: str):
    curve = f'{{"step": [{number}], "mean": [1], "low": [1], "high": [1]}}'
    (checkpoint / "history.json").write_text(f'{{"w1": {curve}}}')
    curves = open_checkpoint(checkpoint).curves
    assert curves == {}


@pytest.mark.parametrize("number", [HUGE, "Infinity", "NaN", "-1e400", '"x"', "[1]"])
def test_figures_that_cannot_be_shown_are_left_out(checkpoint: Path, number: str):
    path = checkpoint / "config.json"
    config = json.loads(path.read_text())
    config["figures"]["w1"] = config["steps"] = "HERE"
    path.write_text(json.dumps(config).replace('"HERE"', number))
    opened = open_checkpoint(checkpoint)
    assert "w1" not in opened.figures
    assert opened.figures["modes"] == 8
    assert opened.steps is None


def test_a_run_of_impossible_length_is_refused(capsys: Capture, tmp_path: Path):
    saved(tmp_path)
    for steps in (HUGE, "Infinity", "1e400"):
        (tmp_path / "events.json").write_text(f'{{"steps": {steps}, "events": []}}')
        refused(capsys, "replay", str(tmp_path))


# Zips and weights.


def checkpoint_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in ("config.json", "model.safetensors"):
            zipped.write(RING / name, name)
    return out.getvalue()


def with_a_bad_name(content: bytes) -> bytes:
    """A name that is no UTF-8 although its flag says so."""
    changed = bytearray(content.replace(b"config.json", b"\xff\xfeonfig.json"[:11]))
    at = -1
    while (at := changed.find(b"PK\x01\x02", at + 1)) >= 0:
        changed[at + 9] |= 8
    return bytes(changed)


def with_directory_at(place: int) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        end = content.rfind(b"PK\x05\x06")
        return content[: end + 16] + struct.pack("<L", place) + content[end + 20 :]

    return change


def with_broken_deflate(content: bytes) -> bytes:
    return content[:60] + b"\xff" * 200 + content[260:]


@pytest.mark.parametrize(
    "damage",
    [
        with_a_bad_name,
        with_directory_at(0xFFFFFFF0),
        with_directory_at(0xFFFFFFFF),
        with_directory_at(7),
        with_broken_deflate,
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"PK\x05\x06" + bytes(18),
    ],
    ids=["name", "offset", "zip64", "elsewhere", "deflate", "half", "empty", "nothing in it"],
)
def test_a_damaged_zip_is_refused(
    damage: Callable[[bytes], bytes], capsys: Capture, tmp_path: Path
):
    content = checkpoint_zip()
    open_upload("x.zip", content)
    broken = damage(content)
    assert broken != content
    for name in ("x.zip", "x.pt"):
        with pytest.raises(ZooError):
            open_upload(name, broken)
        path = tmp_path / name
        path.write_bytes(broken)
        refused(capsys, "sample", str(path), "--out", str(tmp_path / "x.png"))


def test_a_zip_of_a_million_files_is_not_listed():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for number in range(70_000):
            zipped.writestr(f"{number}", b"")
    with pytest.raises(ZooError, match="too many files"):
        open_upload("x.zip", out.getvalue())


def seconds(work: Callable[[], Any]) -> float:
    """Of the processor, so that a busy machine makes no difference."""
    began = time.process_time()
    work()
    return time.process_time() - began


def not_imported(path: Path) -> None:
    with pytest.raises(ZooError):
        import_weights(path)


def test_a_pickle_of_a_million_steps_is_not_walked_to_its_end(tmp_path: Path):
    path = tmp_path / "w.pt"
    for head in (b"\x80\x02", b"\x80\x02cos\nsystem\n"):
        program = head + b"N0" * 500_000 + b"."
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("archive/data.pkl", program)
        walk = seconds(lambda p=program: deque(pickletools.genops(p), maxlen=0))
        assert seconds(lambda: not_imported(path)) < walk / 3


def test_a_file_of_90_000_tensors_is_refused_quickly(tmp_path: Path):
    header = {
        f"t{n}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * n, 4 * n + 4]}
        for n in range(90_000)
    }
    text = json.dumps(header).encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4 * 90_000))
    assert seconds(lambda: not_imported(path)) < 30 * seconds(lambda: json.loads(text))


def test_a_huge_folder_is_not_walked_to_its_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("wgan.zoo.open._MOST_FILES", 100)
    with pytest.raises(ZooError):
        open_named("/usr", lambda text, share: None)


def test_a_sound_run_still_repeats(capsys: Capture, tmp_path: Path):
    """The positive control of what is refused above."""
    saved(tmp_path)
    assert cli.main(["replay", str(tmp_path)]) == 0
    assert run_files.open_run(tmp_path)[0].config == ExperimentConfig(
        width=8, depth=1, batch_size=8
    )
