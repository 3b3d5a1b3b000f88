"""Between samples: an interpolation as a strip, and a walk as a GIF."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from torch import Tensor

from wgan import plots
from wgan.data.pixels import to_pixels
from wgan.plots.images import image_grid
from wgan.ui.gallery.large import previews
from wgan.ui.gallery.samples import MAX_SEED
from wgan.ui.live import live_figure
from wgan.ui.words import sections
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.drawing import Pictures, is_large
from wgan.zoo.explore import draw_latents, gif, slerp, walk
from wgan.zoo.plane import point_view

_GIF_SIDE = 256  # pixels
LEG, LARGE_LEG = 12, 4  # pictures from one stop to the next


@st.fragment
def tour(checkpoint: Checkpoint) -> None:
    """The tab of interpolation and walk."""
    architecture = checkpoint.architecture
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = st.number_input("From seed", 0, MAX_SEED, 0, key="from_seed", width=140)
        end = st.number_input("To seed", 0, MAX_SEED, 1, key="to_seed", width=140)
        steps = st.slider("Pictures", 3, 16, 10, key="strip_steps", width=260)
    a, b = (draw_latents(architecture, 1, int(seed))[0] for seed in (start, end))
    line = slerp(a, b, 61 if checkpoint.is_points else steps)
    if checkpoint.is_points:
        _path(checkpoint, line, "plane_strip", "The path from one point to the other")
    elif (pixels := _pixels(checkpoint, line, "strip")) is not None:
        png = image_grid(pixels, columns=len(pixels), cell=max(64, pixels.shape[2]))
        st.image(plots.data_uri(png), width="stretch", alt="From one image to the other")
        _download("Download PNG", png, "interpolation.png", "image/png", "download_strip")
    st.caption(sections("gallery")["interpolation"])

    st.markdown("**A walk**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input("Seed", 0, MAX_SEED, 0, key="walk_seed", width=140)
        stops = st.slider("Stops", 2, 8, 4, key="walk_stops", width=260)
    legs = LARGE_LEG if is_large(checkpoint) else LEG
    latents = walk(draw_latents(architecture, stops, int(seed)), legs)
    if checkpoint.is_points:
        _path(checkpoint, latents, "plane_walk", "A closed tour")
    elif (pixels := _pixels(checkpoint, latents, "walk")) is not None:
        moving = gif(list(pixels), max(1, _GIF_SIDE // pixels.shape[1]), 60 * LEG // legs)
        st.image(plots.data_uri(moving, "gif"), width=_GIF_SIDE, alt="A walk through the latents")
        _download("Download GIF", moving, "walk.gif", "image/gif", "download_walk")
    st.caption(sections("gallery")["walk"])


def _pixels(checkpoint: Checkpoint, latents: Tensor, place: str) -> Pictures | None:
    """Pictures of the latents; None while a job still draws them."""
    if is_large(checkpoint):
        return previews(checkpoint, latents, place)
    return to_pixels(checkpoint.sample(latents))


def _path(checkpoint: Checkpoint, latents: Tensor, key: str, alt: str) -> None:
    view = point_view(checkpoint, latents)
    view = replace(view, manifold=view.fake[None])  # the way itself as a line
    figure = plots.points(view, surface=True, manifold=True, arrows=False, lines="the way")
    live_figure(figure, key=key, height=480, alt=alt)


def _download(label: str, data: bytes, name: str, mime: str, key: str) -> None:
    st.download_button(
        label, data, name, mime, key=key, icon=":material/download:", on_click="ignore"
    )
