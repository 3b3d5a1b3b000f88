"""An autosave that fails is told on the lab's page, to the owner, until it works again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import live_parts
import pytest
from lab_app import POINTS, LabApp, wait_for

from wgan.persistence import autosave
from wgan.persistence.store import Store
from wgan.server.limits import limits
from wgan.server.registry import lab


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs are saved, into this folder, and soon."""
    monkeypatch.setenv("WGAN_AUTOSAVE", str(tmp_path / "runs"))
    monkeypatch.setattr(autosave, "FIRST", 0.1)
    monkeypatch.setattr(autosave, "RETRY", 0.1)
    limits.cache_clear()
    lab.cache_clear()
    yield tmp_path / "runs"
    limits.cache_clear()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the disk says: Read-only file system")],
)
def test_the_owner_is_told_live_until_the_disk_works_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
):
    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    def pages() -> list[str]:
        return [app.mounted("wgan-page")["channel"] for app in (owner, watcher)]

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", fail)
        owner = LabApp(POINTS, secret="own", owner="own")
        watcher = LabApp(None, run=owner.id)
        wait_for(lambda: lab().warning)
        owner.redraw()
        watcher.redraw()
        (told,) = owner.notices()
        assert words in told
        assert "training goes on" in told
        assert watcher.notices() == []
        owner.step()  # which it does
        owner.redraw()
        assert not live_parts.state(pages()[0])["changed"]  # it is not drawn again and again
    wait_for(lambda: lab().warning is None)
    assert all(live_parts.state(page)["changed"] for page in pages())  # and so drawn again
    owner.redraw()
    assert owner.notices() == []
    assert list(folder.iterdir())


def test_a_failure_that_comes_while_the_page_is_open_has_it_drawn_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    owner = LabApp(POINTS, secret="own", owner="own")
    wait_for(lambda: owner.id in {path.stem for path in folder.glob("*")})
    owner.redraw()
    page = owner.mounted("wgan-page")["channel"]
    assert not live_parts.state(page)["changed"]
    monkeypatch.setattr(lab()._autosaver, "warning", "Runs are not being saved.")
    assert live_parts.state(page)["changed"]


def test_saving_that_is_switched_off_is_no_failure(points: LabApp):
    assert lab().warning
    assert points.notices() == []
