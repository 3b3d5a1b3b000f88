"""What the lab shows: every equation, every number and its source."""

import streamlit as st

from wgan.constraints import CONSTRAINTS
from wgan.objectives import OBJECTIVES
from wgan.server.limits import describe, limits
from wgan.server.registry import lab
from wgan.ui.controls import option_label
from wgan.ui.own_runs import room_left
from wgan.ui.shell import open_page
from wgan.ui.words import plain, sections, words

open_page("Guide")
st.markdown(words("guide"))

st.subheader("Objectives")
st.markdown(words("objectives"))
for name, objective in OBJECTIVES.items():
    text = sections("objectives_each")[name]
    with st.container(border=True):
        st.markdown(f"**{option_label('objective', name)}** · {text}")
        left, right = st.columns(2)
        left.latex(rf"\min_D\; {objective.critic_equation}")
        right.latex(rf"\min_G\; {objective.generator_equation}")

st.subheader("Constraints on the critic")
for name, constraint in CONSTRAINTS.items():
    text = sections("constraints_each")[name]
    with st.container(border=True):
        st.markdown(f"**{option_label('constraint', name)}** · {text}")
        st.latex(constraint.equation or r"\text{nothing is added}")

st.subheader("What the numbers mean")
st.markdown(words("numbers"))

st.subheader("What the doctor looks for")
intro, _, _ = words("doctor").partition("\n## ")
st.markdown(intro)
for text in sections("doctor").values():
    title, _, meaning = text.partition("\n")
    st.markdown(f"- **{title}** · {meaning}")

st.subheader("About this server")
st.caption(f"What it takes at most, so that everybody in a class gets a turn. {room_left()}")
rows = [{"setting": name, "value": value, "what": what} for name, value, what in describe(limits())]
st.dataframe(rows, hide_index=True, height="content")
if text := lab().warning:
    st.caption(f":material/info: {plain(text)}")
