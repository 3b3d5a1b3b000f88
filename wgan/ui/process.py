"""What the server's process as a whole needs, once."""

from __future__ import annotations

import functools
import gc
import logging
import sys

# Seconds until a thread that computes in Python hands over to one that waits. Training waits after
# every operation that it gives to torch; with Python's 5 ms a page that is being drawn would make
# each of the hundreds of operations of a step that much longer.
SWITCH = 0.0005


@functools.cache
def settle() -> None:
    """Sets up the process at the first page of the first visitor; later calls do nothing."""
    _log_to_stderr()
    sys.setswitchinterval(SWITCH)
    # What is imported stays for good. Unless the garbage collector is told so, it goes through all
    # of torch again and again, 50 ms each time, while everything else stands still.
    gc.collect()
    gc.freeze()


def _log_to_stderr() -> None:
    """What happens to runs, one line each, with milliseconds: `applied run=… step=… …`."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", "%FT%T"))
    log = logging.getLogger("wgan")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
