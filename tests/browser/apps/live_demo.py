"""The page of `live_page.py` on a server that has the scripts of the live view, and no run."""

from pathlib import Path

import streamlit as st

from wgan.ui.serve import routes

app = st.App(Path(__file__).with_name("live_page.py"), routes=routes())
