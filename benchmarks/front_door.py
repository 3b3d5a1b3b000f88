"""A class at the front door: how soon does everybody see something, and have a run of their own?

    python -m benchmarks.front_door [--visitors 30] [--within 1]
    python -m benchmarks.front_door --lockout [--visitors 100] [--seconds 120]

The visitors speak the browser's protocol and draw nothing. At the bare address they share the
demonstration run; then all of them flip a switch, which makes it a run of each one's own; and on
another server as many open the link of one run. `--lockout`: visitors without a cookie come and go
beside an owner, who goes on training; then one more comes, and changes something.

A page's time is from opening the connection to the last message of the page; a change's from the
click to the page that has it; `own_s` is from the click until the run of one's own has applied the
change, by the server's log. A stall is the longest time in which no run made a step, sampled five
times a second. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import time
from collections.abc import Awaitable
from datetime import datetime
from typing import Any

from benchmarks.classroom import log_figures, percentiles, stall
from benchmarks.server import AppServer
from benchmarks.viewer import Seen, Viewer

SWITCH = ("Objective", "LSGAN")  # the switch that all flip, and to what
WATCHES = 4.0  # seconds that a visitor looks on before clicking, and until all is over
STAYS = 6.0  # seconds that a visitor stays who comes and goes
ALONE = 20.0  # seconds that the owner's run is timed before the others come
_APPLIED = re.compile(r"^(\S+) applied run=(\S+) step=\d+ .*", re.MULTILINE)


def main() -> None:
    options = _options()
    load = os.getloadavg()[0]
    if options.lockout:
        result = _lockout(options.visitors or 100, options.seconds)
    else:
        result = _class(options.visitors or 30, options.within)
    result |= {"cores": os.cpu_count(), "load_before": round(load, 2)}
    for name, value in result.items():
        print(f"{name:>28}  {value}")
    print(json.dumps(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--visitors", type=int)
    parser.add_argument("--within", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--lockout", action="store_true")
    parser.add_argument("--seconds", type=float, default=120.0, help="of coming and going")
    return parser.parse_args()


# A class ----------------------------------------------------------------------------------------


def _class(count: int, within: float) -> dict[str, Any]:
    result: dict[str, Any] = {"visitors": count, "within_s": within}
    with AppServer() as server:
        asyncio.run(_first_visit(server))
        result |= asyncio.run(_bare_address(server, count, within))
        result |= log_figures(server.log())
    with AppServer() as server:
        result |= asyncio.run(_one_link(server, count, within))
    return result


async def _first_visit(server: AppServer) -> None:
    """Somebody has been there, and has left: the server is warm."""
    viewer = Viewer(server.url, Seen())
    await _begin(server, viewer)
    await viewer.close()


async def _begin(server: AppServer, viewer: Viewer) -> None:
    """Until the viewer's run has made a step."""
    while not viewer.opened or not server.run(viewer.run)["step"]:
        await viewer.follow(0.5)


async def _bare_address(server: AppServer, count: int, within: float) -> dict[str, Any]:
    seen = Seen()
    viewers = [Viewer(server.url, seen) for _ in range(count)]
    came = time.time()
    await asyncio.gather(*(_come(v, n * within / count) for n, v in enumerate(viewers)))
    shared = {viewer.run for viewer in viewers}
    clicked = time.time()
    await asyncio.gather(*(_flip(viewer) for viewer in viewers))
    await asyncio.gather(*(viewer.follow(max(WATCHES, count / 10)) for viewer in viewers))
    own = {viewer.run for viewer in viewers} - shared
    applied = {run: at - clicked for at, run in _applied(server.log()) if run in own}
    await asyncio.gather(*(viewer.close() for viewer in viewers))
    return {
        "page_s": percentiles(seen.page, 2),
        "page_kb": round(sum(seen.page_bytes) / max(1, len(seen.page_bytes)) / 1000),
        "refused": sum(not viewer.run for viewer in viewers),
        "runs_shared": len(shared),
        "click_s": percentiles(seen.changes, 2),
        "runs_of_their_own": len(own),
        "with_the_change": len(applied),
        "own_s": percentiles(list(applied.values()), 2),
        "stall_coming_s": stall(server.progress(), came, clicked),
        "stall_clicking_s": stall(server.progress(), clicked, clicked + WATCHES),
        "errors": len(seen.errors),
        "first_errors": sorted(set(seen.errors))[:3],
    }


