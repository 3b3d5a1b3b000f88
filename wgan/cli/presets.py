"""`presets`: the named experiments."""

from __future__ import annotations

import argparse
import json

from wgan.cli.parsing import Commands
from wgan.presets import PRESETS


def add(commands: Commands) -> None:
    presets = commands.add_parser("presets", help="list the named experiments")
    presets.add_argument("--json", action="store_true", help="one JSON object")
    presets.set_defaults(command=_presets)


def _presets(options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps({p.name: p.config.to_dict() for p in PRESETS.values()}))
    else:
        for preset in PRESETS.values():
            print(f"{preset.name:<22} {preset.about}")
    return 0
