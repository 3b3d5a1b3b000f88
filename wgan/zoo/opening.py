"""Opens a generator wherever it lies: a folder of ours, one that came from the Hub, a file."""

from __future__ import annotations

from pathlib import Path

from wgan.hub import cached
from wgan.hub.repos import cache_folder
from wgan.zoo.architecture import ZooError
from wgan.zoo.checkpoint import CONFIG, Checkpoint, is_ours, open_checkpoint
from wgan.zoo.importers import import_weights
from wgan.zoo.kinds import foreign, weights_file


def pulled(repo_id: str, commit: str | None = None) -> Path | None:
    """The folder of a repository whose weights this machine has; asks nobody.

    commit: None is the one that was pulled last. Raises `HubError` for what is no repository.
    """
    known = cached(repo_id)
    if known is None:
        return None
    folder = cache_folder(known.id, "model") / "snapshots" / (commit or known.commit)
    return folder if weights_file(_names(folder)) is not None else None


def open_place(place: Path) -> Checkpoint:
    """The generator in a folder or in a file of weights. Raises `ZooError`."""
    if not place.is_dir():
        return _imported(place, None)
    if is_ours(place):
        return open_checkpoint(place)
    names = _names(place)
    weights = weights_file(names)
    if weights is None:
        raise ZooError(foreign(names) or f"There are no weights of a generator in {place}.")
    return _imported(place / weights, place / CONFIG if CONFIG in names else None)


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _imported(weights: Path, config: Path | None) -> Checkpoint:
    imported = import_weights(weights, config)
    return Checkpoint(imported.architecture, imported.generator, card=imported.note)
