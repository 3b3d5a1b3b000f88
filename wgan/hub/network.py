"""How the Hub is asked: where it is, how long to wait, and how to stop waiting.

Nothing here changes the client's settings, which belong to the whole process. The client's own
waiting cannot be cut short (it retries a dead host for 23 seconds, and its session has no
time-out), so whatever may take long runs in a thread that can be left behind.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from huggingface_hub import constants, get_session
from huggingface_hub.utils import hf_raise_for_status

from wgan.hub.errors import BrokenOff, Cancelled, HubError, explain, unreachable

CONNECT = 3.0  # seconds to find the Hub
SILENCE = 10.0  # seconds without an answer, or without a byte of it
POLL = 0.1  # seconds between two looks at whether somebody cancelled

T = TypeVar("T")
Asked = Callable[[], bool]  # cancelled(): whether it is no longer wanted


def never() -> bool:
    """For those who cannot cancel."""
    return False


def endpoint() -> str:
    """The Hub's address, without a slash at the end: $HF_ENDPOINT as it is now, or the client's."""
    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def check_connection() -> None:
    """Raises `HubError` within `CONNECT` seconds when nothing listens at the Hub's address."""
    if constants.is_offline_mode():
        return  # the client refuses by itself, and says why
    try:
        stop = _first_stop(endpoint())
        call_with_timeout(lambda: socket.create_connection(stop, CONNECT).close(), CONNECT)
    except (OSError, ValueError):  # no such name, nobody there, no such port
        raise unreachable(endpoint()) from None


@contextmanager
def asking(about: str) -> Iterator[None]:
    """Whatever the client raises inside leaves as `HubError` or `Cancelled`.

    about: what the Hub is asked for, as in "the model owner/name".
    """
    try:
        yield
    except (HubError, Cancelled):
        raise
    except Exception as error:
        if (found := explain(error, about, endpoint())) is not None:
            raise found from error
        raise


def _first_stop(address: str) -> tuple[str, int]:
    """Host and port of the first machine on the way: the proxy's where one is set."""
    url = urlsplit(address)
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(url.netloc):
        url = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def call_with_timeout(
    call: Callable[[], T],
    seconds: float,
    cancelled: Asked = never,
    last_sign: Callable[[], float] | None = None,
) -> T:
    """What `call()` returns or raises, unless it is too slow or no longer wanted.

    last_sign() is the time (`time.monotonic`) of its latest sign of life, from which `seconds`
    count; without it they count from the start. Raises `TimeoutError` or `Cancelled` then, and
    leaves the call behind in its thread, which must end by itself.
    """
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    started = time.monotonic()

    def run() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=run, name="hub-call", daemon=True).start()
    while True:
        try:
            result, error = answers.get(timeout=POLL)
        except queue.Empty:
            if cancelled():
                raise Cancelled from None
            if time.monotonic() - (last_sign() if last_sign else started) > seconds:
                raise TimeoutError from None
            continue
        if error is not None:
            raise error
        return result


class Download:
    """The body of one GET, read by a thread of its own so that whoever wants it never hangs.

    Iterate over it for the body's pieces in order. `start` says where in the file they begin
    (bytes): not where they were asked to begin when the server does not know ranges. Leaving
    `with` ends the thread at its next piece, or when the silence gets too long for it too.

    Raises `HubError`, `Cancelled`, and in the middle of the body `BrokenOff`.
    """

    def __init__(
        self, url: str, headers: dict[str, str], start: int, about: str, cancelled: Asked
    ) -> None:
        self.start = start
        self._about = about
        self._cancelled = cancelled
        self._left = threading.Event()
        # A few pieces (64 kB each or less) in flight: the network waits for the disk.
        self._pieces: queue.Queue[bytes | BaseException | int | None] = queue.Queue(8)
        headers = {**headers, "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        self._thread = threading.Thread(
            target=self._read, args=(url, headers), name="hub-download", daemon=True
        )

    def __enter__(self) -> Download:
        self._thread.start()
        try:
            with asking(self._about):
                if self._next() != 206:
                    self.start = 0
        except BaseException:
            self._left.set()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()

    def __iter__(self) -> Iterator[bytes]:
        with asking(self._about):
            while isinstance(piece := self._next(), bytes):
                yield piece

    def _next(self) -> bytes | int | None:
        """The next thing that the thread read. Raises what it raised, and `Cancelled`."""
        deadline = time.monotonic() + SILENCE
        while not self._cancelled():
            try:
                piece = self._pieces.get(timeout=POLL)
            except queue.Empty:
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                continue
            if isinstance(piece, BaseException):
                raise piece
            return piece
        raise Cancelled

    def _read(self, url: str, headers: dict[str, str]) -> None:
        """The thread: the status first, then the pieces, then None or what went wrong."""
        read = 1.5 * SILENCE  # later than `_next`, which says it better
        timeout = (CONNECT, read, SILENCE, SILENCE)  # connect, read, write, wait for a slot
        try:
            with get_session().stream(
                "GET", url, headers=headers, timeout=timeout, follow_redirects=True
            ) as response:
                hf_raise_for_status(response)
                self._put(response.status_code)
                try:
                    for piece in response.iter_bytes():
                        if not self._put(piece):
                            return
                except Exception as error:
                    raise BrokenOff(
                        f"The connection broke in the middle of {self._about}."
                    ) from error
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, piece: bytes | BaseException | int | None) -> bool:
        """Hands a piece over; False when nobody wants it any more."""
        while not self._left.is_set():
            try:
                self._pieces.put(piece, timeout=POLL)
                return True
            except queue.Full:
                continue
        return False
