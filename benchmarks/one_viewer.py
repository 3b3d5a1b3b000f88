"""What does a viewer cost the training? Steps a second headless, and with one viewer on the page.

    python -m benchmarks.one_viewer [--preset ring-wgan-gp] [--rounds 3] [--seconds 20]

Both train in a process of their own, by turns in the same minutes. The viewer speaks the
browser's protocol and asks for every redrawing in its time, but draws nothing: a browser on the
same machine costs more. The last line is one JSON object; `ratio` is with a viewer to headless.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time

from benchmarks.headless import WARM_UP, in_own_process
from benchmarks.server import AppServer
from benchmarks.viewer import Seen, Viewer
from wgan.presets import PRESETS


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--preset", default="ring-wgan-gp", choices=PRESETS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    alone, viewed, ticks = [], [], 0
    for number in range(1, options.rounds + 1):
        alone.append(in_own_process(options.preset, options.seconds))
        found, ticks = with_viewer(options.preset, options.seconds)
        viewed.append(found)
        print(f"round {number}: headless {alone[-1]:.1f}, one viewer {found:.1f} steps/s")
    result = {
        "preset": options.preset,
        "headless": round(statistics.median(alone), 2),
        "one_viewer": round(statistics.median(viewed), 2),
        "ratio": round(statistics.median(viewed) / statistics.median(alone), 3),
        "updates_per_second": round(ticks / options.seconds, 2),
        "rounds": options.rounds,
        "cores": os.cpu_count(),
    }
    print(json.dumps(result))


def with_viewer(preset: str, seconds: float) -> tuple[float, int]:
    """Steps a second, and how often fragments of the page were redrawn meanwhile."""
    seen = Seen()
    with AppServer() as server:

        async def look() -> float:
            viewer = Viewer(server.url, seen, f"preset={preset}")
            while not viewer.step:
                await viewer.follow(0.5)
            await viewer.follow(WARM_UP)
            started = time.time()
            await viewer.follow(seconds)
            await viewer.close()
            return started

        started = asyncio.run(look())
        after = [one for one in server.progress() if one.at >= started]
    first, last = after[0], after[-1]
    steps = sum(last.steps.values()) - sum(first.steps.values())
    return steps / (last.at - first.at), sum(one.at >= started for one in seen.updates)


if __name__ == "__main__":
    main()
