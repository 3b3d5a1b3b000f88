"""How long the command line takes: `python -m benchmarks.command_line [--times N]`.

Each command runs in a fresh process, once unmeasured so that its files are in memory, then N times;
the median and the slowest are told. What a command costs without waiting, the processor time of the
median run, stands beside it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "--help": 0,
    "presets": 0,
    "info --short": 0,
    "train no-such-preset": 2,
    "train ring-gan --set lr=fast": 2,
    "train ring-wgan-gp --steps 1": 0,
}


def seconds(command: str, code: int) -> tuple[float, float]:
    """Wall clock and processor time of one run. Raises `RuntimeError` for another exit code."""
    before, started = os.times(), time.perf_counter()
    words = [sys.executable, "-m", "wgan", *command.split()]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    wall, after = time.perf_counter() - started, os.times()
    if ended.returncode != code:
        raise RuntimeError(f"{command}: exit code {ended.returncode}\n{ended.stderr}")
    user = after.children_user - before.children_user
    return wall, user + after.children_system - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--times", type=int, default=5, metavar="N")
    options = parser.parse_args()
    print("| command | median, s | slowest, s | processor, s |\n|---|---|---|---|")
    for command, code in COMMANDS.items():
        seconds(command, code)
        runs = sorted(seconds(command, code) for _ in range(options.times))
        wall, cpu = runs[len(runs) // 2]
        print(f"| `{command}` | {wall:.2f} | {runs[-1][0]:.2f} | {cpu:.2f} |", flush=True)


if __name__ == "__main__":
    main()
