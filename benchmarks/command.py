"""The app's own command, as the README has it: what is measured is what a reader starts."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MARKER = "<!-- command: app -->"


def readme_command() -> list[str]:
    """The last part of the README's first command, as words: it starts the app."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").partition(MARKER)[2].splitlines()
    whole = next(line for line in lines if line.startswith("python3"))
    return shlex.split(whole.rpartition("&&")[2])


def app_command(port: int, script: str | Path = "app.py") -> list[str]:
    """That command with this Python's environment, on a port of the loopback address, without a
    browser of its own.

    script: another one in the place of the app, for tests of a part of it.
    """
    program, *words = readme_command()
    words = [str(script) if word == "app.py" else word for word in words]
    place = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    return [str(Path(sys.executable).with_name(Path(program).name)), *words, *place]
