"""Image data sets on the Hub: fetched shard by shard, decoded once, kept as pixels."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from wgan import hub
from wgan.config import HUB
from wgan.data.base import DataError, Progress
from wgan.data.cache import cache_folder
from wgan.data.hub_cache import ImageCache, State
from wgan.data.parquet import Row, Shard
from wgan.data.pictures import PictureError, Pixels, read_picture
from wgan.data.pixels import Pictures
from wgan.data.titles import title, without_download

REPOS = {"celeba": "flwrlabs/celeba", "lsun": "pcuenq/lsun-bedrooms"}
CHUNK = 256  # rows between two notes of how far it has come
HOPELESS = 2000  # rows without one readable image
RESERVE = 1_000_000_000  # bytes of the disk that are left alone

_TRAIN = re.compile(r"(^|[/._-])train([/._-])")
_OTHERS = re.compile(r"(^|[/._-])(test|valid|validation|val|dev|eval)([/._-])")


def read_hub(name: str, size: int, limit: int, progress: Progress) -> Pictures:
    """The first `limit` images (0: all) of `celeba`, `lsun` or `hub:OWNER/NAME`.

    Centre squares of size × size pixels, in the order of the repository's training shards; only
    as many shards as that takes are fetched. Images that were decoded before need no network.
    Raises `DataError`.
    """
    repo_id = REPOS.get(name) or name.removeprefix(HUB)
    place = cache_folder() / "hub" / repo_id.replace("/", "--")
    kept = _kept(place, size)
    for cache in kept:
        if cache.state.serves(limit):
            return cache.read(limit)
    try:
        progress(f"Asking the Hub for {title(name)}", None)
        repo = hub.describe(repo_id, "dataset")
        loading = _Loading(name, limit, progress, _shards_of(repo, name))
        cache = ImageCache(place / repo.commit / f"{size}px", size)
        with cache.locked(progress):
            _fill(cache, repo, loading)
    except hub.HubError as error:
        raise DataError(_why_not(name, error, kept)) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full" if full else error.strerror
        raise DataError(f"{title(name)} could not be stored in {place} ({why}).") from error
    return cache.read(limit)


def train_shards(files: Iterable[hub.RepoFile]) -> list[hub.RepoFile]:
    """The parquet files of the training split, in order: of one folder, which is one config.

    Without a split of that name, those that are not named after another one; else any.
    """
    parquet = [file for file in files if file.name.endswith(".parquet")]
    train = [file for file in parquet if _TRAIN.search(file.name)]
    others = [file for file in parquet if not _OTHERS.search(file.name)]
    found = train or others or parquet
    folders = {str(PurePosixPath(file.name).parent) for file in found}
    usual = [folder for folder in ("data", "default", "default/train", ".") if folder in folders]
    folder = (usual or sorted(folders) or [""])[0]
    inside = (file for file in found if str(PurePosixPath(file.name).parent) == folder)
    return sorted(inside, key=lambda file: file.name)


def _shards_of(repo: hub.Repo, name: str) -> list[hub.RepoFile]:
    shards = train_shards(repo.files)
    if not shards:
        kinds = sorted({PurePosixPath(file.name).suffix or file.name for file in repo.files})
        raise DataError(
            f"{title(name)} has no parquet files on the Hub, which are all that can be read here; "
            f"it has {', '.join(kinds[:8]) or 'no files'}."
        )
    return shards


@dataclass
class _Loading:
    """What is wanted, and who wants to know how far it is. fetched: bytes of shards so far."""

    name: str
    limit: int
    progress: Progress
    shards: list[hub.RepoFile]
    fetched: int = 0

    def tell(self, state: State, fetching: int = 0) -> None:
        total = f" of {self.limit:,}" if self.limit else ""
        megabytes = (self.fetched + fetching) / 1e6
        share = state.images / self.limit if self.limit else len(state.shards) / len(self.shards)
        text = f"{state.images:,}{total} images, {megabytes:,.0f} MB fetched"
        self.progress(f"Loading {title(self.name)}: {text}", min(1.0, share))


def _fill(cache: ImageCache, repo: hub.Repo, loading: _Loading) -> None:
    """Fetches and decodes until the cache serves the limit."""
    while not cache.state.serves(loading.limit):
        state = cache.state
        file = loading.shards[len(state.shards)]
        _check_room(cache.folder, file.size or 0)

        def report(done: int, total: int | None, state: State = state) -> None:
            loading.tell(state, fetching=done)

        path = hub.fetch(repo, file.name, report)
        loading.fetched += path.stat().st_size
        with closing(Shard(path, f"{file.name} of {repo.id}")) as shard:
            _decode(cache, shard, file.name, loading)


def _decode(cache: ImageCache, shard: Shard, name: str, loading: _Loading) -> None:
    """Adds the images of a shard from where the cache stopped, to the shard's end or the limit."""
    images: list[Pixels] = []
    labels: list[int] = []
    state = cache.state
    for row in shard.read(state.row):
        image = _picture(row, cache.size)
        if image is None:
            state = replace(state, row=state.row + 1, skipped=state.skipped + 1)
        else:
            images.append(image)
            labels.append(row.label)
            state = replace(state, row=state.row + 1, images=state.images + 1)
        if not state.images and state.skipped >= HOPELESS:
            break
        if state.serves(loading.limit) or state.row % CHUNK == 0:
            cache.append(images, labels, state)
            images, labels = [], []
            loading.tell(state)
            if state.serves(loading.limit):
                return
    shards = (*state.shards, name)
    last = len(shards) == len(loading.shards)
    if not state.images and (last or state.skipped >= HOPELESS):
        raise DataError(
            f"None of the {state.skipped:,} images in the column {shard.image!r} of "
            f"{loading.name.removeprefix(HUB)} can be read."
        )
    cache.append(images, labels, replace(state, shards=shards, row=0, complete=last))


def _picture(row: Row, size: int) -> Pixels | None:
    try:
        return None if row.data is None else read_picture(row.data, size)
    except PictureError:
        return None


def _kept(place: Path, size: int) -> list[ImageCache]:
    """What is on the disk of a repository, the commit that was read last first."""
    notes = sorted(place.glob(f"*/{size}px/state.json"), key=os.path.getmtime, reverse=True)
    caches = (ImageCache(note.parent, size) for note in notes)
    return [cache for cache in caches if cache.state.images]


def _check_room(folder: Path, needed: int) -> None:
    if shutil.disk_usage(folder).free < needed + RESERVE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _why_not(name: str, error: hub.HubError, kept: Sequence[ImageCache]) -> str:
    """One sentence for the person: what failed, and what works all the same."""
    if not error.offline:
        return f"{title(name)}: {error}"
    most = max((cache.state.images for cache in kept), default=0)
    here = f"{most:,} images of it are kept here, which limit={most} uses; " if most else ""
    return (
        f"{title(name)} comes from the Hub, which cannot be reached from here; {here}"
        f"these data sets need no download: {without_download()}."
    )
