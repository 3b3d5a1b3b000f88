"""Opening generators, once for all who look at them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from wgan.zoo.bundled import bundled, find
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.opening import open_place


def bundled_names() -> list[str]:
    return [one.name for one in bundled()]


def open_bundled(name: str) -> Checkpoint:
    """A generator of `checkpoints/`. Raises `ZooError`."""
    return open_once(find(name).folder)


def open_once(place: Path) -> Checkpoint:
    """A folder or file, opened once a process and version; also by a job. Raises `ZooError`."""
    files = place.glob("*") if place.is_dir() else [place]
    changed = max((path.stat().st_mtime for path in files), default=0.0)
    return _opened(str(place), changed)


@lru_cache(maxsize=12)
def _opened(place: str, changed: float) -> Checkpoint:
    return open_place(Path(place))
