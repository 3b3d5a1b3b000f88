"""Fetches one file over HTTPS from a host that the catalogue names, whole or not at all.

For weights that are published outside the Hub. Nobody types these addresses: they stand in the
catalogue, and an answer that sends elsewhere is followed only to hosts that the entry names too.
A file is used once its SHA-256 begins as it should, and its size is right, where these are known.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from huggingface_hub.utils import WeakFileLock

from wgan.data.cache import cache_folder
from wgan.hub import Bytes, Cancelled, HubError
from wgan.hub.errors import BrokenOff, disk_full
from wgan.hub.network import POLL, SILENCE, Asked, Download

MAX_BYTES = 1_000_000_000
ATTEMPTS = 3  # at one file before a broken connection is reported
_PIECE = 1 << 16  # bytes


@dataclass(frozen=True)
class WebFile:
    """A file at an address. sha256: how it begins; size: in bytes; both None where not known.

    hosts: further hosts that its own may send to.
    """

    url: str
    sha256: str | None = None
    size: int | None = None
    hosts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return urlsplit(self.url).path.rpartition("/")[2]

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def path(self) -> Path:
        """Where this machine keeps it, once it is whole."""
        pin = hashlib.sha256(f"{self.url} {self.sha256}".encode()).hexdigest()[:12]
        return cache_folder() / "generators" / pin / self.name


def check_address(url: str, hosts: tuple[str, ...]) -> str:
    """The address. Raises `HubError` unless it is HTTPS at exactly one of `hosts`, and a file."""
    plain = url.isascii() and url.isprintable() and not set(url) & set(" \\<>\"'`{}|^")
    try:
        parts = urlsplit(url)
    except ValueError:
        plain, parts = False, urlsplit("")
    name = parts.path.rpartition("/")[2]
    named = re.fullmatch(r"[\w.-]{1,150}", name, re.ASCII) and set(name) != {"."}
    # The whole place is compared: no user before the host, no other port behind it.
    if not plain or parts.scheme != "https" or parts.netloc not in hosts or not named:
        raise HubError(
            f"{url[:100]!r} is not an address of {' or '.join(hosts)} over HTTPS; nothing is "
            "fetched from anywhere else."
        )
    return url


def fetch_web(file: WebFile, progress: Bytes, cancelled: Asked) -> Path:
    """The path of the file; what is there already is not asked for again.

    A download that was cut off or cancelled goes on from where it was. Raises `HubError` with
    one sentence, `Cancelled` within half a second, and what `progress` raises.
    """
    check_address(file.url, (file.host,))
    path = file.path
    if path.is_file():
        progress(path.stat().st_size, path.stat().st_size)
        return path
    try:
        with _alone(path, cancelled):
            if not path.is_file():
                _bring(file, progress, cancelled)
    except OSError as error:
        if error.errno is None:
            raise
        raise HubError(
            f"A file could not be written here ({error.filename or path.parent}): "
            f"{error.strerror}; check the folder, or set WGAN_DATA to one that can be written."
        ) from None
    return path


def size_of(file: WebFile) -> int | None:
    """Asks the host for the file's size (bytes) alone. Raises `HubError`."""
    check_address(file.url, (file.host,))
    request = Request(file.url, method="HEAD", headers={"Accept-Encoding": "identity"})
    with _answering(file), _opener(file).open(request, timeout=SILENCE) as response:
        length = response.headers.get("Content-Length", "")
        return int(length) if length.isdigit() else None


def _bring(file: WebFile, progress: Bytes, cancelled: Asked) -> None:
    part = file.path.with_name(f"{file.name}.part")
    for _ in range(ATTEMPTS):
        if _append(file, part, progress, cancelled):
            break
    else:
        raise HubError(
            f"{file.name} from {file.host} was cut short after {part.stat().st_size / 1e6:,.1f} "
            "MB, and is not used; try again, it goes on from there."
        )
    size = part.stat().st_size
    if file.size is not None and size != file.size:
        part.unlink()
        raise HubError(
            f"{file.name} from {file.host} has {size:,} bytes where the catalogue says "
            f"{file.size:,}; it was thrown away, and is not used."
        )
    found = _sha256(part, cancelled)
    if file.sha256 is not None and not found.startswith(file.sha256):
        part.unlink()
        raise HubError(
            f"{file.name} from {file.host} is another file than the catalogue names (its SHA-256 "
            f"begins with {found[: len(file.sha256)]}, not {file.sha256}); it was thrown away."
        )
    part.replace(file.path)


