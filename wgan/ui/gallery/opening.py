"""Opening generators, once for all who look at them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from wgan.zoo.bundled import bundled, find
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.opening import open_place


def bundled_names() -> list[str]:
    return [one.name for one in bundled()]


def open_bundled(name: str) -> Checkpoint:
    """A generator of `checkpoints/`. Raises `ZooError`."""
    return open_folder(find(name).folder)


def open_folder(folder: Path) -> Checkpoint:
    """A folder, opened once a process and version. Raises `ZooError`."""
    changed = max((path.stat().st_mtime for path in folder.glob("*")), default=0.0)
    return _opened(str(folder), changed)


@st.cache_resource(max_entries=12, show_spinner=False)
def _opened(folder: str, changed: float) -> Checkpoint:
    return open_place(Path(folder))
