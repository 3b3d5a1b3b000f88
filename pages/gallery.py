"""The gallery: trained generators, ours, the Hub's and the visitor's own."""

import streamlit as st

from wgan.ui.shell import open_page
from wgan.ui.words import plain, sections

open_page("Gallery")
st.markdown(sections("gallery")["intro"])
with st.spinner("Loading PyTorch"):
    # Here, not above: nothing that is drawn so far waits for torch, and all that follows does.
    from wgan.ui.gallery import sources
    from wgan.ui.gallery.viewer import viewer

opened = sources.current()
tabs = st.tabs(list(sources.SOURCES), key="source", on_change="rerun", default=sources.first())
for tab, draw in zip(tabs, sources.SOURCES.values(), strict=True):
    if tab.open:
        with tab:
            draw()
with st.container(key="notices"):
    if text := sources.pop_notice():
        st.warning(plain(text), icon=":material/info:")
if opened is not None:
    with st.container(border=True, key="viewer"):
        viewer(opened.name, opened.checkpoint)
