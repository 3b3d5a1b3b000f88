"""A class opens the lab: what does it cost, and how soon does everybody see something?

    python -m benchmarks.classroom [--viewers 30] [--seconds 30] [--join-within 2]
                                   [--preset ring-wgan-gp] [--own-runs] [--url URL] [--page gallery]
    python -m benchmarks.classroom --soak MINUTES [--viewers 8] [--log FILE]

The viewers speak the browser's protocols and draw nothing. All watch one run, or with `--own-runs`
each one its own. The same preset trains headless before and after, so that the ratio is of the
same minutes. The stream sends what goes on at the ticks of a grid that all channels share; a
message's lateness is the time from its tick until it was read, by the clock that both processes
have in common. `--soak` lets viewers come and go, make runs, change and leave them, and shows
whether the server's memory grows; FILE keeps what the server printed. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import re
import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.headless import in_own_process
from benchmarks.server import AppServer, Health, Progress
from benchmarks.soak import soak
from benchmarks.viewer import Seen, Viewer
from wgan.presets import PRESETS
from wgan.server.stream import PACES

HEADLESS = 12.0  # seconds that the preset trains alone, before and after
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:\s.*\n)*(.*)", re.MULTILINE)
SAMPLE = 1.0  # seconds between two looks at the server's memory


def main() -> None:
    options = _options()
    load = os.getloadavg()[0]
    if options.soak:
        result = soak(options.viewers, options.soak * 60, options.preset, options.log)
    elif options.url:
        seen = Seen()
        asyncio.run(_attend(options.url, options, seen))
        result = {"viewers": options.viewers, **seen_figures(seen, 0.0)}
    else:
        result = _measure(options)
    result |= {"cores": os.cpu_count(), "load_before": round(load, 2)}
    for name, value in result.items():
        print(f"{name:>28}  {value}")
    print(json.dumps(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--join-within", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--preset", default="ring-wgan-gp", choices=PRESETS)
    parser.add_argument("--own-runs", action="store_true", help="each viewer makes a run")
    parser.add_argument("--url", help="a server that runs already; its process is not looked at")
    parser.add_argument("--page", default="", help="a page's name; the lab if it is left out")
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    parser.add_argument("--log", type=Path, metavar="FILE", help="keeps the soaked server's log")
    return parser.parse_args()


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    alone = [in_own_process(PRESETS[options.preset].config, HEADLESS)]
    seen, healths = Seen(), list[Health]()
    with AppServer() as server:
        begun, busy = time.monotonic(), time.process_time()
        joined, fairness = asyncio.run(_attend(server.url, options, seen, server, healths))
        viewers_cores = (time.process_time() - busy) / (time.monotonic() - begun)
        progress, log = server.progress(), server.log()
    alone.append(in_own_process(PRESETS[options.preset].config, HEADLESS))
    result: dict[str, Any] = {"viewers": options.viewers, "seconds": options.seconds}
    result["runs"] = options.viewers if options.own_runs else 1
    result |= seen_figures(seen, joined)
    result |= training_figures(progress, joined, statistics.mean(alone))
    result |= fairness
    result |= process_figures(healths, joined)
    result["viewers_cores"] = round(viewers_cores, 2)  # taken from the training too
    return result | log_figures(log)


async def _attend(
    url: str,
    options: argparse.Namespace,
    seen: Seen,
    server: AppServer | None = None,
    healths: list[Health] | None = None,
) -> tuple[float, dict[str, Any]]:
    """All viewers join and follow. Returns the moment when all had joined (`time.time`), and how
    evenly the runs advanced since.

    A first viewer makes the shared run, and is there before the others come, as a teacher is.
    """
    query = f"preset={options.preset}"
    teacher = Viewer(url, Seen() if options.viewers > 1 else seen, query, options.page)
    await teacher.follow(5.0)
    if not options.own_runs:
        query = teacher.query
    joined = time.time() + options.join_within
    viewers = [Viewer(url, seen, query, options.page) for _ in range(options.viewers - 1)]
    whole = options.join_within + options.seconds
    before: dict[str, int] = {}

    async def attend(number: int, viewer: Viewer) -> None:
        delay = options.join_within * number / max(1, len(viewers))
        await asyncio.sleep(delay)
        await viewer.follow(whole - delay)

    async def watch() -> None:
        while server is not None and healths is not None:
            healths.append(await asyncio.to_thread(server.health))
            await asyncio.sleep(SAMPLE)
            if not before and time.time() > joined:
                before.update(await asyncio.to_thread(_steps, server, [teacher, *viewers]))

    watching = asyncio.create_task(watch())
    tasks = [attend(number, viewer) for number, viewer in enumerate(viewers)]
    await asyncio.gather(teacher.follow(whole), *tasks)
    watching.cancel()
    after = _steps(server, [teacher, *viewers]) if server else {}
    for viewer in (*viewers, teacher):
        await viewer.close()
    seen.errors += teacher.seen.errors if teacher.seen is not seen else []
    made = [steps - before.get(run, 0) for run, steps in after.items()]
    evenness = round(min(made) / statistics.fmean(made), 3) if sum(made) else None
    return joined, {"steps_seen": teacher.step, "slowest_to_mean": evenness}


def _steps(server: AppServer, viewers: Sequence[Viewer]) -> dict[str, int]:
    """The steps of the viewers' runs."""
    return {run: server.run(run)["step"] for run in {v.run for v in viewers} if run}


