"""A run on disk: what it was, what was done to it, what came out; and how to repeat it.

A folder holds `config.json` (the networks' architecture, the experiment at step 0, the figures at
the end), `events.json` (what was changed at which step, and how many steps were done),
`history.json` (the curves) and `model.safetensors` (the networks, each under its own prefix).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from wgan.config import (
    SHORTHANDS,
    WIDTHS,
    ConfigError,
    ExperimentConfig,
    diff,
    from_dict,
    parse_assignment,
    replace_live,
)
from wgan.errors import UserError
from wgan.files import open_regular, read_bounded
from wgan.presets import PRESETS
from wgan.runs.export import RunExport
from wgan.runs.run import Run, ScheduledChange
from wgan.types import Event, Metrics

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "wgan-lab/1"
# Which metrics a saved run tells, in the order of its card's rows.
SAVED_METRICS = (
    *("modes", "modes_any", "modes_total", "mode_kl", "high_quality", "high_quality_real"),
    *("w1", "w1_floor", "critic_estimate", "gradient_norm"),
)
MAX_JSON = 20_000_000  # bytes
MAX_STEPS = 10**12
_COMMA = re.compile(r",(?=\w+=)")


class ArchiveError(UserError, ValueError):
    """A folder that holds no run. The message says what is missing or broken, and where."""


def save(saved: RunExport, folder: Path) -> None:
    """Writes a run. Raises `OSError` when the folder cannot be written."""
    from safetensors.torch import save_file  # here: it brings torch, which a command does without

    folder.mkdir(parents=True, exist_ok=True)
    steps = saved.steps
    config = {
        "format": FORMAT,
        # The networks as they are at the end, then what made them.
        "architecture": {"family": "wgan-lab", "settings": saved.config.to_dict()},
        "experiment": saved.first_config.to_dict(),
        "steps": steps,
        "figures": plain_figures(saved.metrics),
        "command": command(saved.first_config, saved.events, steps),
    }
    _write_json(folder / "config.json", config, indent=2)
    record = {"steps": steps, "events": [plain(event) for event in saved.events]}
    _write_json(folder / "events.json", record, indent=2)
    _write_json(folder / "history.json", {k: curve._asdict() for k, curve in saved.curves.items()})
    save_file(dict(saved.weights), folder / "model.safetensors")


def _write_json(path: Path, value: Any, indent: int | None = None) -> None:
    text = json.dumps(value, indent=indent, default=lambda array: array.tolist())
    path.write_text(text + "\n")


def plain_figures(metrics: Metrics) -> dict[str, Any]:
    """The measured figures, rounded; without those that the data set does not have."""
    figures = {name: getattr(metrics, name) for name in (*SAVED_METRICS, "averaged")}
    rounded = {k: round(v, 5) if isinstance(v, float) else v for k, v in figures.items()}
    return {name: value for name, value in rounded.items() if value is not None}


def plain(event: Event) -> dict[str, Any]:
    """An event as JSON has it; a change is {field: [old, new]}."""
    changes = {name: list(pair) for name, pair in event.changes.items()}
    return {"step": event.step, "kind": event.kind, "text": event.text} | (
        {"update": event.update} if event.kind == "update" else {"changes": changes}
    )


def open_run(folder: Path) -> tuple[Run, dict[str, Tensor]]:
    """A fresh run that will repeat the one in `folder`, and the weights it should end with.

    Raises `ArchiveError` or `ConfigError` when the folder does not hold a run.
    """
    try:
        config = from_dict(json.loads(_read(folder / "config.json"))["experiment"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, (ConfigError, ArchiveError)):
            raise
        raise ArchiveError(
            f"{folder / 'config.json'} does not hold the experiment of a run; "
            "`train --out` writes one."
        ) from None
    try:
        record = json.loads(_read(folder / "events.json"))
        steps, events = record["steps"], record["events"]
        planned = [_scheduled(event) for event in events if _was_made(event)]
        if isinstance(steps, bool) or not isinstance(steps, int) or not 0 <= steps <= MAX_STEPS:
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, (ConfigError, ArchiveError)):
            raise
        raise ArchiveError(
            f"{folder / 'events.json'} is not a run's log; expected {{steps, events}}."
        ) from None
    check_plan(config, planned)
    from safetensors.torch import load_file  # here: what is refused above needs no torch

    try:
        open_regular(folder / "model.safetensors").close()
        expected = load_file(folder / "model.safetensors")
    except (OSError, SafetensorError, KeyError, RuntimeError):
        raise ArchiveError(
            f"{folder / 'model.safetensors'} is missing or not a whole safetensors file."
        ) from None
    run = Run("replay", config)
    run.stop_after(steps)
    for due in planned:
        run.schedule(due)
    return run, expected


def _read(path: Path) -> str:
    try:
        return read_bounded(path, MAX_JSON).decode()
    except (OSError, ValueError):  # ValueError: no UTF-8, or no name that a file can have
        raise ArchiveError(
            f"{path} cannot be read; a saved run has config.json, events.json, history.json and "
            "model.safetensors."
        ) from None


def _was_made(event: dict[str, Any]) -> bool:
    """Whether an event has to be repeated; what a run went back from is in no log."""
    return event["kind"] not in ("failed", "back")


def _scheduled(event: dict[str, Any]) -> ScheduledChange:
    if event["kind"] == "update":
        return plan_step(event["step"], {"update": event["update"]})
    return plan_step(event["step"], {name: new for name, (_, new) in event["changes"].items()})


def plan_step(step: Any, changes: dict[str, Any]) -> ScheduledChange:
    """A planned change; `update` is no field but names the network to update alone.

    Raises `ConfigError` for a step or an update that is not allowed.
    """
    if isinstance(step, bool) or not isinstance(step, int) or step < 0:
        raise ConfigError(f"The step of a change is {step!r}; allowed: a whole number from 0.")
    fields = {name: value for name, value in changes.items() if name != "update"}
    update = changes.get("update", "")
    if update not in ("", "critic", "generator") or (update and fields):
        raise ConfigError(f"update is {update!r}; allowed: critic or generator, alone.")
    return ScheduledChange(step, fields, update)


def check_plan(config: ExperimentConfig, planned: Iterable[ScheduledChange]) -> None:
    """Raises `ConfigError` when a planned change will not be allowed in its turn."""
    for due in sorted(planned, key=lambda due: due.step):
        config = replace_live(config, due.changes)


def command(config: ExperimentConfig, events: Iterable[Event], steps: int) -> str:
    """The `python -m wgan train …` line that repeats a run of this config and these events."""
    preset = min(PRESETS.values(), key=lambda p: len(diff(p.config, config)))
    words = ["python", "-m", "wgan", "train", preset.name]
    changes = {name: new for name, (_, new) in diff(preset.config, config).items()}
    if {"width", "depth"} & set(changes):  # they would take the place of the lists
        changes |= {name: getattr(config, name) for name in WIDTHS if getattr(config, name)}
    if "seed" in changes:
        words += ["--seed", str(changes.pop("seed"))]
    if "device" in changes:
        words += ["--device", changes.pop("device")]
    if changes:
        words += ["--set", *_assignments(changes)]
    for event in events:
        if event.kind == "update":
            words += ["--at", f"{event.step}:update={event.update}"]
        elif event.kind == "change":
            first, *more = _assignments({name: new for name, (_, new) in event.changes.items()})
            words += ["--at", f"{event.step}:{first}", *more]
    return shlex.join([*words, "--steps", str(max(steps, 1))])


def _assignments(changes: dict[str, Any]) -> list[str]:
    """`name=value` words, both networks in one where they agree."""
    shown = dict(changes)
    for short, (a, b) in SHORTHANDS.items():
        if a in shown and b in shown and shown[a] == shown[b]:
            shown[short] = shown.pop(a)
            del shown[b]
    return [f"{name}={_word(value)}" for name, value in shown.items()]


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def parse_plan(words: list[str]) -> list[ScheduledChange]:
    """`["3000:objective=wgan", "constraint=gp", …]` -> planned changes. Raises `ConfigError`.

    A word without a step belongs to the step before it.
    """
    groups: list[tuple[int, dict[str, Any]]] = []
    for word in words:
        step, colon, rest = word.partition(":")
        if colon and "=" not in step:
            if not step.isdecimal() or len(step) > 18:
                raise ConfigError(f"--at takes STEP:field=value, got {word!r}.")
            groups.append((int(step), {}))
            word = rest
        elif not groups:
            raise ConfigError(f"--at takes STEP:field=value, got {word!r}.")
        groups[-1][1].update(parse_assignments([word]))
    return [plan_step(step, changes) for step, changes in groups]


def parse_assignments(words: Iterable[str]) -> dict[str, Any]:
    """`["lr=1e-4", "objective=wgan,constraint=gp"]` -> fields. Raises `ConfigError`."""
    # A comma parts assignments only where another `name=` follows it: lists have commas too.
    parts = [part for word in words for part in _COMMA.split(word)]
    return dict(parse_assignment(part) for part in parts)
