"""What is public of a run besides its page: facts as JSON, and a picture of its samples."""

from __future__ import annotations

import dataclasses
import io
import math
from typing import Any

from wgan.server.registry import lab

CARD = (1200, 630)  # pixels: the size that link previews show


def facts(id: str) -> dict[str, Any] | None:
    """The state of a run in memory; None when there is none. Asking does not count as watching."""
    run = lab().peek(id)
    if run is None:
        return None
    frame, m = run.frame, run.frame.metrics
    measured = {name: getattr(m, name, None) for name in ("modes", "modes_total", "w1")}
    return {
        "id": run.id,
        "state": run.state,
        "step": run.steps,
        "seconds": round(frame.seconds, 3),
        "steps_per_second": round(frame.steps_per_second, 2),
        "config": dataclasses.asdict(run.config),
        "events": [{"step": e.step, "kind": e.kind, "text": e.text} for e in frame.events],
        **{name: _finite(value) for name, value in measured.items()},
    }


def server_facts() -> dict[str, int]:
    """How busy the server is. steps: generator steps of all runs in memory."""
    runs = [run for id in lab().ids() if (run := lab().peek(id)) is not None]
    return {
        "runs": len(runs),
        "training": lab().training(),
        "steps": sum(run.steps for run in runs),
    }


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None


def card(id: str) -> bytes | None:
    """A PNG of a run's samples on a plain ground, for link previews; None without samples."""
    from PIL import Image  # here: few ask for it

    from wgan.zoo.pictures import picture

    run = lab().peek(id)
    if run is None or run.frame.view is None:
        return None
    samples = Image.open(io.BytesIO(picture(run.frame.view))).convert("RGBA")
    side = CARD[1] - 60
    scale = side / max(samples.size)
    size = (round(samples.width * scale), round(samples.height * scale))
    samples = samples.resize(size, Image.Resampling.NEAREST if scale > 2 else Image.Resampling.BOX)
    ground = Image.new("RGBA", CARD, "white")
    place = ((CARD[0] - size[0]) // 2, (CARD[1] - size[1]) // 2)
    ground.alpha_composite(samples, place)
    out = io.BytesIO()
    ground.convert("RGB").save(out, "PNG")
    return out.getvalue()
