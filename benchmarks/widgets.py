"""The widgets of a page as a browser knows them: what it repeats to the server in every message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from streamlit.proto.Element_pb2 import Element
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates


def _flag(widget: Any, state: WidgetState) -> None:
    state.bool_value = widget.value if widget.set_value else widget.default


def _number(widget: Any, state: WidgetState) -> None:
    if widget.set_value or widget.HasField("default"):
        state.double_value = widget.value if widget.set_value else widget.default


def _slider(widget: Any, state: WidgetState) -> None:
    if widget.options:
        state.string_array_value.data.extend(
            widget.raw_value
            if widget.set_value
            else [widget.options[int(i)] for i in widget.default]
        )
    else:
        state.double_array_value.data.extend(widget.value if widget.set_value else widget.default)


def _text(widget: Any, state: WidgetState) -> None:
    if widget.set_value or widget.HasField("default"):
        state.string_value = widget.value if widget.set_value else widget.default


def _choice(widget: Any, state: WidgetState) -> None:
    if widget.set_value:
        state.string_value = widget.raw_value
    elif widget.HasField("default") and widget.options:
        state.string_value = widget.options[widget.default]


def _choices(widget: Any, state: WidgetState) -> None:
    chosen = [_name(widget.options[number]) for number in widget.default]
    state.string_array_value.data.extend(widget.raw_values if widget.set_value else chosen)


def _name(option: Any) -> str:
    """An option's text: a string, or a button of a group."""
    return option if isinstance(option, str) else option.content


_READERS: dict[str, Callable[[Any, WidgetState], None]] = {
    "checkbox": _flag,
    "number_input": _number,
    "slider": _slider,
    "text_input": _text,
    "text_area": _text,
    "selectbox": _choice,
    "radio": _choice,
    "multiselect": _choices,
    "button_group": _choices,
}

_LISTS = ("button_group", "selectbox", "multiselect")


class Widgets:
    """What the page's widgets hold, at their defaults until something is chosen."""

    def __init__(self) -> None:
        self._states: dict[str, WidgetState] = {}
        self._labels: dict[str, str] = {}  # id -> label
        self._buttons: dict[str, str] = {}  # label -> id
        self._groups: dict[str, tuple[str, list[str]]] = {}  # label -> (id, options)

    def take(self, element: Element) -> None:
        """Notes an element that the server sent, if it is a widget."""
        kind = element.WhichOneof("type") or ""
        if kind == "button":
            self._buttons[element.button.label] = element.button.id
        if (read := _READERS.get(kind)) is None:
            return
        widget = getattr(element, kind)
        self._labels[widget.id] = widget.label
        if kind in _LISTS or (kind == "slider" and widget.options):
            names = [_name(option) for option in widget.options]
            self._groups[widget.label] = (widget.id, names)
        if widget.id not in self._states or widget.set_value:
            self._states[widget.id] = WidgetState(id=widget.id)
            read(widget, self._states[widget.id])

    def forget(self) -> None:
        """The page is being drawn anew: buttons and choices may go, what they hold stays."""
        self._buttons.clear()
        self._groups.clear()

    @property
    def buttons(self) -> list[str]:
        """The labels of the buttons on the page."""
        return list(self._buttons)

    @property
    def ids(self) -> dict[str, str]:
        """{label: id} of the buttons on the page."""
        return dict(self._buttons)

    @property
    def choices(self) -> dict[str, list[str]]:
        """{label: options} of the choices on the page."""
        return {label: options for label, (_, options) in self._groups.items()}

    def choose(self, label: str, option: str) -> None:
        """Another option of a choice. Raises `KeyError` where there is no such choice."""
        id, _ = self._groups[label]
        state = self._states[id]
        if state.WhichOneof("value") == "string_array_value":
            del state.string_array_value.data[:]
            state.string_array_value.data.append(option)
        else:
            state.string_value = option

    def moves(self) -> Iterator[tuple[str, WidgetState]]:
        """Everything to press, and every switch and choice with another value than it has, as
        (label, state); those too that the page shows as disabled."""
        for label, id in self._buttons.items():
            yield label, WidgetState(id=id, trigger_value=True)
        for label, (id, options) in self._groups.items():
            state = WidgetState(id=id)
            held = self._states[id]
            several = held.WhichOneof("value") == "string_array_value"
            now = held.string_array_value.data if several else [held.string_value]
            if (other := next((name for name in options if name not in now), None)) is None:
                continue
            if several:
                state.string_array_value.data.append(other)
            else:
                state.string_value = other
            yield label, state
        for id, state in self._states.items():
            match state.WhichOneof("value"):
                case "bool_value":
                    yield self._labels[id], WidgetState(id=id, bool_value=not state.bool_value)
                case "double_value":
                    yield self._labels[id], WidgetState(id=id, double_value=state.double_value + 1)

    def states(self, pressed: str = "") -> WidgetStates:
        """All of them; pressed: the label of a button. Raises `KeyError` where there is none."""
        states = WidgetStates(widgets=self._states.values())
        if pressed:
            states.widgets.append(WidgetState(id=self._buttons[pressed], trigger_value=True))
        return states
