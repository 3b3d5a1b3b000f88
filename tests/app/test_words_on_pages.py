"""No page shows the name of a field of the config, or a value as the code writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import live_parts
import pytest
from lab_app import POINTS, ROOT, TABS, LabApp, wait_for
from streamlit.testing.v1 import AppTest

from wgan.config import FIELDS, choices
from wgan.live.table import PARTS
from wgan.presets import PRESETS
from wgan.runs.branches import quick_changes
from wgan.server.registry import lab
from wgan.ui.compare import change_label

# Words of the code that nobody would write: all have an underscore.
CODE = {name for name in FIELDS if "_" in name} | {
    value for name in FIELDS for value in choices(name) if isinstance(value, str) and "_" in value
}
FOUND = re.compile(rf"(?<![\w-])({'|'.join(sorted(CODE))})(?![\w-])")


def words(at: AppTest) -> Iterator[str]:
    """All that is written on a page, but for command lines and code."""
    for kind in ("markdown", "caption", "title", "subheader", "warning", "info", "error"):
        yield from (element.value for element in at.get(kind))  # pyright: ignore
    for kind in ("button", "selectbox", "multiselect", "slider", "number_input", "toggle"):
        for widget in at.get(kind):
            yield f"{widget.label} {widget.help}"  # pyright: ignore
            yield from map(str, getattr(widget, "options", ()))
    for key in live_parts.places(at) - {"repeat"}:
        yield live_parts.text(live_parts.blocks(at, key))


def test_the_search_finds_a_field():
    assert FOUND.findall("norm_d: none; lr_g 1, faults alpha_normal") == [
        "norm_d",
        "lr_g",
        "alpha_normal",
    ]
    assert "change" in PARTS


@pytest.mark.parametrize("tab", [name for name in TABS if name != "Share and repeat"])
def test_the_lab_names_no_field(tab: str, points: LabApp):
    points.run.apply({"norm_d": "layer", "lr_g": 0.05, "faults": ["alpha_normal"]})
    points.run.apply({"objective": "gan_saturating"})
    wait_for(lambda: len(points.run.frame.events) == 2)
    points.open_tab(tab)
    text = "\n".join(words(points.at)).replace("\\", "")
    assert "saturating GAN" in text
    assert FOUND.findall(text) == []


@pytest.mark.parametrize("page", ["critic", "compare", "duel", "guide", "theory"])
def test_other_pages_name_no_field(page: str):
    run = lab().create(POINTS, playing=False)
    other = lab().create(POINTS.replace({"norm_d": "layer", "lr_g": 0.05, "latent_dim": 3}))
    wait_for(lambda: "loading" not in (run.frame.state, other.frame.state))
    at = AppTest.from_file(str(ROOT / f"pages/{page}.py"), default_timeout=60)
    at.query_params["runs" if page == "compare" else "run"] = (
        f"{run.id},{other.id}" if page == "compare" else run.id
    )
    at.run()
    assert not at.exception
    assert FOUND.findall("\n".join(words(at)).replace("\\", "")) == []


def test_presets_and_branches_name_no_field():
    said = [f"{preset.title} {preset.about}" for preset in PRESETS.values()]
    said += map(change_label, quick_changes(POINTS))
    assert FOUND.findall("\n".join(said)) == []
    assert not re.search(r"second|minute of|calm", "\n".join(p.about for p in PRESETS.values()))
