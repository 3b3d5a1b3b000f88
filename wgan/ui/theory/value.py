"""The value function of a GAN: what D makes of two densities, and what is left for G."""

from __future__ import annotations

import math

import streamlit as st

from wgan.live.blocks import Number, numbers
from wgan.live.parts import channel
from wgan.live.theory.reach import SEEDS
from wgan.plots.theory import value as drawn
from wgan.theory.value import value
from wgan.ui import live
from wgan.ui.theory.controls import again, slider
from wgan.ui.words import sections

TEXT = "theory_value"


def draw() -> None:
    """The section."""
    words = sections(TEXT)
    st.latex(words["equation"])
    one, two, three = st.columns(3, gap="large")
    with one:
        mean = slider(TEXT, "mean", -3.0, 3.0, 1.0, 0.1, state="theory_mean")
    with two:
        sigma = slider(TEXT, "sigma", 0.3, 2.0, 0.8, 0.1, state="theory_sigma")
    with three:
        sharp = slider(TEXT, "sharpness", 0.0, drawn.MOST, 1.0, 0.05, state="theory_sharpness")
    _values(mean, sigma, sharp)
    places = st.columns(3, gap="large")
    figures = {
        "densities": (drawn.densities, "Two densities, and D between them"),
        "terms": (drawn.terms, "The two terms, as areas"),
        "over_sharpness": (drawn.over_sharpness, "V over the sharpness of D"),
    }
    for place, (name, (make, title)) in zip(places, figures.items(), strict=True):
        with place:
            live.live_figure(
                make(mean, sigma, sharp), key=f"theory_{name}", height=320, alt=title, title=title
            )
    st.markdown(words["optimum"])
    st.subheader(words["losses"].partition("\n")[0])
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(words["losses"].partition("\n")[2])
        st.latex(words["slopes"])
        score = slider(TEXT, "score", -6.0, 6.0, -4.0, 0.25, state="theory_score")
        seen = 1 / (1 + math.exp(-score))
        shown = (
            Number("D(G(z))", f"{seen:.4f}", "σ(score)"),
            Number("Saturating", f"−{seen:.4f}", "slope −σ(score)"),
            Number("Non-saturating", f"−{1 - seen:.4f}", "slope −(1 − σ(score))"),
        )
        live.still([numbers(*shown)], key="theory_slopes", height=80)
    with right:
        live.live_figure(
            drawn.losses(score),
            key="theory_losses",
            height=420,
            alt="Both generator losses over D(G(z)), and their slopes",
        )
    st.subheader(words["reach"].partition("\n")[0])
    st.markdown(words["reach"].partition("\n")[2])
    seed = again(TEXT, "seed", SEEDS, state="theory_reach_seed")
    live.part(channel("theory_reach", seed=seed), key="theory_reach", height=420)


def _values(mean: float, sigma: float, sharpness: float) -> None:
    found = value(mean, sigma, sharpness)
    error = f"nats, ± {max(found.error, 1e-12):.0e}".replace("-", "−")
    shown = (
        Number("E[log D(x)]", _signed(found.real), error),
        Number("E[log(1 − D(x̃))]", _signed(found.fake), error),
        Number("V(D, G)", _signed(found.value), "their sum"),
        Number("2 JS − log 4", _signed(found.best), "the largest V: at D = p/(p + q)"),
        Number("JS(p, q)", _signed(found.js), "nats; 0 to log 2 = 0.6931"),
    )
    live.still([numbers(*shown)], key="theory_value_terms", height=80)


def _signed(value: float) -> str:
    return f"{value:.4f}".replace("-", "−")
