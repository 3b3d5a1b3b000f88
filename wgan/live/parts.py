"""Parts of pages as sources of the stream: which run a channel is about, and when it changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from wgan.frame import Frame
from wgan.live.blocks import Block, payload
from wgan.live.recording import frame_of, moment
from wgan.runs.run import Run
from wgan.server.limits import LimitError
from wgan.server.registry import lab
from wgan.server.stream import StreamError

Query = Mapping[str, str]
Options = Mapping[str, Any]
Parse = Callable[[str | None], Any]
Build = Callable[[Sequence[Run], Options], Sequence[Block]]
Look = Callable[[Run, Options], Hashable]


def channel(part: str, *runs: Run, **options: Any) -> str:
    """The name of a part's channel. Options that are None or empty are left out."""
    ids = {"run": ",".join(run.id for run in runs)} if runs else {}
    named = {name: value for name, value in options.items() if value not in (None, "")}
    return f"{part}?{urlencode(ids | named)}"


def watched(id: str) -> Run | None:
    """The run of this id, and a note that somebody watches it; None when it has gone."""
    try:
        return lab().get(id)
    except LimitError:
        return None  # it has left memory, and there is no room for it: the page says so


class RunsPart:
    """A part that shows what runs have published last.

    look: called with each run and the options whenever somebody shows the part; what it returns is
    urgent when it changes, for what changes without a new frame.
    """

    def __init__(self, build: Build, ids: Sequence[str], options: Options, look: Look) -> None:
        self._build, self._ids, self._options, self._look = build, ids, options, look

    def _runs(self) -> list[Run]:
        return [run for id in self._ids if (run := watched(id)) is not None]

    def version(self) -> Hashable:
        return tuple(run.frame.version for run in self._runs())

    def urgent(self) -> Hashable:
        """While a run trains, only what was done to it is urgent; otherwise all that is new is."""
        return tuple(
            (run.id, run.state, run.slow, _urgent(run), self._look(run, self._options))
            for run in self._runs()
        )

    def payload(self) -> Mapping[str, Any]:
        runs = self._runs()
        return payload(*(self._build(runs, self._options) if runs else ()))


def _urgent(run: Run) -> Hashable:
    frame = run.frame
    if frame.state == "playing" and frame.stage is None and frame.progress is None:
        return (len(frame.events), frame.events[-1:], frame.view is None)
    return (frame.version, moment(run))


def several(
    build: Build, most: int, look: Look = lambda run, given: None, **options: Parse
) -> Callable[[Query], RunsPart]:
    """A part of the stream's table: of up to `most` runs, `run=a,b`, with these options.

    Raises `StreamError` for other options, and for values that are not allowed.
    """

    def make(query: Query) -> RunsPart:
        ids = query.get("run", "").split(",")
        if len(ids) > most:
            raise StreamError(f"At most {most} runs are shown together.")
        return RunsPart(build, ids, parse(query, {"run": text, **options}), look)

    return make


def single(
    build: Callable[[Run, Frame, Options], Sequence[Block]],
    look: Look = lambda run, given: None,
    **options: Parse,
) -> Callable[[Query], RunsPart]:
    """The same, of one run: from the frame that it published last."""
    return several(lambda runs, given: build(runs[0], frame_of(runs[0]), given), 1, look, **options)


def parse(query: Query, options: Mapping[str, Parse]) -> dict[str, Any]:
    """The options of a channel. Raises `StreamError`."""
    if unknown := query.keys() - options.keys():
        raise StreamError(f"There is no option {min(unknown)[:40]!r}.")
    return {name: read(query.get(name)) for name, read in options.items()}


def text(given: str | None) -> str:
    """Any text; empty when it is not given."""
    return given or ""


def one_of(*allowed: str) -> Parse:
    """One of these; the first when it is not given."""

    def read(given: str | None) -> str:
        if given is None:
            return allowed[0]
        if given not in allowed:
            raise StreamError(f"{given[:40]!r} is not allowed here; {', '.join(allowed)} are.")
        return given

    return read


def some_of(*allowed: str) -> Parse:
    """Any of these with commas between them, in this order; none when it is not given."""

    def read(given: str | None) -> tuple[str, ...]:
        chosen = given.split(",") if given else []
        for name in chosen:
            one_of(*allowed)(name)
        return tuple(name for name in allowed if name in chosen)

    return read


def whole(low: int, high: int, default: int | None = None) -> Parse:
    """A whole number."""

    def read(given: str | None) -> int | None:
        if given is None:
            return default
        plain = given.isascii() and given.isdecimal() and len(given) < 15
        if not plain or not low <= int(given) <= high:
            raise StreamError(f"{given[:40]!r} is not allowed here; {low} to {high} are.")
        return int(given)

    return read


class PagePart:
    """Whether a page is made of something else by now than when it was drawn.

    made: what its widgets show. drawn: the `fingerprint` of that when it was drawn. Compared here
    and not in the browser: on a busy server what a browser heard last may be older than its page,
    and a class of pages that ask to be drawn again would keep the server busy.
    """

    def __init__(self, made: Callable[[], Hashable], drawn: str) -> None:
        self._made, self._drawn = made, drawn
        self._last: Hashable = None  # what was compared last, and whether it differed
        self._changed = fingerprint(None) != drawn

    def version(self) -> bool:
        if (now := self._made()) != self._last:
            self._last, self._changed = now, fingerprint(now) != self._drawn
        return self._changed

    urgent = version

    def payload(self) -> Mapping[str, Any]:
        return {"changed": self.version()}


def fingerprint(made: Hashable) -> str:
    """A short text that differs when `made` does."""
    return hashlib.sha256(repr(made).encode()).hexdigest()[:16]
