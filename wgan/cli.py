"""`python -m wgan`: the same runs as on the page, without a screen.

Progress goes to standard error; with `--json` the last line of standard output is one object.
Bad input ends with exit code 2 and one line on standard error. What a command needs beyond its
arguments is imported when it runs: torch takes seconds, and help and a refusal do without.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from wgan.config import ConfigError, ExperimentConfig, from_json
from wgan.errors import UserError
from wgan.export.commands import add_export
from wgan.files import expanded, read_bounded
from wgan.info import add_info
from wgan.persistence import run_files
from wgan.presets import PRESETS, with_data
from wgan.protocol.commands import add_modes
from wgan.runs.export import weights
from wgan.runs.run import Run
from wgan.studies.commands import add_figure
from wgan.threads import use_training_threads
from wgan.types import Metrics
from wgan.zoo.commands import add_commands

SLICE = 0.25  # seconds between two looks at the clock
MAX_CONFIG = 1_000_000  # bytes


class _Parser(argparse.ArgumentParser):
    """argparse with one line on standard error and no usage text before it."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; returns the exit code."""
    # What is logged for a server is said here in a sentence, once.
    logging.getLogger("wgan").addHandler(logging.NullHandler())
    try:
        options = _parser().parse_args(arguments)
        code = options.command(options)
        sys.stdout.flush()
        return code
    except UserError as error:
        return _refused(str(error))
    except OSError as error:  # most of all, standard output on a full disk
        return _refused(f"{error.filename or 'The output'} cannot be used: {error.strerror}.")


