"""What the server's process as a whole needs, once."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import threading
import time
from collections.abc import Callable
from functools import cache

from wgan.ui._compat import keep_theme

# Allocations, and younger collections, between two collections of each generation: a training step
# and a redrawing make thousands of short-lived objects that free themselves.
SELDOM = (10_000, 20, 20)
# Seconds between two collections of all generations. What a visitor held who left, megabytes a run,
# hangs together in cycles, and by its thresholds the collector would come to it in ten minutes.
TIDY = 30.0
# Heaps of the C library that threads share. By default each of a class's script threads gets one of
# eight a core, and each heap keeps tens of megabytes that are free for its own threads only.
HEAPS = 2
_M_ARENA_MAX = -8  # glibc's malloc.h

_settled = False
_lock = threading.Lock()


@cache
def share_heaps() -> None:
    """Limits the C library's heaps; once there are more than eight, the library takes no limit."""
    if (limit := _c_function("mallopt")) is not None:
        limit(_M_ARENA_MAX, HEAPS)


def settle() -> None:
    """Sets up the process at the first page of the first visitor; later calls do nothing."""
    global _settled
    with _lock:  # a class comes in all at once
        if _settled:
            return
        _settled = True
        _log_to_stderr()
        keep_theme()
        # What is imported stays for good. Unless the garbage collector is told so, it goes through
        # all of torch again and again, 50 ms each time, while everything else stands still.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*SELDOM)
        threading.Thread(target=_tidy, name="tidy", daemon=True).start()


def _tidy() -> None:
    trim = _c_function("malloc_trim")  # until it is asked, it keeps what was freed inside a heap
    while True:
        time.sleep(TIDY)
        gc.collect()
        if trim is not None:
            trim(0)


def _c_function(name: str) -> Callable[..., int] | None:
    """A function of the C library, where it has one: both here are glibc's."""
    # Windows' library is not found by None.
    return getattr(ctypes.CDLL(None), name, None) if os.name == "posix" else None


def _log_to_stderr() -> None:
    """What happens to runs, one line each, with milliseconds: `applied run=… step=… …`."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", "%FT%T"))
    log = logging.getLogger("wgan")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").addFilter(_is_no_closed_tab)


def _is_no_closed_tab(record: logging.LogRecord) -> bool:
    """Leaves out the traceback of a tab that was closed while Streamlit closed it, too.

    It says `Cannot call "send" once a close message has been sent.`, and nothing is wrong.
    """
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ != "WebSocketDisconnected"
