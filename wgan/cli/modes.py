"""`modes`: the mode-coverage table of the VEEGAN and PacGAN papers, with ours."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from wgan.cli.parsing import Commands, number, write
from wgan.config import ConfigError
from wgan.files import check_writable
from wgan.protocol.methods import DATA, METHODS, Method
from wgan.protocol.table import markdown, table
from wgan.threads import use_training_threads

if TYPE_CHECKING:
    from wgan.protocol.runs import Result, Store


_SEEDS = number(int, 1, 1000, "number from 1 to 1,000")
_SCALE = number(float, 1e-9, 10, "number above 0, at most 10")


def add(commands: Commands) -> None:
    modes = commands.add_parser("modes", help="the papers' table of mode coverage, with our rows")
    modes.add_argument("--data", choices=list(DATA), help="one of the two (default: both)")
    modes.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    modes.add_argument(
        "--seeds",
        type=_SEEDS,
        default=10,
        metavar="N",
        help="runs a row",
    )
    modes.add_argument(
        "--scale",
        type=_SCALE,
        default=1.0,
        metavar="F",
        help="times all steps: a rehearsal",
    )
    modes.add_argument("--json", action="store_true", help="the table as one JSON line")
    modes.add_argument(
        "--out",
        type=Path,
        default=Path("out/modes.md"),
        metavar="FILE",
        help="the table, with .json and the runs, .jsonl, beside it; it goes on from those",
    )
    modes.set_defaults(command=_modes)


def _modes(options: argparse.Namespace) -> int:
    from wgan.protocol.runs import Store

    use_training_threads()
    methods = [METHODS[name].scaled(options.scale) for name in METHODS if name in options.methods]
    names = [options.data] if options.data else list(DATA)
    base = _base(options.out)
    try:
        store = Store(base.with_suffix(".jsonl"))
        results = _all(store, methods, names, range(options.seeds))
        found = table(methods, results) | {"scale": options.scale}
        write(base.with_suffix(".json"), json.dumps(found, indent=2) + "\n")
        write(base.with_suffix(".md"), markdown(found))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--out {options.out} cannot be used: {error}.") from None
    print(json.dumps(found) if options.json else markdown(found))
    return 0


def _base(out: Path) -> Path:
    """The path of the three files without an ending, each writable. Raises `ConfigError`."""
    try:
        if out.exists() and not out.is_file():
            raise ConfigError(f"--out {out} is no file; name the table's, such as out/modes.md.")
        base = out.with_suffix("")
        for kind in (".md", ".json", ".jsonl"):
            check_writable(base.with_suffix(kind))
        return base
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"--out {out} cannot be used: {error}.") from None


def _all(
    store: Store, methods: Sequence[Method], names: Sequence[str], seeds: range
) -> list[Result]:
    """The runs, those that are not there yet trained now; Ctrl-C ends it, with what is done."""
    from wgan.protocol.runs import run  # here: it brings torch, and the parser needs none of it

    # Seeds outermost: what is done at any time is a whole table of fewer seeds.
    jobs = [(method, data, seed) for seed in seeds for method in methods for data in names]
    there = [store.get(*job) for job in jobs]
    results = [result for result in there if result is not None]
    missing = [job for job, result in zip(jobs, there, strict=True) if result is None]
    if results:
        print(f"wgan: {len(results)} of {len(jobs)} runs are there already.", file=sys.stderr)
    total = sum(method.steps for method, _, _ in missing)
    with tqdm(total=total, unit="step", file=sys.stderr, disable=not missing) as bar:
        try:
            for number, (method, data, seed) in enumerate(missing, len(results) + 1):
                bar.set_description_str(
                    f"run {number}/{len(jobs)}: {data}, {method.name}, seed {seed}"
                )
                result = run(method, data, seed, bar.update)
                store.add(result)
                results.append(result)
                bar.set_postfix_str(f"last: {result.modes} modes, HQ {result.high_quality:.1%}")
        except KeyboardInterrupt:
            print("\nwgan: interrupted; the same command goes on from here.", file=sys.stderr)
    return results
