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
STYLE = ICON.with_name("shell.css")


_LISTED = {
    "lab": "Lab",
    "critic": "Critic",
    "compare": "Compare",
    "gallery": "Gallery",
    "duel": "Duel",
    "theory": "Theory",
    "guide": "Guide",
}


def navigation() -> Page:
    """The pages of the app; returns the one that was asked for."""
    return st.navigation(
        [
            # The lab at `/`: it must not reserve `/lab`, which Streamlit does not serve for a
            # default page.
            *(
                st.Page(
                    PAGES / f"{name}.py",
                    title=title,
                    url_path="home" if name == "lab" else name,
                    default=name == "lab",
                )
                for name, title in _LISTED.items()
            ),
            st.Page(_lab_by_name, title="Lab", url_path="lab", visibility="hidden"),
        ],
        position="top",
    )


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
    st.html(STYLE)
    # On a phone Streamlit hides its navigation behind a symbol: there this row stands for it.
    with (
        st.container(key="phone_pages", horizontal=True, wrap=False, gap="small"),
        suppress(StreamlitPageNotFoundError),
    ):
        for name, label in _LISTED.items():
            st.page_link(PAGES / f"{name}.py", label=label)
