"""A grid of samples: seed, truncation, and other generators beside it."""

from __future__ import annotations

import math

import streamlit as st

from wgan import plots
from wgan.plots.images import image_grid
from wgan.ui.gallery.large import full_size, previews
from wgan.ui.gallery.open import comparable, open_comparable
from wgan.ui.live import live_figure
from wgan.ui.words import sections
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.drawing import is_large
from wgan.zoo.explore import NO_TRUNCATION, draw_latents
from wgan.zoo.pictures import picture
from wgan.zoo.plane import point_view

MAX_SEED = 2**31 - 1


@st.fragment
def samples(checkpoint: Checkpoint) -> None:
    """The tab of samples."""
    place, settings = st.columns([7, 3], gap="large")
    with settings:
        seed = st.number_input("Seed", 0, MAX_SEED, 0, key="seed", icon=":material/casino:")
        choices = _counts(checkpoint)
        count = st.selectbox(
            "Samples", choices, index=min(2, len(choices) // 2), key=f"count_{choices[0]}"
        )
        truncation = st.slider(
            "Truncation",
            0.1,
            NO_TRUNCATION,
            NO_TRUNCATION,
            0.1,
            format="%.1f σ",
            key="truncation",
            help=sections("gallery")["truncation"],
        )
        others = comparable()
        beside = st.multiselect(
            "Compare with",
            list(others),
            max_selections=2,
            format_func=lambda name: str(others.get(name, name)),
            key="compare",
            help=sections("gallery")["compare"],
            placeholder="Nothing",
        )
        download = st.container()
        st.caption(sections("gallery")["samples"])
    shown = [("", checkpoint), *((name, open_comparable(name)) for name in beside)]
    with place:
        columns = st.columns(len(shown)) if beside else [st.container(width=620)]
    for number, ((name, one), column) in enumerate(zip(shown, columns, strict=True)):
        with column:
            png = _draw(one, int(seed), truncation, int(count), f"plane_{number}")
            if beside:
                st.caption(others[name] if name else "The open one")
        if not name and is_large(checkpoint):
            with download:
                latents = draw_latents(checkpoint.architecture, int(count), int(seed), truncation)
                full_size(checkpoint, latents, "samples")
        if not name and png is not None:
            with download:
                st.download_button(
                    "Download PNG",
                    png,
                    "samples.png",
                    "image/png",
                    key="download_grid",
                    icon=":material/download:",
                    on_click="ignore",
                )


def _counts(checkpoint: Checkpoint) -> list[int]:
    if checkpoint.is_points:
        return [256, 1000, 2500]
    return [4, 9, 16] if is_large(checkpoint) else [16, 36, 64, 100]


def _draw(
    checkpoint: Checkpoint, seed: int, truncation: float, count: int, key: str
) -> bytes | None:
    """Shows samples, and gives them as PNG; None while a job still draws them."""
    latents = draw_latents(checkpoint.architecture, count, seed, truncation)
    if checkpoint.is_points:
        view = point_view(checkpoint, latents)
        figure = plots.points(view, surface=True, manifold=False, arrows=False)
        live_figure(figure, key=key, height=560, alt="Generated points among real ones")
        return picture(view)
    if is_large(checkpoint):
        pixels = previews(checkpoint, latents, key)
        if pixels is None:
            return None
        png = image_grid(pixels, math.ceil(math.sqrt(count)), cell=pixels.shape[2])
    else:
        png = picture(checkpoint.sample(latents))
    st.image(plots.data_uri(png), width="stretch", alt=f"{count} generated images")
    return png
