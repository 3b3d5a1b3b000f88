"""What all pages share: the page's frame and the navigation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError
from streamlit.navigation.page import Page

PAGES = Path(__file__).parents[2] / "pages"
ICON = Path(__file__).parent / "assets" / "icon.png"


def navigation() -> Page:
    """The pages of the app; returns the one that was asked for."""
    return st.navigation(
        [
            # At `/`; it must not reserve `/lab`, which Streamlit does not serve for a default page.
            st.Page(
                PAGES / "lab.py", title=_named("science", "Lab"), url_path="home", default=True
            ),
            st.Page(PAGES / "critic.py", title=_named("neurology", "Critic")),
            st.Page(PAGES / "compare.py", title=_named("compare", "Compare")),
            st.Page(PAGES / "gallery.py", title=_named("collections", "Gallery")),
            st.Page(PAGES / "duel.py", title=_named("swords", "Duel")),
            st.Page(PAGES / "theory.py", title=_named("function", "Theory")),
            st.Page(PAGES / "guide.py", title=_named("menu_book", "Guide")),
            st.Page(_lab_by_name, title="Lab", url_path="lab", visibility="hidden"),
        ],
        position="top",
    )


def _named(icon: str, title: str) -> str:
    """A title with its symbol. As a page's icon the symbol would be the tab's picture too, which
    browsers fetch from another host."""
    return f":material/{icon}: {title}"


def _lab_by_name() -> None:
    """`/lab` is the lab too, though the default page's own address is `/`."""
    go_to("lab.py", st.query_params.to_dict())


def go_to(file: str, query: Mapping[str, str]) -> NoReturn:
    """Shows another page instead, with this address."""
    st.switch_page(PAGES / file, query_params=dict(query))


def link(file: str, label: str, icon: str, run: str) -> None:
    """A link to another page on the same run; none on a page that is run by itself."""
    with suppress(StreamlitPageNotFoundError):
        st.page_link(PAGES / file, label=label, icon=icon, query_params={"run": run})


def open_page(title: str) -> None:
    """First call of every page: its title."""
    st.set_page_config(
        page_title=f"{title} · WGAN Lab",
        page_icon=ICON,  # one of Streamlit's own symbols would be fetched from another host
        layout="wide",
        initial_sidebar_state="collapsed",
    )
