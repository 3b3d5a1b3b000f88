"""Published generators that are worth knowing, and where each of them is (`catalog.json`)."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from wgan.config import is_repo_id

CATALOG = Path(__file__).with_name("catalog.json")
_TEXTS = ("group", "title", "about", "why")  # of every entry
_FACTS = ("loss", "data", "licence")  # of every entry that loads


@dataclass(frozen=True)
class HubSource:
    """A repository; commit: 40 hexadecimal digits, None for whatever is newest."""

    repo: str
    commit: str | None
    file: str | None


@dataclass(frozen=True)
class WebSource:
    """A file at an HTTPS address; sha256: how it begins. hosts: others that its host sends to."""

    url: str
    sha256: str | None
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A published generator.

    loss: what it was trained with. pixels: a side of its pictures. megabytes: about; bytes:
    exactly, once the source was asked. licence: with its limits. why: what makes it load, or not.
    checked: the day on which the live source had it; problem: what it said instead.
    """

    id: str
    group: str
    title: str
    about: str
    loss: str
    data: str
    pixels: int | None
    source: HubSource | WebSource
    megabytes: float | None
    bytes: int | None
    licence: str
    loads: bool
    why: str
    checked: str | None
    problem: str | None

    @property
    def size(self) -> str:
        """`92.3 MB`, as far as it is known."""
        if self.bytes is not None:
            return f"{self.bytes / 1e6:,.1f} MB"
        return f"about {self.megabytes:,.0f} MB" if self.megabytes else "size not known"

    @property
    def checked_words(self) -> str:
        return f"checked against the live source: {self.checked or 'no'}"


@functools.cache
def load_catalog() -> tuple[Entry, ...]:
    """All entries in the order in which they are shown. Raises `ValueError` for a broken file."""
    entries = tuple(_entry(values) for values in read_catalog()["entries"])
    ids = [entry.id for entry in entries]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{CATALOG.name} has two entries of one name.")
    return entries


def find_entry(id: str) -> Entry | None:
    """The entry of this name, or of this repository."""
    for entry in load_catalog():
        if entry.id == id or (isinstance(entry.source, HubSource) and entry.source.repo == id):
            return entry
    return None


@functools.cache
def catalog_note() -> str:
    """Where the entries come from, to be shown beside them."""
    return str(read_catalog()["note"])


def read_catalog() -> dict[str, Any]:
    """The file as it is."""
    return json.loads(CATALOG.read_text(encoding="utf-8"))


def _entry(values: dict[str, Any]) -> Entry:
    # A missing or unknown field is a TypeError that names it.
    entry = Entry(**{**values, "source": _source(values["id"], values["source"])})
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", entry.id):
        raise ValueError(f"{CATALOG.name}: {entry.id!r} is no name of an entry.")
    needed = _TEXTS + (_FACTS if entry.loads else ())
    if not isinstance(entry.loads, bool) or not all(_says(entry, name) for name in needed):
        raise ValueError(f"{CATALOG.name}: {entry.id} says too little of itself.")
    if entry.checked is not None:
        date.fromisoformat(entry.checked)
    return entry


def _says(entry: Entry, name: str) -> bool:
    value = getattr(entry, name)
    return isinstance(value, str) and bool(value)


def _source(id: str, values: dict[str, Any]) -> HubSource | WebSource:
    if "repo" in values:
        source = HubSource(**values)
        pinned = source.commit is None or re.fullmatch(r"[0-9a-f]{40}", source.commit)
        if not is_repo_id(source.repo) or not pinned:
            raise ValueError(f"{CATALOG.name}: {id} names no repository at a commit.")
        return source
    source = WebSource(**{**values, "hosts": tuple(values["hosts"])})
    hashed = source.sha256 is None or re.fullmatch(r"[0-9a-f]{8,64}", source.sha256)
    if not source.url.startswith("https://") or not hashed:
        raise ValueError(f"{CATALOG.name}: {id} names no HTTPS address with a SHA-256.")
    return source
