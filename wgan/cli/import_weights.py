"""`import`: other people's weights of a generator as a checkpoint of ours."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from wgan.cli.bar import interruptible
from wgan.cli.parsing import Commands
from wgan.zoo.errors import ZooError


def add(commands: Commands) -> None:
    imports = commands.add_parser("import", help="convert other people's weights of a generator")
    imports.add_argument("file", type=Path, metavar="FILE", help=".safetensors, .pt, .pth, .bin")
    imports.add_argument("--out", type=Path, required=True, metavar="DIR", help="the checkpoint")
    imports.set_defaults(command=interruptible(_import))


def _import(options: argparse.Namespace) -> int:
    from wgan.zoo.checkpoint import CONFIG, save_imported
    from wgan.zoo.importers import import_weights

    beside = options.file.parent / CONFIG
    imported = import_weights(options.file, beside if os.path.isfile(beside) else None)
    try:
        save_imported(imported, options.out)
    except (OSError, ValueError) as error:
        raise ZooError(f"--out {options.out} cannot be written: {error}.") from None
    print(f"wgan: {imported.note}", file=sys.stderr)
    print(options.out)
    return 0
