"""WGAN Lab: `streamlit run app.py`."""

import streamlit as st

from wgan.ui.serve import MAIN, lifespan, middleware, routes

app = st.App(MAIN, routes=routes(), lifespan=lifespan, middleware=middleware())
