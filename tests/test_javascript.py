"""The modules of the live view that need no browser, under Node's own test runner."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted(Path(__file__).parent.glob("js/*.test.mjs"))


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_the_modules_pass_their_tests(file: Path):
    """In CI a missing Node is an error, elsewhere a skip."""
    if (node := shutil.which("node")) is None:
        assert not os.environ.get("CI"), "node is not installed"
        pytest.skip("node is not installed")
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n# pass 0" not in done.stdout
