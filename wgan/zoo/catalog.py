"""Repositories on the Hub that are worth knowing, and whether they load here (`catalog.json`)."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from wgan.config import is_repo_id
from wgan.hub import Kind

CATALOG = Path(__file__).with_name("catalog.json")


@dataclass(frozen=True)
class Entry:
    """A repository. why: one sentence on what makes it load, or not."""

    id: str
    kind: Kind
    title: str
    about: str
    loads: bool
    why: str


@functools.cache
def load_catalog() -> tuple[Entry, ...]:
    """All entries in the order in which they are shown. Raises `ValueError` for a broken file."""
    entries = tuple(_entry(values) for values in _read()["entries"])
    ids = [entry.id for entry in entries]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{CATALOG.name} lists a repository twice.")
    return entries


@functools.cache
def catalog_note() -> str:
    """Where the entries come from, to be shown beside them."""
    return str(_read()["note"])


def _read() -> dict[str, Any]:
    return json.loads(CATALOG.read_text(encoding="utf-8"))


def _entry(values: dict[str, Any]) -> Entry:
    entry = Entry(**values)  # a missing or unknown field is a TypeError that names it
    texts = (entry.title, entry.about, entry.why)
    if not is_repo_id(entry.id) or entry.kind not in get_args(Kind):
        raise ValueError(f"{CATALOG.name}: {entry.id!r} is no repository of a known kind.")
    if not isinstance(entry.loads, bool) or not all(isinstance(t, str) and t for t in texts):
        raise ValueError(f"{CATALOG.name}: {entry.id} says too little of itself.")
    return entry
