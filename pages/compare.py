"""Up to four runs side by side, so that one setting is all that differs."""

import streamlit as st

from wgan.live.parts import channel
from wgan.live.table import made_of_runs
from wgan.metrics.table import metric
from wgan.plots import OVERLAYS
from wgan.ui import binding, compare, live, panels
from wgan.ui.browser_storage import keep_owned
from wgan.ui.shell import open_page
from wgan.ui.words import plain, sections

open_page("Compare")
runs = compare.current()
keep_owned(runs)

with st.container(key="notices"):
    if text := binding.pop_notice():
        st.warning(plain(text), icon=":material/info:")
if any(run.access.demonstration for run in runs):
    st.caption(sections("compare")["intro"])

live.page(channel("page", *runs), made_of_runs(runs))
compare.verbs(runs)
compare.ready(runs)
panels.panels(runs)
st.session_state.setdefault(compare.CURVES, ["w1", "modes"])
chosen = st.pills(
    "Curves",
    list(OVERLAYS),
    selection_mode="multi",
    format_func=lambda name: metric(name).title,
    key=compare.CURVES,
)
with st.container(horizontal=True, gap="large"):
    by = st.segmented_control(
        "By",
        ["steps", "seconds"],
        default="steps",
        required=True,
        format_func=lambda by: {"steps": "by steps", "seconds": "by wall clock"}[by],
        key="compare_by",
        help=sections("compare")["by"],
    )
    window = live.smoothing("compare_smoothing", width=220)
panels.curves(runs, chosen, by, window)
