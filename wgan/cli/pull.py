"""`pull`: a published generator from the catalogue or the Hugging Face Hub."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wgan.cli.bar import interruptible, share_bar
from wgan.cli.parsing import Commands

if TYPE_CHECKING:
    from wgan.zoo.catalog import Entry
    from wgan.zoo.pull import Pulled


def add(commands: Commands) -> None:
    pulls = commands.add_parser("pull", help="fetch a generator from the catalogue or the Hub")
    pulls.add_argument(
        "repo", metavar="ID_OR_REPO", help="a name of `catalog`, OWNER/NAME, or its page's address"
    )
    pulls.add_argument("--out", type=Path, metavar="DIR", help="copy its files there")
    pulls.add_argument("--json", action="store_true", help="what came, as one JSON line")
    pulls.set_defaults(command=interruptible(_pull))


def _pull(options: argparse.Namespace) -> int:
    from wgan.hub import check_repo_id, never
    from wgan.zoo.catalog import WebSource, find_entry
    from wgan.zoo.pull import pull

    entry = find_entry(options.repo)
    if entry is not None and isinstance(entry.source, WebSource):
        return _pull_web(entry, options)
    repo, commit = options.repo, None
    if entry is not None and not isinstance(entry.source, WebSource):
        repo, commit = entry.source.repo, entry.source.commit
    with share_bar() as report:
        pulled = pull(check_repo_id(repo), report, never, commit)
    if not pulled.fresh:
        print("wgan: the Hub cannot be reached; this is what was pulled before.", file=sys.stderr)
    folder = _copy(pulled, options.out) if options.out else pulled.folder
    if options.json:
        told = {
            "repo": pulled.repo.id,
            "commit": pulled.repo.commit,
            "licence": pulled.repo.licence,
            "weights": pulled.weights,
            "files": {name: (folder / name).stat().st_size for name in pulled.files},
            "fresh": pulled.fresh,
            "out": str(folder),
        }
        print(json.dumps(told))
    else:
        print(folder)
    return 0


def _pull_web(entry: Entry, options: argparse.Namespace) -> int:
    """An entry whose source is an address of its own."""
    from wgan.zoo.catalog_files import pull_entry

    with share_bar() as report:
        path = pull_entry(entry, report)
    if options.out:
        path = _copied(path, options.out)
    if options.json:
        told = {"id": entry.id, "licence": entry.licence, "weights": path.name}
        print(json.dumps({**told, "bytes": path.stat().st_size, "out": str(path)}))
    else:
        print(path)
    return 0


def _copy(pulled: Pulled, out: Path) -> Path:
    from wgan.hub import HubError

    try:
        for name in pulled.files:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(pulled.folder / name, out / name)
    except OSError as error:
        raise HubError(f"--out {out} cannot be written: {error.strerror}.") from None
    return out


def _copied(path: Path, out: Path) -> Path:
    from wgan.hub import HubError

    try:
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(path, out / path.name))
    except OSError as error:
        raise HubError(f"--out {out} cannot be written: {error.strerror}.") from None
