"""Lipschitz: what a bounded slope is, what it is for, and what clipping makes of it."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from wgan.live.blocks import Number, numbers
from wgan.live.parts import channel
from wgan.plots.theory import lipschitz as drawn
from wgan.theory.dual_settings import CLIPS
from wgan.theory.lipschitz import FUNCTIONS, discriminator_slope
from wgan.ui import live
from wgan.ui.theory.controls import choice, slider, told
from wgan.ui.words import sections

TEXT = "theory_lipschitz"
MOST = 4.0  # of K


def draw() -> None:
    """The section."""
    words = sections(TEXT)
    st.latex(words["equation"])
    _cone()
    for key, part in (("score", _score), ("clipping", _clipping)):
        title, _, body = words[key].partition("\n")
        st.subheader(title)
        st.markdown(body)
        part()
    st.markdown(words["extremes"])


def _cone() -> None:
    words = sections(TEXT)
    names = {key: words[key] for key in FUNCTIONS}
    chosen = choice(TEXT, "function", names, state="theory_function")
    function = FUNCTIONS[chosen]
    left, right = st.columns(2, gap="large")
    with left:
        at = slider(TEXT, "at", -1.0, 1.0, 0.0, 0.05, state="theory_at")
        k = slider(TEXT, "k", 0.1, MOST, 1.0, 0.1, state="theory_k")
        st.latex(function.equation)
        constant = "∞" if math.isinf(function.constant) else f"{function.constant:g}"
        fits = k >= function.constant
        shown = [
            Number("Smallest K", constant, "the steepest slope, exact"),
            Number("K-Lipschitz?", "yes" if fits else "no", f"for K = {k:g}, by the constant"),
        ]
        live.still([numbers(*shown)], key="theory_constant", height=80)
        st.markdown(words["scale"])
    with right:
        live.live_figure(
            drawn.cone(function, at, k),
            key="theory_cone",
            height=320,
            alt=f"A function and its cone of slope {k:g} at {at:g}",
            title="Does the graph stay in the cone?",
        )
        live.live_figure(
            drawn.scale(0.8, k, MOST),
            key="theory_scale",
            height=240,
            alt="The largest gap of a K-Lipschitz function grows like K",
            title="K against W₁ = 0.8",
        )


def _score() -> None:
    distance = slider(TEXT, "distance", 0.0, 2.5, 1.5, 0.1, state="theory_apart")
    at = np.array([-distance / 2])
    slope = float(discriminator_slope(distance, at)[0])
    shown = (
        Number(
            "Slope of the class",
            f"{slope:.2g}".replace("e-0", "e−"),
            "of p/(p + q), at the samples’ mean",
        ),
        Number("Slope of the score", "1", "of the potential f(x) = x, everywhere"),
        Number("W₁", f"{distance:.2f}", "of a shift: its length"),
    )
    live.still([numbers(*shown)], key="theory_class_values", height=80)
    live.live_figure(
        drawn.class_and_score(distance),
        key="theory_class",
        height=340,
        alt="Optimal discriminator and best critic between two Gaussians",
    )


def _clipping() -> None:
    label, help = told(TEXT, "c")
    chosen = st.select_slider(
        label, CLIPS, 0.1, key="theory_c", format_func=lambda c: f"{c:g}", help=help
    )
    live.part(channel("theory_clips", c=f"{chosen:g}"), key="theory_clips", height=440)
