"""Hours of a class in which people come and go: does the server's memory grow?"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.server import AppServer, Health
from benchmarks.viewer import Seen, Viewer

# A visit's length, and the time between two things that a visitor does, in seconds.
STAY, ACT = (10.0, 60.0), (2.0, 10.0)
SETTLED = 600.0  # seconds until memory should have stopped growing
SAMPLE = 5.0  # seconds between two looks at the memory
# Runs leave soon, so that an hour sees many of them go.
ENVIRONMENT = {"WGAN_SLEEP_AFTER": "10", "WGAN_LEAVE_AFTER": "60"}
FORK = "Make a copy of my own"  # what the page of somebody else's run offers
ACTIONS = ("Pause", "Play", "Reset", "One whole step", "objective", "constraint", "preset", "look")
WATCHES = 0.3  # share of the visits that are to somebody else's run, where there is one
CHOICES = {"objective": "Objective", "constraint": "Constraint"}


def soak(viewers: int, seconds: float, preset: str, kept: Path | None = None) -> dict[str, Any]:
    """Keeps so many viewers on the app for so long. Returns what became of the server.

    kept: a file for what the server printed.
    """
    seen, healths, did = Seen(), list[Health](), dict[str, int]()
    with AppServer(ENVIRONMENT) as server:
        asyncio.run(_fill(server, viewers, time.monotonic() + seconds, preset, seen, healths, did))
        log = server.log()
    if kept:
        kept.write_text(log)
    start = healths[0].at
    settled = min(SETTLED, seconds / 3)
    after = [health for health in healths if health.at - start >= settled]
    # Means of as long a time: how many runs are in memory changes from one look to the next.
    early = [health.memory_mb for health in after if health.at - start < 2 * settled]
    late = [health.memory_mb for health in after if healths[-1].at - health.at < settled]
    return {
        "viewers": viewers,
        "minutes": round((healths[-1].at - start) / 60, 1),
        "pages_opened": len(seen.page),
        "actions": did,
        "runs_made": log.count("made run="),
        "runs_forked": log.count("forked run="),
        "runs_that_left": log.count("left run="),
        "memory_mb": [round(h.memory_mb) for h in healths[:: max(1, len(healths) // 12)]],
        "settled_after_minutes": round(settled / 60, 1),
        "growth_mb": round(statistics.fmean(late) - statistics.fmean(early), 1),
        "growth_mb_per_hour": round(_slope(after) * 3600, 1),
        "threads": [h.threads for h in healths[:: max(1, len(healths) // 12)]],
        "most_threads": max(h.threads for h in healths),
        "errors": len(seen.errors),
        "first_errors": sorted(set(seen.errors))[:3],
        "tracebacks": log.count("Traceback (most recent call last)"),
    }


def _slope(healths: list[Health]) -> float:
    """MB a second, by least squares."""
    if len(healths) < 2:
        return 0.0
    at = np.array([health.at for health in healths])
    memory = np.array([health.memory_mb for health in healths])
    return float(np.polyfit(at - at[0], memory, 1)[0])


async def _fill(
    server: AppServer,
    viewers: int,
    end: float,
    preset: str,
    seen: Seen,
    healths: list[Health],
    did: dict[str, int],
) -> None:
    present: list[Viewer] = []

    async def seat(number: int) -> None:
        rng = random.Random(number)
        await asyncio.sleep(number)  # somebody comes first
        while time.monotonic() < end:
            shared = [viewer.query for viewer in present if viewer.query.startswith("run=")]
            watches = shared and rng.random() < WATCHES
            query = rng.choice(shared) if watches else f"preset={preset}"
            present.append(viewer := Viewer(server.url, seen, query))
            await _visit(viewer, rng, end, did)
            present.remove(viewer)

    async def watch() -> None:
        while True:
            healths.append(server.health())
            await asyncio.sleep(SAMPLE)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(seat(number) for number in range(viewers)))
    watching.cancel()


async def _visit(viewer: Viewer, rng: random.Random, end: float, did: dict[str, int]) -> None:
    """One tab from its opening to its end."""
    leaves = min(end, time.monotonic() + rng.uniform(*STAY))
    await viewer.follow(5.0)
    while time.monotonic() < leaves and not viewer.lost:
        action = rng.choice((*ACTIONS, FORK, FORK))  # where it is offered
        if await _act(viewer, action, rng):
            did[action] = did.get(action, 0) + 1
        await viewer.follow(rng.uniform(*ACT))
    await viewer.close()


async def _act(viewer: Viewer, action: str, rng: random.Random) -> bool:
    """Does something, if the page has what it takes."""
    widgets = viewer.widgets
    if action in widgets.buttons:
        await viewer.press(action)
        return True
    label = CHOICES.get(action, "")
    if action == "preset":
        label = next((name for name in widgets.choices if name.startswith("Preset")), "")
    if label not in widgets.choices:
        return action == "look"
    options = widgets.choices[label]
    if action == "preset":  # those that need no download
        options = [name for name in options if name.startswith(("Ring", "Grid", "Digits", "Swiss"))]
    await viewer.choose(label, rng.choice(options))
    return True
