"""Widgets whose words stand in a text: the first line is the label, the rest the help."""

from __future__ import annotations

from typing import Any

import streamlit as st

from wgan.ui.words import sections


def told(text: str, key: str) -> tuple[str, str]:
    """Label and help of a widget."""
    label, _, help = sections(text)[key].partition("\n")
    return label, help.strip()


def choice(text: str, key: str, options: dict[Any, str], *, state: str) -> Any:
    """One of several values, by how they are shown; the first to begin with."""
    label, help = told(text, key)
    return st.segmented_control(
        label,
        list(options),
        default=next(iter(options)),
        required=True,
        format_func=lambda value: options.get(value, str(value)),
        key=state,
        help=help,
    )


def slider(
    text: str, key: str, low: float, high: float, value: float, step: float, *, state: str
) -> float:
    """A number between two."""
    label, help = told(text, key)
    return st.slider(label, low, high, value, step, key=state, help=help)


def again(text: str, key: str, count: int, *, state: str) -> int:
    """A button for another one of so many numbered draws; the number."""
    label, help = told(text, key)
    st.button(
        label,
        key=f"{state}_again",
        icon=":material/casino:",
        on_click=_next,
        args=(state, count),
        help=help,
    )
    return st.session_state.get(state, 0)


def _next(state: str, count: int) -> None:
    st.session_state[state] = (st.session_state.get(state, 0) + 1) % count
