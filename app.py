"""WGAN Lab: `streamlit run app.py`."""

import streamlit as st

from wgan.ui.serve import MAIN, lifespan, routes

app = st.App(MAIN, routes=routes(), lifespan=lifespan)
