"""What the sections of the page Critic are made of: numbers in a row, and stand-ins."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import streamlit as st

from wgan.inspection.results import Inspection, Wish
from wgan.lab.frame import Frame
from wgan.lab.run import Run
from wgan.ui.words import plain

Section = Callable[[Run, Frame], None]
Kind = TypeVar("Kind", bound=Inspection)

_STYLE = """<style>
.wgan-numbers { display: flex; flex-wrap: wrap; gap: .4rem 2.2rem; line-height: 1.2;
  font-variant-numeric: tabular-nums; }
.wgan-numbers b { display: block; font-size: 1.9rem; font-weight: 650; letter-spacing: -.01em; }
.wgan-numbers .what { font-size: .95rem; }
.wgan-numbers .note { font-size: .82rem; opacity: .75; }
@media (max-width: 480px) { .wgan-numbers { gap: .3rem 1.2rem; }
  .wgan-numbers b { font-size: 1.4rem; } .wgan-numbers > div { min-width: 40%; flex: 1; } }
</style>"""


class Number(NamedTuple):
    """A figure with its name, its unit or what it compares with, and a word on it for hovering."""

    name: str
    value: str
    note: str
    help: str


def numbers(*shown: Number) -> None:
    """Figures in a row, large enough for the last row of a class."""
    cells = "".join(
        f'<div title="{html.escape(n.help, quote=True)}"><span class="what">{html.escape(n.name)}'
        f'</span><b>{html.escape(n.value)}</b><span class="note">{html.escape(n.note)}</span></div>'
        for n in shown
    )
    st.html(f'{_STYLE}<div class="wgan-numbers">{cells}</div>')


def empty(sentence: str) -> None:
    """Why there is nothing to see here."""
    st.info(sentence, icon=":material/visibility_off:")


def still_loading(frame: Frame) -> None:
    """What stands in for a section while the run has nothing to show yet."""
    if frame.state == "failed":
        empty("The run stopped before there was anything to see; the page Lab says why.")
    else:
        st.progress(frame.progress or 0.0, text=plain(frame.message) or "Looking into the critic")


def found(run: Run, frame: Frame, wish: Wish, kind: type[Kind]) -> Kind | None:
    """What was found of a wish, once it is there; asking says that somebody looks."""
    run.inspect(wish)
    here = frame.inspections.get(wish)
    if isinstance(here, kind):
        return here
    still_loading(frame)
    return None