def _refused(why: str) -> int:
    print(f"wgan: {' '.join(why.split())}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m wgan", description="Train GANs without a screen.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    presets = commands.add_parser("presets", help="list the named experiments")
    presets.add_argument("--json", action="store_true", help="one JSON object")
    presets.set_defaults(command=_presets)

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
    length.add_argument("--steps", type=_positive(int), metavar="N", help="generator steps")
    length.add_argument("--seconds", type=_positive(float), metavar="S", help="default: 60")
    train.add_argument("--seed", type=int, metavar="N", help="the same bits again")
    train.add_argument("--device", metavar="auto|cpu|cuda")
    train.add_argument("--limit", type=int, metavar="N", help="at most so many images; 0 is all")
    train.add_argument("--folder", type=Path, metavar="PATH", help="train on a folder or a zip")
    train.add_argument("--out", type=Path, metavar="DIR", help="save config, log, curves, weights")
    train.add_argument("--json", action="store_true", help="the figures as one JSON line")
    train.set_defaults(command=_train)

    replay = commands.add_parser("replay", help="repeat a saved run and compare the weights")
    replay.add_argument("folder", type=Path, metavar="DIR")
    replay.add_argument("--json", action="store_true", help="the figures as one JSON line")
    replay.set_defaults(command=_replay)
    add_commands(commands)
    add_info(commands)
    add_modes(commands)
    add_export(commands)
    add_figure(commands)
    return parser


def _positive(kind: type) -> Any:
    def parse(text: str) -> Any:
        value = kind(text)
        if not 0 < value < math.inf:
            raise ValueError
        return value

    parse.__name__ = "positive number"  # argparse puts it into its message
    return parse


def _presets(options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps({p.name: p.config.to_dict() for p in PRESETS.values()}))
    else:
        for preset in PRESETS.values():
            print(f"{preset.name:<22} {preset.about}")
    return 0


def _train(options: argparse.Namespace) -> int:
    config = _experiment(options.experiment)
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
    run.stop_at = options.steps
    for due in planned:
        run.schedule(due)
    seconds = None if options.steps else options.seconds or 60.0
    elapsed, metrics = _drive(run, seconds)
    for due in run.scheduled:
        print(f"wgan: step {due.step} of --at was not reached.", file=sys.stderr)
    if options.out is not None:
        from wgan.zoo.checkpoint import save_run

        save_run(run.export_now(), options.out)
    name = options.experiment if options.experiment in PRESETS else None
    out = str(options.out) if options.out else None
    _report(run, elapsed, metrics, options, preset=name, out=out)
    return 0


def _replay(options: argparse.Namespace) -> int:
    run, expected = run_files.open_run(options.folder)
    elapsed, metrics = _drive(run, None)
    repeated = weights(run.trainer)
    identical = repeated.keys() == expected.keys() and all(
        repeated[name].equal(expected[name]) for name in expected
    )
    out = str(options.folder)
    _report(run, elapsed, metrics, options, preset=None, out=out, identical=identical)
    if not identical:
        print("wgan: the weights differ from the saved ones.", file=sys.stderr)
    return 0 if identical else 1


def _experiment(text: str) -> ExperimentConfig:
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


def _drive(run: Run, seconds: float | None) -> tuple[float, Metrics]:
    """Trains until the run stops by itself, or for `seconds`.

    Returns the seconds it took, and the figures at its end.

    Raises `ConfigError` when the run cannot begin (no such device, data that cannot be had).
    """
    use_training_threads()
    with _telling(run):
        run.prepare()
    if run.state == "failed":
        raise ConfigError(run.frame.message)
    started = time.monotonic()
    total = run.stop_at if seconds is None else seconds
    with tqdm(total=total, unit="step" if seconds is None else "s", file=sys.stderr) as bar:
        try:
            while run.active:
                left = SLICE if seconds is None else seconds - (time.monotonic() - started)
                if left <= 0:
                    break
                run.advance(min(SLICE, left))
                done = run.steps if seconds is None else time.monotonic() - started
                bar.update(min(round(done, 2), total or 0) - bar.n)
                bar.set_postfix_str(_progress(run))
        except KeyboardInterrupt:
            print("wgan: interrupted; what was trained so far is kept.", file=sys.stderr)
    elapsed = time.monotonic() - started
    metrics = run.measure_now()
    if run.state == "failed":
        print(f"wgan: {run.frame.message}", file=sys.stderr)
    return elapsed, metrics


@contextmanager
def _telling(run: Run) -> Iterator[None]:
    """Says on standard error what is being loaded, once it takes more than a second."""
    loaded = threading.Event()

    def tell() -> None:
        if loaded.wait(1.0):
            return
        with tqdm(bar_format="{desc}", leave=False, file=sys.stderr) as line:
            while not loaded.wait(SLICE):
                line.set_description_str(run.frame.message)

    teller = threading.Thread(target=tell, name="teller", daemon=True)
    teller.start()
    try:
        yield
    finally:
        loaded.set()
        teller.join()


def _progress(run: Run) -> str:
    metrics, words = run.frame.metrics, [f"step {run.steps:,}"]
    if metrics and metrics.modes is not None:
        words.append(f"{metrics.modes}/{metrics.modes_total} modes")
    if metrics and metrics.w1 is not None:
        words.append(f"W1 {metrics.w1:.3g}")
    return ", ".join(words)


def _report(
    run: Run,
    seconds: float,
    metrics: Metrics,
    options: argparse.Namespace,
    *,
    preset: str | None,
    **more: Any,
) -> None:
    """The figures at the end: as one JSON line, or in words."""
    steps = run.steps
    result = {
        "preset": preset,
        "config": run.config.to_dict(),
        "step": steps,
        "seconds": round(seconds, 3),
        "steps_per_second": round(steps / seconds, 2) if seconds else None,
        "finite": run.state != "failed",
        "modes": metrics.modes,
        "modes_any": metrics.modes_any,
        "modes_total": metrics.modes_total,
        "mode_kl": _number(metrics.mode_kl),
        "high_quality": _number(metrics.high_quality),
        "w1": _number(metrics.w1),
        "w1_floor": _number(metrics.w1_floor),
        "critic_estimate": _number(metrics.critic_estimate),
        "averaged": metrics.averaged,
        "events": [run_files.plain(event) for event in run.events],
        **more,
    }
    if options.json:
        print(json.dumps(result, allow_nan=False))
        return
    for name, value in result.items():
        if name not in ("config", "events") and value is not None:
            print(f"{name:<17} {value}")


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 5)
