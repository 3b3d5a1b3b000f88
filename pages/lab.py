"""The live lab: train, watch and change a GAN while it runs."""

import streamlit as st

from wgan.presets import PRESETS
from wgan.ui import binding, branch, controls, doctor, liveview, modes, room, runbar
from wgan.ui.equation import equation
from wgan.ui.keeper import keep_owned
from wgan.ui.live import load_plotly
from wgan.ui.own import own_data
from wgan.ui.pulse import stay_alive
from wgan.ui.share import share
from wgan.ui.shell import link, open_page
from wgan.ui.words import plain

open_page("Lab")
run = binding.current_run()
keep_owned([run])


def place(key: str, **layout):
    """A container that the live fragment fills; it may only fill what was written to."""
    container = st.container(key=key, **layout)
    with container:
        st.container()
    return container


with st.container(key="run_bar", horizontal=True, vertical_alignment="center", gap="small"):
    runbar.run_bar(run)
    status = place("status", width="stretch")
notices = st.container(key="notices")
with notices:
    if text := binding.pop_notice():
        st.warning(plain(text), icon=":material/info:")
    if (frame := run.frame).state == "failed":
        st.error(plain(frame.message), icon=":material/error:", title="The run stopped")
        if frame.view is None:  # it could not even begin
            st.button(
                "Use the small digits instead",
                key="use_digits",
                icon=":material/looks_3:",
                on_click=binding.start,
                args=(PRESETS["digits-gan"].config,),
            )

room.watching(run)
room.poll(run)
findings = doctor.card(run, runbar.about(run))
meter = place("meter")
left, right = st.columns([11, 12], gap="large")
with left:
    samples = place("samples_place")
    if run.config.is_points:
        st.pills(
            "Layers",
            list(liveview.LAYERS),
            selection_mode="multi",
            default=list(liveview.LAYERS),
            format_func=lambda name: liveview.LAYERS[name],
            key="layers",
            label_visibility="collapsed",
        )
    st.slider(
        "Look back",
        0,
        100,
        value=100,
        format="%d%%",
        key=liveview.look_back_key(run),
        on_change=liveview.look_back,
        args=(run,),
        help="The samples and the meter as they were: 100% is now, 0% is the first step.",
    )
    branch.row(run)
with right, st.container(gap="xsmall"):
    controls.switches(run)
    with st.container(key="advice"):  # always there, so that what is below is not mounted anew
        controls.advice(run.config)
    # It follows the switches; only in slow motion it changes with the step.
    stages = place("equation", gap="xxsmall") if run.slow is not None else None
    if stages is None:
        st.container(key="equation", gap="xxsmall").latex(equation(run.config))
    curve = place("curve_place", gap="xxsmall")
    link("critic.py", "Inside the critic", ":material/neurology:", run.id)

with st.sidebar:
    controls.settings(run)

names = ["More curves", "Modes", "New run", "Your own data", "Classroom", "Share and repeat"]
more = coverage = repeat = None
curves_tab, modes_tab, new_tab, own_tab, room_tab, share_tab = st.tabs(
    names, key="tab", on_change="rerun"
)
if curves_tab.open:
    with curves_tab:
        st.select_slider(
            "Smoothing",
            [1, 3, 5, 9, 15, 25, 51],
            key="smoothing",
            format_func=lambda window: "none" if window == 1 else f"median of {window}",
            help="Median filter over so many points, as in the WGAN paper's Fig. 3.",
            width=420,
        )
        more = place("more_place")
if modes_tab.open:
    with modes_tab:
        coverage = modes.modes(run)
if new_tab.open:
    with new_tab:
        controls.new_run(run)
if own_tab.open:
    with own_tab:
        own_data(run)
if room_tab.open:
    with room_tab:
        room.classroom(run)
if share_tab.open:
    with share_tab:
        repeat = share(run)

places = liveview.Places(status, findings, meter, samples, stages, curve, more, coverage, repeat)
liveview.live(run, places, liveview.shown(run))
load_plotly()
stay_alive()
