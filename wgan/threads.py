"""How many threads compute, the same for every way to train."""

from __future__ import annotations

import os


def use_training_threads() -> None:
    """Sets the calling thread's arithmetic threads, the same for every way to train.

    One rule everywhere, because another number of threads adds in another order: a run gives the
    same bits on screen and headless. Half of the cores, because threads that wait for each other
    crawl as soon as anything else wants one of their cores; small networks gain little beyond four.
    """
    import torch  # here: a server makes its first run before torch is there

    torch.set_num_threads(max(1, min(4, (os.cpu_count() or 1) // 2)))
