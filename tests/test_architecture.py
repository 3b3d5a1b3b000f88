"""The house: nothing imports upwards, its map is complete, and no part is too large to read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from benchmarks.mutants import MUTANTS, Mutant
from docs import diagram

LINES, METHODS, FUNCTION = 350, 25, 60
# What is larger, and why.
LARGER_MODULES = {
    "wgan.config": "all fields of an experiment in one table, with their ranges",
    "wgan.data.avatars": "the drawing of a face, feature by feature",
    "wgan.plots.curves": "the charts of the lab, over one class that draws curves",
    "wgan.runs.loop": "all that the training thread does with a run",
    "wgan.server.registry": "all that is done with the runs of a server, under one lock",
    "wgan.trainer": "one step of training and what it needs, read from top to bottom",
}
LARGER_CLASSES = {
    "wgan.runs.run.Run": "all that may be done with a run, a line each, by who may do it",
    "wgan.runs.loop.RunLoop": "all that the training thread does with a run",
    "wgan.server.registry.Lab": "all that is done with the runs of a server, under one lock",
    "wgan.trainer.Trainer": "one step of training and what it needs",
}
LONGER_FUNCTIONS = {
    "wgan.live.theory.dual.build": "one figure of the page Theory, from top to bottom",
    "wgan.zoo.formats.pickles.Trace._follow": "one branch an opcode, in one place",
}


def test_nothing_imports_upwards():
    floors = [name for floor in diagram.FLOORS for name in floor]
    assert len(floors) == len(set(floors))
    assert diagram.arrows().keys() - {"wgan"} == set(floors)
    assert diagram.upward() == []


def test_an_import_inside_of_a_function_counts(monkeypatch: pytest.MonkeyPatch):
    """`wgan.runs` imports the trainer late; were that upward, it would be found all the same."""
    assert ("wgan.runs.loop", "wgan.trainer") in set(diagram.imports())
    turned = tuple(reversed(diagram.FLOORS))
    monkeypatch.setattr(diagram, "FLOORS", turned)
    assert "wgan.runs.loop -> wgan.trainer" in diagram.upward()


def test_the_diagram_is_drawn_from_the_imports():
    assert diagram.PAGE.read_text() == diagram.drawn(), "python -m docs.diagram draws it anew"


def test_the_map_names_every_part():
    page = diagram.PAGE.read_text()
    named = set(re.findall(r"`(?:wgan/)?(\w+)(?:/|\.py)`", page))
    assert diagram.arrows().keys() - {"wgan"} <= named
    for path in re.findall(r"`((?:wgan/)?\w+(?:/|\.py))`", page):
        assert (diagram.ROOT / path).exists(), path


def test_no_module_is_too_long():
    long = {
        name
        for name, file in diagram.modules().items()
        if len(file.read_text(encoding="utf-8").splitlines()) > LINES
    }
    assert long == LARGER_MODULES.keys()


Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def definitions() -> Iterator[tuple[str, Definition]]:
    """Every class and function with its dotted name."""

    def inside(name: str, node: ast.AST) -> Iterator[tuple[str, Definition]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Definition):
                yield f"{name}.{child.name}", child
                yield from inside(f"{name}.{child.name}", child)

    for name, file in diagram.modules().items():
        yield from inside(name, ast.parse(file.read_text(encoding="utf-8")))


def test_no_class_has_too_many_methods():
    large = {
        name
        for name, node in definitions()
        if isinstance(node, ast.ClassDef)
        and sum(isinstance(child, Definition) for child in node.body) > METHODS
    }
    assert large == LARGER_CLASSES.keys()


def test_no_function_is_too_long():
    long = {
        name
        for name, node in definitions()
        if not isinstance(node, ast.ClassDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION
    }
    assert long == LONGER_FUNCTIONS.keys()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_finds_what_it_breaks(mutant: Mutant):
    text = (diagram.ROOT / "wgan" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
