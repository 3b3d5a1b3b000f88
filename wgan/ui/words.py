"""The words on the pages: Markdown files under `text/en/`, so that they are edited without code."""

from __future__ import annotations

import functools
import re
from pathlib import Path

TEXT = Path(__file__).parent / "text" / "en"


@functools.cache
def words(name: str) -> str:
    """A whole text. Raises `FileNotFoundError` when there is none of this name."""
    return (TEXT / f"{name}.md").read_text(encoding="utf-8")


@functools.cache
def sections(name: str) -> dict[str, str]:
    """A text cut at its `## heading` lines: {heading: what follows}."""
    parts = ("\n" + words(name)).split("\n## ")[1:]
    pairs = (part.partition("\n") for part in parts)
    return {heading.strip(): body.strip() for heading, _, body in pairs}


def plain(text: str) -> str:
    """Markdown that shows `text` as it is, in one line: for what a visitor or a file has sent."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(printable.split()))


def without_pictures(markdown: str) -> str:
    """Somebody else's Markdown: its pictures would be fetched from wherever it says."""
    return re.sub(r"!\[[^\]]*\]\([^)]*\)", "", markdown)
