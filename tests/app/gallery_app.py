"""The gallery page under `AppTest`, and which of its widgets are tested."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from lab_app import ROOT, wait_for
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Widget

from wgan.zoo.job import jobs

VIEWS = ("Samples", "One sample", "Between two samples", "Training curves", "About")
SOURCES = ("Ours", "Faces and rooms", "From the Hub", "Your own file")


class GalleryApp:
    """The page at an address such as `GalleryApp(open="ring-gan")`."""

    def __init__(self, **query: str) -> None:
        self.at = AppTest.from_file(str(ROOT / "pages/gallery.py"), default_timeout=90)
        for name, value in query.items():
            self.at.query_params[name] = value
        self.redraw()

    def redraw(self) -> None:
        self.at.run()
        assert not self.at.exception, self.at.exception

    def widget(self, key: str) -> Any:
        (found,) = (node for node in self.at._tree if getattr(node, "key", None) == key)
        return found

    def has(self, key: str) -> bool:
        return any(getattr(node, "key", None) == key for node in self.at._tree)

    def set(self, key: str, value: Any) -> None:
        self.widget(key).set_value(value)
        self.redraw()

    def click(self, key: str) -> None:
        self.widget(key).click()
        self.redraw()

    def look_at(self, view: str) -> None:
        self.at.session_state["view"] = view
        self.redraw()

    def source(self, name: str) -> None:
        self.at.session_state["source"] = name
        self.redraw()

    def wait_for_jobs(self) -> None:
        """Until nothing is asked of the Hub any more; the page then shows what came."""
        deadline = time.monotonic() + 60
        while any(job.state == "running" for job in list(jobs._jobs.values())):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.redraw()

    @property
    def title(self) -> str:
        return self._plain(self.at.subheader[0].value)

    def picture(self, alt: str) -> str:
        """The data URI of the image with this description."""
        found = [n for n in self.at.get("image") if alt in n.proto.imgs[0].alt]  # pyright: ignore
        assert len(found) == 1, alt
        return found[0].proto.imgs[0].url  # pyright: ignore

    def text(self) -> str:
        """All captions, texts and notices, as they are read."""
        nodes = (*self.at.caption, *self.at.markdown, *self.at.warning, *self.at.info)
        return self._plain("\n".join(node.value for node in nodes))

    @staticmethod
    def _plain(text: str) -> str:
        return re.sub(r"\\([!-~])", r"\1", text)

    def widgets(self) -> Iterator[str]:
        for node in self.at._tree:
            if isinstance(node, Widget):
                yield _base(node.key or str(getattr(node, "label", node)))


def _base(key: str) -> str:
    """A key without the name, the repository or the seed that it ends with."""
    return re.sub(r"^(open|found|pick|pull|cancel|direction|count|output)_.*", r"\1", key)


__all__ = ["SOURCES", "VIEWS", "GalleryApp", "wait_for"]
