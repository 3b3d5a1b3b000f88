"""The mode meter: a big number for the last row, one cell a mode. HTML for `st.html`."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from wgan.figures.base import GENERATED, HEALTHY
from wgan.lab.frame import Measures

COVERED = 20 / 2500  # share of the samples that a mode needs in order to count
GROWN = 100  # steps before which no generator is called collapsed

# No theme variables reach `st.html`; currentColor follows the theme's text.
STYLE = f"""<style>
.wgan-meter {{ container-type: inline-size; font-variant-numeric: tabular-nums; line-height: 1.1; }}
.wgan-meter .row {{ display: flex; flex-wrap: wrap; align-items: center; gap: 0.2rem 1.6rem; }}
.wgan-meter .side {{ flex: 1 1 16rem; }}
.wgan-meter .big {{ font-size: clamp(3rem, 2rem + 3.2vw, 4.5rem); font-weight: 700;
  letter-spacing: -0.02em; white-space: nowrap; }}
.wgan-meter .big small {{ font-size: 0.4em; font-weight: 500; letter-spacing: 0; opacity: 0.75; }}
.wgan-meter .all {{ color: {HEALTHY}; }}
.wgan-meter .cells {{ display: grid; grid-template-columns: repeat(var(--wide), minmax(0, 3.4rem));
  gap: 0.3rem; margin: 0.2rem 0 0.45rem; }}
@container (max-width: 26rem) {{
  .wgan-meter .cells {{ grid-template-columns: repeat(var(--narrow), minmax(0, 1fr)); }} }}
.wgan-meter .cell {{ position: relative; height: 2.6rem; border-radius: 0.35rem; overflow: hidden;
  border: 2px dashed color-mix(in srgb, currentColor 30%, transparent); }}
.wgan-meter .covered {{ border: 2px solid {HEALTHY}; }}
.wgan-meter .fill {{ position: absolute; inset: auto 0 0 0; background: {GENERATED};
  opacity: 0.55; }}
.wgan-meter .name {{ position: absolute; inset: 0; display: grid; place-items: center;
  font-size: 1.05rem; font-weight: 600; }}
.wgan-meter .check {{ position: absolute; top: 0; right: 0.15rem; font-size: 0.7rem; }}
.wgan-meter .note {{ font-size: 0.95rem; opacity: 0.8; }}
.wgan-meter .wait {{ animation: wgan-meter-pulse 1.6s ease-in-out infinite; }}
@keyframes wgan-meter-pulse {{ 50% {{ opacity: 0.35; }} }}
@media (prefers-reduced-motion: reduce) {{ .wgan-meter .wait {{ animation: none; }} }}
</style>"""


def mode_meter(measures: Measures | None, labels: Sequence[str] = ()) -> str:
    """How many modes are covered, in HTML.

    A cell fills with the generated samples on its mode, up to an even share; a check and a solid
    border say that the mode counts (20 of 2,500 samples). Without countable modes the exact W1
    stands there, with its floor; without measures it says that they are being counted.

    labels: names of the modes; those of the measures where left out.
    """
    if measures is None:
        return _page("Counting modes", '<div class="big wait">…</div>', "counting…")
    if measures.modes is None or not measures.modes_total:
        return _distance(measures)
    modes, total = measures.modes, measures.modes_total
    names = labels or measures.mode_names or [str(i + 1) for i in range(total)]
    cells = "".join(
        _cell(str(name), count, measures.samples, total)
        for name, count in zip(names, measures.counts, strict=False)
    )
    # One row while it fits, else rows of equal length: 10 in 5 and 5, 25 in 13 and 12.
    wide = total if total <= 13 else math.ceil(total / 2)
    grid = f'<div class="cells" style="--wide:{wide};--narrow:{math.ceil(wide / 2)}">'
    # A generator begins as one blob: nothing has been learnt yet that could be lost.
    collapsed = measures.step >= GROWN and _spread(measures) < 1.5
    word = "modes, collapsed" if collapsed else "modes"
    big = (
        f'<div class="big{" all" if modes == total else ""}">'
        f"{modes} / {total} <small>{word}</small></div>"
    )
    note = _quality(measures)
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


def _distance(measures: Measures) -> str:
    if measures.w1 is None:
        return _page(
            "This data set has no countable modes",
            '<div class="big">–</div>',
            "no modes to count here",
        )
    note = "exact W1 to the data"
    if measures.w1_floor is not None:
        note += f"; floor {three(measures.w1_floor)}, real against real"
    if measures.averaged:
        note += " · averaged generator"
    big = f'<div class="big">{three(measures.w1)} <small>W1</small></div>'
    return _page(f"W1 {three(measures.w1)}: {note}", big, note)


def _quality(measures: Measures) -> str:
    parts = []
    if measures.high_quality is not None:
        part = f"high quality {measures.high_quality:.0%}"
        if measures.high_quality_real is not None:
            part += f" (real data {measures.high_quality_real:.0%})"
        parts.append(part)
    if measures.mode_kl is not None:
        parts.append(f"samples spread over {_spread(measures):.1f} of {measures.modes_total}")
    if measures.averaged:
        parts.append("averaged generator")
    return " · ".join(parts)


def _spread(measures: Measures) -> float:
    """Over how many modes the samples spread: e^H of their histogram, H = log K − KL.

    All samples on one mode give 1, an even share on each of K gives K.
    """
    if measures.mode_kl is None or not measures.modes_total:
        return math.inf
    return measures.modes_total * math.exp(-measures.mode_kl)


def three(value: float) -> str:
    """Three significant digits, thousands separated."""
    if value == 0 or not abs(value) < float("inf"):
        return f"{value:.3g}"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def _page(spoken: str, big: str, note: str, cells: str = "") -> str:
    label = html.escape(spoken, quote=True)
    return (
        f'{STYLE}<div class="wgan-meter" role="img" aria-label="{label}"><div class="row">'
        f'{big}<div class="side">{cells}<div class="note">{html.escape(note)}</div></div>'
        "</div></div>"
    )
