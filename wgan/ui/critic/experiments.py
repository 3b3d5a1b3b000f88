"""The papers' own experiments: the run in which a section of the page Critic shows most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from wgan.config import ExperimentConfig
from wgan.data import title
from wgan.presets import PRESETS
from wgan.runs.run import Run
from wgan.studies import experiments as papers
from wgan.ui import binding, compare, shell

_DATA = "critic_data"


@dataclass(frozen=True)
class Offer:
    """What one section offers.

    configs: by the names of their buttons. help: what they train. curves: which ones tell them
    apart side by side, keys of `wgan.plots.OVERLAYS`; empty where none does.
    """

    configs: Mapping[str, ExperimentConfig]
    help: str
    curves: Sequence[str] = ()


def offer(section: str, data: str = papers.SURFACE_DATA[0]) -> Offer | None:
    """What a section has; None for the others. data: what the value surface is over."""
    if section == "surface":
        names = {"clip": "Clipped", "gp": "GP"}
        return Offer(
            {name: papers.surface(data, critic) for critic, name in names.items()},
            "The generated samples are real ones with unit Gaussian noise throughout: the critic "
            "alone trains, as in WGAN-GP, Fig. 1a.",
            ("critic_estimate", "gradient_norm"),
        )
    if section == "layers":
        return Offer(
            {
                critic.replace("clip_", "c = ").replace("gp", "GP"): papers.layers(critic)
                for critic in papers.LAYER_CRITICS
            },
            "Twelve hidden ReLU layers without normalisation on the Swiss roll, as in WGAN-GP, "
            "Fig. 1b left.",
            ("gradient_decades",),
        )
    if section == "weights":
        return Offer(
            {
                f"c = {papers.C:g}": papers.weights("clip"),
                "GP": papers.weights("gp"),
            },
            "Twelve hidden layers on the Swiss roll, as in WGAN-GP, Fig. 1b right.",
            ("pinned_share",),
        )
    if section == "overfitting":
        digits = PRESETS["digits-wgan-gp"].config
        return Offer(
            {
                f"Train on {count:,} digits only": digits.replace({"limit": count})
                for count in (papers.FEW, papers.MANY)
            },
            "WGAN-GP on this many of the 1,797 digits; the others are held out. WGAN-GP, Fig. 5b.",
        )
    return None


def row(run: Run, section: str) -> None:
    """A section's experiments as buttons, each a new run; and all of them beside each other."""
    if offer(section) is None:
        return
    with st.container(
        key="critic_experiments", horizontal=True, vertical_alignment="center", gap="small"
    ):
        st.caption("The paper’s experiment:", width="content")
        data = papers.SURFACE_DATA[0]
        if section == "surface":
            data = st.segmented_control(
                "Data",
                papers.SURFACE_DATA,
                default=data,
                required=True,
                format_func=title,
                key=_DATA,
                label_visibility="collapsed",
            )
        offered = offer(section, data)
        assert offered is not None
        for number, (name, config) in enumerate(offered.configs.items()):
            st.button(
                name,
                key=f"critic_experiment_{number}",
                icon=":material/play_arrow:",
                on_click=binding.start,
                args=(config,),
                disabled=run.config == config,
                help=f"Starts a new run. {offered.help}",
            )
        if offered.curves and st.button(
            "Side by side",
            key="critic_beside",
            icon=":material/compare:",
            help=f"Starts them all on the page Compare. {offered.help}",
        ):
            compare.set_up([], list(offered.configs.values()))
            st.session_state[compare.CURVES] = list(offered.curves)
            shell.go_to("compare.py", st.query_params.to_dict())
