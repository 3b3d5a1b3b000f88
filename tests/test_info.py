"""`python -m wgan info`: what a server sees, in words and as JSON."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from wgan import info
from wgan.cli import main
from wgan.server.limits import limits


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch):
    """A Hub's address where nobody listens, and limits that are read anew."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
    limits.cache_clear()
    yield
    limits.cache_clear()


def test_json_tells_what_a_server_needs_to_know(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WGAN_DATA", str(tmp_path / "not" / "made"))
    monkeypatch.setenv("WGAN_AUTOSAVE", str(tmp_path / "runs"))
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"versions", "device", "limits", "folders", "hub", "checkpoints"}
    assert found["versions"]["torch"]
    device = found["device"]
    assert device["cores"] == os.cpu_count()
    assert 1 <= device["training_threads"] <= 4
    assert found["limits"]["WGAN_MAX_RUNS"] == "128"
    data = found["folders"]["data sets (WGAN_DATA)"]
    assert data["path"] == str(tmp_path / "not" / "made")
    assert data["writable"] is True
    assert data["free_gb"] > 0
    assert found["hub"]["reachable"] is False
    assert "cannot be reached" in found["hub"]["message"]
    assert "ring-wgan-gp" in found["checkpoints"]
    assert not (tmp_path / "not").exists()  # it only looks


def test_words_have_a_line_a_thing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "Versions",
        "Device",
        "Limits",
        "Folders",
        "Hub",
        "Checkpoints",
    ]


def test_saving_switched_off_and_a_wrong_limit_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WGAN_AUTOSAVE", "off")
    assert main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["folders"]["runs (WGAN_AUTOSAVE)"] is None
    limits.cache_clear()
    monkeypatch.setenv("WGAN_MAX_RUNS", "many")
    assert main(["info", "--json"]) == 0
    assert "WGAN_MAX_RUNS" in json.loads(capsys.readouterr().out)["limits"]["error"]


def test_a_file_in_the_way_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert info.look_at(tmp_path / "file" / "below")["writable"] is False


def test_a_quota_counts(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text("50000 100000\n")
    assert info.cores_allowed(quota) == 0.5
    quota.write_text("max 100000\n")
    assert info.cores_allowed(quota) == len(os.sched_getaffinity(0))
    assert info.cores_allowed(tmp_path / "none") == len(os.sched_getaffinity(0))


def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--yaml"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
