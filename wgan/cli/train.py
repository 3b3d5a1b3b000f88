"""`train`: an experiment with changes on the way, and what is saved of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wgan.cli.drive import drive, report
from wgan.cli.parsing import Commands, positive
from wgan.config import ConfigError, ExperimentConfig, from_json
from wgan.files import expanded, read_bounded
from wgan.persistence import run_files
from wgan.presets import PRESETS, with_data
from wgan.runs.run import Run

MAX_CONFIG = 1_000_000  # bytes


def add(commands: Commands) -> None:
    train = commands.add_parser("train", help="train an experiment")
    train.add_argument("experiment", metavar="PRESET_OR_JSON", help="a preset, a file, or JSON")
    fields = "fields of the experiment: lr=1e-4 norm_d=layer …"
    train.add_argument("--set", nargs="+", action="extend", default=[], metavar="k=v", help=fields)
    train.add_argument(
        "--at",
        nargs="+",
        action="extend",
        default=[],
        metavar="STEP:k=v",
        help="change live fields once STEP steps are done (update=critic: that network alone)",
    )
    length = train.add_mutually_exclusive_group()
    length.add_argument("--steps", type=positive(int), metavar="N", help="generator steps")
    length.add_argument("--seconds", type=positive(float), metavar="S", help="default: 60")
    train.add_argument("--seed", type=int, metavar="N", help="the same bits again")
    train.add_argument("--device", metavar="auto|cpu|cuda")
    train.add_argument("--limit", type=int, metavar="N", help="at most so many images; 0 is all")
    train.add_argument("--folder", type=Path, metavar="PATH", help="train on a folder or a zip")
    train.add_argument("--out", type=Path, metavar="DIR", help="save config, log, curves, weights")
    train.add_argument("--json", action="store_true", help="the figures as one JSON line")
    train.set_defaults(command=_train)


def _train(options: argparse.Namespace) -> int:
    config = experiment(options.experiment)
    if options.folder is not None:
        # Absolute, so that the run can be repeated from anywhere.
        config = config.replace({"folder": str(expanded(options.folder).absolute())})
        config = config if config.data == "folder" else with_data(config, "folder")
    config = config.replace(run_files.parse_assignments(options.set))
    given = {"seed": options.seed, "device": options.device, "limit": options.limit}
    config = config.replace({name: value for name, value in given.items() if value is not None})
    planned = run_files.parse_plan(options.at)
    run_files.check_plan(config, planned)
    if options.out is not None:
        _check_writable(options.out)

    run = Run("train", config)
    run.stop_after(options.steps)
    for due in planned:
        run.schedule(due)
    seconds = None if options.steps else options.seconds or 60.0
    elapsed, metrics = drive(run, seconds)
    for due in run.scheduled:
        print(f"wgan: step {due.step} of --at was not reached.", file=sys.stderr)
    if options.out is not None:
        from wgan.zoo.checkpoint import save_run

        save_run(run.export_now(), options.out)
    name = options.experiment if options.experiment in PRESETS else None
    out = str(options.out) if options.out else None
    report(run, elapsed, metrics, options, preset=name, out=out)
    return 0


def experiment(text: str) -> ExperimentConfig:
    """A preset's name, inline JSON, or the path of a JSON file. Raises `ConfigError`."""
    if text in PRESETS:
        return PRESETS[text].config
    if text.lstrip().startswith("{"):
        return from_json(text)
    try:
        return from_json(read_bounded(Path(text), MAX_CONFIG))
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(
            f"There is no preset or config file {text!r}. Presets: {', '.join(PRESETS)}."
        ) from None


def _check_writable(folder: Path) -> None:
    """Raises `ConfigError` before hours of training, not after them."""
    try:
        taken = (folder / "config.json").exists()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except (OSError, ValueError) as error:
        raise ConfigError(f"--out {folder} cannot be written: {error}.") from None
    if taken:
        raise ConfigError(f"--out {folder} holds a run already; name another folder.")
