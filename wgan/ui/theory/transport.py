"""Optimal transport: the plan, its cost, the potential, and a critic that learns the potential."""

from __future__ import annotations

import numpy as np
import streamlit as st

from wgan.live import blocks
from wgan.live.blocks import Number, numbers
from wgan.live.parts import channel
from wgan.live.theory.dual import STRENGTHS, solved
from wgan.plots.base import GENERATED, REAL
from wgan.plots.theory import transport as drawn
from wgan.theory.transport import CLOUDS, LEVELS, Transport, as_text, gaussian
from wgan.ui import live
from wgan.ui.theory.bars import bars
from wgan.ui.theory.controls import choice, slider, told
from wgan.ui.words import sections

TEXT = "theory_transport"
KINDS = {"line": "On a line", "plane": "On the plane"}


def draw() -> None:
    """The section."""
    words = sections(TEXT)
    st.latex(words["equation"])
    kind = choice(TEXT, "kind", KINDS, state="theory_kind")
    pair = _histograms() if kind == "line" else _clouds()
    found = solved(pair)
    live.still([_values(found)], key="theory_transport_values", height=80)
    live.still([_pictures(found, kind)], key=f"theory_plan_{kind}", height=400)
    st.markdown(words["exact"])
    st.subheader(words["critic"].partition("\n")[0])
    st.markdown(words["critic"].partition("\n")[2])
    with st.container(horizontal=True, gap="large"):
        names = {"gp": "Gradient penalty", "clip": "Clipping"}
        constraint = choice(TEXT, "constraint", names, state="theory_constraint")
        strengths = {value: f"{value:g}" for value in STRENGTHS[constraint]}
        strength = _strength(constraint, strengths)
    name = channel("theory_dual", pair=pair, constraint=constraint, strength=f"{strength:g}")
    live.part(name, key="theory_dual", height=520)
    st.markdown(words["why"])


def _strength(constraint: str, strengths: dict[float, str]) -> float:
    label, help = told(TEXT, constraint)
    return st.segmented_control(
        label,
        list(strengths),
        default=10.0 if constraint == "gp" else 0.1,
        required=True,
        format_func=lambda value: strengths.get(value, str(value)),
        key=f"theory_strength_{constraint}_dual",
        help=help,
    )


def _histograms() -> str:
    """Two histograms, set by sliders and then drawn over with the mouse; their name."""
    texts = []
    sides = (("data", REAL, 0.45, 0.2), ("samples", GENERATED, -0.35, 0.15))
    for column, (side, color, mean, sigma) in zip(st.columns(2, gap="large"), sides, strict=True):
        with column:
            left, right = st.columns(2)
            with left:
                at = slider(
                    TEXT, f"{side}_mean", -0.9, 0.9, mean, 0.05, state=f"theory_{side}_mean"
                )
            with right:
                wide = slider(TEXT, "width", 0.05, 0.6, sigma, 0.05, state=f"theory_{side}_width")
            text = gaussian(at, wide)
            given = [LEVELS.index(c) / 35 for c in text]
            label = sections(TEXT)[f"{side}_bars"]
            st.caption(label)
            heights = bars(
                key=f"theory_bars_{side}", given=given, color=color, label=label, revision=text
            )
            texts.append(as_text(np.array(heights)))
    return ".".join(texts)


def _clouds() -> str:
    return choice(
        TEXT, "clouds", {name: sections(TEXT)[name] for name in CLOUDS}, state="theory_clouds"
    )


def _values(found: Transport) -> blocks.Block:
    slopes = found.slopes()
    along = f"{slopes.min():.4f} to {slopes.max():.4f}" if len(slopes) else "–"
    return numbers(
        Number("W₁, by the plan", f"{found.distance:.4f}", "Σ γᵢⱼ ‖xᵢ − x̃ⱼ‖, exact to 10⁻⁷"),
        Number("W₁, by the potential", f"{found.gain:.4f}", "E f(x) − E f(x̃)"),
        Number("Slope along optimal pairs", along, f"{len(slopes)} pairs; Corollary 1 says 1"),
    )


def _pictures(found: Transport, kind: str) -> blocks.Block:
    cost = drawn.cost_by_parts(found)
    if kind == "line":
        charts = (
            (drawn.plan_map(found), "The optimal plan γ"),
            (cost, "Its cost by parts"),
            (drawn.potential_line(found), "The potential f"),
        )
    else:
        charts = (
            (drawn.plane(found), "Optimal pairs over the potential f"),
            (cost, "Its cost by parts"),
        )
    return blocks.figures(
        *(
            blocks.Chart(figure, 360, title, title=title, name=title.rpartition(" ")[2])
            for figure, title in charts
        )
    )
