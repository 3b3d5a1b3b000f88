"""The papers' reasons on a blackboard: distances, transport, slopes, games; everything moves."""

import streamlit as st

from wgan.ui.shell import open_page
from wgan.ui.theory import SECTIONS
from wgan.ui.words import sections

open_page("Theory")
texts = {key: sections("theory")[key].partition("\n") for key in SECTIONS}
names = [texts[key][0] for key in SECTIONS]
tabs = st.tabs(names, key="section", on_change="rerun", bind="query-params")
for tab, key in zip(tabs, SECTIONS, strict=True):
    if tab.open:
        with tab:
            st.markdown(texts[key][2])
            SECTIONS[key]()
