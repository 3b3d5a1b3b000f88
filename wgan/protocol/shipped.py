"""The table that was computed for this version: `modes` with ten seeds, kept beside the code."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "table.json"


@functools.cache
def shipped() -> dict[str, Any]:
    """What `python -m wgan modes` wrote, as `wgan.protocol.table.table` gives it."""
    return json.loads(_FILE.read_text(encoding="utf-8"))
