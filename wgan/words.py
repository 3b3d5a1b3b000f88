"""Numbers and texts for people.

Texts are Markdown files under `ui/text/en/`, so that they are edited without code.
"""

from __future__ import annotations

import functools
import math
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


def format_3_digits(value: float) -> str:
    """Three significant digits, thousands separated."""
    if value == 0 or not abs(value) < float("inf"):
        return f"{value:.3g}"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(digits, 0)}f}"
