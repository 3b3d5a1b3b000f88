"""Up to four runs side by side, so that one setting is all that differs."""

import streamlit as st

from wgan.figures import OVERLAYS
from wgan.ui import binding, compare, panels
from wgan.ui.keeper import keep_owned
from wgan.ui.live import load_plotly
from wgan.ui.pulse import stay_alive
from wgan.ui.shell import open_page
from wgan.ui.words import plain, sections

open_page("Compare")
runs = compare.current()
keep_owned(runs)

with st.container(key="notices"):
    if text := binding.pop_notice():
        st.warning(plain(text), icon=":material/info:")
if not runs:
    compare.empty()
    st.stop()

compare.verbs(runs)
drawn = panels.panels(runs)
st.pills(
    "Curves",
    list(OVERLAYS),
    selection_mode="multi",
    default=st.session_state.get(compare.CURVES, ["w1", "modes"]),
    format_func=lambda name: OVERLAYS[name][0],
    key="compare_curves",
)
with st.container(horizontal=True, gap="large"):
    st.segmented_control(
        "By",
        ["steps", "seconds"],
        default="steps",
        required=True,
        format_func=lambda by: {"steps": "by steps", "seconds": "by wall clock"}[by],
        key="compare_by",
        help=sections("compare")["by"],
    )
    st.select_slider(
        "Smoothing",
        [1, 3, 5, 9, 15, 25, 51],
        key="compare_smoothing",
        format_func=lambda window: "none" if window == 1 else f"median of {window}",
        width=220,
    )
panels.live(drawn, panels.place())
load_plotly()
stay_alive()
