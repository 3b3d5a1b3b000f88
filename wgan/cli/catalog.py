"""`catalog`: the published generators, and whether their sources have them."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

from wgan.cli.parsing import Commands
from wgan.errors import UserError

if TYPE_CHECKING:
    from wgan.zoo.catalog import Entry


def add(commands: Commands) -> None:
    catalog = commands.add_parser("catalog", help="list the published generators")
    catalog.add_argument("id", nargs="*", metavar="ID", help="only these entries")
    catalog.add_argument(
        "--check",
        action="store_true",
        help="ask every live source, and write what it said into the catalogue",
    )
    catalog.add_argument(
        "--pull", action="store_true", help="with --check: pull, verify and open each, too"
    )
    catalog.add_argument("--json", action="store_true", help="one JSON line")
    catalog.set_defaults(command=_catalog)


def _catalog(options: argparse.Namespace) -> int:
    from wgan.zoo.catalog import catalog_note, load_catalog

    chosen = [entry for entry in load_catalog() if not options.id or entry.id in options.id]
    if unknown := set(options.id) - {entry.id for entry in chosen}:
        raise UserError(f"The catalogue has no entry {min(unknown)!r}; `catalog` lists them.")
    if options.check:
        return _check(chosen, options.pull, options.json)
    if options.json:
        print(json.dumps({entry.id: _plain(entry) for entry in chosen}))
        return 0
    for entry in chosen:
        mark = " " if entry.loads else "–"
        print(f"{mark} {entry.id:32} {entry.loss:14} {entry.title} ({entry.size})")
    print(catalog_note(), file=sys.stderr)
    return 0


def _check(entries: list[Entry], pulling: bool, as_json: bool) -> int:
    """Asks each source; the file is written anew with what they said. 1 when one was missing."""
    from wgan.hub import never
    from wgan.zoo import catalog
    from wgan.zoo.catalog_files import check_entry, pull_entry
    from wgan.zoo.open import open_place

    said: dict[str, dict[str, Any]] = {}
    for entry in entries:
        try:
            size = check_entry(entry)
            if pulling and entry.loads:
                open_place(pull_entry(entry, lambda *_: None, never))
            said[entry.id] = {"checked": date.today().isoformat(), "problem": None}
            if size is not None:
                said[entry.id]["bytes"] = size
        except UserError as error:
            if getattr(error, "offline", False):
                raise  # no network says nothing about the entry
            said[entry.id] = {"checked": None, "problem": str(error)}
        problem = said[entry.id]["problem"]
        print(f"wgan: {entry.id}: {problem or 'is there'}", file=sys.stderr)
    values = catalog.read_catalog()
    for one in values["entries"]:
        one |= said.get(one["id"], {})
    written = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    try:
        catalog.CATALOG.write_text(written, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{catalog.CATALOG} cannot be written: {error.strerror}.") from None
    catalog.load_catalog.cache_clear()
    if as_json:
        print(json.dumps(said))
    return int(any(one["problem"] for one in said.values()))


def _plain(entry: Entry) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(entry)
