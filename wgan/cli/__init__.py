"""`python -m wgan`: the same runs as on the page, without a screen.

A module a sub-command: `add` gives it its arguments and the function that carries it out. Progress
goes to standard error; with `--json` the last line of standard output is one object. Bad input ends
with exit code 2 and one line on standard error. What a command needs beyond its arguments is
imported when it runs: torch takes seconds, and help and a refusal do without.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from wgan.cli import (
    catalog,
    export,
    figure,
    import_weights,
    info,
    modes,
    presets,
    pull,
    push,
    replay,
    sample,
    train,
)
from wgan.cli.parsing import Parser
from wgan.errors import UserError

# In the order in which help lists them.
COMMANDS = (
    *(presets, train, replay, catalog, pull, sample, import_weights, push),
    *(info, modes, export, figure),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line; returns the exit code."""
    # What is logged for a server is said here in a sentence, once.
    logging.getLogger("wgan").addHandler(logging.NullHandler())
    try:
        options = parser().parse_args(arguments)
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


def parser() -> Parser:
    """The parser of all sub-commands."""
    whole = Parser(prog="python -m wgan", description="Train GANs without a screen.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return whole
