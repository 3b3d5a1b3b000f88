"""All live parts of all pages, by name: what the stream may be asked for."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from wgan.live import compare, critic, duel, job, lab, narration, theory
from wgan.live.parts import (
    PagePart,
    Query,
    one_of,
    parse,
    several,
    single,
    some_of,
    text,
    watched,
    whole,
)
from wgan.plots import OVERLAYS
from wgan.runs.branches import MOST
from wgan.runs.run import Run
from wgan.server.duel import duels
from wgan.server.registry import lab as runs_of_the_server
from wgan.server.stream import Parts, StreamError

STEP = whole(0, 10**12)
SMOOTHING = whole(1, 99, default=1)


def made_of_run(run: Run | None, *, alarms: bool = False) -> Hashable:
    """What the widgets of a page show of a run; when it differs, the page is drawn again.

    alarms: whether the page has their buttons: they may come and go at every measurement.
    """
    if run is None:
        return None
    frame, access = run.frame, run.access
    poll = access.poll
    asked = poll and (poll.question, poll.closed)
    found = tuple(alarm.name for alarm in lab.alarms(frame)) if alarms else ()
    who = (access.open, access.locked, access.successor, asked)
    # A copy shows what its origin showed until it is ready: nothing on the page changes then.
    state = "playing" if run.state == "loading" and frame.view is not None else run.state
    return (run.id, state, frame.state, frame.view is None, run.slow, run.config, who, found)


def made_of_runs(runs: Iterable[Run | None], *, alarms: bool = False) -> Hashable:
    """alarms: whether the page has those too, of its runs and of their saving."""
    unsaved = runs_of_the_server().save_failure if alarms else None
    return (unsaved, *(made_of_run(run, alarms=alarms) for run in runs))


def _page(query: Query) -> PagePart:
    """Of a page on runs, `run=a,b`, on a duel, `duel=a`, or with a job that is under way."""
    given = parse(query, dict.fromkeys(("run", "duel", "job", "drawn", "alarms"), text))
    drawn = given["drawn"]
    if given["duel"]:
        return PagePart(lambda: duel.made(duels().get(given["duel"])), drawn)
    if given["job"]:
        return PagePart(lambda: job.made(job.find(given["job"])), drawn)
    ids, alarms = given["run"].split(","), bool(given["alarms"])
    if len(ids) > MOST:
        raise StreamError(f"At most {MOST} runs are shown together.")
    return PagePart(lambda: made_of_runs(map(watched, ids), alarms=alarms), drawn)


PARTS: Parts = {
    "page": _page,
    "status": single(lab.status),
    "meter": single(lab.meter, at=STEP),
    "samples": single(lab.samples, at=STEP, layers=some_of(*lab.LAYERS)),
    "stages": single(lab.stages),
    "now": single(narration.now),
    "change": single(narration.change),
    "curves": single(lab.curves, names=some_of(*lab.CURVES), at=STEP, smoothing=SMOOTHING),
    "alarm": single(lab.alarm_line),
    "alarms": single(lab.alarm_details),
    "modes": single(lab.modes),
    "repeat": single(lab.repeat),
    "votes": single(lab.votes, look=lambda run, given: run.access.poll),
    "critic": single(
        critic.section,
        critic.look,
        section=one_of(*critic.SECTIONS),
        batch=whole(0, critic.BATCHES - 1, default=0),
        smoothing=SMOOTHING,
    ),
    "compare_samples": several(compare.samples, MOST, slot=whole(0, MOST - 1, default=0)),
    "finding": several(compare.finding, MOST),
    "overlays": several(
        compare.overlays,
        MOST,
        names=some_of(*OVERLAYS),
        by=one_of("steps", "seconds"),
        smoothing=SMOOTHING,
    ),
    "duel": duel.DuelPart,
    "job": job.JobPart,
    **theory.PARTS,
}
