"""The duel: architectures against methods, one run after the other."""

import streamlit as st

from wgan.ui import duel as duels
from wgan.ui.shell import open_page
from wgan.ui.words import plain, sections

open_page("Duel")
duel = duels.current_duel()
words = sections("duel")

st.markdown(words["intro"])
with st.container(key="notices"):
    if text := st.session_state.pop(duels.NOTICE, None):
        st.warning(plain(text), icon=":material/info:")
duels.chooser(duel)
if not duel.visitor:
    st.caption(words["shared"])
duels.grid(duel)
