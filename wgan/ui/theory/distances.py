"""Distances between parallel lines, and a generator that has to cross between them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from wgan.live.blocks import Block, Number, numbers
from wgan.live.parts import channel
from wgan.live.theory.lines import CRITIC_STEPS, SEEDS, STARTS
from wgan.plots.theory import lines as drawn
from wgan.theory.line_methods import LABELS
from wgan.theory.lines import DISTANCES, descend
from wgan.ui import live
from wgan.ui.theory.controls import again, choice, slider, told
from wgan.ui.words import sections
from wgan.words import format_3_digits

TEXT = "theory_distances"
NOISES = {0.0: "none", 0.05: "0.05", 0.1: "0.1", 0.2: "0.2", 0.4: "0.4"}
STEP, STEPS = 0.05, 40  # of the particles


def draw() -> None:
    """The section."""
    words = sections(TEXT)
    left, right = st.columns([3, 2], gap="large")
    with left:
        theta = slider(TEXT, "theta", -1.0, 1.0, 0.75, 0.05, state="theory_theta")
    with right:
        sigma = choice(TEXT, "noise", NOISES, state="theory_noise")
    live.still([_values(theta, sigma)], key="theory_values", height=80)
    left, right = st.columns(2, gap="large")
    with left:
        live.live_figure(
            drawn.segments(theta, sigma),
            key="theory_segments",
            height=330,
            alt=f"The data's segment at 0 and the generator's at {theta:g}",
            title="Two segments",
        )
    with right:
        paths = {k: descend(d, theta, sigma, STEP, STEPS) for k, d in DISTANCES.items()}
        live.live_figure(
            drawn.particles(paths),
            key="theory_particles",
            height=330,
            alt="A particle for each distance follows its gradient towards 0",
            title="Which gradient leads home?",
            note=words["particles"],
        )
    st.latex(words["descent"])
    _curves(theta, sigma)
    st.markdown(words["meaning"])
    st.subheader(words["run"].partition("\n")[0])
    st.markdown(words["run"].partition("\n")[2])
    _run()


def _values(theta: float, sigma: float) -> Block:
    here = np.array([theta])
    shown = []
    for distance in DISTANCES.values():
        value, slope = (float(f(here, sigma)[0]) for f in (distance.value, distance.slope))
        told_of = f"slope {_number(slope)}" if np.isfinite(slope) else "no slope here"
        unit = {"EM": "data’s units", "TV": "0 to 1"}.get(distance.name, "nats")
        shown.append(Number(distance.name, _number(value), f"{unit}; {told_of}"))
    return numbers(*shown)


def _number(value: float) -> str:
    return "∞" if np.isinf(value) else format_3_digits(value).replace("-", "−")


def _curves(theta: float, sigma: float) -> None:
    with st.container(key="theory_curves"):
        for column, (key, distance) in zip(st.columns(4), DISTANCES.items(), strict=True):
            with column:
                st.latex(distance.equation)
                live.live_figure(
                    drawn.distance(key, theta, sigma),
                    key=f"theory_distance_{key}",
                    height=280,
                    alt=f"{distance.name} and its slope over θ",
                )


def _run() -> None:
    label, help = told(TEXT, "methods")
    methods = st.pills(
        label,
        list(LABELS),
        selection_mode="multi",
        default=list(LABELS),
        format_func=lambda key: LABELS[key],
        key="theory_methods",
        help=help,
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        starts = {start: f"{int(start) / 100:g}" for start in STARTS}
        start = choice(TEXT, "start", starts, state="theory_start")
        steps = {n: n for n in CRITIC_STEPS}
        critic_steps = choice(TEXT, "critic_steps", steps, state="theory_critic_steps")
        seed = again(TEXT, "seed", SEEDS, state="theory_line_seed")
    if not methods:
        st.caption(sections(TEXT)["nothing"])
        return
    name = channel(
        "theory_lines",
        methods=",".join(key for key in LABELS if key in methods),
        start=start,
        critic_steps=critic_steps,
        seed=seed,
    )
    live.part(name, key="theory_lines", height=420)
