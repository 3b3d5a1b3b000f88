"""Brings a generator from the Hub to this machine: its weights, and what explains them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from wgan.data.base import Progress
from wgan.hub import FILES, Repo, fetch
from wgan.zoo.architecture import ZooError
from wgan.zoo.kinds import foreign, weights_file

MAX_WEIGHTS = 2_000_000_000  # bytes
MAX_OTHER = 25_000_000


def wanted(repo: Repo) -> tuple[str, ...]:
    """The files to pull: the generator's weights, last, and those of our format beside them.

    Raises `ZooError` with what the repository is when nothing in it loads here.
    """
    names = [file.name for file in repo.files]
    weights, why_not = weights_file(names), foreign(names)
    if weights is None or why_not is not None:
        raise ZooError(f"{repo.id} does not load: {why_not}")
    return (*(name for name in FILES if name in names and name != weights), weights)


def size_of(repo: Repo) -> int:
    """Bytes to pull, as far as the Hub says. Raises `ZooError` like `wanted`."""
    names = wanted(repo)
    return sum(file.size or 0 for file in repo.files if file.name in names)


def pull(repo: Repo, report: Progress, cancelled: Callable[[], bool]) -> Path:
    """Fetches what is wanted into the client's cache; returns the folder of that commit.

    The folder is the cache's: read it, never write to it. Raises `ZooError`, `HubError`, and
    `Cancelled`.
    """
    names, total, before = wanted(repo), size_of(repo), 0
    path = Path()
    for name in names:

        def told(done: int, size: int | None, before: int = before, name: str = name) -> None:
            done += before
            share = min(done / total, 1.0) if total else None
            report(f"Pulling {name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB", share)

        limit = MAX_WEIGHTS if name == names[-1] else MAX_OTHER
        path = fetch(repo, name, told, cancelled, max_bytes=limit)
        before += path.stat().st_size
    return path.parents[len(PurePosixPath(names[-1]).parts) - 1]
