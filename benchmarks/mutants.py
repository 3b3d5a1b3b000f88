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
        "interpolate(real, fake, alpha) if x is None else x, faults",
        "real if x is None else x, faults",
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
        "optimizers.RMSprop(parameters, lr)",
        "optimizers.RMSprop(parameters, lr, alpha=0.5, momentum=0.9)",
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
        "α for each element",
        "losses.py",
        'if "alpha_of_elements" in faults:',
        "if True:",
        "tests/test_reference.py",
    ),
    Mutant(
        "one-sided is two-sided",
        "constraints.py",
        "(norms(gradient, faults) - target).relu()",
        "(norms(gradient, faults) - target)",
        "tests/test_reference.py",
    ),
    Mutant(
        "R1 without its half",
        "constraints.py",
        "return 0.5 * gradient",
        "return gradient",
        "tests/test_reference.py",
    ),
    Mutant(
        "the norm of the whole batch",
        "constraints.py",
        'if "norm_of_batch" in faults:',
        "if True:",
        "tests/test_reference.py",
    ),
    Mutant(
        "LSGAN without its half",
        "objectives.py",
        "return 0.5 * (real - 1).square().mean() + 0.5 * fake",
        "return (real - 1).square().mean() + 0.5 * fake",
        "tests/test_reference.py",
    ),
    Mutant(
        "the saturating loss does not saturate",
        "objectives.py",
        "return logsigmoid(-fake).mean()",
        "return -logsigmoid(fake).mean()",
        "tests/test_reference.py",
    ),
    Mutant(
        "an unknown objective trains as WGAN",
        "objectives.py",
        "    if name not in OBJECTIVES:\n",
        '    name = name if name in OBJECTIVES else "wgan"\n    if name not in OBJECTIVES:\n',
        "tests/test_losses.py",
    ),
    Mutant(
        "clipping spares the biases",
        "losses.py",
        "for parameter in module.parameters(recurse=False):\n",
        "for parameter in list(module.parameters(recurse=False))[:1]:\n",
        "tests/test_reference.py",
    ),
    Mutant(
        "the critic trains on one update",
        "trainer.py",
        "updates = self.config.critic_steps",
        "updates = 1",
        "tests/test_reference.py",
    ),
    Mutant(
        "the generator's learning rate for both",
        "trainer.py",
        'group["lr"] = getattr(config, f"lr_{side}")',
        'group["lr"] = config.lr_g',
        "tests/test_reference.py",
    ),
    Mutant(
        "the average lags by a constant",
        "trainer.py",
        "1 - self.config.ema)",
        "0.1)",
        "tests/test_trainer.py -k average",
    ),
    Mutant(
        "a new optimiser keeps its old state",
        "trainer.py",
        'if f"optimizer_{side}" in changed:',
        "if False:",
        "tests/test_trainer.py tests/test_changes.py",
    ),
    Mutant(
        "looking draws from training",
        "trainer.py",
        "rng = rng or self._rng_noise",
        "rng = self._rng_noise",
        "tests/test_trainer.py -k looking",
    ),
    Mutant(
        "step 0 shares its numbers",
        "trainer.py",
        "number or _STEP_0",
        "number",
        "tests/test_trainer.py -k purpose",
    ),
    Mutant(
        "fakes that are not detached",
        "trainer.py",
        'attached = "fakes_attached" in faults',
        "attached = True",
        "tests/test_losses.py -k attached",
    ),
    Mutant(
        "W1 is not the best assignment",
        "metrics/transport.py",
        "cost[linear_sum_assignment(cost)].mean()",
        "cost.diagonal().mean()",
        "tests/test_metrics.py",
    ),
    Mutant(
        "one sample covers a mode",
        "metrics/coverage.py",
        "COVERED, DRAWN = 20, 2500",
        "COVERED, DRAWN = 1, 2500",
        "tests/test_metrics.py tests/test_claims.py",
    ),
    Mutant(
        "KL without log K",
        "metrics/coverage.py",
        "kl = math.log(total) - torch",
        "kl = -torch",
        "tests/test_metrics.py",
    ),
    Mutant(
        "gradient norms at the real points",
        "metrics/critic.py",
        "critic, interpolate(real, fake, alpha))",
        "critic, real)",
        "tests/test_metrics.py",
    ),
    Mutant(
        "the critic's estimate has the other sign",
        "metrics/critic.py",
        "(critic(real).mean() - critic(fake).mean()).item()",
        "(critic(fake).mean() - critic(real).mean()).item()",
        "tests/test_metrics.py",
    ),
    Mutant(
        "the script's activations are the identity",
        "export/script.py",
        "activation=_ACTIVATIONS[config.activation]",
        'activation="nn.Identity()"',
        "tests/test_script.py -k our_weights",
    ),
    Mutant(
        "the script's outputs are linear",
        "export/script.py",
        "output=_OUTPUTS[config.output]",
        'output=""',
        "tests/test_script.py -k our_weights",
    ),
    Mutant(
        "the script's critic is updated once",
        "export/templates/script.py.jinja",
        "for _ in range(CRITIC_STEPS):",
        "for _ in range(1):",
        "tests/test_script.py -k our_weights",
    ),
    Mutant(
        "the script's average is the last generator",
        "export/templates/script.py.jinja",
        'return {{ "averaged" if c.ema else "generator" }}.eval()',
        "return generator.eval()",
        "tests/test_script.py -k our_weights",
    ),
    Mutant(
        "runs are saved once and never again",
        "persistence/autosave.py",
        "wait = EVERY\n",
        "wait = 1e9\n",
        "tests/test_killed.py",
    ),
    Mutant(
        "a changed run is not saved soon",
        "persistence/autosave.py",
        "wait = CHANGED\n",
        "wait = 1e9\n",
        "tests/test_autosave.py -k when_they_change",
    ),
    Mutant(
        "a failed save is no warning",
        "persistence/autosave.py",
        'self.warning = f"Runs are not',
        '_ = f"Runs are not',
        "tests/test_autosave.py -k disk",
    ),
    Mutant(
        "a file without a checksum",
        "persistence/store.py",
        "if check and str(_checksum",
        "if False and str(_checksum",
        "tests/test_autosave.py -k broken",
    ),
    Mutant(
        "a damaged file is not told",
        "persistence/autosave.py",
        "if self.store is not None and self.store.is_set_aside(id):",
        "if False:",
        "tests/test_autosave.py -k broken",
    ),
    Mutant(
        "anybody is the owner",
        "runs/access.py",
        "return secret is not None and hmac.compare_digest",
        "return secret is not None or hmac.compare_digest",
        "tests/test_access.py",
    ),
    Mutant(
        "whoever watches may change a run",
        "runs/access.py",
        "return self.open or self.is_owner(secret)",
        "return True",
        "tests/test_access.py",
    ),
    Mutant(
        "votes count twice",
        "runs/access.py",
        "if voter in self._votes:",
        "if False:",
        "tests/test_access.py",
    ),
    Mutant(
        "the owner is forgotten on disk",
        "runs/access.py",
        'access._secret_hash = str(values["secret_hash"])',
        "pass",
        "tests/test_access.py",
    ),
    Mutant(
        "the first run has longer turns",
        "server/scheduler.py",
        "return [(run, SLICE) for run in due]",
        "return [(run, SLICE if n else 2 * SLICE) for n, run in enumerate(due)]",
        "tests/test_lab.py -k turns",
    ),
    Mutant(
        "demonstrations have whole turns",
        "server/scheduler.py",
        "(turn, SLICE / 2)",
        "(turn, SLICE)",
        "tests/test_demonstration.py",
    ),
    Mutant(
        "pickles may import anything",
        "zoo/formats/pickles.py",
        "if argument not in KNOWN and argument not in INERT:",
        "if False:",
        "tests/test_tensors.py",
    ),
    Mutant(
        "a weight too many is ignored",
        "zoo/architecture.py",
        "for name in (*expected, *(name for name in tensors if name not in expected)):",
        "for name in (*expected,):",
        "tests/test_importers.py tests/test_checkpoint.py",
    ),
    Mutant(
        "NaN may be a weight",
        "zoo/formats/weights.py",
        "if not (torch.isfinite(low) and torch.isfinite(high)):",
        "if False:",
        "tests/test_tensors.py",
    ),
    Mutant(
        "tensors may claim what the file lacks",
        "zoo/formats/safetensors.py",
        "    if end > size:\n",
        "    if False:\n",
        "tests/test_tensors.py",
    ),
    Mutant(
        "devices are read",
        "files.py",
        "if not stat.S_ISREG(mode):",
        "if False:",
        "tests/test_hostile.py -k regular",
    ),
    Mutant(
        "conditional generators are imported",
        "zoo/importers.py",
        "    _check_unconditional(tensors, settings)\n",
        "",
        "tests/test_importers.py",
    ),
    Mutant(
        "the last network of a file is taken",
        "zoo/importers.py",
        "next((name for name in _GENERATORS if name in owners), None)",
        "next((name for name in reversed(_GENERATORS) if name in owners), None)",
        "tests/test_importers.py",
    ),
    Mutant(
        "zips may overlap",
        "data/zips.py",
        "if member.header_offset < end:",
        "if False:",
        "tests/test_uploads.py -k many_names",
    ),
    Mutant(
        "uploads have no budget of pixels",
        "data/uploads.py",
        "self._pixels -= pixels",
        "pass",
        "tests/test_uploads.py -k budget",
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
