"""A run to take along: settings, a script, curves, pictures; and the line that repeats it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence

import streamlit as st

from wgan.config import from_json
from wgan.export.curves import curves_csv
from wgan.export.film import film, sheet
from wgan.export.script import refusal, script
from wgan.live.parts import channel
from wgan.runs.run import Run
from wgan.runs.series import Snapshot
from wgan.ui import binding, identity, live
from wgan.ui.words import plain

STEPS = 3000  # of a script of a run that has hardly begun
_drawing = threading.Lock()  # pictures take seconds of a core: one class, one at a time


def share(run: Run) -> None:
    """Draws the section."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Repeat it without a screen**")
        st.caption("Bit for bit the same on the same machine's CPU.")
        live.part(channel("repeat", run), key="repeat", height=80)
        _code(run)
    with right:
        st.markdown("**What it did**")
        with st.container(horizontal=True):
            _results(run)
        st.markdown("**The generator as it is now**")
        st.caption("Config, weights, curves, samples and a model card, for the gallery or the Hub.")
        st.download_button(
            "Download a checkpoint",
            lambda: _checkpoint(run),
            file_name=_name(run, "zip"),
            mime="application/zip",
            icon=":material/deployed_code:",
            key="download_checkpoint",
            disabled=run.frame.metrics is None,
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
            disabled=not identity.may_upload(run),
            help="A JSON object of fields, such as the config here; other fields take defaults.",
        )


def _code(run: Run) -> None:
    """The settings, and the script."""
    st.markdown("**Its settings, and its code**")
    with st.container(horizontal=True):
        st.download_button(
            "Config",
            run.config.to_json(),
            file_name=_name(run, "json"),
            mime="application/json",
            icon=":material/tune:",
            key="download_config",
            on_click="ignore",
        )
        why = refusal(run.config)
        st.download_button(
            "PyTorch script",
            lambda: run_script(run),
            file_name=_name(run, "py"),
            mime="text/x-python",
            icon=":material/code:",
            key="download_script",
            disabled=why is not None,
            help="One file of at most 150 lines that trains the same networks the same way and "
            "needs only torch and scikit-learn.",
            on_click="ignore",
        )
    if why is not None:
        st.caption(f"No script: {plain(why)}")


def _results(run: Run) -> None:
    """The curves and the pictures, made when they are asked for."""
    made: tuple[tuple[str, str, str, str, Callable[[], str | bytes], str], ...] = (
        (
            "csv",
            "Curves (CSV)",
            "text/csv",
            ":material/table:",
            lambda: curves_csv(run.frame.curves),
            "A row for each point of each curve, with the mean, low and high around it.",
        ),
        (
            "gif",
            "Film (GIF)",
            "image/gif",
            ":material/movie:",
            lambda: drawn(film, run),
            "The samples from the first step to now.",
        ),
        (
            "png",
            "Stills (PNG)",
            "image/png",
            ":material/photo_library:",
            lambda: drawn(sheet, run),
            "The samples at eight moments, the first and the latest among them.",
        ),
    )
    for kind, label, mime, icon, content, told in made:
        st.download_button(
            label,
            content,
            file_name=_name(run, kind),
            mime=mime,
            icon=icon,
            key=f"download_{kind}",
            disabled=run.frame.metrics is None,
            help=told,
            on_click="ignore",
        )


def _name(run: Run, suffix: str) -> str:
    """`digits-wgan-gp.zip`: data, objective, and the constraint where there is one."""
    config = run.config
    parts = [config.data, config.objective]
    parts += [config.constraint] if config.constraint != "none" else []
    return re.sub(r"[/:_]", "-", "-".join(parts)) + f".{suffix}"


def run_script(run: Run) -> str:
    """The run's settings as a script that trains for as long as the run has by now."""
    frame = run.frame
    steps = frame.step or STEPS
    return script(run.config, steps=steps, events=frame.events, file=_name(run, "py"))


def drawn(draw: Callable[[Sequence[Snapshot]], bytes], run: Run) -> bytes:
    """The pictures of what the run remembers; of its present alone when that is all there is."""
    frame = run.frame
    snapshots = run.snapshots.items
    if not snapshots and frame.view is not None:
        snapshots = (Snapshot(frame.step, frame.view, frame.metrics),)
    with _drawing:
        return draw(snapshots)


def _uploaded(run: Run) -> None:
    file = st.session_state["upload_config"]
    if file is None or not identity.may_upload(run):
        return
    name, text = file.name, file.getvalue()
    binding.attempt(lambda: binding.start(from_json(text), name), name)


def _checkpoint(run: Run) -> bytes:
    # Imported here: it brings torch, which the page is drawn without.
    from wgan.zoo.checkpoint import zip_of_run

    return zip_of_run(run.save().result(timeout=60))
