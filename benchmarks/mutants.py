"""Breaks the code in one place at a time and shows the test of the default suite that fails.

    python -m benchmarks.mutants [WORD …]     only mutants with such a word in their name

Each mutant is applied to a copy of the tree; the tests it names are run there and must fail. The
exit status is the number of survivors. A mutant whose text is not found once is an error: it
has to be written again when the code that it breaks is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "node_modules")


@dataclass(frozen=True)
class Mutant:
    """`old` becomes `new` in a file of wgan/; `test` is what pytest is given, words apart."""

    name: str
    file: str
    old: str
    new: str
    test: str


MUTANTS = (
    Mutant(
        "gradient penalty at the real points",
        "losses.py",
        "critic, alpha * real + (1 - alpha) * fake, faults",
        "critic, real, faults",
        "tests/test_reference.py",
    ),
    Mutant(
        "λ is a constant",
        "trainer.py",
        "weight=c.gp_weight",
        "weight=10.0",
        "tests/test_reference.py",
    ),
    Mutant(
        "k is a constant",
        "trainer.py",
        "target=c.gp_target",
        "target=1.0",
        "tests/test_reference.py",
    ),
    Mutant(
        "RMSProp with smoothing .5 and momentum .9",
        "trainer.py",
        "torch.optim.RMSprop(parameters, lr)",
        "torch.optim.RMSprop(parameters, lr, alpha=0.5, momentum=0.9)",
        "tests/test_reference.py",
    ),
    Mutant(
        "the betas are constants",
        "trainer.py",
        'group["betas"] = (config.beta1, config.beta2)',
        'group["betas"] = (0.5, 0.9)',
        "tests/test_reference.py",
    ),
    Mutant(
        "the script's activations are the identity",
        "export/script.py",
        "activation=_ACTIVATIONS[config.activation]",
        'activation="nn.Identity()"',
        "tests/test_script.py",
    ),
    Mutant(
        "the script's outputs are linear",
        "export/script.py",
        "output=_OUTPUTS[config.output]",
        'output=""',
        "tests/test_script.py",
    ),
    Mutant(
        "the script's critic is updated once",
        "export/templates/script.py.jinja",
        "for _ in range(CRITIC_STEPS):",
        "for _ in range(1):",
        "tests/test_script.py",
    ),
    Mutant(
        "runs are saved once and never again",
        "lab/autosave.py",
        "wait = EVERY\n",
        "wait = 1e9\n",
        "tests/test_killed.py",
    ),
)


def failing_test(tree: Path, mutant: Mutant) -> str | None:
    """The first test that fails on the mutant, None when all pass."""
    path = tree / "wgan" / mutant.file
    code = path.read_text(encoding="utf-8")
    if code.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.name}: its text is not in wgan/{mutant.file} just once.")
    path.write_text(code.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *mutant.test.split()],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
    finally:
        path.write_text(code, encoding="utf-8")
    if done.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode != 1 or failed is None:
        raise SystemExit(f"{mutant.name}: pytest could not run.\n{done.stdout}{done.stderr}")
    return failed[1]


def main(words: list[str]) -> int:
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        for mutant in chosen:
            began = time.monotonic()
            test = failing_test(tree, mutant)
            survivors += test is None
            took = f"{time.monotonic() - began:.0f} s"
            print(f"{mutant.name}: {test or f'SURVIVES {mutant.test}'} ({took})", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} killed")
    return survivors


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