def _append(file: WebFile, part: Path, progress: Bytes, cancelled: Asked) -> bool:
    """Adds to `part` what is missing of it; whether all of it came."""
    have = part.stat().st_size if part.exists() else 0
    if have and have == file.size:
        return True
    download = _WebDownload(file, have, cancelled)
    with download as body:
        done, total = body.start, download.total
        limit = min(MAX_BYTES, file.size or MAX_BYTES)
        if total is not None and total > MAX_BYTES:
            raise HubError(
                f"{file.name} has {total / 1e6:,.0f} MB, more than the {MAX_BYTES / 1e6:,.0f} MB "
                "that are fetched."
            )
        if total is not None and shutil.disk_usage(part.parent).free < total - done:
            raise disk_full(total - done)
        with part.open("r+b" if done else "wb") as out:
            out.truncate(done)
            out.seek(done)
            progress(done, total)
            try:
                for piece in body:
                    out.write(piece)
                    out.flush()
                    done += len(piece)
                    progress(done, total)
                    if done > limit:
                        return True  # not what was announced: its size will tell
            except BrokenOff:
                return done == total
    return total is None or done >= total


class _WebDownload(Download):
    """A `Download` from a host of the catalogue. total: bytes of the whole file, where known."""

    def __init__(self, file: WebFile, start: int, cancelled: Asked) -> None:
        super().__init__(file.url, {}, start, f"{file.name} of {file.host}", cancelled)
        self.total: int | None = file.size
        self._file = file

    def _next(self) -> bytes | int | None:
        try:
            return super()._next()
        except TimeoutError:
            raise _slow(self._file) from None

    def _read(self, url: str, headers: dict[str, str]) -> None:
        try:
            with (
                _answering(self._file),
                _opener(self._file).open(Request(url, headers=headers), timeout=SILENCE) as answer,
            ):
                whole = answer.headers.get("Content-Range", "").rpartition("/")[2]
                length = whole if answer.status == 206 else answer.headers.get("Content-Length", "")
                self.total = int(length) if length.isdigit() else self._file.size
                self._put(answer.status)
                got = self.start if answer.status == 206 else 0
                try:
                    while piece := answer.read1(_PIECE):
                        got += len(piece)
                        if not self._put(piece):
                            return
                except (OSError, HTTPException) as error:
                    raise BrokenOff("The connection broke.") from error
                if self.total is not None and got < self.total:
                    raise BrokenOff("The connection ended early.")
            self._put(None)
        except BaseException as error:
            self._put(error)


class _SameHosts(HTTPRedirectHandler):
    """Follows an answer that sends elsewhere only to the hosts of the entry."""

    def __init__(self, file: WebFile) -> None:
        self.file = file

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        parts = urlsplit(newurl)
        if parts.scheme != "https" or parts.netloc not in (self.file.host, *self.file.hosts):
            raise HubError(
                f"{self.file.host} sends to another place ({parts.scheme}://{parts.netloc[:80]}) "
                f"for {self.file.name}; only hosts of the catalogue are asked, so it was not "
                "followed."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(file: WebFile) -> Any:
    # `create_default_context` reads SSL_CERT_FILE each time: a network with its own authority.
    return build_opener(HTTPSHandler(context=ssl.create_default_context()), _SameHosts(file))


@contextmanager
def _answering(file: WebFile) -> Iterator[None]:
    """What the library raises inside leaves as `HubError` with one sentence."""
    try:
        yield
    except HTTPError as error:
        raise HubError(_refusal(file, error.code)) from None
    except (URLError, HTTPException, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, HubError):
            raise reason from None
        if isinstance(reason, TimeoutError):
            raise _slow(file) from None
        if isinstance(reason, ssl.SSLError):
            raise HubError(
                f"{file.host} cannot prove that it is {file.host} (its certificate is not "
                "trusted here), so nothing was fetched; a network with an authority of its own "
                "names it in SSL_CERT_FILE."
            ) from None
        raise HubError(
            f"{file.host} cannot be reached from here; everything already on this machine still "
            "works, and the rest does once the network is back.",
            offline=True,
        ) from None


def _slow(file: WebFile) -> HubError:
    return HubError(f"{file.host} took too long to answer about {file.name}; try again later.")


def _refusal(file: WebFile, status: int) -> str:
    if 300 <= status < 400:
        return f"{file.host} sends elsewhere for {file.name}, and it was not followed."
    if status in (404, 410):
        return f"{file.host} no longer has {file.name} (HTTP {status}); choose another entry."
    if status >= 500 or status in (408, 429):
        return f"{file.host} itself has a problem (HTTP {status}); try again in a few minutes."
    return f"{file.host} does not hand out {file.name} (HTTP {status}); choose another entry."


@contextmanager
def _alone(path: Path, cancelled: Asked) -> Iterator[None]:
    """Keeps others, in this process or another, from fetching the same file meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        while True:
            if cancelled():
                raise Cancelled
            with suppress(TimeoutError):
                held.enter_context(WeakFileLock(path.with_name("lock"), timeout=POLL))
                break
            time.sleep(POLL)
        yield


def _sha256(path: Path, cancelled: Asked) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            if cancelled():
                raise Cancelled
    return digest.hexdigest()
