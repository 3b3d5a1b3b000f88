"""`replay`: a saved run again, from its config and its log, and whether the weights agree."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wgan.cli.drive import drive, report
from wgan.cli.parsing import Commands
from wgan.persistence import run_files


def add(commands: Commands) -> None:
    replay = commands.add_parser("replay", help="repeat a saved run and compare the weights")
    replay.add_argument("folder", type=Path, metavar="DIR")
    replay.add_argument("--json", action="store_true", help="the figures as one JSON line")
    replay.set_defaults(command=_replay)


def _replay(options: argparse.Namespace) -> int:
    run, expected = run_files.open_run(options.folder)
    elapsed, metrics = drive(run, None)
    repeated = run.export_now().weights
    identical = repeated.keys() == expected.keys() and all(
        repeated[name].equal(expected[name]) for name in expected
    )
    out = str(options.folder)
    report(run, elapsed, metrics, options, preset=None, out=out, identical=identical)
    if not identical:
        print("wgan: the weights differ from the saved ones.", file=sys.stderr)
    return 0 if identical else 1
