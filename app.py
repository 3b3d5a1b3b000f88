"""WGAN Lab: `streamlit run app.py`."""

from wgan.ui.shell import navigation

navigation().run()
