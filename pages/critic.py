"""Inside the critic: its value, gradients, weights and slopes, and whether it tells the truth."""

import streamlit as st

from wgan.live.critic import SECTIONS
from wgan.live.parts import channel
from wgan.live.table import made_of_runs
from wgan.ui import binding, live, runbar
from wgan.ui.browser_storage import keep_owned
from wgan.ui.critic import experiments
from wgan.ui.critic.batch import another_batch, batch
from wgan.ui.shell import link, open_page
from wgan.ui.words import plain, sections

open_page("Critic")
run = binding.current_run()
keep_owned([run])
live.page(channel("page", run), made_of_runs([run]))

with st.container(key="critic_bar", horizontal=True, vertical_alignment="center", gap="small"):
    link("lab.py", "To the lab", ":material/arrow_back:", run.id)
    with st.container(key="critic_status", width="stretch"):
        live.part(channel("status", run), key="status", height=22)
with st.container(key="notices"):
    if text := binding.pop_notice():
        st.warning(plain(text), icon=":material/info:")
    if run.frame.state == "failed":
        st.error(plain(run.frame.message), icon=":material/error:", title="The run stopped")
st.caption(runbar.about(run))

texts = {key: sections("critic")[key].partition("\n") for key in SECTIONS}
# Of images there is no value surface: there the page begins with one step.
first = "surface" if run.config.is_points else "anatomy"
st.session_state.setdefault("critic_tab", texts[first][0])
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
        window = None
        metrics = run.frame.metrics
        held_out = metrics is not None and metrics.gap_held_out is not None
        if key == "truth" or (key == "overfitting" and held_out):
            window = live.smoothing("critic_smoothing")
        live.part(
            channel("critic", run, section=key, batch=batch(), smoothing=window),
            key=f"critic_{key}",
            height=420,
        )
