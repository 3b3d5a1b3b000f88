"""Reading files that anybody may have made: regular ones only, and no more than was asked for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """A regular file, or a link to one, open for reading.

    Raises `OSError`, also for pipes and devices: reading one may wait or go on for ever.
    """
    # Without waiting for whoever would write into a pipe.
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(file).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        return os.fdopen(file, "rb")
    except BaseException:
        os.close(file)
        raise


def read_bounded(path: Path, most: int) -> bytes:
    """All of a regular file of at most so many bytes. Raises `OSError`."""
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most / 10**6:g} MB", str(path))
    return content


def expanded(path: Path | str) -> Path:
    """The path with ~ replaced by a home; as it is where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def check_writable(path: Path) -> None:
    """Raises `OSError` or `ValueError` where no file can be written; makes the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    there = path.exists()
    path.open("ab").close()
    if not there:
        path.unlink()
