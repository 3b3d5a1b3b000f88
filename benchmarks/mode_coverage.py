"""Do the presets do what they say? Runs each claim for several seeds through the command line.

    python benchmarks/mode_coverage.py [--seeds 10] [--jobs 2] [--only NAME …]

Prints one line a run and one a claim; exits 1 when a claim does not hold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

Result = dict[str, Any]
# What `Cure it` on the page sets.
CURE = ["objective=wgan", "constraint=gp", "critic_steps=5"]
CURE_RING = [*CURE, "lr=1e-3", "beta1=0.5", "beta2=0.9", "gp_weight=0.1", "ema=0.99"]


@dataclass(frozen=True)
class Claim:
    """What `train ARGUMENTS` should end with, in at least `share` of the seeds."""

    name: str
    arguments: list[str]
    holds: Callable[[Result], bool]
    share: float
    words: str


CLAIMS = [
    Claim(
        "ring-wgan-gp",
        ["ring-wgan-gp", "--seconds", "60"],
        lambda r: r["modes"] == 8,
        0.8,
        "8 of 8 modes in 60 s",
    ),
    Claim(
        "ring-gan",
        ["ring-gan", "--seconds", "60"],
        lambda r: r["modes"] <= 3,
        0.8,
        "at most 3 of 8 modes at 60 s",
    ),
    Claim(
        "ring-cured",
        ["ring-gan", "--seconds", "60", "--at", f"9000:{CURE_RING[0]}", *CURE_RING[1:]],
        lambda r: r["modes"] == 8 and len(r["events"]) == 1,
        0.8,
        "ring-gan switched to WGAN-GP at step 9,000: 8 of 8 at 60 s",
    ),
    Claim(
        "grid-wgan-gp",
        ["grid-wgan-gp", "--seconds", "120"],
        lambda r: r["modes"] >= 23 and r["modes_any"] == 25,
        0.8,
        "23 of 25 modes, 25 by the papers' count, in 120 s",
    ),
    Claim(
        "digits-gan",
        ["digits-gan", "--seconds", "30"],
        lambda r: r["modes"] <= 2,
        0.9,
        "at most 2 of 10 classes at 30 s",
    ),
    Claim(
        "digits-wgan-gp",
        ["digits-wgan-gp", "--seconds", "60"],
        lambda r: r["modes"] == 10 and r["mode_kl"] <= 0.1,
        0.9,
        "all 10 classes, KL from uniform at most 0.1, in 60 s",
    ),
    Claim(
        "digits-cured",
        # 3,000 steps of the GAN take 8 to 12 s, so that the switch has at most 60 s to work.
        ["digits-gan", "--seconds", "68", "--at", f"3000:{CURE[0]}", *CURE[1:]],
        lambda r: r["modes"] == 10 and len(r["events"]) == 1,
        0.9,
        "digits-gan switched to WGAN-GP at step 3,000: all 10 within 60 s",
    ),
]


def run(claim: Claim, seed: int) -> Result:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "wgan", "train", *claim.arguments]
    command += ["--seed", str(seed), "--device", "cpu", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: Result = json.loads(done.stdout.splitlines()[-1])
    names = ("step", "modes", "modes_any", "modes_total", "high_quality", "mode_kl", "w1")
    figures = " ".join(f"{name}={result[name]}" for name in names)
    held = "ok  " if claim.holds(result) else "MISS"
    print(f"{held} {claim.name} seed={seed} {figures}", flush=True)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one core each")
    parser.add_argument("--only", nargs="+", default=[claim.name for claim in CLAIMS])
    options = parser.parse_args()
    claims = [claim for claim in CLAIMS if claim.name in options.only]
    jobs = [(claim, seed) for claim in claims for seed in range(options.seeds)]
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda job: run(*job), jobs))
    missed = False
    for claim in claims:
        own = [r for (of, _), r in zip(jobs, results, strict=True) if of is claim]
        held = sum(map(claim.holds, own))
        missed |= held < claim.share * len(own)
        print(f"{held} of {len(own)}: {claim.words}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
