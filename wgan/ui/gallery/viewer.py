"""A generator that is open: its facts, and the ways to look at it."""

from __future__ import annotations

import re
from functools import lru_cache

import streamlit as st

from wgan import plots
from wgan.data import title
from wgan.data.pixels import to_pixels
from wgan.labels import method_of
from wgan.plots.images import image_grid
from wgan.ui.gallery import curves, one, samples, tour
from wgan.ui.words import plain, sections, without_pictures
from wgan.words import format_3_digits
from wgan.zoo.architecture import LabNetworks
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.explore import draw_latents

_FAMILIES = {  # of other people's, in words
    "dcgan-tutorial": "DCGAN",
    "linear-layers": "linear layers",
    "jacobaustin-wgan": "convolutions after a linear layer",
    "progressive": "progressive GAN",
    "openmmlab-wgan-gp": "OpenMMLab's WGAN-GP",
    "openmmlab-lsgan": "OpenMMLab's LSGAN",
}


def viewer(name: str, checkpoint: Checkpoint) -> None:
    """Draws the open generator under its name."""
    with st.container(
        key="opened",
        horizontal=True,
        vertical_alignment="bottom",
        horizontal_alignment="distribute",
    ):
        with st.container(width="content", gap=None):
            st.subheader(plain(name), anchor=False)
            st.caption(facts(checkpoint))
        with st.container(horizontal=True, width="content", gap="large"):
            _figures(checkpoint)
    checkpoint = _with_chosen_output(checkpoint)
    views = {
        "Samples": samples.samples,
        "One sample": one.one_sample,
        "Between two samples": tour.tour,
    }
    if checkpoint.curves:
        views["Training curves"] = curves.curves
    names = [*views, "About"]
    # The keys name the generator: what was set for one does not fit another.
    for tab, view in zip(st.tabs(names, key="view", on_change="rerun"), names, strict=True):
        if tab.open:
            with tab:
                _about(checkpoint) if view == "About" else views[view](checkpoint)


def _with_chosen_output(checkpoint: Checkpoint) -> Checkpoint:
    """The generator with the last activation that was chosen, where its file tells none."""
    outputs = getattr(checkpoint.architecture, "outputs", ())
    if not outputs:
        return checkpoint
    choices = [_with_output(checkpoint, output) for output in outputs]
    latents = draw_latents(checkpoint.architecture, 4, 0)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="outputs"):
        chosen = st.radio(
            "Last activation",
            outputs,
            index=outputs.index(checkpoint.architecture.output),
            key=f"output_{checkpoint.architecture.output}",
            help=sections("gallery")["output"],
            width="content",
        )
        for output, one in zip(outputs, choices, strict=True):
            png = image_grid(to_pixels(one.sample(latents)), 4, cell=64)
            with st.container(width=220, gap=None):
                st.image(plots.data_uri(png), width=220, alt=f"Four samples through {output}")
                st.caption(output)
    return choices[outputs.index(chosen)]


@lru_cache(maxsize=12)
def _with_output(checkpoint: Checkpoint, output: str) -> Checkpoint:
    return checkpoint.with_output(output)


def facts(checkpoint: Checkpoint) -> str:
    """One line: how it was trained, on what, and its size."""
    architecture = checkpoint.architecture
    shape = architecture.sample_shape
    words = []
    if isinstance(architecture, LabNetworks):
        config = architecture.config  # as it was at the end: a run may have been cured
        network = {"mlp": "MLP", "dcgan": "DCGAN", "resnet": "ResNet"}[config.network]
        words += [title(config.data), method_of(config), network]
    else:
        words.append(_FAMILIES[architecture.family])
    if checkpoint.steps is not None:
        words.append(f"{checkpoint.steps:,} steps")
    words.append(f"{architecture.latent_dim} {architecture.latent} latents")
    if not checkpoint.is_points:
        colour = "grey" if shape[0] == 1 else "colour"
        words.append(f"{shape[2]} × {shape[1]} {colour}")
    count = sum(p.numel() for p in checkpoint.generator.parameters())
    return plain(" · ".join([*words, f"{count:,} weights"]))


def _figures(checkpoint: Checkpoint) -> None:
    """What was measured when training ended, each beside its floor or ceiling."""
    known = checkpoint.figures
    if "modes" in known and "modes_total" in known:
        st.metric("Modes", f"{known['modes']} / {known['modes_total']}", width="content")
    if "high_quality" in known:
        real = (
            f", real data {known['high_quality_real']:.0%}" if "high_quality_real" in known else ""
        )
        st.metric(
            "High quality", f"{known['high_quality']:.0%}", width="content", help=f"Share{real}."
        )
    if "w1" in known and "w1_floor" in known:
        st.metric(
            "W1",
            format_3_digits(known["w1"]),
            width="content",
            help="Exact, 256 samples against 256; real data against real data has "
            f"{format_3_digits(known['w1_floor'])}.",
        )


def _about(checkpoint: Checkpoint) -> None:
    if checkpoint.card:
        # A card's headings stand below the page's own.
        st.markdown(re.sub(r"^#{1,4} ", "#### ", without_pictures(checkpoint.card), flags=re.M))
    else:
        st.caption("It came without a model card.")
