"""The live parts of the page Duel: its cells, and how far it is."""

from __future__ import annotations

import html as markup
import time
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from wgan.data import title
from wgan.frame import Frame
from wgan.live.blocks import html, payload
from wgan.live.parts import Query, parse, text
from wgan.plots import data_uri
from wgan.server.duel import Duel, Key, Outcome, duels
from wgan.studies.cells import METHODS, rows_for
from wgan.types import ImageView, Metrics, PointView
from wgan.words import format_3_digits
from wgan.zoo.pictures import picture

TEND = 0.25  # seconds between two looks at whether a cell is through


class DuelPart:
    """One cell, `row` and `method`, or without them the summary, whose viewers tend the duel."""

    def __init__(self, query: Query) -> None:
        given = parse(query, dict.fromkeys(("id", "row", "method"), text))
        self._id, self._key = given["id"], (given["row"], given["method"])
        self._tended = 0.0  # time.monotonic

    def _duel(self) -> Duel | None:
        duel = duels().get(self._id)
        if duel is not None and not self._key[0] and time.monotonic() - self._tended > TEND:
            self._tended = time.monotonic()
            duel.tend()
        return duel

    def urgent(self) -> Hashable:
        return None if (duel := self._duel()) is None else duel.state

    def version(self) -> Hashable:
        duel = self._duel()
        if duel is None or duel.current != self._key or duel.run is None:
            return self.urgent()
        return (duel.state, duel.run.id, duel.run.frame.version)

    def payload(self) -> Mapping[str, Any]:
        duel = self._duel()
        if duel is None:
            return payload()
        return payload(html(cell(duel, self._key) if self._key in duel.cells else summary(duel)))


def made(duel: Duel | None) -> Hashable:
    """What the page's widgets show of a duel."""
    return None if duel is None else (duel.id, duel.current is None)


def summary(duel: Duel) -> str:
    """How many runs are through, of what."""
    done = sum(not outcome.cut for outcome in duel.outcomes.values())
    total = len(duel.cells)
    data = markup.escape(title(duel.about["data"]))
    words = f"<b>{done} of {total} runs</b> · {data} · {duel.steps:,} generator steps each"
    if duel.stopped and done < total:
        words += " · stopped"
    return f'<div role="status">{words}</div>'


def cell(duel: Duel, key: Key) -> str:
    """A cell that waits, trains, or is through."""
    name = f"{rows_for(duel.about['data'])[key[0]].title}, {METHODS[key[1]].title}"
    outcome = duel.outcomes.get(key)
    if outcome is not None:
        mark = ""
        if duel.current is None:  # before the last cell is through there is nothing to single out
            best, worst = duel.extremes()
            mark = "best" if key in best else "worst" if key in worst else ""
        return _done(outcome, name, mark)
    if key != duel.current:
        return _cell("", name, _blank("not run" if duel.stopped else "waits"), "", "")
    frame = duel.run.frame if duel.run is not None else None
    if duel.message:
        return _cell("now", name, _blank("waits for room"), "", duel.message)
    if frame is None or frame.view is None:
        words = frame.message if frame is not None else ""
        return _cell("now", name, _blank("begins"), "", words or "Preparing")
    return _training(frame, duel.steps, name)


def _training(frame: Frame, steps: int, name: str) -> str:
    assert frame.view is not None
    share = min(1.0, frame.step / steps)
    note = f"step {frame.step:,} of {steps:,}" + _figures(
        frame.steps_per_second, frame.metrics, frame.view
    )
    bar = f'<div class="bar"><i style="width:{share:.0%}"></i></div>'
    return _cell("now", name, _image(frame.view, name) + bar, _modes(frame.metrics), note)


def _done(outcome: Outcome, name: str, mark: str) -> str:
    image = _image(outcome.view, name) if outcome.view is not None else _blank("no samples")
    note = f"{outcome.message} Step {outcome.steps:,}" if outcome.message else ""
    note += _figures(outcome.steps_per_second, outcome.metrics, outcome.view)
    return _cell(mark, name, image, _modes(outcome.metrics), note)


def _figures(pace: float, metrics: Metrics | None, view: PointView | ImageView | None) -> str:
    """What stands small below a cell, each after a dot."""
    found = []
    if pace:
        found.append(f"{format_3_digits(pace)} steps/s")
    if metrics is not None and metrics.w1 is not None:
        found.append(f"W1 {format_3_digits(metrics.w1)}")
    if isinstance(view, PointView) and (np.abs(view.fake) > view.extent).any(1).mean() > 0.5:
        found.append("most samples lie outside the picture")
    return "".join(f" · {one}" for one in found)


def _image(view: PointView | ImageView, name: str) -> str:
    kind = ' class="pixels"' if isinstance(view, ImageView) else ""
    return f'<img{kind} src="{data_uri(picture(view))}" alt="Samples: {markup.escape(name)}">'


def _blank(words: str) -> str:
    return f'<div class="blank">{words}</div>'


def _modes(metrics: Metrics | None) -> str:
    if metrics is None or metrics.modes is None:
        return ""
    return f"<b>{metrics.modes} / {metrics.modes_total}</b> modes"


def _cell(mark: str, name: str, image: str, modes: str, note: str) -> str:
    word = f'<span class="word {mark}-word">{mark}</span>' if mark in ("best", "worst") else ""
    return (
        f'<div class="wgan-cell {mark}"><div class="row">{markup.escape(name)}</div>{image}'
        f'<div class="modes"><span>{modes}</span>{word}</div>'
        f"<small>{markup.escape(note.removeprefix(' · '))}</small></div>"
    )
