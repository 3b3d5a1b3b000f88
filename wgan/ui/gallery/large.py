"""Pictures that take seconds: drawn by a job at preview size, downloaded at full size."""

from __future__ import annotations

import hashlib
import itertools
from weakref import WeakKeyDictionary

import streamlit as st
from torch import Tensor

from wgan.ui.gallery.progress import progress, visitor
from wgan.ui.words import plain, sections
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.drawing import Pictures, draw_file, draw_previews
from wgan.zoo.job import Job, Work, jobs

_count = itertools.count()
_numbers: WeakKeyDictionary[Checkpoint, int] = WeakKeyDictionary()


def previews(checkpoint: Checkpoint, latents: Tensor, place: str) -> Pictures | None:
    """The pictures (N, H, W, C) once they are drawn; their progress before, and then None.

    place: what they are for. What was begun for the same place and is not wanted any more ends.
    """
    key = f"draw {_name(checkpoint, latents)}"
    job = _job(place, key, lambda report, gone: draw_previews(checkpoint, latents, report, gone))
    return job.result if _shown(job, place) else None


def full_size(checkpoint: Checkpoint, latents: Tensor, place: str) -> None:
    """A button that draws the file at full size, and then one that downloads it."""
    key = f"file {_name(checkpoint, latents)}"
    job = jobs.get(key)
    size = checkpoint.architecture.sample_shape[-1]
    if job is None or job.state in ("cancelled", "failed"):
        if job is not None and job.error is not None:
            st.caption(plain(job.error))
        st.button(
            f"Draw at full size, {size} px each",
            key=f"full_{place}",
            icon=":material/photo_size_select_large:",
            on_click=_begin,
            args=(key, lambda report, gone: draw_file(checkpoint, latents, report, gone)),
            help=sections("gallery")["full"],
        )
    elif _shown(job, f"full_{place}"):
        st.download_button(
            f"Download PNG, {size} px each",
            job.result.read_bytes,
            f"samples-{size}.png",
            "image/png",
            key=f"download_full_{place}",
            icon=":material/download:",
            on_click="ignore",
        )


def _begin(key: str, work: Work) -> None:
    jobs.start(key, work, visitor())


def _job(place: str, key: str, work: Work) -> Job:
    before = st.session_state.get(f"drawing_{place}")
    if before not in (None, key) and (old := jobs.get(before)) is not None:
        old.cancel(visitor())
    st.session_state[f"drawing_{place}"] = key
    return jobs.get(key) or jobs.start(key, work, visitor())


def _shown(job: Job, place: str) -> bool:
    """Whether the job has its result; shows how far it is, or why there is none."""
    if job.state == "running":
        progress(job)
        st.button("Cancel", key=f"cancel_{place}", on_click=job.cancel, args=(visitor(),))
    elif job.state != "done":
        st.caption(plain(job.error or "This was cancelled."))
        st.button("Draw it", key=f"again_{place}", on_click=_begin, args=(job.key, job.work))
    return job.state == "done"


def _name(checkpoint: Checkpoint, latents: Tensor) -> str:
    digest = hashlib.sha256(latents.numpy().tobytes()).hexdigest()[:16]
    number = _numbers.setdefault(checkpoint, next(_count))  # an id would come again
    return f"{number} {len(latents)} {digest}"
