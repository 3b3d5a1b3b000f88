"""The app under `AppTest`, with a small run that a test can drive; and which widgets are tested."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import live_parts
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Widget

from wgan.config import ExperimentConfig
from wgan.runs.run import Run
from wgan.server.registry import lab

ROOT = Path(__file__).parents[2]
TABS = (
    *("More curves", "Modes", "New run", "Your own data", "Classroom", "My runs"),
    "Share and repeat",
)

POINTS = ExperimentConfig(width=8, depth=1, batch_size=8, critic_steps=1)
IMAGES = POINTS.replace(
    {"data": "digits", "output": "tanh", "latent_dim": 8, "objective": "gan", "constraint": "none"}
)

F = TypeVar("F", bound=Callable[..., Any])

# The widgets that a test drives, by key; a run's id at the end of a key is left out.
COVERED: set[str] = set()


def covers(*keys: str) -> Callable[[F], F]:
    """Says that a test drives these widgets."""
    COVERED.update(keys)
    return lambda test: test


class LabApp:
    """The lab page on one run. After each action it says if the page shows an exception."""

    script = "wgan/ui/main.py"

    def __init__(
        self,
        config: ExperimentConfig | None,
        *,
        playing: bool = False,
        secret: str | None = None,
        **query: str,
    ) -> None:
        """secret: the run's owner's, who is not this tab unless `query` has it too."""
        self.at = AppTest.from_file(str(ROOT / self.script), default_timeout=60)
        for name, value in query.items():
            self.at.query_params[name] = value
        if config is not None:
            run = lab().create(config, playing=playing, secret=secret)
            wait_for(lambda: run.frame.state != "loading")
            self.at.query_params["run"] = run.id
        # Twice: AppTest knows the page, which is a part of a widget's identity, after one run.
        self.redraw()
        self.redraw()

    @property
    def id(self) -> str:
        id = self.at.query_params["run"]
        assert isinstance(id, str)
        return id

    @property
    def run(self) -> Run:
        run = lab().get(self.id)
        assert run is not None
        return run

    def redraw(self) -> None:
        self.at.run()
        assert not self.at.exception, self.at.exception

    def widget(self, key: str) -> Any:
        (found,) = (node for node in self.at._tree if self._is(node, key))
        return found

    def has(self, key: str) -> bool:
        return any(self._is(node, key) for node in self.at._tree)

    def _is(self, node: Any, key: str) -> bool:
        """Whether a widget has this key, also with the run's id behind it."""
        found = _base(getattr(node, "key", None))
        return found is not None and key in (found, found.removesuffix(f"_{self.id}"))

    def set(self, key: str, value: Any) -> None:
        self.widget(key).set_value(value)
        self.redraw()

    def click(self, key: str) -> None:
        self.widget(key).click()
        self.redraw()

    def open_tab(self, name: str) -> None:
        self.at.session_state["tab"] = name
        self.redraw()

    def step(self, which: str = "both") -> None:
        """Clicks a step button and waits until it is done."""
        before = self.run.frame.version
        self.click(f"step_{which}")
        wait_for(lambda: self.run.frame.version > before and not self.run.active)
        self.redraw()

    def settle(self, state: str) -> None:
        """Waits until the run has come to a state, and draws the page."""
        wait_for(lambda: self.run.frame.state == state)
        self.redraw()

    def notices(self) -> list[str]:
        """What the page says once, as it is read: without Markdown's backslashes."""
        shown = self.at.container(key="notices").warning
        return [re.sub(r"\\([!-~])", r"\1", warning.value) for warning in shown]

    def advice(self) -> list[str]:
        return [warning.value for warning in self.at.container(key="advice").warning]

    def equation(self) -> str:
        return self.at.container(key="equation").latex[0].value

    def part(self, key: str) -> str:
        """The words of a live part, as they are read."""
        return live_parts.text(live_parts.blocks(self.at, key))

    def chart(self, key: str, name: str = "") -> dict[str, Any]:
        """A chart of a live part: the one of this name, or the only one."""
        found = live_parts.charts(live_parts.blocks(self.at, key))
        if name:
            return found[name]
        (chart,) = found.values()
        return chart

    def pictures(self, key: str) -> list[dict[str, Any]]:
        """The grids of images of a live part."""
        return live_parts.pictures(live_parts.blocks(self.at, key))

    def mounted(self, key: str) -> dict[str, Any]:
        """What a component of ours was given by the page."""
        return live_parts.mounted(self.at, key)

    def widgets(self) -> Iterator[str]:
        """The key of every widget on the page; its label where it has none."""
        for node in self.at._tree:
            pad = node.type == "bidi_component" and getattr(node, "key", None) == "pad"
            if isinstance(node, Widget) or pad:
                key = _base(node.key) or str(getattr(node, "label", node))
                key = key.removesuffix(f"_{self.id}")
                yield re.sub(r"^(poll_answer|vote)_\d+$", r"\1", key)  # one of several alike


def _base(key: str | None) -> str | None:
    """A key without the count of a widget that was replaced."""
    if key is None or key.startswith(("new_", "look_back_")):  # those end with the run's id
        return key
    return re.sub(r"-\d+$", "", key)


def wait_for(condition: Callable[[], Any], timeout: float = 120.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.005)
