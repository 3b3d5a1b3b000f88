"""A page with figures and the pad; the button Next brings new data, longer by a point."""

import numpy as np
import streamlit as st

from wgan import plots
from wgan.types import Curve, Event, PointView
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
smoothing = st.slider("smoothing", 1, 31, 5)
st.session_state.setdefault("tick", 0)
if st.button("Next"):
    st.session_state.tick += 1
tick = st.session_state.tick
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
left, right = st.columns(2)
with left:
    figure = plots.points(view(tick), surface=True, manifold=tick % 2 == 0, arrows=True)
    live.live_figure(figure, key="points", height=480, alt="Samples over the critic's surface")
with right:
    figure = plots.curve_distance(curves, EVENTS, smoothing)
    live.live_figure(figure, key="distance", height=300, alt="Critic estimate and exact W1")
for tab, name, figure in zip(
    st.tabs(["losses", "modes", "gradient"]),
    ("losses", "modes", "gradient"),
    (
        plots.curve_losses(curves, EVENTS, smoothing),
        plots.curve_modes(curves, EVENTS, 8, smoothing),
        plots.curve_gradient(curves, EVENTS, smoothing),
    ),
    strict=True,
):
    with tab:
        live.live_figure(figure, key=name, height=280, alt=name, title=name)

st.html(f'<span id="tick">{tick}</span>')
revision = st.session_state.setdefault("revision", 0)
drawn = live.draw_pad(key="pad", extent=3.0, points=[], revision=revision)
st.html(f'<span id="drawn">{len(drawn) if drawn is not None else "nothing"}</span>')
if drawn:
    st.html(f'<span id="first">{drawn[0][0]}, {drawn[0][1]}</span>')
if st.button("Clear"):
    st.session_state.revision += 1
    st.rerun()
