"""A run without a screen: trained to its end with a progress bar, and its metrics told."""

from __future__ import annotations

import argparse
import json
import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from wgan.config import ConfigError
from wgan.persistence import run_files
from wgan.runs.run import Run
from wgan.threads import use_training_threads
from wgan.types import Metrics

SLICE = 0.25  # seconds between two looks at the clock


def drive(run: Run, seconds: float | None) -> tuple[float, Metrics]:
    """Trains until the run stops by itself, or for `seconds`.

    Returns the seconds it took, and the figures at its end.

    Raises `ConfigError` when the run cannot begin (no such device, data that cannot be had).
    """
    use_training_threads()
    with _telling(run):
        run.prepare()
    if run.state == "failed":
        raise ConfigError(run.frame.message)
    started = time.monotonic()
    total = run.stop_at if seconds is None else seconds
    with tqdm(total=total, unit="step" if seconds is None else "s", file=sys.stderr) as bar:
        try:
            while run.active:
                left = SLICE if seconds is None else seconds - (time.monotonic() - started)
                if left <= 0:
                    break
                run.advance(min(SLICE, left))
                done = run.steps if seconds is None else time.monotonic() - started
                bar.update(min(round(done, 2), total or 0) - bar.n)
                bar.set_postfix_str(_progress(run))
        except KeyboardInterrupt:
            print("wgan: interrupted; what was trained so far is kept.", file=sys.stderr)
    elapsed = time.monotonic() - started
    metrics = run.measure_now()
    if run.state == "failed":
        print(f"wgan: {run.frame.message}", file=sys.stderr)
    return elapsed, metrics


@contextmanager
def _telling(run: Run) -> Iterator[None]:
    """Says on standard error what is being loaded, once it takes more than a second."""
    loaded = threading.Event()

    def tell() -> None:
        if loaded.wait(1.0):
            return
        with tqdm(bar_format="{desc}", leave=False, file=sys.stderr) as line:
            while not loaded.wait(SLICE):
                line.set_description_str(run.frame.message)

    teller = threading.Thread(target=tell, name="teller", daemon=True)
    teller.start()
    try:
        yield
    finally:
        loaded.set()
        teller.join()


def _progress(run: Run) -> str:
    metrics, words = run.frame.metrics, [f"step {run.steps:,}"]
    if metrics and metrics.modes is not None:
        words.append(f"{metrics.modes}/{metrics.modes_total} modes")
    if metrics and metrics.w1 is not None:
        words.append(f"W1 {metrics.w1:.3g}")
    return ", ".join(words)


def report(
    run: Run,
    seconds: float,
    metrics: Metrics,
    options: argparse.Namespace,
    *,
    preset: str | None,
    **more: Any,
) -> None:
    """The figures at the end: as one JSON line, or in words."""
    steps = run.steps
    result = {
        "preset": preset,
        "config": run.config.to_dict(),
        "step": steps,
        "seconds": round(seconds, 3),
        "steps_per_second": round(steps / seconds, 2) if seconds else None,
        "finite": run.state != "failed",
        "modes": metrics.modes,
        "modes_any": metrics.modes_any,
        "modes_total": metrics.modes_total,
        "mode_kl": _number(metrics.mode_kl),
        "high_quality": _number(metrics.high_quality),
        "w1": _number(metrics.w1),
        "w1_floor": _number(metrics.w1_floor),
        "critic_estimate": _number(metrics.critic_estimate),
        "averaged": metrics.averaged,
        "events": [run_files.plain(event) for event in run.events],
        **more,
    }
    if options.json:
        print(json.dumps(result, allow_nan=False))
        return
    for name, value in result.items():
        if name not in ("config", "events") and value is not None:
            print(f"{name:<17} {value}")


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 5)
