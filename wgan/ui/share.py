"""A run as a config to download or upload, and as the command line that repeats it."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from wgan.config import ConfigError, from_json
from wgan.lab.run import Run
from wgan.ui import binding, people
from wgan.zoo.checkpoint import zip_of_run


def share(run: Run) -> DeltaGenerator:
    """Draws the section; returns the place where the command line streams."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Repeat it without a screen**")
        st.caption("The same bits on the same machine's CPU.")
        place = st.container()
        with place:
            st.container()  # a fragment may only fill a container that was written to
    with right:
        st.markdown("**Its settings**")
        st.download_button(
            "Download the config",
            run.config.to_json(),
            file_name=f"{run.config.data}-{run.config.objective}.json".replace("/", "-"),
            mime="application/json",
            icon=":material/download:",
            key="download_config",
            on_click="ignore",
        )
        st.markdown("**The generator as it is now**")
        st.caption("Config, weights, curves, samples and a model card, for the gallery or the Hub.")
        st.download_button(
            "Download a checkpoint",
            lambda: zip_of_run(run.save().result(timeout=60)),
            file_name=f"{run.config.data}-{run.config.objective}.zip".replace("/", "-"),
            mime="application/zip",
            icon=":material/deployed_code:",
            key="download_checkpoint",
            disabled=run.frame.measures is None,
            help="It is copied between two steps when you click; the run goes on.",
            on_click="ignore",
        )
        st.file_uploader(
            "Start a new run from a config file",
            type="json",
            key="upload_config",
            on_change=_uploaded,
            args=(run,),
            max_upload_size=1,
            disabled=not people.may_upload(run),
            help="A JSON object of fields, such as the download above; other fields take defaults.",
        )
    return place


def _uploaded(run: Run) -> None:
    file = st.session_state["upload_config"]
    if file is None or not people.may_upload(run):
        return
    try:
        binding.start(from_json(file.getvalue()))
    except ConfigError as error:
        binding.notice(f"{file.name}: {error}")
