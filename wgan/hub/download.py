"""Fetches one file of a repository at one commit into the client's cache, whole or not at all.

The client does the bookkeeping of its cache; the bytes are read here, because its own download
reports and stops only every 10 MB, and begins again from nothing when it is repeated.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.file_download import HfFileMetadata
from huggingface_hub.utils import WeakFileLock, build_hf_headers

from wgan.hub.errors import BrokenOff, Cancelled, HubError, disk_full
from wgan.hub.network import (
    CONNECT,
    POLL,
    SILENCE,
    Asked,
    Download,
    asking,
    call_with_timeout,
    check_connection,
    endpoint,
    never,
)
from wgan.hub.repos import Repo, Token, cache_folder

Bytes = Callable[[int, int | None], None]  # progress(done, total), both in bytes

MAX_BYTES = 4_000_000_000
ATTEMPTS = 3  # at one file before a broken connection is reported
# What the Hub calls a file's content: git's SHA-1 of it, or its SHA-256 where it is large.
_FINGERPRINT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_CHUNK = 1 << 20


def silent(done: int, total: int | None) -> None:
    """For those who do not want to be told."""


def check_file_name(file: str) -> str:
    """The name of a file inside a repository. Raises `HubError` for one that would leave it."""
    plain = file.isprintable() and "\\" not in file and ":" not in file
    if not plain or set(file.split("/")) & {"", ".", ".."}:
        raise HubError(f"{file[:100]!r} is not the name of a file inside a repository.")
    return file


def fetch(
    repo: Repo,
    file: str,
    progress: Bytes = silent,
    cancelled: Asked = never,
    *,
    max_bytes: int = MAX_BYTES,
    token: Token = None,
) -> Path:
    """The path of a file of `repo` at its commit; what the cache has is not asked for again.

    A download that was cut off or cancelled goes on from where it was. Content that does not
    have the fingerprint that the Hub gives for it is thrown away. `progress` is called in the
    caller's thread. Raises `HubError`, `Cancelled` (within half a second), and whatever
    `progress` raises.
    """
    check_file_name(file)
    kept = try_to_load_from_cache(repo.id, file, revision=repo.commit, repo_type=repo.kind)
    if isinstance(kept, str):
        size = os.path.getsize(kept)
        progress(size, size)
        return Path(kept)
    about = f"{file} of {repo.id}"
    known = next((entry.size for entry in repo.files if entry.name == file), None)
    _check_size(about, known, max_bytes)
    check_connection()
    url = hf_hub_url(repo.id, file, repo_type=repo.kind, revision=repo.commit, endpoint=endpoint())
    with asking(about):
        metadata = call_with_timeout(
            lambda: get_hf_file_metadata(url, token=token, timeout=SILENCE, endpoint=endpoint()),
            CONNECT + SILENCE,
            cancelled,
        )
        etag = metadata.etag or ""
        if not _FINGERPRINT.fullmatch(etag):
            raise ValueError("no fingerprint")
    _check_size(about, metadata.size, max_bytes)
    blob = cache_folder(repo.id, repo.kind) / "blobs" / etag
    with _alone(blob, about, cancelled):
        if blob.exists():  # the same content at another commit, or under another name
            progress(blob.stat().st_size, metadata.size)
        else:
            _bring(url, blob, metadata, about, progress, cancelled, token)
    with asking(about):
        # The bytes are there; this gives them their name at the commit, as the client does.
        path = call_with_timeout(
            lambda: hf_hub_download(
                repo.id,
                file,
                repo_type=repo.kind,
                revision=repo.commit,
                endpoint=endpoint(),
                etag_timeout=SILENCE,
                token=token,
            ),
            CONNECT + SILENCE,
            cancelled,
        )
    return Path(path)


def _check_size(about: str, size: int | None, limit: int) -> None:
    if size is not None and size > limit:
        raise HubError(
            f"{about} has {size / 1e6:,.0f} MB, more than the {limit / 1e6:,.0f} MB that are "
            "fetched; choose a smaller one."
        )


@contextmanager
def _alone(blob: Path, about: str, cancelled: Asked) -> Iterator[None]:
    """Keeps others, in this process or another, from fetching the same content meanwhile."""
    folder = blob.parent
    lock = folder.parent.parent / ".locks" / folder.parent.name / f"{blob.name}.wgan.lock"
    with ExitStack() as held:
        with asking(about):
            lock.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            while True:
                if cancelled():
                    raise Cancelled
                with suppress(TimeoutError):
                    held.enter_context(WeakFileLock(lock, timeout=POLL))
                    break
        yield


def _bring(
    url: str,
    blob: Path,
    metadata: HfFileMetadata,
    about: str,
    progress: Bytes,
    cancelled: Asked,
    token: Token,
) -> None:
    """Downloads content to `blob`, by way of a file beside it that outlives a broken connection."""
    part = blob.with_name(f"{blob.name}.wgan-part")
    size = metadata.size
    headers = build_hf_headers(token=token)
    for _ in range(ATTEMPTS):
        have = part.stat().st_size if part.exists() else 0
        if size is not None and shutil.disk_usage(blob.parent).free < size - have:
            raise disk_full(size - have)
        if _append(url, part, have, size, about, headers, progress, cancelled):
            break
    else:
        have = part.stat().st_size
        of = f" of {size / 1e6:,.1f}" if size else ""
        raise HubError(
            f"{about} was cut short after {have / 1e6:,.1f}{of} MB, and is not used; "
            "try again, it goes on from there."
        )
    if not _matches(part, metadata.etag or "", cancelled):
        part.unlink()
        raise HubError(
            f"{about} came damaged (it is not what the Hub says it should be), and was thrown "
            "away; try again."
        )
    part.replace(blob)


def _append(
    url: str,
    part: Path,
    have: int,
    size: int | None,
    about: str,
    headers: dict[str, str],
    progress: Bytes,
    cancelled: Asked,
) -> bool:
    """Adds to the `have` bytes of `part` what is missing; whether all of it came."""
    if have and have == size:
        return True
    with Download(url, headers, have, about, cancelled) as body:
        done = body.start
        with asking(about):
            file = part.open("r+b" if done else "wb")
        with file:
            file.seek(done)
            progress(done, size)
            try:
                for piece in body:
                    with asking(about):
                        file.write(piece)
                        file.flush()
                    done += len(piece)
                    progress(done, size)
                    if size is not None and done > size:
                        break  # not what was announced: its fingerprint will tell
            except BrokenOff:
                return done == size
    return size is None or done >= size


def _matches(path: Path, etag: str, cancelled: Asked) -> bool:
    """Whether the file has the fingerprint that the Hub calls it by."""
    if len(etag) == 64:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if cancelled():
                raise Cancelled
    return digest.hexdigest() == etag
