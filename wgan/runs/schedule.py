"""What is planned for a run before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class ScheduledChange:
    """Changes, or an update of one network alone, once `step` steps are done."""

    step: int
    changes: Mapping[str, Any]
    update: Literal["", "critic", "generator"] = ""
