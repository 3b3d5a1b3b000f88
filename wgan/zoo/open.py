"""Opens a generator wherever it lies: a folder of ours, one that came from the Hub, a file."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from wgan.config import is_repo_id
from wgan.data.base import Progress
from wgan.files import expanded, read_bounded
from wgan.hub import cached, check_repo_id, never
from wgan.hub.repos import cache_folder
from wgan.zoo.architecture import ZooError
from wgan.zoo.bundled import bundled, find
from wgan.zoo.catalog import find_entry
from wgan.zoo.catalog_files import pull_entry
from wgan.zoo.checkpoint import CONFIG, Checkpoint, is_ours, open_checkpoint
from wgan.zoo.importers import import_weights
from wgan.zoo.pull import pull
from wgan.zoo.repo_files import foreign, weights_file
from wgan.zoo.upload import MAX_UPLOAD, open_upload

_MOST_FILES = 10_000  # that are looked at in a folder


def pulled(repo_id: str, commit: str | None = None) -> Path | None:
    """The folder of a repository whose weights this machine has; asks nobody.

    commit: None is the one that was pulled last. Raises `HubError` for what is no repository.
    """
    known = cached(repo_id, commit=commit)
    if known is None or weights_file(file.name for file in known.files) is None:
        return None
    return cache_folder(known.id, "model") / "snapshots" / known.commit


def open_named(name: str, report: Progress) -> Checkpoint:
    """A generator by what a person typed: a folder, a file, a bundled name, one of the
    catalogue, or OWNER/NAME.

    Raises `ZooError` or `HubError`.
    """
    place = expanded(name)
    try:
        there = place.exists()
    except (OSError, ValueError) as error:  # a name too long, or no right to look
        why = getattr(error, "strerror", None) or error
        raise ZooError(f"{name[:100]!r} cannot be opened: {why}.") from None
    if there:
        return open_place(place)
    if name in (one.name for one in bundled()):
        return open_place(find(name).folder)
    if (entry := find_entry(name)) is not None:
        return open_place(pull_entry(entry, report))
    if place.parent != Path() and place.parent.is_dir():
        raise ZooError(f"There is nothing named {place.name!r} in {place.parent}.")
    if is_repo_id(name) or "://" in name:
        return open_place(pull(check_repo_id(name), report, never).folder)
    raise ZooError(
        f"{name[:100]!r} is neither a folder nor a file, nor a repository's OWNER/NAME, nor a name "
        f"of `catalog`, nor one of ours: {', '.join(one.name for one in bundled())}."
    )


def open_place(place: Path) -> Checkpoint:
    """The generator in a folder or in a file of weights. Raises `ZooError`."""
    if place.suffix.lower() == ".zip":
        return open_upload(place.name, _read(place))  # what the lab hands out
    if not place.is_dir():
        return _imported(place, None)
    if is_ours(place):
        return open_checkpoint(place)
    names = _names(place)
    weights = weights_file(names)
    if weights is None:
        raise ZooError(foreign(names) or f"There are no weights of a generator in {place}.")
    return _imported(place / weights, place / CONFIG if CONFIG in names else None)


def _read(file: Path) -> bytes:
    try:
        return read_bounded(file, MAX_UPLOAD * 10**6)
    except OSError as error:
        raise ZooError(f"{file} cannot be read: {error.strerror}.") from None


def _names(folder: Path) -> list[str]:
    try:
        inside = islice(folder.rglob("*"), _MOST_FILES)
        return [path.relative_to(folder).as_posix() for path in inside if path.is_file()]
    except OSError as error:
        raise ZooError(f"{folder} cannot be read: {error.strerror}.") from None


def _imported(weights: Path, config: Path | None) -> Checkpoint:
    imported = import_weights(weights, config)
    return Checkpoint(imported.architecture, imported.generator, card=imported.note)
