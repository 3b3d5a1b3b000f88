"""The progress of work that takes its time, such as a pull from the Hub."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from wgan.live.blocks import payload, progress
from wgan.live.parts import Query, parse, text

if TYPE_CHECKING:
    from wgan.zoo.job import Job


class JobPart:
    """What a job is at, and how far."""

    def __init__(self, query: Query) -> None:
        given = parse(query, {"id": text, "told": text})
        self._id, self._told = given["id"], given["told"]

    def version(self) -> Hashable:
        job = find(self._id)
        return job and (job.state, job.progress)

    def urgent(self) -> Hashable:
        job = find(self._id)
        return job and job.state

    def payload(self) -> Mapping[str, Any]:
        job = find(self._id)
        if job is None:
            return payload()
        told, share = job.progress
        return payload(progress(self._told or told, share))


def find(id: str) -> Job | None:
    """The job of this id, while it is remembered."""
    from wgan.zoo.job import jobs  # here: it brings in torch, which no page of runs waits for

    return jobs.find(id)


def made(job: Job | None) -> Hashable:
    """What a page shows of a job."""
    return job and (job.id, job.state)
