"""Fetches one file over HTTP: checked, whole or not at all, and told about as it goes."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

TIMEOUT = 10  # seconds without a byte, or without an answer
_CHUNK = 1 << 18  # bytes


def is_intact(path: Path, md5: str) -> bool:
    """Whether the file is there and has this MD5 sum (hexadecimal)."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, _md5).hexdigest() == md5


def fetch(
    urls: Sequence[str], path: Path, md5: str, report: Callable[[int, int | None], None]
) -> None:
    """Downloads to `path` from the first of `urls` that delivers a file with this MD5 sum.

    report(done, total) is told the bytes so far; total is None when the server does not say.
    Raises what the last address raised: `OSError` or `HTTPException`.
    """
    for url in urls[:-1]:
        try:
            return _fetch(url, path, md5, report)
        except (OSError, HTTPException):
            continue  # the next mirror may do better
    _fetch(urls[-1], path, md5, report)


def _fetch(url: str, path: Path, md5: str, report: Callable[[int, int | None], None]) -> None:
    digest = _md5()
    # Beside its place, then moved there at once: nobody ever sees half a file, and two processes
    # that download the same file do not disturb each other.
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        with partial.open("wb") as file, urlopen(url, timeout=TIMEOUT) as response:
            total = response.length
            done = 0
            report(done, total)
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                report(done, total)
        if digest.hexdigest() != md5:
            raise OSError(f"the file from {url} is damaged: {done:,} bytes with a wrong MD5 sum")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)  # guards against accidents, not attackers
