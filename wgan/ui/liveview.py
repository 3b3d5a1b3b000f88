"""What streams: one fragment that redraws meter, samples, curves and status, at its pace.

It only reads the frame that the run published last; whatever is dear is built once a frame and
shared by all viewers. The layout around it stays still, so a chart is never mounted anew.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from math import isfinite
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from wgan import figures
from wgan.config import ExperimentConfig
from wgan.figures.meter import three
from wgan.lab.archive import command
from wgan.lab.frame import Frame, ImageView, PointView, Stage
from wgan.lab.history import Snapshot
from wgan.lab.registry import lab
from wgan.lab.run import Run
from wgan.limits import LimitError
from wgan.stages import STAGES
from wgan.ui import _compat, binding, doctor, modes, pace
from wgan.ui.equation import equation
from wgan.ui.live import Chart, live_figure, live_figures
from wgan.ui.words import plain

LAYERS = {"surface": "Critic's surface", "manifold": "Latent grid", "arrows": "Gradients"}
CURVE_HEIGHT = 250


@dataclass(frozen=True)
class Places:
    """The containers of the page that the fragment fills; made once a script run."""

    status: DeltaGenerator
    doctor: doctor.Card
    meter: DeltaGenerator
    samples: DeltaGenerator
    stages: DeltaGenerator | None
    curve: DeltaGenerator
    more: DeltaGenerator | None
    modes: DeltaGenerator | None
    repeat: DeltaGenerator | None


def shown(run: Run) -> tuple[Any, ...]:
    """What the widgets on the page show of a run; when it differs, the page is drawn again."""
    people = (run.room.open, run.room.locked, run.room.poll is not None)
    return (run.id, run.state, run.frame.state, run.slow, run.config, people)


def live(run: Run, places: Places, drawn: tuple[Any, ...]) -> None:
    """Streams the run into its places. `drawn`: what `shown` said when the page was drawn."""
    beat = pace.beat()
    st.fragment(_live, run_every=beat.pace)(run, places, drawn, beat)


def _live(run: Run, places: Places, drawn: tuple[Any, ...], beat: pace.Beat) -> None:
    try:
        here = lab().get(run.id) is run  # asking says that somebody watches
    except LimitError:
        here = False  # it has left memory, and there is no room for it: the page says so
    other_alarms = doctor.names(run.frame) != places.doctor.names
    if not here or shown(run) != drawn or other_alarms or beat.outlived:
        binding.draw_again()
    try:
        _fill(run, places)
    except _compat.OutsideContainerLost:
        binding.draw_again()


def _fill(run: Run, places: Places) -> None:
    frame = run.frame
    past = looked_back_at(run)
    with places.status:
        st.html(status(frame, slow=run.slow is not None, sharing=lab().training()))
    doctor.fill(places.doctor, frame)
    with places.meter:
        if frame.state == "failed" and frame.measures is None:
            st.html("<span></span>")  # nothing is being counted
        else:
            st.html(figures.mode_meter(past.measures if past else frame.measures))
    with places.samples:
        _samples(frame, past.view if past else frame.view, past.step if past else None)
    if places.stages is not None:
        with places.stages:
            st.latex(equation(frame.config, frame.stage))
            st.html(_stages(frame.stage, frame.config))
    with places.curve:
        name = "distance" if _wasserstein(frame.config) else "losses"
        chart = _curve(frame, name, past.step if past else None)
        live_figure(
            chart.figure, key="curve_main", height=chart.height, alt=chart.alt, title=chart.title
        )
    if places.more is not None:
        with places.more:
            _more_curves(frame, past.step if past else None)
    if places.modes is not None:
        with places.modes:
            modes.fill(frame, run)
    if places.repeat is not None:
        with places.repeat:
            st.code(
                command(run.first_config, frame.events, frame.step),
                language="bash",
                wrap_lines=True,
            )


# Status ---------------------------------------------------------------------------------------


def status(frame: Frame, slow: bool, sharing: int = 1) -> str:
    """State, steps, speed and device in one line. sharing: how many runs train here by turns."""
    dots = {"playing": "#009e73", "failed": "#d62728"}
    dot = dots.get(frame.state, "#8a94a3")
    parts = [f"<b>{frame.state}</b>", f"· step {frame.step:,}"]
    if frame.state == "playing":
        parts.append("· slow motion" if slow else f"· {three(frame.steps_per_second)} steps/s")
    if frame.progress is not None and frame.view is not None:
        parts = [f"<b>going back</b> · {html.escape(frame.message)}: {frame.progress:.0%}"]
    if frame.device:
        parts.append(f"· on {frame.device}")
    if frame.state == "playing" and sharing > 1:
        parts.append(f"· one of {sharing} runs that share it")
    words = " ".join(f'<span style="white-space:nowrap">{part}</span>' for part in parts)
    return (
        '<div role="status" style="font-variant-numeric:tabular-nums;font-size:.9rem;'
        'line-height:1.3;word-spacing:.05em">'
        f'<span style="color:{dot}">●</span> {words}</div>'
    )


# Samples --------------------------------------------------------------------------------------


def look_back_key(run: Run) -> str:
    """The slider's key: a new run is watched at its present, wherever the last one was."""
    return f"look_back_{run.id}"


