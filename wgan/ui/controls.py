"""The settings of a run as widgets, grouped as the field thinks. Live ones apply at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import streamlit as st

from wgan.advice import warnings
from wgan.config import (
    DATA,
    SHORTHANDS,
    WIDTHS,
    ExperimentConfig,
    choices,
    parse_assignment,
    span,
)
from wgan.constraints import constraint
from wgan.data import title
from wgan.live.parts import channel
from wgan.objectives import objective
from wgan.presets import collapse, cure, with_data
from wgan.recipes import SWITCHES, switched
from wgan.runs.run import Run
from wgan.ui import binding, identity, live
from wgan.ui.words import sections

RATES = [
    1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1,
    0.2, 0.5, 1.0,
]  # fmt: skip
_TABLES = {"objective": objective, "constraint": constraint}
BROUGHT = "brought"  # by the last switch of this tab: (the run, {field: its value before})
DECAYS = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999]


def label(field: str) -> str:
    return sections("controls")[field].partition("\n")[0]


def help_text(field: str) -> str:
    return sections("controls")[field].partition("\n")[2].strip()


def option_label(field: str, value: Any) -> str:
    """How a value is shown: `gp` -> `GP`."""
    if field in _TABLES and value != "none":
        label = _TABLES[field](value).label
        return label[0].upper() + label[1:]
    kind = {"norm_g": "norm", "norm_d": "norm", "optimizer_g": "optimizer"}.get(field, field)
    kind = "optimizer" if kind == "optimizer_d" else kind
    lines = sections("options").get(kind, "").splitlines()
    shown = dict(line.split(": ", 1) for line in lines)
    return shown.get(str(value), str(value))


def _on_change(run: Run, field: str, key: str) -> None:
    if binding.is_shown(key):
        binding.act(run, _set, field, st.session_state[key])


def _set(run: Run, field: str, value: Any) -> None:
    """A switch of objective or constraint brings the settings that belong to it."""
    before, log = run.config, [event.changes for event in run.events if event.changes]
    changes = switched(before, field, value, log)
    run.apply(changes)
    if field in SWITCHES:
        brought = {name: getattr(before, name) for name in changes if name != field}
        st.session_state[BROUGHT] = (run.id, brought)


def _current(run: Run, field: str) -> Any:
    """The value to show: of a shorthand, the critic's where the two networks differ."""
    return getattr(run.config, SHORTHANDS[field][1] if field in SHORTHANDS else field)


def _shared(
    run: Run, field: str, value: Any, options: Sequence[Any] = (), where: str = "set"
) -> dict[str, Any]:
    """The arguments that all widgets share; each is drawn with `value` as its default."""
    key = binding.widget_key(f"{where}_{field}", value, options)
    return {
        "label": label(field),
        "key": key,
        "help": help_text(field),
        "on_change": _on_change,
        "args": (run, field, key),
        "disabled": not identity.may_control(run),
    }


def segments(run: Run, field: str, options: Sequence[str] | None = None) -> None:
    """A row of choices for a live field or shorthand."""
    full = choices(SHORTHANDS.get(field, (field,))[0])
    value = _current(run, field)
    # A value that is not among the row's few (set elsewhere) joins them.
    shown = list(options or full)
    shown += [value] if value not in shown else []
    st.segmented_control(
        options=shown,
        default=value,
        format_func=lambda v: option_label(field, v),
        required=True,
        width="stretch",
        **_shared(run, field, value, shown, "switch"),
    )


def _choice(run: Run, field: str) -> None:
    options, value = choices(field), _current(run, field)
    st.selectbox(
        options=options,
        index=options.index(value),
        format_func=lambda v: option_label(field, v),
        **_shared(run, field, value),
    )


def _ladder(run: Run, field: str, rungs: Sequence[float]) -> None:
    """A slider over round values; the run's own value is always among them."""
    value = _current(run, field)
    options = sorted({*rungs, value})
    st.select_slider(
        options=options,
        value=value,
        format_func=lambda v: f"{v:g}",
        **_shared(run, field, value, options),
    )


def _number(run: Run, field: str, step: float | int) -> None:
    limits, value = span(field), _current(run, field)
    kind = type(value)
    st.number_input(
        min_value=kind(limits.low),
        max_value=kind(limits.high),
        value=value,
        step=kind(step),
        format="%d" if kind is int else "%g",
        **_shared(run, field, value),
    )


def switches(run: Run) -> None:
    """The story's switches, beside the samples: cure, objective, constraint, norm, optimiser."""
    config = run.config
    cured = (config.objective, config.constraint) == ("wgan", "gp")
    if cured:
        st.button(
            "Back to the GAN" if run.first_config.objective == "gan" else "See a GAN collapse",
            key="collapse",
            icon=":material/undo:",
            on_click=binding.change,
            args=(run, collapse(config)),
            disabled=not identity.may_control(run),
            help=binding.what_changes(run, collapse(config)),
            width="stretch",
        )
    else:
        st.button(
            "Cure it: switch to WGAN-GP",
            key="cure",
            type="primary",
            icon=":material/healing:",
            on_click=binding.change,
            args=(run, cure(config)),
            disabled=not identity.may_control(run),
            help=binding.what_changes(run, cure(config)),
            width="stretch",
        )
    with st.container(key="switches", gap="xsmall"):
        segments(run, "objective")
        segments(run, "constraint")
        left, right = st.columns([4, 5], gap="small")
        with left:
            segments(run, "norm_d", ["none", "batch", "layer"])
        with right:
            segments(run, "optimizer")
    _last_change(run)


