"""A page with every live component, streaming made-up curves at 2 Hz."""

import numpy as np
import streamlit as st

from wgan import figures
from wgan.lab.frame import Curve, Event, Measures, PointView
from wgan.ui import live

EVENTS = [
    Event(120, "change", "constraint: none → gp, gp_weight: 0.1 → 10"),
    Event(150, "change", "optimizer_d: rmsprop → adam"),
    Event(700, "failed", "the critic's loss is no longer finite"),
]


def curve(n: int, value: float, seed: int) -> Curve:
    rng = np.random.default_rng(seed)
    step = np.arange(1, n + 1, dtype=np.float32) * 20
    mean = (value * (0.3 + np.exp(-step / 600)) + 0.05 * value * rng.normal(size=n)).astype("f4")
    width = np.abs(0.1 * value * rng.normal(size=n)).astype("f4")
    return Curve(step, mean, mean - width, mean + width)


def view(tick: int) -> PointView:
    rng = np.random.default_rng(tick)
    angle = rng.integers(0, 8, 600) * np.pi / 4
    real = 1.414 * np.stack([np.cos(angle), np.sin(angle)], 1) + 0.03 * rng.normal(size=(600, 2))
    fake = real[rng.permutation(600)] * 0.9 + 0.12 * rng.normal(size=(600, 2))
    x, y = np.meshgrid(*[np.linspace(-2.2, 2.2, 48)] * 2)
    surface = np.sin(2 * x + tick / 10) * np.cos(y) + 0.4 * np.hypot(x, y) + 5
    grid = np.stack(np.meshgrid(*[np.linspace(-1.6, 1.6, 11)] * 2), -1)
    lines = np.concatenate([grid, grid.transpose(1, 0, 2)]) * (1 + 0.1 * np.sin(tick))
    tips = fake[:80] * 0.9
    arrays = [real, fake, surface, lines, fake[:80], tips]
    real, fake, surface, lines, tails, tips = (a.astype("f4") for a in arrays)
    return PointView(real, fake, 2.2, surface, lines, tails, tips)


st.set_page_config(page_title="live demo", layout="wide")
offset = st.session_state.setdefault("ticks", 0)
smoothing = st.slider("smoothing", 1, 31, 5)


@st.fragment(run_every=0.25)
def stream() -> None:
    st.session_state.ticks += 1
    tick = st.session_state.ticks
    n = 30 + tick
    curves = {
        "critic_loss": curve(n, -2, 1),
        "generator_loss": curve(n, 1, 2),
        "critic_estimate": curve(n, 30, 3),
        "w1": curve(n, 1, 4),
        "w1_floor": curve(n, 0.1, 5),
        "gradient_norm": curve(n, 2, 6),
        "modes": curve(n, 8, 7),
        "high_quality": curve(n, 0.8, 8),
    }
    st.html(f'<span id="tick">{tick}</span>')
    left, right = st.columns(2)
    with left:
        figure = figures.points(view(tick), surface=True, manifold=tick % 40 < 20, arrows=True)
        live.live_figure(figure, key="points", height=480, alt="Samples over the critic's surface")
    with right:
        counts = tuple(int(c) for c in np.random.default_rng(3).integers(0, 400, 10))
        covered = sum(c >= 20 for c in counts)
        names = tuple("0123456789")
        measures = Measures(
            1, 1.0, 1.0, 0.5, 0.1, names, counts, 2500, covered, 10, 10, 0.93, 0.99, 0.1, True
        )
        st.html(figures.mode_meter(measures, names))
        figure = figures.curve_distance(curves, EVENTS, smoothing)
        live.live_figure(figure, key="distance", height=300, alt="Critic estimate and exact W1")
    for column, name, figure in zip(
        st.columns(3),
        ("losses", "modes", "gradient"),
        (
            figures.curve_losses(curves, EVENTS, smoothing),
            figures.curve_modes(curves, EVENTS, 8, smoothing),
            figures.curve_gradient(curves, EVENTS, smoothing),
        ),
        strict=True,
    ):
        with column:
            live.live_figure(figure, key=name, height=280, alt=name)


stream()
revision = st.session_state.setdefault("revision", 0)
drawn = live.draw_pad(key="pad", extent=3.0, points=[], revision=revision)
st.html(f'<span id="drawn">{len(drawn) if drawn is not None else "nothing"}</span>')
if drawn:
    st.html(f'<span id="first">{drawn[0][0]}, {drawn[0][1]}</span>')
if st.button("Clear"):
    st.session_state.revision += 1
    st.rerun()
# Last on purpose: the figures above wait for it.
live.load_plotly()
