"""`info`: what this machine offers a server of the lab."""

from __future__ import annotations

import argparse
import json

from wgan.cli.parsing import Commands
from wgan.info import as_text, information, short


def add(commands: Commands) -> None:
    info = commands.add_parser("info", help="what this machine offers: device, limits, folders")
    info.add_argument("--json", action="store_true", help="one JSON object")
    info.add_argument("--short", action="store_true", help="versions and limits only, at once")
    info.set_defaults(command=_info)


def _info(options: argparse.Namespace) -> int:
    found = short() if options.short else information()
    print(json.dumps(found) if options.json else as_text(found))
    return 0