async def _come(viewer: Viewer, delay: float) -> None:
    await asyncio.sleep(delay)
    await viewer.follow(WATCHES)
    while not viewer.opened and not viewer.lost:
        await viewer.follow(0.5)


async def _flip(viewer: Viewer) -> None:
    await viewer.choose(*SWITCH)


async def _one_link(server: AppServer, count: int, within: float) -> dict[str, Any]:
    teacher = Viewer(server.url, Seen(), "preset=digits-gan")
    await _begin(server, teacher)
    seen = Seen()
    viewers = [Viewer(server.url, seen, teacher.query) for _ in range(count)]
    came = time.time()
    await asyncio.gather(
        teacher.follow(within + WATCHES),
        *(_come(viewer, number * within / count) for number, viewer in enumerate(viewers)),
    )
    ended = time.time()
    await asyncio.gather(*(viewer.close() for viewer in (teacher, *viewers)))
    return {
        "link_page_s": percentiles(seen.page, 2),
        "link_refused": sum(not viewer.run for viewer in viewers),
        "link_stall_s": stall(server.progress(), came, ended),
        "link_errors": len(seen.errors),
    }


# Coming and going -------------------------------------------------------------------------------


def _lockout(count: int, seconds: float) -> dict[str, Any]:
    with AppServer() as server:
        result = asyncio.run(_come_and_go(server, count, seconds))
        return {"visitors": count, "seconds": seconds} | result | log_figures(server.log())


async def _come_and_go(server: AppServer, count: int, seconds: float) -> dict[str, Any]:
    owner = Viewer(server.url, Seen(), "preset=digits-gan")
    await _begin(server, owner)
    await owner.follow(5.0)
    alone = await _speed(server, owner, owner.follow(ALONE))
    seen, refused = Seen(), 0

    async def visit(number: int) -> None:
        nonlocal refused
        await asyncio.sleep(number * seconds / count)
        visitor = Viewer(server.url, seen)
        await visitor.follow(STAYS)
        refused += not visitor.run
        await visitor.close()

    coming = asyncio.gather(owner.follow(seconds), *(visit(number) for number in range(count)))
    beside = await _speed(server, owner, coming)
    next_one = Viewer(server.url, Seen())
    await asyncio.gather(owner.follow(2 * WATCHES), _enter(next_one))
    runs = server.status()["runs"]
    await next_one.close()
    await owner.close()
    return {
        "refused": refused,
        "page_s": percentiles(seen.page, 2),
        "errors": len(seen.errors),
        "first_errors": sorted(set(seen.errors))[:3],
        "owner_alone_steps_s": round(alone, 1),
        "owner_beside_steps_s": round(beside, 1),
        "owner_ratio": round(beside / alone, 3),
        "runs_in_memory": runs,
        "next_one_has_a_run": bool(next_one.run),
        "next_one_page_s": percentiles(next_one.seen.page, 2),
        "next_one_changed_it": any(run == next_one.run for _, run in _applied(server.log())),
    }


async def _enter(viewer: Viewer) -> None:
    await viewer.follow(WATCHES)
    await _flip(viewer)
    await viewer.follow(WATCHES)


# Figures ----------------------------------------------------------------------------------------


def _applied(log: str) -> list[tuple[float, str]]:
    """The changes that runs have applied, by the server's log: when (`time.time`), which run."""
    return [(datetime.fromisoformat(at).timestamp(), run) for at, run in _APPLIED.findall(log)]


async def _speed(server: AppServer, viewer: Viewer, meanwhile: Awaitable[Any]) -> float:
    """The steps a second of a viewer's run while something goes on."""
    before, began = server.run(viewer.run)["step"], time.monotonic()
    await meanwhile
    return (server.run(viewer.run)["step"] - before) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
