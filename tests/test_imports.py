"""No page and no command waits for torch before it needs it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What takes from tenths of a second to seconds. Not plotly: Streamlit itself imports it.
HEAVY = ("torch", "torchvision", "scipy", "sklearn", "pandas", "pyarrow")
# What a server does before anybody trains: it makes runs, checks them, saves and finds them.
BEFORE_TRAINING = (
    *(
        "wgan.server.registry",
        "wgan.runs.run",
        "wgan.server.duel",
        "wgan.types",
        "wgan.server.limits",
    ),
    *("wgan.presets", "wgan.diagnostics.doctor", "wgan.plots", "wgan.data", "wgan.data.uploads"),
    *("wgan.protocol.shipped", "wgan.protocol.methods", "wgan.studies", "wgan.export.script"),
)
COMMANDS = {
    "--help": 0,
    "presets": 0,
    "info --short": 0,
    "train no-such-preset": 2,
    "train ring-gan --set lr=fast": 2,
    "train ring-gan --at 5:width=7": 2,
    "sample ring-gan": 2,
    "figure no-such-figure --out .": 2,
    "export no-such-preset --csv x.csv": 2,
    "modes --seeds 0": 2,
}
# Run in an interpreter of its own: imports the modules that it is given, one after the other, and
# prints {heavy package: the modules that led to it, the nearest first}.
WATCHER = """
import importlib, json, runpy, sys

heavy, found = set(json.loads(sys.argv[1])), {}

class Watcher:
    def find_spec(self, name, path=None, target=None):
        if name in heavy and name not in found:
            frame, led = sys._getframe(1), []
            while frame is not None:
                if not (module := frame.f_globals.get("__name__", "")).startswith("importlib"):
                    led += [module] if led[-1:] != [module] else []
                frame = frame.f_back
            found[name] = led
        return None

sys.meta_path.insert(0, Watcher())
for module in json.loads(sys.argv[2]):
    importlib.import_module(module)
exec(sys.argv[3])
if arguments := sys.argv[4:]:
    sys.argv[1:] = arguments
    from wgan.cli import main
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    print()
    found["exit"] = code or 0
print(json.dumps(found), flush=True)
"""


def watched(modules: list[str], *command: str, code: str = "") -> dict[str, object]:
    """The heavy packages that come in with modules, code, or a command; and who led to each."""
    ended = subprocess.run(
        [sys.executable, "-c", WATCHER, json.dumps(HEAVY), json.dumps(modules), code, *command],
        cwd=ROOT,
        env=os.environ | {"WGAN_AUTOSAVE": "off"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def imports_of(file: Path) -> list[str]:
    """The modules that a script imports before it does anything."""
    found = []
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            folder = ROOT / Path(*node.module.split("."))
            found += [
                f"{node.module}.{name.name}"
                for name in node.names
                if (folder / f"{name.name}.py").exists() or (folder / name.name).is_dir()
            ]
    return found


@pytest.mark.parametrize("script", ["app.py", *sorted(p.name for p in ROOT.glob("pages/*.py"))])
def test_no_page_waits_for_torch(script: str):
    file = ROOT / script if script == "app.py" else ROOT / "pages" / script
    assert watched(imports_of(file)) == {}


# The gallery draws its heading without torch, and then waits for it: it shows generators.
@pytest.mark.parametrize("page", ["lab", "critic", "compare", "duel", "guide", "theory"])
def test_a_page_is_drawn_while_torch_is_away(page: str):
    """Every run stays "loading" here, as it is until its own thread has imported torch."""
    drawn = f"""
from streamlit.testing.v1 import AppTest
from wgan.server.registry import Lab
Lab._start_loading = lambda *arguments, **more: None
page = AppTest.from_file("pages/{page}.py", default_timeout=60).run()
assert not page.exception, page.exception
"""
    found = watched([], code=drawn)
    if page == "guide":  # Streamlit's tables, which it has, need both
        found = {name: led for name, led in found.items() if name not in ("pandas", "pyarrow")}
    assert found == {}


def test_a_server_makes_runs_without_torch():
    assert watched(list(BEFORE_TRAINING)) == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_trains_nothing_needs_no_torch(command: str):
    assert watched([], *command.split()) == {"exit": COMMANDS[command]}


def test_the_watcher_sees_who_imports_what():
    assert watched(["wgan.trainer"])["torch"][0] == "wgan.trainer"  # pyright: ignore
