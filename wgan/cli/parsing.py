"""What the parsers of all sub-commands share."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from wgan.config import ConfigError

Command = Callable[[argparse.Namespace], int]
Commands = argparse._SubParsersAction  # what `add_subparsers` gives; each command adds its own


class Parser(argparse.ArgumentParser):
    """argparse with one line on standard error and no usage text before it."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def number(kind: type[int] | type[float], low: float, high: float, name: str) -> Any:
    """A type for `add_argument`: a number from low to high; argparse's message has its name."""

    def parse(text: str) -> Any:
        value = kind(text)
        if not low <= value <= high:
            raise ValueError
        return value

    parse.__name__ = name
    return parse


def positive(kind: type[int] | type[float]) -> Any:
    """The same for every number above 0."""

    def parse(text: str) -> Any:
        value = kind(text)
        if not 0 < value < math.inf:
            raise ValueError
        return value

    parse.__name__ = "positive number"  # argparse puts it into its message
    return parse


def write(path: Path, content: str | bytes) -> None:
    """Writes a file and its folders. Raises `ConfigError` with why it cannot."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be written: {error}.") from None
