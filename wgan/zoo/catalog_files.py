"""The catalogue's entries in use: pulled, verified and opened, or checked at their live source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wgan.data.base import Progress
from wgan.hub import HubError, cached, describe, never
from wgan.hub.repos import Token, cache_folder
from wgan.zoo.catalog import Entry, HubSource, WebSource
from wgan.zoo.pull import pull, told
from wgan.zoo.repo_files import weights_file
from wgan.zoo.web import WebFile, fetch_web, size_of


def web_file(entry: Entry) -> WebFile:
    """The entry's file. Raises `HubError` for one of the Hub."""
    if not isinstance(entry.source, WebSource):
        raise HubError(f"{entry.id} is on the Hub, and not at an address of its own.")
    return WebFile(entry.source.url, entry.source.sha256, entry.bytes, entry.source.hosts)


def place_of(entry: Entry) -> Path | None:
    """Where this machine has the entry's generator; None when it does not. Asks nobody."""
    if isinstance(entry.source, WebSource):
        path = web_file(entry).path
        return path if path.is_file() else None
    known = cached(entry.source.repo, commit=entry.source.commit)
    if known is None or weights_file(file.name for file in known.files) is None:
        return None
    return cache_folder(known.id, "model") / "snapshots" / known.commit


def pull_entry(
    entry: Entry, report: Progress, cancelled: Callable[[], bool] = never, token: Token = None
) -> Path:
    """Brings an entry to this machine; the folder or the file with its weights.

    token: as in `wgan.hub.describe`. Raises `HubError` with one sentence, and `Cancelled`.
    """
    if not entry.loads:
        raise HubError(f"{entry.title} does not load: {entry.why}")
    if isinstance(entry.source, HubSource):
        return pull(entry.source.repo, report, cancelled, entry.source.commit, token).folder
    file = web_file(entry)
    report(f"Asking {file.host}", None)
    return fetch_web(file, told(report, f"Pulling {entry.title}", 0, entry.bytes), cancelled)


def check_entry(entry: Entry, token: Token = None) -> int | None:
    """Asks the live source whether it has the entry; the size of its weights (bytes) if it says.

    Raises `HubError` with what it said instead.
    """
    if isinstance(entry.source, WebSource):
        file = web_file(entry)
        size = size_of(WebFile(file.url, hosts=file.hosts))
        if entry.bytes is not None and size != entry.bytes:
            raise HubError(f"{file.name} has {size:,} bytes now; it had {entry.bytes:,}.")
        return size
    repo = describe(entry.source.repo, revision=entry.source.commit, token=token)
    names = [file.name for file in repo.files]
    wanted = entry.source.file or weights_file(names)
    if entry.loads and wanted not in names:
        raise HubError(f"{repo.id} has no {wanted or 'file of weights'} at {repo.commit[:8]}.")
    return next((file.size for file in repo.files if file.name == wanted), None)
