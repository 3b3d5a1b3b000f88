"""Nested states: what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def leaves(state: Any) -> Iterator[Any]:
    """All that is in nested mappings, lists and tuples, and is none of these."""
    if isinstance(state, Mapping):
        state = state.values()
    elif not isinstance(state, (list, tuple)):
        yield state
        return
    for inner in state:
        yield from leaves(inner)