# Figures --------------------------------------------------------------------------------------


def seen_figures(seen: Seen, since: float) -> dict[str, Any]:
    """What the viewers saw; of the stream what came since a moment."""
    heard = seen.heard
    pace = next(pace for most, pace in PACES if len(heard.at) <= most)
    ahead = time.time() - time.monotonic()  # the grid is of the clock that only goes forward
    late = [(at - ahead) % pace for times in heard.at for at in times if at >= since]
    return {
        "page_s": percentiles(seen.page, 2),
        "page_kb": round(statistics.median(seen.page_bytes or [0]) / 1000),
        "pages_redrawn": seen.redrawn,
        "messages": len(late),
        "lateness_ms": percentiles([1000 * seconds for seconds in late], 0),
        "message_kb": round(statistics.median(heard.size or [0]) / 1000, 1),
        "errors": len(seen.errors),
        "first_errors": sorted(set(seen.errors))[:3],
    }


def training_figures(progress: Sequence[Progress], joined: float, alone: float) -> dict[str, Any]:
    """How the runs advanced, since all had joined; stalls since the first came too."""
    after = [one for one in progress if one.at >= joined]
    if len(after) < 2:
        return {"training": "no run advanced"}
    first, last = after[0], after[-1]
    speed = (last.steps - first.steps) / (last.at - first.at)
    return {
        "headless_steps_s": round(alone, 1),
        "steps_s": round(speed, 1),
        "ratio": round(speed / alone, 3),
        "stall_joining_s": round(stall(progress, 0.0, joined), 2),
        "stall_after_s": round(stall(progress, joined, last.at), 2),
    }


def stall(progress: Sequence[Progress], since: float, until: float) -> float:
    """The longest time without a step between two moments, to within a look's interval."""
    known = [one for one in progress if one.steps and since <= one.at <= until]
    moved = [b.at for a, b in pairwise(known) if b.steps != a.steps]
    return max((b - a for a, b in pairwise(moved)), default=0.0)


def process_figures(healths: list[Health], joined: float) -> dict[str, Any]:
    """The server's process over the time."""
    if len(healths) < 2:
        return {}
    after = [health for health in healths if health.at >= joined] or healths[-1:]
    seconds = max(after[-1].at - after[0].at, 1e-9)
    return {
        "memory_mb": [round(after[0].memory_mb), round(after[-1].memory_mb)],
        "threads": [healths[0].threads, max(health.threads for health in healths)],
        "server_cores": round((after[-1].cpu - after[0].cpu) / seconds, 2),
    }


def log_figures(log: str) -> dict[str, Any]:
    """Tracebacks in the server's log, and what the first ones were."""
    raised = _TRACEBACK.findall(log)
    return {"tracebacks": len(raised), "first_tracebacks": sorted(set(raised))[:3]}


def percentiles(values: Sequence[float], digits: int) -> dict[str, float]:
    """The median, 95th and 99th percentile, and the most; nearest rank."""
    ranked = sorted(values)
    if not ranked:
        return {}
    found = {
        f"p{share}": ranked[max(0, math.ceil(len(ranked) * share / 100) - 1)]
        for share in (50, 95, 99)
    }
    return {name: round(value, digits) for name, value in {**found, "max": ranked[-1]}.items()}


if __name__ == "__main__":
    main()
