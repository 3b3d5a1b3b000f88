"""The words on the pages, and texts of others as Markdown that is safe to show."""

from __future__ import annotations

import re

from wgan.words import TEXT, sections, words

__all__ = ["TEXT", "plain", "sections", "without_pictures", "words"]


def plain(text: str) -> str:
    """Markdown that shows `text` as it is, in one line: for what a visitor or a file has sent."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(printable.split()))


def without_pictures(markdown: str) -> str:
    """Somebody else's Markdown: its pictures would be fetched from wherever it says."""
    return re.sub(r"!\[[^\]]*\]\([^)]*\)", "", markdown)
