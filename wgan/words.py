"""Texts for people: Markdown files under `ui/text/en/`, so that they are edited without code."""

from __future__ import annotations

import functools
from pathlib import Path

TEXT = Path(__file__).parent / "ui" / "text" / "en"


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
