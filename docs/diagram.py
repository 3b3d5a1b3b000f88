"""The architecture as the imports have it: `python -m docs.diagram` draws it into architecture.md.

`FLOORS` says what may import what: a package or module of `wgan` imports only from floors below its
own. tests/test_architecture.py holds the code against it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- diagram -->\n", "<!-- end of diagram -->"

# From the ground up. Who stands on the same floor does not import one another.
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "errors",
        "files",
        "nested",
        "words",
        "types",
        "threads",
        "stages",
        "objectives",
        "constraints",
    ),
    ("config", "state_copy"),
    ("recipes", "sizes", "advice", "frame", "hub", "networks", "losses", "optimizers"),
    ("presets", "data"),
    ("labels", "trainer"),
    ("theory",),
    ("metrics",),
    ("diagnostics", "plots"),
    ("runs",),
    ("persistence",),
    ("zoo", "server"),
    ("studies", "protocol", "export", "info", "comparisons"),
    ("live",),
    ("ui", "cli"),
    ("app", "pages", "__main__"),
)
LEAVES = (
    FLOORS[0] + FLOORS[1] + FLOORS[2] + ("recipes", "sizes", "advice", "frame", "labels", "presets")
)


def modules() -> dict[str, Path]:
    """All modules of the app by their dotted names, packages without `__init__`."""
    files = [*ROOT.glob("wgan/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]
    names = (file.relative_to(ROOT).with_suffix("").parts for file in files)
    return {
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts): file
        for parts, file in zip(names, files, strict=True)
    }


def unit(module: str) -> str:
    """The package or top module of `wgan` that a module belongs to; `pages` or `app` above it."""
    first, *rest = module.split(".")
    return rest[0] if first == "wgan" and rest else first


def imports() -> Iterator[tuple[str, str]]:
    """(module, module of the app that it imports), wherever in the code the import stands."""
    known = modules()
    for name, file in known.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            targets: list[str] = []
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                # `from wgan import config` imports a module, `from wgan.config import X` a name.
                whole = [f"{node.module}.{alias.name}" for alias in node.names]
                targets = [target if target in known else node.module for target in whole]
            yield from ((name, target) for target in targets if target.split(".")[0] == "wgan")


def arrows() -> dict[str, set[str]]:
    """Which other units each unit imports."""
    found: dict[str, set[str]] = {unit(module): set() for module in modules()}
    for module, target in imports():
        if unit(module) != unit(target):
            found[unit(module)].add(unit(target))
    return found


def upward() -> list[str]:
    """Every import that does not lead to a lower floor, as `module -> module`."""
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    return sorted(
        f"{module} -> {target}"
        for module, target in imports()
        if unit(module) != unit(target) and floor[unit(target)] >= floor[unit(module)]
    )


def _direct(found: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """The arrows that no longer way through other packages makes superfluous; without leaves."""
    packages = {name: targets - set(LEAVES) for name, targets in found.items()}

    def reached(start: str) -> set[str]:
        return packages[start].union(*(reached(target) for target in packages[start]))

    for name in sorted(packages.keys() - set(LEAVES)):
        beyond = set().union(*(reached(target) for target in packages[name]))
        yield from ((name, target) for target in sorted(packages[name] - beyond))


def diagram() -> str:
    """The packages and their arrows in Mermaid, which code hosts draw."""
    lines = [f"    {name} --> {target}" for name, target in _direct(arrows())]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```", ""])


def drawn() -> str:
    """The page with the diagram as the code has it now."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + diagram() + END + rest.partition(END)[2]


def main() -> int:
    PAGE.write_text(drawn(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
