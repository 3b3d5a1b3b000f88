"""Draws 16 pictures of 1024 pixels while a run trains: memory, time, and what training keeps.

    .venv/bin/python -m benchmarks.large_pictures

The generator has the official progressive GAN's widths and random weights.
"""

from __future__ import annotations

import json
import resource
import threading
import time

import torch

from wgan.config import from_dict
from wgan.runs.run import Run
from wgan.threads import use_training_threads
from wgan.zoo.checkpoint import Checkpoint
from wgan.zoo.drawing import draw_file
from wgan.zoo.families import from_plain

SIZE = 1024


def main() -> None:
    use_training_threads()
    maps = [min(16384 // (4 * 2**s), 512) for s in range(9)]
    values = {"family": "progressive", "variant": "karras", "latent_dim": 512}
    architecture = from_plain({**values, "maps": maps, "channels": 3})
    generator = architecture.build().eval().requires_grad_(False)
    for tensor in generator.state_dict().values():
        tensor.normal_()
    checkpoint = Checkpoint(architecture, generator)
    run = Run(
        "drawing",
        from_dict({"data": "ring8", "width": 128, "objective": "wgan", "constraint": "gp"}),
    )
    run.prepare()
    run.play()
    alone = _rate(run, until=time.monotonic() + 10)
    before = _peak()
    done = threading.Event()
    drawing: dict[str, float] = {}

    def draw() -> None:
        started = time.monotonic()
        path = draw_file(checkpoint, torch.randn(16, 512), lambda *_: None, lambda: False)
        drawing["seconds"] = time.monotonic() - started
        drawing["file_mb"] = path.stat().st_size / 1e6
        path.unlink()
        done.set()

    threading.Thread(target=draw, daemon=True).start()
    during = _rate(run, done=done)
    print(
        json.dumps(
            {
                "peak_mb": round(_peak()),
                "before_mb": round(before),
                "steps_per_second_alone": round(alone, 1),
                "steps_per_second_meanwhile": round(during, 1),
                "kept": round(during / alone, 2),
                **{name: round(value, 1) for name, value in drawing.items()},
            }
        )
    )


def _rate(run: Run, until: float = 0.0, done: threading.Event | None = None) -> float:
    """Steps a second until a time, or until something is done."""
    first, started = run.steps, time.monotonic()
    while time.monotonic() < until or (done is not None and not done.is_set()):
        run.advance(0.05)
    return (run.steps - first) / (time.monotonic() - started)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
