"""Inside the critic: its value, gradients, weights and slopes, and whether it tells the truth."""

import streamlit as st

from wgan.ui import binding, runbar
from wgan.ui.critic import experiments
from wgan.ui.critic.anatomy import another_batch
from wgan.ui.critic.sections import SECTIONS
from wgan.ui.critic.stream import live
from wgan.ui.keeper import keep_owned
from wgan.ui.live import load_plotly
from wgan.ui.pulse import stay_alive
from wgan.ui.shell import link, open_page
from wgan.ui.words import plain, sections

open_page("Critic")
run = binding.current_run()
keep_owned([run])

with st.container(key="critic_bar", horizontal=True, vertical_alignment="center", gap="small"):
    link("lab.py", "To the lab", ":material/arrow_back:", run.id)
    status = st.container(key="critic_status", width="stretch")
    with status:
        st.container()
with st.container(key="notices"):
    if text := binding.pop_notice():
        st.warning(plain(text), icon=":material/info:")
    if run.frame.state == "failed":
        st.error(plain(run.frame.message), icon=":material/error:", title="The run stopped")
st.caption(runbar.about(run))

texts = {key: sections("critic")[key].partition("\n") for key in SECTIONS}
tabs = st.tabs([texts[key][0] for key in SECTIONS], key="critic_tab", on_change="rerun")
for tab, key in zip(tabs, SECTIONS, strict=True):
    if not tab.open:
        continue
    with tab:
        st.markdown(texts[key][2])
        experiments.row(run, key)
        if key == "anatomy":
            st.button(
                "Draw another batch",
                key="critic_another",
                icon=":material/casino:",
                on_click=another_batch,
                help="Other samples of the same run; nothing of its training changes.",
            )
        place = st.container(key=f"critic_place_{key}")
        with place:
            st.container()
        measures = run.frame.measures
        held_out = measures is not None and measures.gap_held_out is not None
        if key == "truth" or (key == "overfitting" and held_out):
            st.select_slider(
                "Smoothing",
                [1, 3, 5, 9, 15, 25, 51],
                key="critic_smoothing",
                format_func=lambda window: "none" if window == 1 else f"median of {window}",
                help="Median filter over so many points, as in the WGAN paper's Fig. 3.",
                width=420,
            )
        live(run, status, place, key)
load_plotly()
stay_alive()
