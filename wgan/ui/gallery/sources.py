"""Where generators come from: `checkpoints/`, the Hub, a file. And the one that is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from wgan import plots
from wgan.hub import HubError
from wgan.server.limits import limits
from wgan.ui.binding import notice, pop_notice
from wgan.ui.gallery import hub
from wgan.ui.gallery.open import open_bundled, open_once
from wgan.ui.gallery.published import published
from wgan.ui.words import sections
from wgan.zoo.architecture import ZooError
from wgan.zoo.bundled import bundled, find
from wgan.zoo.catalog import find_entry
from wgan.zoo.catalog_files import place_of
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.open import pulled
from wgan.zoo.upload import MAX_UPLOAD, open_upload

__all__ = ["SOURCES", "Opened", "current", "first", "pop_notice"]

OURS, PUBLISHED, HUB, FILE = "Ours", "Faces and rooms", "From the Hub", "Your own file"
_UPLOADED = "gallery_uploaded"  # session state: the `Opened` that a visitor brought


@dataclass(frozen=True, eq=False)
class Opened:
    """The generator that is on screen."""

    name: str
    checkpoint: Checkpoint


def current() -> Opened | None:
    """The generator that the address names: `?open=NAME`, `?pick=ID` and `?repo=OWNER/NAME` once
    they are pulled, the uploaded one, or the first of ours. What cannot be opened becomes a notice.
    """
    uploaded = st.session_state.get(_UPLOADED)
    name, repo = st.query_params.get("open"), st.query_params.get("repo")
    pick = st.query_params.get("pick")
    try:
        if name is not None:
            return Opened(find(name).label, open_bundled(name))
        if pick is not None and (entry := find_entry(pick)) is not None:
            place = place_of(entry)
            return Opened(entry.title, open_once(place)) if place is not None else None
        if repo is not None:
            folder = pulled(repo, st.query_params.get("commit"))
            return Opened(repo, open_once(folder)) if folder is not None else None
        if uploaded is not None:
            return uploaded
    except (ZooError, HubError) as error:
        notice(str(error))
        if repo is not None or pick is not None:
            return None
    ours = bundled()
    return Opened(ours[0].label, open_bundled(ours[0].name)) if ours else None


def first() -> str:
    """The tab to begin with."""
    if "pick" in st.query_params:
        return PUBLISHED
    return HUB if "repo" in st.query_params else OURS


def _ours() -> None:
    opened = st.query_params.get("open") or (bundled()[0].name if not st.query_params else None)
    with st.container(horizontal=True, wrap=False, gap="small", key="ours"):
        for one in bundled():
            with st.container(width=150, gap="xxsmall", horizontal_alignment="center"):
                st.image(_thumbnail(one.name), width=104, alt=f"Samples: {one.name}")
                st.button(
                    one.label,
                    key=f"open_{one.name}",
                    type="primary" if one.name == opened else "secondary",
                    on_click=_open,
                    args=(one.name,),
                    width="stretch",
                    help=one.summary,
                )


@st.cache_data(show_spinner=False)
def _thumbnail(name: str) -> str:
    return plots.data_uri(find(name).thumbnail(256))


def _open(name: str) -> None:
    st.session_state.pop(_UPLOADED, None)
    st.query_params.from_dict({"open": name})


def _file() -> None:
    st.file_uploader(
        "A generator's weights, or a zip of a checkpoint",
        type=["safetensors", "bin", "pt", "pth", "ckpt", "zip"],
        max_upload_size=min(MAX_UPLOAD, limits().max_upload_mb),
        key="upload_generator",
        on_change=_uploaded,
    )
    st.caption(sections("gallery")["file"])


def _uploaded() -> None:
    file = st.session_state["upload_generator"]
    if file is None:
        return
    name = Path(file.name).name[:80]
    try:
        st.session_state[_UPLOADED] = Opened(name, open_upload(name, file.getvalue()))
        st.query_params.clear()
    except ZooError as error:
        notice(f"{name}: {error}")


SOURCES: dict[str, Callable[[], None]] = {
    OURS: _ours,
    PUBLISHED: published,
    HUB: hub.browser,
    FILE: _file,
}
