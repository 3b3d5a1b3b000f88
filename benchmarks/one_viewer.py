"""What does a viewer cost the training? Steps a second headless, and with one viewer on a page.

    python -m benchmarks.one_viewer [--page lab|critic|compare|duel] [--preset ring-wgan-gp]
                                    [--rounds 3] [--seconds 20]

Both train in a process of their own, by turns in the same minutes. On `compare` two runs of the
preset share the training, on `duel` it is a cell of the digits. The viewer speaks the browser's
protocols and draws nothing: a browser on the same machine costs more. The last line is one JSON
object; `ratio` is with a viewer to headless.
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
from wgan.config import ExperimentConfig
from wgan.presets import PRESETS
from wgan.studies.cells import METHODS, cell

PAGES = ("lab", "critic", "compare", "duel")
BEGIN = 120.0  # seconds for a run to begin


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--page", default="lab", choices=PAGES)
    parser.add_argument("--preset", default="ring-wgan-gp", choices=PRESETS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    config: ExperimentConfig = PRESETS[options.preset].config
    if options.page == "duel":
        config = cell("mlp", "gp", "digits", 0)
    alone, viewed, messages = [], [], 0
    for number in range(1, options.rounds + 1):
        alone.append(in_own_process(config, options.seconds))
        found, messages = with_viewer(options.page, options.preset, options.seconds)
        viewed.append(found)
        print(f"round {number}: headless {alone[-1]:.1f}, one viewer {found:.1f} steps/s")
    result = {
        "page": options.page,
        "preset": options.preset if options.page != "duel" else "digits, MLP, WGAN-GP",
        "headless": round(statistics.median(alone), 2),
        "one_viewer": round(statistics.median(viewed), 2),
        "ratio": round(statistics.median(viewed) / statistics.median(alone), 3),
        "messages_per_second": round(messages / options.seconds, 2),
        "rounds": options.rounds,
        "cores": os.cpu_count(),
    }
    print(json.dumps(result))


def with_viewer(page: str, preset: str, seconds: float) -> tuple[float, int]:
    """Steps a second, and how many messages of the stream came meanwhile."""
    seen = Seen()
    with AppServer() as server:

        async def look() -> float:
            viewer = await _opened(page, server.url, preset, seen)
            deadline = time.monotonic() + BEGIN
            while not any(one.steps for one in server.progress()):
                await viewer.follow(0.5)
                if time.monotonic() > deadline:
                    raise SystemExit(f"No run begins on the page {page}: {seen.errors}")
            await viewer.follow(WARM_UP)
            started = time.time()
            await viewer.follow(seconds)
            await viewer.close()
            return started

        started = asyncio.run(look())
        after = [one for one in server.progress() if one.at >= started]
    first, last = after[0], after[-1]
    messages = sum(at >= started for times in seen.heard.at for at in times)
    return (last.steps - first.steps) / (last.at - first.at), messages


async def _opened(page: str, url: str, preset: str, seen: Seen) -> Viewer:
    """A viewer of the page, with something that trains on it."""
    if page == "compare":
        runs = []
        for _ in range(2):
            maker = Viewer(url, Seen(), f"preset={preset}")
            await maker.follow(5.0)
            await maker.close()
            runs.append(maker.query.removeprefix("run="))
        return Viewer(url, seen, f"runs={','.join(runs)}", page)
    if page != "duel":
        return Viewer(url, seen, f"preset={preset}", "" if page == "lab" else page)
    viewer = Viewer(url, seen, page=page)
    await viewer.follow(5.0)
    await viewer.choose("Methods", METHODS["gp"].title)
    longest = viewer.widgets.choices["Generator steps of each cell"][-1]
    await viewer.choose("Generator steps of each cell", longest)
    await viewer.follow(2.0)
    await viewer.press(next(name for name in viewer.widgets.buttons if name.startswith("Start")))
    return viewer


if __name__ == "__main__":
    main()