def look_back(run: Run) -> None:
    """Callback of the slider: pins the step that is looked at, however far the run goes on."""
    share = st.session_state[look_back_key(run)]
    step = None if share >= 100 else round(run.frame.step * share / 100)
    st.session_state[f"{look_back_key(run)}_step"] = step


def return_to_present(run: Run) -> None:
    """For a callback: the slider points at the present again."""
    st.session_state[look_back_key(run)] = 100
    st.session_state[f"{look_back_key(run)}_step"] = None


def looked_back_at(run: Run) -> Snapshot | None:
    """The snapshot that the slider points at; None when it is at the present."""
    step = st.session_state.get(f"{look_back_key(run)}_step")
    return None if step is None else run.snapshots.nearest(step)


def _samples(frame: Frame, view: PointView | ImageView | None, past: int | None) -> None:
    if view is None:
        text = plain(frame.message) or "Preparing"
        if frame.state == "failed":
            st.caption("No samples: the run could not begin.")
        else:
            st.progress(frame.progress or 0.0, text=text)
        return
    if isinstance(view, PointView):
        layers = st.session_state.get("layers", list(LAYERS))
        key = ("points", past, tuple(layers))
        figure = frame.once(
            key,
            lambda: figures.points(
                view,
                surface="surface" in layers,
                manifold="manifold" in layers,
                arrows="arrows" in layers,
            ),
        )
        alt = "Real and generated points over the critic's value surface"
        note = ""
        if past is not None:
            note = f"Points and critic as at step {past:,} of {frame.step:,}."
        elif "surface" in layers:
            note = "Green: the critic scores high; purple: low."
        live_figure(figure, key="samples", height=520, alt=alt, note=note)
        return
    fake, real = frame.once(("images", past), lambda: _grids(view))
    left, right = st.columns([8, 3], gap="small")
    with left:
        st.image(fake, width="stretch", alt="Generated samples")
        told = "each from a latent of its own that never changes"
        if past is not None:
            told = f"as they were at step {past:,} of {frame.step:,}"
        st.caption(f":orange[**Generated**], {told}")
    with right:
        st.image(real, width="stretch", alt="Real samples")
        st.caption(":blue[**Real**]")


def _grids(view: ImageView) -> tuple[str, str]:
    """The generated grid, 8 × 8, and the real one, 3 × 8, as data URIs of one height."""
    cell = max(32, view.fake.shape[1])
    fake = figures.image_grid(view.fake[:64], columns=8, cell=cell)
    real = figures.image_grid(view.real[:24], columns=3, cell=cell)
    return figures.data_uri(fake), figures.data_uri(real)


# Slow motion ----------------------------------------------------------------------------------


def _stages(stage: Stage | None, config: ExperimentConfig) -> str:
    """The stages of a step by name, the one just done marked, with its numbers."""
    skipped = {"clip": config.constraint != "clip"}
    skipped["penalty"] = config.constraint in ("none", "clip")
    chips = []
    for name, words in STAGES.items():
        if skipped.get(name):
            continue
        here = stage is not None and stage.name == name
        weight = "font-weight:700;color:#d55e00" if here else "opacity:.6"
        chips.append(f'<div style="{weight}">{"▸" if here else "·"} {words}</div>')
    where = "Between two steps"
    if stage is not None:
        which = f"Critic update {stage.update} of {stage.updates}"
        where = which if stage.update else "Generator update"
        there = {name: v for name, v in stage.figures.items() if isfinite(v)}
        numbers = [f"{name.replace('_', ' ')} {three(v)}" for name, v in there.items()]
        where = " · ".join([where, *numbers])
    body = f'<b>{where}</b><div style="columns:2;column-gap:1.5rem">{"".join(chips)}</div>'
    style = "font-size:.85rem;font-variant-numeric:tabular-nums"
    return f'<div role="status" class="stages" style="{style}">{body}</div>'


# Curves ---------------------------------------------------------------------------------------


def _wasserstein(config: ExperimentConfig) -> bool:
    return config.objective in ("wgan", "hinge")


CURVES = {
    "losses": (figures.curve_losses, "Losses"),
    "distance": (figures.curve_distance, "Critic estimate and exact W1"),
    "modes": (figures.curve_modes, "Modes and high-quality share"),
    "gradient": (figures.curve_gradient, "Critic's gradient norm between real and fake"),
}


def _curve(frame: Frame, name: str, at: int | None) -> Chart:
    """One chart; `at` is the step that is looked back at."""
    draw, title = CURVES[name]
    window = st.session_state.get("smoothing", 1)
    extra: dict[str, Any] = {}
    if draw is figures.curve_modes:
        extra["modes_total"] = frame.measures.modes_total if frame.measures else None
    figure = frame.once(
        (title, window),
        lambda: draw(frame.curves, frame.events, smoothing=window, **extra),
    )
    if at is not None:
        plain_figure = figure
        figure = frame.once((title, window, at), lambda: figures.looking_at(plain_figure, at))
    return Chart(figure, CURVE_HEIGHT, alt=title, title=title, name=name)


def _more_curves(frame: Frame, at: int | None) -> None:
    names = ["losses" if _wasserstein(frame.config) else "distance", "modes", "gradient"]
    live_figures([_curve(frame, name, at) for name in names], key="curve_more")
