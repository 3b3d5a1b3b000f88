"""The catalogue in the gallery: published generators, pulled and opened by one click."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from wgan.data.base import Progress
from wgan.ui.gallery.open import open_once
from wgan.ui.gallery.progress import progress, visitor
from wgan.ui.words import plain, sections
from wgan.zoo.catalog import Entry, catalog_note, find_entry, load_catalog
from wgan.zoo.catalog_files import place_of, pull_entry
from wgan.zoo.job import Work, jobs

_IN_A_ROW = 3
_BESIDE_OPEN = 330  # pixels: a row, and the edge of the next
ANY = "Any loss"


def published() -> None:
    """The tab: entries of one kind of picture, each with its facts and its button."""
    entries = load_catalog()
    groups = list(dict.fromkeys(entry.group for entry in entries))
    losses = list(dict.fromkeys(entry.loss for entry in entries if entry.loss))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        group = st.pills("Show", groups, key="catalog_group", default=groups[0])
        loss = st.selectbox("Trained with", [ANY, *losses], key="catalog_loss", width=180)
    chosen = [
        entry for entry in entries if entry.group == (group or groups[0])
        and (loss == ANY or entry.loss == loss)
    ]  # fmt: skip
    if not chosen:
        st.caption("None of these was trained with that loss.")
    # Once one of them is open, the list leaves the page to it.
    with st.container(height=_BESIDE_OPEN if _is_open() else "content", border=False):
        for row in _rows(chosen):
            for entry, column in zip(row, st.columns(_IN_A_ROW), strict=False):
                with column, st.container(border=True, height="stretch", key=f"card_{entry.id}"):
                    _card(entry)
    st.caption(f"{catalog_note()} {sections('gallery')['published']}")


def _is_open() -> bool:
    entry = find_entry(st.query_params.get("pick", ""))
    return entry is not None and place_of(entry) is not None


def _rows(entries: list[Entry]) -> list[list[Entry]]:
    return [entries[i : i + _IN_A_ROW] for i in range(0, len(entries), _IN_A_ROW)]


def _card(entry: Entry) -> None:
    st.markdown(f"**{plain(entry.title)}**")
    if not entry.loads:
        st.caption(plain(f"{entry.about} {entry.why}"))
        return
    st.markdown(f":small[:primary[**{entry.loss}**] · {plain(entry.data)} · {entry.pixels} px]")
    st.caption(plain(entry.about))
    with st.container(height="stretch", vertical_alignment="bottom", gap="xsmall"):
        st.caption(plain(f"{entry.licence}. {entry.checked_words.capitalize()}."))
        if entry.problem is not None:
            st.caption(f":orange[{plain(entry.problem)}]")
        _action(entry)


def _action(entry: Entry) -> None:
    job = jobs.get(_key(entry))
    if job is not None and job.state == "running":
        progress(job)
        st.button("Cancel", key=f"cancel_{entry.id}", on_click=job.cancel, args=(visitor(),))
        return
    if job is not None and job.error is not None:
        st.warning(plain(job.error), icon=":material/info:")
    if place_of(entry) is not None:
        opened = st.query_params.get("pick") == entry.id
        st.button(
            "Open",
            key=f"pick_{entry.id}",
            type="primary" if opened else "secondary",
            icon=":material/visibility:",
            on_click=_open,
            args=(entry,),
            width="stretch",
        )
        return
    st.button(
        f"Pull and open · {entry.size}",
        key=f"pull_{entry.id}",
        icon=":material/download:",
        on_click=_pull,
        args=(entry,),
        width="stretch",
        help=plain(entry.why),
    )


def _key(entry: Entry) -> str:
    return f"pull {entry.id}"


def _open(entry: Entry) -> None:
    st.query_params.from_dict({"pick": entry.id})


def _pull(entry: Entry) -> None:
    _open(entry)
    jobs.start(_key(entry), _work(entry), visitor())


def _work(entry: Entry) -> Work:
    """Pulls, verifies and imports, so that the page opens at once what has come."""

    def work(report: Progress, cancelled: Callable[[], bool]) -> None:
        place = pull_entry(entry, report, cancelled, False)
        report("Importing", None)
        open_once(place)

    return work
