"""The mode meter as HTML: a big number for the last row, one cell a mode."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from wgan.types import Metrics
from wgan.words import format_3_digits

COVERED = 20 / 2500  # share of the samples that a mode needs in order to count
GROWN = 100  # steps before which no generator is called collapsed


def mode_meter(metrics: Metrics | None, labels: Sequence[str] = (), *, old: bool = False) -> str:
    """How many modes are covered, in HTML.

    A cell fills with the generated samples on its mode, up to an even share; a check and a solid
    border say that the mode counts (20 of 2,500 samples). Without countable modes the share of the
    data that images reach stands there, or the exact W1 of points, with what real data give;
    without measures it says that they are being counted.

    labels: names of the modes; those of the measures where left out. old: say at which step they
    were counted, because the run is far beyond it.
    """
    if metrics is None:
        return _page("Counting modes", '<div class="big wait">…</div>', "counting…")
    when = f" · measured at step {metrics.step:,}" if old else ""
    if metrics.modes is None or not metrics.modes_total:
        return _distance(metrics, when)
    modes, total = metrics.modes, metrics.modes_total
    names = labels or metrics.mode_names or [str(i + 1) for i in range(total)]
    cells = "".join(
        _cell(str(name), count, metrics.samples, total)
        for name, count in zip(names, metrics.counts, strict=False)
    )
    # One row while it fits, else rows of equal length: 10 in 5 and 5, 25 in 13 and 12.
    wide = total if total <= 13 else math.ceil(total / 2)
    grid = f'<div class="cells" style="--wide:{wide};--narrow:{math.ceil(wide / 2)}">'
    # A generator begins as one blob: nothing has been learnt yet that could be lost.
    collapsed = metrics.step >= GROWN and _spread(metrics) < 1.5
    word = "modes, collapsed" if collapsed else "modes"
    big = (
        f'<div class="big{" all" if modes == total else ""}">'
        f"{modes} / {total} <small>{word}</small></div>"
    )
    note = _quality(metrics) + when
    spoken = f"{modes} of {total} modes covered; {note}"
    return _page(spoken, big, note, f"{grid}{cells}</div>")


def _cell(name: str, count: int, samples: int, total: int) -> str:
    share = 100 * min(1.0, count * total / max(samples, 1))
    covered = count >= COVERED * samples
    kind, title = ("cell covered" if covered else "cell"), f"{count:,} of {samples:,} samples"
    return (
        f'<div class="{kind}" title="{title}">'
        f'<div class="fill" style="height:{share:.0f}%"></div>'
        f'<div class="name">{html.escape(name)}</div>'
        + ('<div class="check">✓</div>' if covered else "")
        + "</div>"
    )


def _reached(metrics: Metrics, when: str) -> str:
    """How much of the real images' surroundings the samples reach, where no class is known."""
    reached, real = metrics.reached or 0.0, metrics.reached_real or 0.0
    collapsed = metrics.step >= GROWN and reached < 0.1 * real
    word = "of the data covered" + (", collapsed" if collapsed else "")
    note = " · ".join(
        [
            f"held-out real images cover {real:.0%}",
            f"density {format_3_digits(metrics.density or 0)} "
            f"(real {format_3_digits(metrics.density_real or 0)})",
            f"near-duplicates {metrics.duplicates or 0:.0%} "
            f"(real {metrics.duplicates_real or 0:.0%})",
            *(["averaged generator"] if metrics.averaged else []),
        ]
    )
    note += when
    big = f'<div class="big">{reached:.0%} <small>{word}</small></div>'
    return _page(f"{reached:.0%} {word}: {note}", big, note)


def _distance(metrics: Metrics, when: str) -> str:
    if metrics.reached is not None:
        return _reached(metrics, when)
    if metrics.w1 is None:
        return _page(
            "This data set has no countable modes",
            '<div class="big">–</div>',
            "no modes to count here",
        )
    note = "exact W1 to the data"
    if metrics.w1_floor is not None:
        note += f"; floor {format_3_digits(metrics.w1_floor)}, real against real"
    if metrics.averaged:
        note += " · averaged generator"
    note += when
    big = f'<div class="big">{format_3_digits(metrics.w1)} <small>W1</small></div>'
    return _page(f"W1 {format_3_digits(metrics.w1)}: {note}", big, note)


def _quality(metrics: Metrics) -> str:
    parts = []
    if metrics.high_quality is not None:
        part = f"high quality {metrics.high_quality:.0%}"
        if metrics.high_quality_real is not None:
            part += f" (real data {metrics.high_quality_real:.0%})"
        parts.append(part)
    if metrics.mode_kl is not None:
        parts.append(f"effective modes {_spread(metrics):.1f} of {metrics.modes_total}")
    if metrics.class_accuracy is not None:
        parts.append(f"classifier accuracy {metrics.class_accuracy:.0%}")
    if metrics.averaged:
        parts.append("averaged generator")
    return " · ".join(parts)


def _spread(metrics: Metrics) -> float:
    """The effective number of modes: e^H of the samples' histogram over them, H = log K − KL.

    All samples on one mode give 1, an even share on each of K gives K.
    """
    if metrics.mode_kl is None or not metrics.modes_total:
        return math.inf
    return metrics.modes_total * math.exp(-metrics.mode_kl)


def _page(spoken: str, big: str, note: str, cells: str = "") -> str:
    label = html.escape(spoken, quote=True)
    return (
        f'<div class="wgan-meter" role="img" aria-label="{label}"><div class="row">'
        f'{big}<div class="side">{cells}<div class="note">{html.escape(note)}</div></div>'
        "</div></div>"
    )
