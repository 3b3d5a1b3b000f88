"""Progress on standard error, for commands that download, convert or draw."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from wgan.cli.parsing import Command


def interruptible(command: Command) -> Command:
    """The command, ended by Ctrl-C with one line."""

    def run(options: argparse.Namespace) -> int:
        try:
            return command(options)
        except KeyboardInterrupt:
            print("\nwgan: interrupted; the same command goes on from here.", file=sys.stderr)
            return 130

    return run


@contextmanager
def share_bar() -> Iterator[Callable[[str, float | None], None]]:
    """A bar from 0 to 1, with the Hub client's own words and bars switched off.

    Yields what sets its words and its share; a share of None is none yet.
    """
    from huggingface_hub.utils import disable_progress_bars, logging

    logging.set_verbosity_error()
    disable_progress_bars()
    words = "{desc} {percentage:3.0f}%|{bar}| {elapsed}"
    # On a screen only, and gone when it is over: what is said then stands alone.
    with tqdm(total=1.0, file=sys.stderr, bar_format=words, disable=None, leave=False) as bar:

        def report(text: str, share: float | None) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update((share or 0) - bar.n)

        yield report
