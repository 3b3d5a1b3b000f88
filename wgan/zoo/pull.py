"""Brings a generator from the Hub to this machine: its weights, and what explains them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wgan.data.base import Progress
from wgan.hub import FILES, Bytes, HubError, Repo, cached, describe, fetch
from wgan.hub.repos import Token
from wgan.zoo.repo_files import foreign, weights_file

MAX_WEIGHTS = 2_000_000_000  # bytes
MAX_OTHER = 25_000_000


@dataclass(frozen=True)
class Pulled:
    """A repository on this machine.

    folder: holds `files` under their names, in the client's cache: read it, never write to it.
    weights: the one of them with the generator's weights.
    fresh: False when the Hub could not be asked and an earlier pull is what came back.
    """

    repo: Repo
    folder: Path
    files: tuple[str, ...]
    weights: str
    fresh: bool


def pull(
    repo_id: str,
    report: Progress,
    cancelled: Callable[[], bool],
    revision: str | None = None,
    token: Token = None,
) -> Pulled:
    """Pulls the newest commit of a model, or a revision, for use as a `wgan.zoo.job.Work`.

    token: as in `wgan.hub.describe`; a server passes False, so that no visitor reads what only
    the server's owner may.
    Raises `HubError` for what cannot be had, or does not load here by the look of its files, and
    `Cancelled`.
    """
    report(f"Looking at {repo_id}", None)
    repo, fresh = _find(repo_id, revision, token)
    names = [file.name for file in repo.files]
    weights = weights_file(names)
    why_not = foreign(names)
    if why_not is not None or weights is None:
        raise HubError(f"{repo.id} does not load: {why_not}")
    wanted = [*(name for name in FILES if name in names and name != weights), weights]
    sizes = {file.name: file.size or 0 for file in repo.files if file.name in wanted}
    path, before = Path(), 0
    for name in wanted:
        progress = told(report, f"Pulling {repo.id}: {name}", before, sum(sizes.values()))
        limit = MAX_WEIGHTS if name == weights else MAX_OTHER
        path = fetch(repo, name, progress, cancelled, max_bytes=limit, token=token)
        before += sizes[name]
    folder = path.parents[len(Path(weights).parts) - 1]  # the weights came last
    return Pulled(repo, folder, tuple(wanted), weights, fresh)


def _find(repo_id: str, revision: str | None, token: Token) -> tuple[Repo, bool]:
    """The repository, and whether it is as the Hub has it now."""
    try:
        return describe(repo_id, revision=revision, token=token), True
    except HubError as error:
        earlier = cached(repo_id, commit=revision) if error.offline else None
        if earlier is None or weights_file(file.name for file in earlier.files) is None:
            raise
        return earlier, False


def told(report: Progress, what: str, before: int, total: int | None) -> Bytes:
    """The progress of one file as that of all: `before` bytes came with the others, of `total`."""

    def progress(done: int, size: int | None) -> None:
        done += before
        whole = total or size
        of = f" of {whole / 1e6:.1f}" if whole else ""
        report(f"{what}, {done / 1e6:.1f}{of} MB", min(done / whole, 1.0) if whole else None)

    return progress
