"""`python -m tests`: the default tests, those in a browser by themselves: both take all cores.

Both parts run, whatever becomes of the first; fails when either does. Arguments go to pytest.
"""

from __future__ import annotations

import subprocess
import sys

PARTS = (("-n", "2", "-m", "not slow and not browser"), ("-m", "browser and not slow"))


def main() -> int:
    pytest = [sys.executable, "-m", "pytest"]
    ended = [subprocess.call([*pytest, *part, *sys.argv[1:]]) for part in PARTS]
    return int(any(ended))


if __name__ == "__main__":
    sys.exit(main())
