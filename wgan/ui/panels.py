"""The panels of the page Compare, one a run, and what streams: samples, meters and the curves on
the same axes, in one fragment that reads the frames which the runs published last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from wgan import figures
from wgan.config import FIELDS, SHORTHANDS, ExperimentConfig, diff
from wgan.data import title
from wgan.figures import COLORS, LETTERS, OVERLAYS, Lane
from wgan.lab.branches import differences
from wgan.lab.frame import Event, Frame, PointView
from wgan.lab.registry import lab
from wgan.lab.run import Run
from wgan.limits import LimitError
from wgan.terms import shortened, term
from wgan.ui import _compat, binding, compare, liveview, pace, people, shell
from wgan.ui.live import Chart, live_figure, live_figures
from wgan.ui.words import plain
from wgan.zoo.card import method_of

HEIGHT = 320  # pixels of the samples and of a chart
SMALL_METER = "<style>.wgan-small .wgan-meter .big { font-size: 2.2rem; }</style>"


@dataclass(frozen=True)
class Panel:
    """The containers of one run that the fragment fills."""

    run: Run
    status: DeltaGenerator
    meter: DeltaGenerator
    samples: DeltaGenerator


def place() -> DeltaGenerator:
    """A container that the fragment fills; it may only fill what was written to."""
    container = st.container(gap="xxsmall")
    with container:
        st.container()
    return container


def panels(runs: Sequence[Run]) -> list[Panel]:
    """One column a run, with its name, how it differs from the first, and its own buttons."""
    drawn = []
    configs = [run.config for run in runs]
    for slot, (column, run) in enumerate(zip(st.columns(max(2, len(runs))), runs, strict=False)):
        with column, st.container(key=f"panel_{slot}", gap="xsmall"):
            _heading(slot, names(configs)[slot])
            _buttons(slot, run, runs)
            drawn.append(Panel(run, place(), place(), place()))
            # Last: it may take several lines, and all above stands at the same height everywhere.
            st.caption(plain(_difference(slot, configs)))
    return drawn


def names(configs: Sequence[ExperimentConfig]) -> list[str]:
    """What each of several runs is called: its method, and where others of that method differ,
    the first thing that it has of its own: `WGAN-GP, Adam`."""
    called = []
    for config in configs:
        method = method_of(config)
        peers = [other for other in configs if method_of(other) == method]
        varying = {name for peer in peers for name in shortened(diff(peers[0], peer))}
        own = [n for n in (*SHORTHANDS, *FIELDS) if n in varying][:1]
        shown = [term(n, getattr(config, SHORTHANDS.get(n, (n,))[0])) for n in own]
        called.append(", ".join([method, *shown]))
    return called


def _heading(slot: int, name: str) -> None:
    chip = (
        f'<b style="background:{COLORS[slot]};color:white;border-radius:.3rem;'
        f'padding:.05rem .45rem;margin-right:.4rem">{LETTERS[slot]}</b>'
    )
    style = "font-weight:600;white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
    st.html(f'<div style="{style}" title="{name}">{chip}{name}</div>')


def _difference(slot: int, configs: Sequence[ExperimentConfig]) -> str:
    if slot == 0:
        return f"{title(configs[0].data)}, seed {configs[0].seed}"
    return differences(configs[0], configs[slot]) or "no setting differs from A"


def _buttons(slot: int, run: Run, runs: Sequence[Run]) -> None:
    playing = run.state in ("playing", "loading")
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Pause" if playing else "Play",
            key=f"panel_play_{slot}",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            on_click=binding.act,
            args=(run, run.pause if playing else run.play),
            disabled=run.state == "loading" or not people.may_control(run),
        )
        if st.button("Lab", key=f"panel_open_{slot}", icon=":material/science:"):
            shell.go_to("lab.py", {"run": run.id})
        st.button(
            "",
            key=f"panel_remove_{slot}",
            icon=":material/close:",
            on_click=compare.show,
            args=([other for other in runs if other is not run],),
            help="Take it away from here; the run itself stays.",
        )


# What streams -----------------------------------------------------------------------------------


def shown(runs: Sequence[Run]) -> tuple[Any, ...]:
    """What the widgets show of the runs; when it differs, the page is drawn again."""
    return tuple(liveview.shown(run) for run in runs)


def live(panels: Sequence[Panel], charts: DeltaGenerator) -> None:
    """Streams the runs into their places, and the curves on the same axes into `charts`."""
    beat = pace.beat(least=1.0)  # several runs take several times as long to draw
    drawn = shown([panel.run for panel in panels])
    st.fragment(_live, run_every=beat.pace)(panels, charts, drawn, beat)


def _live(
    panels: Sequence[Panel], charts: DeltaGenerator, drawn: tuple[Any, ...], beat: pace.Beat
) -> None:
    runs = [panel.run for panel in panels]
    try:
        here = all(lab().get(run.id) is run for run in runs)  # asking says that somebody watches
    except LimitError:
        here = False
    if not here or shown(runs) != drawn or beat.outlived:
        binding.draw_again()
    try:
        _fill(panels, charts)
    except _compat.OutsideContainerLost:
        binding.draw_again()


def _fill(panels: Sequence[Panel], charts: DeltaGenerator) -> None:
    frames = [panel.run.frame for panel in panels]
    extent = max((f.view.extent for f in frames if isinstance(f.view, PointView)), default=1.0)
    for slot, (panel, frame) in enumerate(zip(panels, frames, strict=True)):
        with panel.status:
            st.html(liveview.status(frame, slow=panel.run.slow is not None))
        with panel.meter:
            meter = figures.mode_meter(frame.measures)
            st.html(f'{SMALL_METER}<div class="wgan-small">{meter}</div>')
        with panel.samples:
            _samples(slot, frame, extent)
    # In their own order, whichever was chosen first.
    chosen = [name for name in OVERLAYS if name in st.session_state.get("compare_curves", ())]
    with charts:
        live_figures([_overlay(name, frames) for name in chosen], key="overlays")


def _samples(slot: int, frame: Frame, extent: float) -> None:
    view = frame.view
    if view is None:
        failed = frame.state == "failed"
        words = plain(frame.message) or "Preparing"
        st.caption(words) if failed else st.progress(frame.progress or 0.0, text=words)
        return
    if isinstance(view, PointView):
        figure = frame.once(
            ("compare", extent),
            lambda: figures.same_axes(
                figures.points(view, surface=True, manifold=False, arrows=False), extent
            ),
        )
        alt = f"Run {LETTERS[slot]}: real and generated points over the critic's value surface"
        live_figure(figure, key=f"compare_samples_{slot}", height=HEIGHT, alt=alt)
        return
    cell = max(32, view.fake.shape[1])
    uri = frame.once(
        "compare",
        lambda: figures.data_uri(figures.image_grid(view.fake[:64], columns=8, cell=cell)),
    )
    st.image(uri, width="stretch", alt=f"Run {LETTERS[slot]}: generated samples")


def _overlay(name: str, frames: Sequence[Frame]) -> Chart:
    """One chart of all runs, built once for all who watch the same."""
    by = st.session_state.get("compare_by", "steps")
    window = st.session_state.get("compare_smoothing", 1)

    def build() -> figures.Figure:
        titles = names([frame.config for frame in frames])
        lanes = [
            Lane(title, frame.curves, events, frame.measures and frame.measures.modes_total)
            for title, frame, events in zip(titles, frames, own_events(frames), strict=True)
        ]
        return figures.overlay(name, lanes, by=by, smoothing=window)

    # Kept with a frame that will soon be replaced: what is kept with it goes with it.
    host = next((frame for frame in frames if frame.state == "playing"), frames[0])
    drawn = tuple((frame.run, frame.version) for frame in frames)
    figure = host.once(("overlay", name, by, window, drawn), build)
    return Chart(figure, HEIGHT, alt=(words := OVERLAYS[name][0]), title=words, name=name)


def own_events(frames: Sequence[Frame]) -> list[tuple[Event, ...]]:
    """Of each run the changes that are not part of what all have in common."""
    logs = [frame.events for frame in frames]
    common = 0
    if len(logs) > 1:
        while all(len(log) > common and log[common] == logs[0][common] for log in logs):
            common += 1
    return [tuple(e for e in log[common:] if e.kind != "back") for log in logs]
