"""`push`: a checkpoint onto the Hugging Face Hub."""

from __future__ import annotations

import argparse
from pathlib import Path

from wgan.cli.bar import interruptible, share_bar
from wgan.cli.parsing import Commands


def add(commands: Commands) -> None:
    pushes = commands.add_parser("push", help="publish a checkpoint on the Hugging Face Hub")
    pushes.add_argument("folder", type=Path, metavar="DIR", help="a checkpoint's folder")
    pushes.add_argument("repo", metavar="REPO", help="OWNER/NAME; made if there is none")
    pushes.add_argument("--private", action="store_true", help="if it is made, for you alone")
    pushes.set_defaults(command=interruptible(_push))


def _push(options: argparse.Namespace) -> int:
    from wgan.hub import push

    words = f"Pushing {options.folder} to {options.repo}"
    with share_bar() as report:

        def progress(done: int, total: int | None) -> None:
            report(words, done / total if total else 0)

        report(words, None)
        url = push(options.folder, options.repo, private=options.private, progress=progress)
    print(url)
    return 0
