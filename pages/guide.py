"""What the lab shows: every equation, every number and its source."""

import streamlit as st

from wgan.losses import CONSTRAINT_EQUATIONS, CRITIC_EQUATIONS, GENERATOR_EQUATIONS
from wgan.ui.controls import option_label
from wgan.ui.shell import open_page
from wgan.ui.words import sections, words

open_page("Guide")
st.markdown(words("guide"))

st.subheader("Objectives")
st.markdown(words("objectives"))
for name, text in sections("objectives_each").items():
    with st.container(border=True):
        st.markdown(f"**{option_label('objective', name)}** · {text}")
        left, right = st.columns(2)
        left.latex(rf"\min_D\; {CRITIC_EQUATIONS[name]}")
        right.latex(rf"\min_G\; {GENERATOR_EQUATIONS[name]}")

st.subheader("Constraints on the critic")
for name, text in sections("constraints_each").items():
    with st.container(border=True):
        st.markdown(f"**{option_label('constraint', name)}** · {text}")
        st.latex(CONSTRAINT_EQUATIONS[name] or r"\text{nothing is added}")

st.subheader("What the numbers mean")
st.markdown(words("numbers"))