def _last_change(run: Run) -> None:
    """What was changed last and what came of it, beside the button that undoes its settings."""
    id, brought = st.session_state.get(BROUGHT, ("", {}))
    there = id == run.id and any(getattr(run.config, k) != old for k, old in brought.items())
    with st.container(key="last_change", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch"):
            live.part(channel("change", run), key="change_line", height=57)
        st.button(
            "Keep my rates",
            key="keep_rates",
            icon=":material/undo:",
            on_click=binding.change,
            args=(run, brought),
            disabled=not there or not identity.may_control(run),
            help=sections("controls")["keep_rates"],
        )


def advice(config: ExperimentConfig) -> None:
    """Why a combination is a bad idea; allowed all the same."""
    for sentence in warnings(config):
        st.warning(sentence, icon=":material/lightbulb:")


def settings(run: Run) -> None:
    """All live fields, in the sidebar: the live view stays in sight while they move."""
    config = run.config
    st.subheader("Settings")
    st.caption("They apply to the run in progress, before its next step.")
    with st.expander("Lipschitz constraint", expanded=True):
        entry = constraint(config.constraint)
        if entry.clips:
            _ladder(run, "clip_value", [1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0])
        elif config.constraint == "none":
            st.caption("No constraint: nothing to set.")
        else:
            _ladder(run, "gp_weight", [0.0, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
            if entry.has_target:
                _number(run, "gp_target", 0.1)
    with st.expander("Optimisers", expanded=True):
        _choice(run, "optimizer_d")
        _ladder(run, "lr_d", RATES)
        _choice(run, "optimizer_g")
        _ladder(run, "lr_g", RATES)
        if "adam" in (config.optimizer_g, config.optimizer_d):
            _ladder(run, "beta1", DECAYS)
            _ladder(run, "beta2", DECAYS)
    with st.expander("Steps and batch", expanded=True):
        _number(run, "critic_steps", 1)
        _number(run, "generator_steps", 1)
        _ladder(run, "batch_size", [8, 16, 32, 64, 128, 256, 512, 1024])
        _ladder(run, "ema", [0.0, 0.9, 0.98, 0.99, 0.995, 0.999, 0.9999])
        for field in ("shared_latents", "freeze_g", "freeze_d"):
            value = _current(run, field)
            st.toggle(value=value, **_shared(run, field, value))
    with st.expander("Normalisation and dropout"):
        _choice(run, "norm_d")
        _choice(run, "norm_g")
        _ladder(run, "dropout_d", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    with st.expander("Deliberate bugs"):
        st.multiselect(
            options=choices("faults"),
            default=config.faults,
            format_func=lambda v: option_label("faults", v),
            placeholder="None",
            select_all=False,  # one bug at a time is a lesson
            **_shared(run, "faults", list(config.faults)),
        )


def new_run(run: Run) -> None:
    """The structural fields: they describe another experiment, so they start a new run."""
    config = run.config
    st.caption(
        "These describe the data and the networks. Changing them starts a new run with the "
        "current settings."
    )
    with st.form("new_run", border=False):
        values: dict[str, Any] = {}
        columns = st.columns(4)
        spots = itertools.cycle(columns)

        def choice(field: str, options: Sequence[Any], show: Any = None) -> None:
            value = getattr(config, field)
            with next(spots):
                values[field] = st.selectbox(
                    label(field),
                    options,
                    index=list(options).index(value),
                    format_func=show or (lambda v: option_label(field, v)),
                    key=f"new_{field}_{run.id}",
                    help=help_text(field),
                )

        def number(field: str) -> None:
            limits = span(field)
            with next(spots):
                values[field] = st.number_input(
                    label(field),
                    int(limits.low),
                    int(limits.high),
                    value=getattr(config, field),
                    key=f"new_{field}_{run.id}",
                    help=help_text(field),
                )

        offered = [name for name in DATA if name not in ("points", "folder")]
        # What was drawn, uploaded or named on the Hub can be kept, but not chosen here.
        choice("data", list(dict.fromkeys([*offered, config.data])), title)
        for field in ("network", "activation", "output"):
            choice(field, choices(field))
        for field in ("width", "depth", "latent_dim"):
            number(field)
        for field in WIDTHS:
            with next(spots):
                values[field] = st.text_input(
                    label(field),
                    ", ".join(map(str, getattr(config, field))),
                    key=f"new_{field}_{run.id}",
                    placeholder="width × depth",
                    help=help_text(field),
                )
        number("maxout_d")
        for field in ("latent", "fakes", "image_size", "precision", "device"):
            choice(field, choices(field))
        number("limit")
        number("seed")
        if st.form_submit_button("Start a new run", type="primary", icon=":material/add:"):
            binding.attempt(lambda: binding.start(_new_config(config, values)))
            st.rerun()


def _new_config(config: ExperimentConfig, values: dict[str, Any]) -> ExperimentConfig:
    """With other data, what was not touched takes values that suit it."""
    lists = {name: parse_assignment(f"{name}={values[name]}")[1] for name in WIDTHS}
    given = values | {name: tuple(widths) for name, widths in lists.items()}
    touched = {name: v for name, v in given.items() if v != getattr(config, name)}
    if "data" in touched:
        config = with_data(config, values["data"])
    return config.replace(touched)
