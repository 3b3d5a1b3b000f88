"""Benchmarks and browser tests start the app that the README starts."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from benchmarks.command import app_command, readme_command

ROOT = Path(__file__).parents[1]
PLACE = {"server.port", "server.address", "server.headless"}  # where it listens, and no browser
_SECTIONS = "|".join(tomllib.loads((ROOT / ".streamlit/config.toml").read_text()))
_FLAG = re.compile(rf"--((?:global|logger|{_SECTIONS})\.\w+)")
HOSTED = "test_hosting_in_browser.py"  # whoever hosts the app below a path says so to Streamlit
_VARIABLE = re.compile(r"STREAMLIT_[A-Z]+")


def test_the_readme_starts_the_app_without_a_flag():
    assert readme_command() == [".venv/bin/streamlit", "run", "app.py"]


def test_what_is_measured_is_the_readmes_command_on_a_port():
    program, *words = app_command(8600)
    assert Path(program) == Path(sys.executable).with_name("streamlit")
    given = [word for word in words if not word.startswith("--")]
    assert given == readme_command()[1:]
    flags = [word.removeprefix("--").partition("=")[0] for word in words if word not in given]
    assert sorted(flags) == sorted(PLACE)
    assert app_command(8600, "other.py")[1:3] == ["run", "other.py"]


def test_no_benchmark_and_no_test_passes_another_flag():
    for folder in ("benchmarks", "tests"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text()
            assert set(_FLAG.findall(text)) <= PLACE, file
            elsewhere = file == Path(__file__) or file.name == HOSTED
            assert elsewhere or not _VARIABLE.search(text), file
            starts = '"streamlit", "run"' in text
            assert not starts or file.name == Path(__file__).name, f"{file} has its own command"


def test_nothing_watches_the_files():
    """Streamlit's watcher would follow the whole folder, the thousands of `.venv` included."""
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())
    assert config["server"]["fileWatcherType"] == "none"
