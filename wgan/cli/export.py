"""`export`: a preset's or a saved run's config, script, curves and pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from wgan.cli.parsing import Commands, number, write
from wgan.config import ConfigError, ExperimentConfig
from wgan.export.curves import curves_csv
from wgan.files import check_writable
from wgan.persistence import run_files
from wgan.presets import PRESETS
from wgan.runs.run import Run
from wgan.runs.series import Snapshot
from wgan.threads import use_training_threads
from wgan.types import Curve, Event

FRAMES = 40  # of a film, the first at step 0
STEPS = 2000  # of a preset that is trained for its pictures or curves
_SLICE = 0.25  # seconds between two looks at the clock


def add(commands: Commands) -> None:
    export = commands.add_parser("export", help="a run as config, script, curves and pictures")
    export.add_argument("source", metavar="PRESET_OR_DIR", help="a preset, or a saved run's folder")
    export.add_argument("--config", type=Path, metavar="FILE", help="its settings, JSON")
    export.add_argument("--script", type=Path, metavar="FILE", help="one PyTorch script of its own")
    export.add_argument("--csv", type=Path, metavar="FILE", help="its curves")
    export.add_argument("--gif", type=Path, metavar="FILE", help="its samples over the steps")
    export.add_argument("--png", type=Path, metavar="FILE", help="eight stills of them")
    export.add_argument(
        "--steps",
        type=number(int, 1, 10**9, "number of steps, at least 1"),
        metavar="N",
        help=f"generator steps (default: the saved run's, {STEPS:,} of a preset)",
    )
    export.set_defaults(command=_export)


@dataclass(frozen=True)
class _Source:
    """What is exported. begin: a fresh run that will repeat it; curves: None for a preset."""

    config: ExperimentConfig
    events: tuple[Event, ...]
    steps: int
    begin: Callable[[], Run]
    curves: Mapping[str, Curve] | None


def _export(options: argparse.Namespace) -> int:
    wanted = (options.config, options.script, options.csv, options.gif, options.png)
    if not any(wanted):
        raise ConfigError("export writes --config, --script, --csv, --gif or --png; name a file.")
    for path in filter(None, wanted):
        try:
            check_writable(path)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} cannot be written: {error}.") from None
    source = _source(options)
    if options.config:
        _write(options.config, source.config.to_json() + "\n")
    if options.script:
        from wgan.export.script import script

        name = options.script.name
        text = script(source.config, steps=source.steps, events=source.events, file=name)
        _write(options.script, text)
    curves = source.curves
    if options.gif or options.png or (options.csv and curves is None):
        run, snapshots = _train(source)
        curves = curves or run.export_now().curves
        from wgan.export.film import film, sheet

        if options.gif:
            _write(options.gif, film(snapshots))
        if options.png:
            _write(options.png, sheet(snapshots))
    if options.csv and curves is not None:
        _write(options.csv, curves_csv(curves))
    return 0


def _source(options: argparse.Namespace) -> _Source:
    if options.source in PRESETS:
        config = PRESETS[options.source].config
        return _Source(config, (), options.steps or STEPS, lambda: Run("export", config), None)
    folder = Path(options.source)
    if not folder.is_dir():
        raise ConfigError(
            f"There is no preset or folder {options.source!r}. Presets: {', '.join(PRESETS)}."
        )
    run, _ = run_files.open_run(folder)
    config, planned = run.config, run.scheduled
    for due in planned:
        config = config.replace(due.changes)
    from wgan.zoo.checkpoint import open_checkpoint  # here: a refusal needs no torch

    saved = open_checkpoint(folder)
    steps = options.steps or run.stop_at or 1
    return _Source(config, saved.events, steps, lambda: run, saved.curves)


def _train(source: _Source) -> tuple[Run, list[Snapshot]]:
    """Trains the run for its pictures; they come closer together at the start.

    Ctrl-C ends it, with the pictures so far. Raises `ConfigError` when it cannot begin.
    """
    use_training_threads()
    run, snapshots = source.begin(), []
    run.stop_after(0)
    run.prepare()
    if run.state == "failed":
        raise ConfigError(run.frame.message)
    marks = sorted({round(source.steps * (i / (FRAMES - 1)) ** 1.5) for i in range(FRAMES)})
    with tqdm(total=source.steps, unit="step", file=sys.stderr, disable=None) as bar:
        try:
            for mark in marks:
                run.stop_after(mark)
                run.play()
                while run.active:
                    run.advance(_SLICE)
                    bar.update(run.steps - bar.n)
                saved = run.export_now()
                snapshots.append(Snapshot(saved.steps, saved.view, saved.metrics))
                if run.state == "failed":
                    print(f"wgan: {run.frame.message}", file=sys.stderr)
                    break
        except KeyboardInterrupt:
            print("\nwgan: interrupted; the pictures end here.", file=sys.stderr)
    if not snapshots:
        raise ConfigError("The run was interrupted before its first picture.")
    return run, snapshots


def _write(path: Path, content: str | bytes) -> None:
    write(path, content)
    print(path)
