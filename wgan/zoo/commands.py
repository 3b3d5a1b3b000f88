"""The commands of `python -m wgan` that deal with checkpoints and the Hub.

Each imports what it needs when it runs, as in `wgan.cli`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from wgan.zoo.catalog_commands import add_catalog
from wgan.zoo.errors import ZooError

Command = Callable[[argparse.Namespace], int]
if TYPE_CHECKING:
    from wgan.zoo.catalog import Entry
    from wgan.zoo.pull import Pulled

    Commands = argparse._SubParsersAction[Any]


def add_commands(commands: Commands) -> None:
    """Adds the commands of this file to those of `wgan.cli`."""
    add_catalog(commands)
    pulls = commands.add_parser("pull", help="fetch a generator from the catalogue or the Hub")
    pulls.add_argument(
        "repo", metavar="ID_OR_REPO", help="a name of `catalog`, OWNER/NAME, or its page's address"
    )
    pulls.add_argument("--out", type=Path, metavar="DIR", help="copy its files there")
    pulls.add_argument("--json", action="store_true", help="what came, as one JSON line")
    pulls.set_defaults(command=_interruptible(_pull))

    samples = commands.add_parser("sample", help="draw samples from a trained generator")
    samples.add_argument(
        "source", metavar="CHECKPOINT_OR_REPO", help="a folder, file or OWNER/NAME"
    )
    samples.add_argument("-n", type=int, default=64, metavar="N", help="how many, 1 to 2,500")
    samples.add_argument("--seed", type=int, default=0, metavar="N")
    samples.add_argument("--truncation", type=float, metavar="SIGMAS")
    samples.add_argument("--out", type=Path, required=True, metavar="PNG")
    samples.set_defaults(command=_interruptible(_sample))

    imports = commands.add_parser("import", help="convert other people's weights of a generator")
    imports.add_argument("file", type=Path, metavar="FILE", help=".safetensors, .pt, .pth, .bin")
    imports.add_argument("--out", type=Path, required=True, metavar="DIR", help="the checkpoint")
    imports.set_defaults(command=_interruptible(_import))

    pushes = commands.add_parser("push", help="publish a checkpoint on the Hugging Face Hub")
    pushes.add_argument("folder", type=Path, metavar="DIR", help="a checkpoint's folder")
    pushes.add_argument("repo", metavar="REPO", help="OWNER/NAME; made if there is none")
    pushes.add_argument("--private", action="store_true", help="if it is made, for you alone")
    pushes.set_defaults(command=_interruptible(_push))


def _interruptible(command: Command) -> Command:
    """The command, ended by Ctrl-C with one line."""

    def run(options: argparse.Namespace) -> int:
        try:
            return command(options)
        except KeyboardInterrupt:
            print("\nwgan: interrupted; the same command goes on from here.", file=sys.stderr)
            return 130

    return run


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
    with _bar() as bar:

        def report(text: str, share: float | None) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update((share or 0) - bar.n)

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

    with _bar() as bar:

        def report(text: str, share: float | None) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update((share or 0) - bar.n)

        path = pull_entry(entry, report)
    if options.out:
        path = _copied(path, options.out)
    if options.json:
        told = {"id": entry.id, "licence": entry.licence, "weights": path.name}
        print(json.dumps({**told, "bytes": path.stat().st_size, "out": str(path)}))
    else:
        print(path)
    return 0


def _sample(options: argparse.Namespace) -> int:
    from wgan.zoo.explore import NO_TRUNCATION, draw_latents
    from wgan.zoo.open import open_named
    from wgan.zoo.pictures import picture

    truncation = NO_TRUNCATION if options.truncation is None else options.truncation
    for name, value, low, high in (
        ("-n", options.n, 1, 2500),
        ("--seed", options.seed, 0, 2**31 - 1),
        ("--truncation", truncation, 0.1, NO_TRUNCATION),
    ):
        if not low <= value <= high:
            raise ZooError(f"{name} is {value}; allowed: a number from {low} to {high}.")
    with _bar() as bar:

        def report(text: str, share: float | None) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update((share or 0) - bar.n)

        checkpoint = open_named(options.source, report)
        bar.set_description_str("Drawing", refresh=False)
        latents = draw_latents(checkpoint.architecture, options.n, options.seed, truncation)
        png = picture(checkpoint.sample(latents))
        bar.update(1 - bar.n)
    try:
        options.out.write_bytes(png)
    except (OSError, ValueError) as error:
        raise ZooError(f"--out {options.out} cannot be written: {error}.") from None
    print(options.out)
    return 0


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


def _push(options: argparse.Namespace) -> int:
    from wgan.hub import push

    with _bar() as bar:
        bar.set_description_str(f"Pushing {options.folder} to {options.repo}")

        def progress(done: int, total: int | None) -> None:
            bar.update((done / total if total else 0) - bar.n)

        url = push(options.folder, options.repo, private=options.private, progress=progress)
    print(url)
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


@contextmanager
def _bar() -> Iterator[tqdm]:
    """A bar from 0 to 1 on standard error, with the client's own words and bars switched off."""
    from huggingface_hub.utils import disable_progress_bars, logging

    logging.set_verbosity_error()
    disable_progress_bars()
    words = "{desc} {percentage:3.0f}%|{bar}| {elapsed}"
    # On a screen only, and gone when it is over: what is said then stands alone.
    with tqdm(total=1.0, file=sys.stderr, bar_format=words, disable=None, leave=False) as bar:
        yield bar
