"""How many threads compute, the same for every way to train."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No garbage collection meanwhile: for imports, which make many objects and no garbage.

    Torch's takes a quarter longer with it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def use_training_threads() -> None:
    """Sets the calling thread's arithmetic threads, the same for every way to train.

    One rule everywhere, because another number of threads adds in another order: a run gives the
    same bits on screen and headless. Half of the cores, because threads that wait for each other
    crawl as soon as anything else wants one of their cores; small networks gain little beyond four.
    """
    with collector_at_rest():  # here: a server makes its first run before torch is there
        import torch

    torch.set_num_threads(max(1, min(4, (os.cpu_count() or 1) // 2)))
