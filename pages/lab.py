"""The live lab: train, watch and change a GAN while it runs."""

import streamlit as st

from wgan.live.lab import CURVE_HEIGHT, LAYERS, POINTS_HEIGHT, main_curve, more_curves
from wgan.live.parts import channel
from wgan.live.table import made_of_runs
from wgan.presets import PRESETS
from wgan.server.registry import lab
from wgan.ui import (
    binding,
    branch,
    classroom,
    controls,
    doctor,
    identity,
    live,
    lookback,
    modes,
    runbar,
)
from wgan.ui.browser_storage import keep_owned
from wgan.ui.custom_data import own_data
from wgan.ui.equation import equation
from wgan.ui.own_runs import my_runs
from wgan.ui.share import share
from wgan.ui.shell import link, open_page
from wgan.ui.words import plain

# Pixels that the live parts take before they are there: nothing below them moves when they come.
METER, GRID_HEIGHT, CURVE = 112, 440, CURVE_HEIGHT + live.TITLE

open_page("Lab")
run = binding.current_run()
keep_owned([run])
live.page(channel("page", run, alarms=1), made_of_runs([run], alarms=True))


with st.container(key="run_bar", horizontal=True, vertical_alignment="center", gap="small"):
    runbar.run_bar(run)
    with st.container(key="status", width="stretch"):
        live.part(channel("status", run), key="status_line", height=22)
notices = st.container(key="notices")
with notices:
    if text := binding.pop_notice():
        st.warning(plain(text), icon=":material/info:")
    if (unsaved := lab().save_failure) and identity.owns(run):
        st.warning(plain(unsaved), icon=":material/save:", title="This run is not on disk")
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

classroom.poll_hint(run)
classroom.watching(run)
classroom.poll(run)
doctor.line(run, runbar.about(run))
at = lookback.step(run)
live.part(channel("meter", run, at=at), key="meter", height=METER)
live.part(channel("now", run), key="now", height=22)
left, right = st.columns([11, 12], gap="large")
with left:
    chosen = st.session_state.get("layers", list(LAYERS))
    layers = ",".join(chosen) if run.config.is_points else None
    height = POINTS_HEIGHT + live.NOTE if run.config.is_points else GRID_HEIGHT
    live.part(channel("samples", run, at=at, layers=layers), key="samples", height=height)
    if run.config.is_points:
        st.pills(
            "Layers",
            list(LAYERS),
            selection_mode="multi",
            default=list(LAYERS),
            format_func=lambda name: LAYERS[name],
            key="layers",
            label_visibility="collapsed",
        )
    with st.container(key="past"):
        lookback.slider(run)
        branch.row(run)
with right, st.container(gap="xsmall"):
    controls.switches(run)
    name = main_curve(run.config)
    window = st.session_state.get("smoothing")  # of the tab "More curves", for all curves
    name = channel("curves", run, names=name, at=at, smoothing=window)
    live.part(name, key="curve_main", height=CURVE)
    with st.container(key="advice"):  # below the curve, which so never moves
        controls.advice(run.config)
    if run.slow is None:
        st.container(key="equation", gap="xxsmall").latex(equation(run.config))
    else:  # the stage on screen says which of them is shown
        for term in ("constraint", "critic", "generator"):
            st.container(key=f"equation_{term}").latex(equation(run.config, term))
        live.part(channel("stages", run), key="stages", height=90)
    link("critic.py", "Inside the critic", ":material/neurology:", run.id)

with st.sidebar:
    controls.settings(run)

names = [
    "More curves",
    "Modes",
    "New run",
    "Your own data",
    "Classroom",
    "My runs",
    "Share and repeat",
]
curves_tab, modes_tab, new_tab, own_tab, room_tab, mine_tab, share_tab = st.tabs(
    names, key="tab", on_change="rerun"
)
if curves_tab.open:
    with curves_tab:
        window = live.smoothing("smoothing")
        more = ",".join(more_curves(run.config))
        name = channel("curves", run, names=more, at=at, smoothing=window)
        live.part(name, key="curve_more", height=CURVE)
if modes_tab.open:
    with modes_tab:
        modes.modes(run)
if new_tab.open:
    with new_tab:
        controls.new_run(run)
if own_tab.open:
    with own_tab:
        own_data(run)
if room_tab.open:
    with room_tab:
        classroom.classroom(run)
if mine_tab.open:
    with mine_tab:
        my_runs(run)
if share_tab.open:
    with share_tab:
        share(run)
