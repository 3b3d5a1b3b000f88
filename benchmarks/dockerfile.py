"""A Dockerfile as instructions, as far as ours goes: one stage, no heredocs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name in capitals, and what follows it on its lines."""

    name: str
    text: str

    def words(self) -> list[str]:
        """A command in its JSON form, or the text split as a shell would."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)

    def settings(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The `NAME=value` of ENV and ARG, with variables put in; a bare name gives nothing."""
        pairs = (word.partition("=") for word in shlex.split(self.text))
        return {name: expand(value, variables) for name, equals, value in pairs if equals}


def read_dockerfile(path: Path) -> list[Instruction]:
    """The instructions in order, without comments, with continued lines joined."""
    return list(_instructions(path.read_text()))


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield Instruction(name.upper(), rest.strip())


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` replaced, as ENV and ARG do; an unknown name becomes nothing."""
    return re.sub(
        r"\$(?:\{(\w+)\}|(\w+))", lambda found: variables.get(found[1] or found[2], ""), text
    )


def context(folder: Path) -> list[Path]:
    """What `COPY . .` copies: the entries that `.dockerignore`, a list of exceptions, lets in.

    Relative paths of files. Understands `*`, `!NAME` at the top level, `**/NAME`, and plain paths.
    """
    rules = [line.strip() for line in (folder / ".dockerignore").read_text().splitlines()]
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    if rules[0] != "*":
        raise ValueError("The .dockerignore has to begin with `*`.")
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    anywhere = {rule[3:] for rule in rules if rule.startswith("**/")}
    refused = {rule for rule in rules if rule[0] not in "!*"}
    files = [path.relative_to(folder) for name in kept for path in _files(folder / name)]
    return [
        path for path in files if not anywhere & set(path.parts) and path.as_posix() not in refused
    ]


def _files(path: Path) -> list[Path]:
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
