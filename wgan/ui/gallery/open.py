"""Opening generators, once for all who look at them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from wgan.zoo.bundled import bundled, find
from wgan.zoo.catalog import find_entry, load_catalog
from wgan.zoo.catalog_files import place_of
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.open import open_place


def comparable() -> dict[str, str]:
    """What can be shown beside another one, and its title: ours, and the published ones here."""
    here = {entry.id: entry.title for entry in load_catalog() if entry.loads and place_of(entry)}
    return {**{one.name: one.label for one in bundled()}, **here}


def open_comparable(name: str) -> Checkpoint:
    """One of `comparable`. Raises `ZooError`."""
    entry = find_entry(name)
    place = place_of(entry) if entry is not None else None
    return open_once(place) if place is not None else open_bundled(name)


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
