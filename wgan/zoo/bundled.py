"""The generators that ship with the project, in `checkpoints/`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from wgan.zoo.architecture import ZooError
from wgan.zoo.checkpoint import CONFIG, read_config

FOLDER = Path(__file__).parents[2] / "checkpoints"
# What a visitor sees first, and those that are to be compared side by side.
_ORDER = (
    "avatars-wgan-gp",
    "digits-gan",
    "digits-wgan-clip",
    "digits-wgan-gp",
    "ring-gan",
    "ring-wgan-gp",
    "grid-wgan-gp",
)
_METHODS = {"gan": "GAN", "wgan-clip": "clipping", "wgan-gp": "WGAN-GP"}


@dataclass(frozen=True)
class Bundled:
    """One checkpoint on disk. label, summary: data and method; modes and steps, in a few words."""

    name: str
    folder: Path
    label: str
    summary: str

    def thumbnail(self, side: int) -> bytes:
        """Its samples as a PNG of at most so many pixels each way."""
        with Image.open(self.folder / "samples.png") as picture:
            small = picture.convert("RGBA")
            small.thumbnail((side, side), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        small.save(out, "PNG")
        return out.getvalue()


def bundled() -> list[Bundled]:
    """All checkpoints of `checkpoints/`, the most telling first."""
    places = sorted(path.parent for path in FOLDER.glob(f"*/{CONFIG}"))
    found = [_read(place) for place in places]
    order = {name: number for number, name in enumerate(_ORDER)}
    return sorted(found, key=lambda one: order.get(one.name, len(order)))


def find(name: str) -> Bundled:
    """The bundled checkpoint of a name. Raises `ZooError` for a name that is none."""
    for one in bundled():
        if one.name == name:
            return one
    names = ", ".join(one.name for one in bundled())
    raise ZooError(f"There is no bundled generator {name[:60]!r}; there are {names}.")


def _read(folder: Path) -> Bundled:
    config = read_config(folder / CONFIG)
    figures, steps = config.get("figures") or {}, config.get("steps")
    words = [f"{figures['modes']} of {figures['modes_total']} modes"] if "modes" in figures else []
    words += [f"{steps:,} steps"] if isinstance(steps, int) else []
    data, _, method = folder.name.partition("-")
    label = f"{data.capitalize()} · {_METHODS.get(method, method)}"
    return Bundled(folder.name, folder, label, " · ".join(words))
