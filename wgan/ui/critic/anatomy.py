"""One critic step, taken apart."""

from __future__ import annotations

import numpy as np
import streamlit as st

from wgan import figures
from wgan.figures import space
from wgan.figures.meter import three
from wgan.inspection.results import Anatomy, Wish
from wgan.lab.frame import Frame
from wgan.lab.run import Run
from wgan.ui.critic.parts import Number, found, numbers
from wgan.ui.live import live_figure

BATCH = "critic_batch"  # how often this tab asked for another batch
BATCHES = 64  # then they come again: a batch is a number, and what is shown is bounded
PLACES = {"between": "interpolates", "real": "real samples", "fake": "generated samples"}


def another_batch() -> None:
    """Callback of the button."""
    st.session_state[BATCH] = (st.session_state.get(BATCH, 0) + 1) % BATCHES


def anatomy(run: Run, frame: Frame) -> None:
    """2-D data on the plane, images as thumbnails; the norms below, as bars."""
    wish = Wish("anatomy", st.session_state.get(BATCH, 0))
    step = found(run, frame, wish, Anatomy)
    if step is None:
        return
    words = PLACES[step.at]
    state = "a part of the critic’s loss" if step.in_use else "what it would be: not in use now"
    equation = f"λ = {step.weight:g}, k = {step.target:g}"
    if step.constraint in ("r1", "r2"):
        equation = f"γ = {step.weight:g}"
    numbers(
        Number("Penalty of this batch", three(step.penalty), f"{equation}; {state}", ""),
        Number("Mean ‖∇D‖", three(float(step.norms.mean())), f"target {step.target:g}", ""),
        Number(
            "Furthest from it",
            three(float(np.abs(step.norms - step.target).max())),
            f"of {len(step.norms)} {words}",
            "",
        ),
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if step.gradients is None:
            _pictures(frame, wish, step)
        else:
            figure = frame.once((wish, "plane"), lambda: space.step_plane(step))
            alt = "Real and generated points, the points between them, and the critic's gradients"
            live_figure(figure, key="critic_step", height=520, alt=alt)
    with right:
        strip = frame.once((wish, "strip"), lambda: space.norm_strip(step))
        live_figure(strip, key="critic_norms", height=300, alt="Gradient norms of the batch")
        _explain(step)


def _pictures(frame: Frame, wish: Wish, step: Anatomy) -> None:
    columns = len(step.norms)
    images = np.concatenate([step.real, step.between, step.fake])
    picture = frame.once(
        (wish, "images"),
        lambda: figures.data_uri(
            figures.image_grid(images, columns=columns, cell=max(40, images.shape[2]))
        ),
    )
    alt = "Rows: real images, interpolates, generated images; a column each is one pair"
    st.image(picture, width="stretch", alt=alt)
    st.caption("Rows: :blue[**real**], interpolates, :orange[**generated**]; a column is one pair.")


def _explain(step: Anatomy) -> None:
    words = {
        "gp": f"λ · mean of (‖∇D‖ − {step.target:g})² over these samples.",
        "gp_onesided": f"λ · mean of max(0, ‖∇D‖ − {step.target:g})²: only steeper ones pay.",
        "r1": "½ γ · mean of ‖∇D‖² at the real samples.",
        "r2": "½ γ · mean of ‖∇D‖² at the generated samples.",
    }[step.constraint]
    text = f"Penalty = {words} Dotted: the target. Green is on it, red 1 or more away."
    if step.gradients is not None:
        text += " Arrows point where the critic’s value rises; the longest has a fixed length."
    if step.faults:
        text += " The deliberate bugs that are switched on are at work in the penalty too."
    st.caption(text)
