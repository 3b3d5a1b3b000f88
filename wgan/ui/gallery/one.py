"""One sample: moved by sliders, judged by the critic, beside the nearest real image."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st
import torch
from torch import Tensor

from wgan import plots
from wgan.config import ExperimentConfig
from wgan.data import Dataset, load
from wgan.data.titles import WITHOUT_DOWNLOAD
from wgan.plots.images import image_grid
from wgan.ui.gallery.large import full_size, previews
from wgan.ui.gallery.samples import MAX_SEED
from wgan.ui.live import live_figure
from wgan.ui.words import sections
from wgan.words import format_3_digits
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.drawing import is_large
from wgan.zoo.explore import directions, draw_latents, nearest_real
from wgan.zoo.pictures import picture
from wgan.zoo.plane import point_view

SLIDERS = 8
_JUDGED = 256  # samples that a score is ranked among


@st.fragment
def one_sample(checkpoint: Checkpoint) -> None:
    """The tab of one sample."""
    left, middle, right = st.columns([4, 3, 4], gap="large")
    with right:
        latent = _latent(checkpoint)
    if is_large(checkpoint):
        with left:
            _large(checkpoint, latent)
        return
    sample = checkpoint.sample(latent)
    with left:
        if checkpoint.is_points:
            view = point_view(checkpoint, latent)
            figure = plots.points(view, surface=True, manifold=False, arrows=False)
            live_figure(figure, key="plane_one", height=420, alt="One generated point")
        else:
            png = picture(sample)
            st.image(plots.data_uri(png), width="stretch", alt="One generated image")
            st.download_button(
                "Download PNG",
                png,
                "sample.png",
                "image/png",
                key="download_one",
                icon=":material/download:",
                on_click="ignore",
            )
    with middle:
        _score(checkpoint, sample)
        if not checkpoint.is_points:
            _nearest(checkpoint.experiment, sample)


def _large(checkpoint: Checkpoint, latent: Tensor) -> None:
    """One picture that takes its time."""
    pixels = previews(checkpoint, latent, "one")
    if pixels is not None:
        png = image_grid(pixels, 1, cell=pixels.shape[2])
        st.image(plots.data_uri(png), width="stretch", alt="One generated image")
        full_size(checkpoint, latent, "one")


def _latent(checkpoint: Checkpoint) -> Tensor:
    """A seed's latent, moved by the sliders: (1, latent_dim)."""
    architecture = checkpoint.architecture
    seed = st.number_input("Seed", 0, MAX_SEED, 0, key="one_seed", icon=":material/casino:")
    latent = draw_latents(architecture, 1, int(seed))
    st.caption(sections("gallery")["one"])
    moves = _directions(checkpoint)
    columns = st.columns(2)
    for number, move in enumerate(moves):
        with columns[number % 2]:
            # One slider a seed: another sample starts unmoved.
            far = st.slider(
                f"Direction {number + 1}",
                -4.0,
                4.0,
                0.0,
                0.1,
                format="%.1f σ",
                key=f"direction_{number}_{seed}",
            )
        latent = latent + far * move
    if architecture.latent == "uniform":
        latent = latent.clamp(-1, 1)
    return latent


def _score(checkpoint: Checkpoint, sample: Tensor) -> None:
    if checkpoint.critic is None:
        st.caption("No critic came with this generator, so there is no score.")
        return
    score = checkpoint.score(sample).item()
    others = checkpoint.score(
        checkpoint.sample(draw_latents(checkpoint.architecture, _JUDGED, seed=1))
    )
    below = (others < score).float().mean().item()
    st.metric(
        "Critic's score",
        format_3_digits(score),
        f"above {below:.0%} of its samples",
        delta_color="off",
        delta_arrow="off",
        help=sections("gallery")["score"],
    )


def _nearest(experiment: ExperimentConfig | None, sample: Tensor) -> None:
    if experiment is None or experiment.data not in WITHOUT_DOWNLOAD:
        st.caption("Its training data is not at hand, so no real image can be shown beside it.")
        return
    with st.spinner("Looking for the nearest real image", show_time=True):
        found = nearest_real(sample[0], _real(experiment))
    st.image(plots.data_uri(picture(found.image[None])), width=180, alt="The nearest real image")
    st.markdown(  # no caption: that would fade the colour
        f":small[:blue[**Nearest real image**], at distance {format_3_digits(found.distance)}]",
        help=sections("gallery")["nearest"],
    )


@lru_cache(maxsize=12)  # by the open generator: a second of work where the first layer is large
def _directions(checkpoint: Checkpoint) -> Tensor:
    return directions(checkpoint.generator, checkpoint.architecture.latent_dim, SLIDERS)


@st.cache_resource(max_entries=4, show_spinner=False)
def _real(experiment: ExperimentConfig) -> Dataset:
    return load(experiment, torch.device("cpu"))
