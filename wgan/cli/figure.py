"""`figure`: a paper's figure, with its numbers."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from wgan.cli.parsing import Commands
from wgan.config import ConfigError, span
from wgan.studies import STUDIES, Progress, Study, finish, plain
from wgan.studies.page import page
from wgan.threads import use_training_threads

MAX_STEPS = 1_000_000


def add(commands: Commands) -> None:
    lengths = "; ".join(f"{s.name}: {s.steps:,} {s.unit}" for s in STUDIES.values())
    figure = commands.add_parser("figure", help="a paper's figure, with its numbers")
    figure.add_argument("name", metavar="NAME", help=", ".join(STUDIES))
    figure.add_argument("--out", type=Path, metavar="DIR", help="for html and json")
    figure.add_argument("--steps", type=int, metavar="N", help=f"default: {lengths}")
    figure.add_argument("--seed", type=int, default=0, metavar="N")
    figure.add_argument("--json", action="store_true", help="the numbers as one JSON line")
    figure.set_defaults(command=_figure)


def _figure(options: argparse.Namespace) -> int:
    if options.name not in STUDIES:
        raise ConfigError(f"There is no figure {options.name!r}. Figures: {', '.join(STUDIES)}.")
    if options.out is None:
        raise ConfigError("--out is missing: the folder for the page and the numbers.")
    study = STUDIES[options.name]
    steps = study.steps if options.steps is None else options.steps
    if not 1 <= steps <= MAX_STEPS:
        raise ConfigError(f"--steps is {steps}; allowed: a whole number from 1 to {MAX_STEPS:,}.")
    seeds = span("seed")
    if not seeds.low <= options.seed <= seeds.high:
        raise ConfigError(f"--seed is {options.seed}; allowed: {seeds}.")
    files = [options.out / f"{study.name}.{kind}" for kind in ("html", "json")]
    _check_writable(options.out, files)

    use_training_threads()
    started = time.monotonic()
    try:
        result = _run(study, options.seed, steps)
    except KeyboardInterrupt:
        print("\nwgan: interrupted; no figure was made.", file=sys.stderr)
        return 130
    about = {
        "figure": study.name,
        "title": study.title,
        "steps": steps,
        "seed": options.seed,
        "seconds": round(time.monotonic() - started, 3),
        "numbers": plain(result.numbers),
        "out": str(options.out),
    }
    html = page(study, study.draw(result), about)
    files[0].write_text(html, encoding="utf-8")
    files[1].write_text(json.dumps(about | {"arrays": plain(result)}, allow_nan=False) + "\n")
    if options.json:
        print(json.dumps(about, allow_nan=False))
    else:
        print(f"The paper's finding: {study.finding}")
        for name, value in about["numbers"].items():
            print(f"{name:<26} {value}")
        print(files[0])
    return 0


def _run(study: Study, seed: int, steps: int) -> Any:
    words = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=1.0, file=sys.stderr, bar_format=words) as bar:

        def tell(progress: Progress) -> None:
            bar.set_description_str(progress.words, refresh=False)
            bar.update(min(progress.share, 1.0) - bar.n)

        return finish(study.run(seed, steps), tell)


def _check_writable(folder: Path, files: list[Path]) -> None:
    """Raises `ConfigError` before minutes of training, not after them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            file.touch()
    except (OSError, ValueError) as error:
        raise ConfigError(f"--out {folder} cannot be written: {error}.") from None
