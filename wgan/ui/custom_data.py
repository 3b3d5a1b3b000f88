"""Data of one's own: drawn with the mouse, uploaded as a zip of images, or named on the Hub."""

from __future__ import annotations

import streamlit as st

from wgan.config import HUB
from wgan.data import DataError
from wgan.data.uploads import LEAST, MOST, UNPACKED, store_upload
from wgan.presets import own_images
from wgan.runs.run import Run
from wgan.server.limits import limits
from wgan.ui import binding, identity
from wgan.ui.draw import draw
from wgan.ui.words import plain

FROM_HUB = 5000  # images that a set on the Hub is tried with
_CAME = "upload_came"


def own_data(run: Run) -> None:
    """The pad beside the two ways to images of one's own."""
    if not identity.may_upload(run):
        st.caption("The owner of this run has locked data uploads on this page.")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw(run)
    with right:
        st.markdown("**Train on your own images**")
        st.caption(
            "A small convolutional WGAN-GP starts at once, at 32 × 32 pixels; "
            "“New run” has larger sizes."
        )
        st.file_uploader(
            "Upload a zip of images",
            type="zip",
            key="upload_images",
            max_upload_size=limits().max_upload_mb,
            on_change=_note_upload,
            help=f"{LEAST} to {MOST:,} images (png, jpg, webp, gif, bmp) of up to "
            f"{UNPACKED // 1_000_000} MB; each is cropped to its centre square. They are kept on "
            "the server under a name that cannot be guessed.",
        )
        if st.session_state.get(_CAME):
            _take_upload()
        st.text_input(
            "Data set on the Hub",
            key="hub_data",
            placeholder="OWNER/NAME",
            help="Any data set of images on huggingface.co that is stored as parquet, such as "
            "ylecun/mnist; OWNER/NAME or the address of its page.",
        )
        st.button(
            f"Train on its first {FROM_HUB:,} images",
            key="train_on_hub",
            icon=":material/cloud_download:",
            on_click=_train_on_hub,
        )


def _note_upload() -> None:
    # Read in the script and not in here: there it can show how far it is.
    st.session_state[_CAME] = True


def _take_upload() -> None:
    """Reads the zip that has just come and starts a run on it, or says why not."""
    file = st.session_state.get("upload_images")
    if file is not None:
        bar = st.progress(0.0, text="Reading the zip")
        said = ""

        def report(text: str, share: float | None) -> None:
            nonlocal said
            said = text
            bar.progress(share or 0.0, text=text)

        try:
            folder = store_upload(file, report)
        except DataError as error:
            binding.notice(f"{file.name}: {error}")
        else:
            fields = {"data": "folder", "folder": folder}
            binding.attempt(lambda: binding.start(own_images(fields)))
            st.toast(plain(said or "These images are here already"), icon=":material/photo:")
    st.session_state[_CAME] = False
    st.rerun()


def _train_on_hub() -> None:
    """Callback: a run on the data set that was named."""
    from wgan.hub import HubError, check_repo_id  # imported here: slow, and few need it

    try:
        name = check_repo_id(st.session_state["hub_data"])
    except HubError as error:
        binding.notice(str(error))
        return
    fields = {"data": HUB + name, "limit": FROM_HUB}
    binding.attempt(lambda: binding.start(own_images(fields)))
