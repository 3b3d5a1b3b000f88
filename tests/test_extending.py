"""The examples of docs/extending.md: each applies to the tree, in two files at most, and works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = re.compile(r"^## (.+?)\n.*?^```diff\n(.*?)^```\n+```python\n(.*?)^```", re.M | re.S)
EXAMPLES = {
    title: (diff, check)
    for title, diff, check in EXAMPLE.findall((ROOT / "docs/extending.md").read_text("utf-8"))
}


def test_there_are_four():
    assert [*EXAMPLES] == [
        "Add a metric",
        "Add an objective",
        "Add a page",
        "Add a generator layout",
    ]


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_does_what_it_says(title: str, tmp_path: Path):
    diff, check = EXAMPLES[title]
    assert 1 <= diff.count("\ndiff --git ") + diff.startswith("diff --git ") <= 2
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("wgan", "pages"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    applied = subprocess.run(
        ["git", "apply", "-"],
        input=diff,
        cwd=tmp_path,
        # No repository around: git would take the paths from its root.
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
        capture_output=True,
        text=True,
    )
    assert applied.returncode == 0, applied.stderr
    ran = subprocess.run(
        [sys.executable, "-c", check],
        cwd=tmp_path,
        env=os.environ | {"WGAN_AUTOSAVE": "off"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
