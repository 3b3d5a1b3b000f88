"""What the ready comparisons say, and whether it comes out."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.comparisons import findings
from wgan.comparisons import COMPARISONS, comparison_of, figures_at
from wgan.presets import PRESETS
from wgan.server.demonstration import COMPARED
from wgan.types import Curve
from wgan.words import sections


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_what_was_found_holds(name: str, seed: int):
    found = findings(COMPARISONS[name], seed)
    assert COMPARISONS[name].holds(found), found


def test_each_has_a_title_an_expectation_and_a_finding():
    assert set(sections("comparisons")) == set(COMPARISONS)
    assert all(len(text.split("\n")) == 3 for text in sections("comparisons").values())


def test_runs_are_known_by_what_they_began_as():
    for name, comparison in COMPARISONS.items():
        configs = comparison.configs
        assert comparison_of(tuple(configs)) == name
        assert comparison_of(tuple(c.replace({"seed": 7}) for c in configs)) == name
        assert comparison_of((configs[0], configs[1].replace({"seed": 7}))) is None
        assert comparison_of(tuple(configs[:1])) is None
    assert comparison_of(tuple(PRESETS[name].config for name in COMPARED)) == "objectives"


def test_figures_are_those_measured_about_a_step():
    def curve(*values: float) -> Curve:
        mean = np.array(values, np.float32)
        return Curve(np.arange(10, 10 * len(values) + 1, 10, dtype=np.float32), mean, mean, mean)

    curves = {"w1": curve(3, 2, 1), "modes": curve(0, 4)}
    assert figures_at(curves, 25, ("w1", "modes")) == {"w1": 2, "modes": 4}
    assert figures_at(curves, 9, ("w1",)) == {"w1": 3}  # none by then, but soon after
    assert figures_at(curves, 40, ("w1",)) == {"w1": 1}
    assert figures_at(curves, 50, ("w1",)) is None  # too early to tell
    assert figures_at(curves, 99, ("js",)) is None
