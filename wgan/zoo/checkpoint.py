"""Our format: a folder that holds a trained generator and all that is known of it.

`config.json` (architecture, experiment, figures), `model.safetensors`, `history.json` (the curves),
`events.json` (the log, for `replay`), `samples.png` and `README.md`, a model card for the Hub.
Only the first two are needed to draw samples.
"""

from __future__ import annotations

import io
import json
import math
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from wgan.config import ConfigError, ExperimentConfig, from_dict
from wgan.files import open_regular, read_bounded
from wgan.hub import FILES
from wgan.persistence import run_files
from wgan.runs.export import RunExport
from wgan.types import Curve, Event
from wgan.zoo.architecture import Architecture, LabNetworks, ZooError, check_size, load_strictly
from wgan.zoo.card import card_of_import, card_of_run
from wgan.zoo.families import from_plain
from wgan.zoo.formats.weights import read_tensors
from wgan.zoo.importers import Imported
from wgan.zoo.pictures import picture

CONFIG, WEIGHTS = "config.json", "model.safetensors"
HISTORY, EVENTS = "history.json", "events.json"
_MAX_CARD = 200_000  # bytes
_MAX_FIGURE = 10**15
# What values of other kinds than expected end in.
_BROKEN = (
    OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError,
)  # fmt: skip
_MAX_CURVE = 20_000  # points


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A generator ready to draw from, on the CPU in evaluation mode, and what is known of it.

    critic: where it was kept; it takes samples in the range of the generator's output.
    experiment, steps, figures, command: how it was made, where that is known. curves, events: as
    in `wgan.frame.Frame`. card: the README without its front matter.
    """

    architecture: Architecture
    generator: nn.Module
    critic: nn.Module | None = None
    experiment: ExperimentConfig | None = None
    steps: int | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    command: str | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    card: str = ""

    @property
    def is_points(self) -> bool:
        return len(self.architecture.sample_shape) == 1

    @property
    def _at_once(self) -> int:
        """How many samples are made together: 64 of 128 pixels, one of 1024."""
        return max(1, min(64, 2**20 // math.prod(self.architecture.sample_shape[1:])))

    @torch.no_grad()
    def sample(self, latents: Tensor) -> Tensor:
        """G(z): (N, latent_dim) -> (N, *sample_shape), images in [−1, 1] whatever the output."""
        x = torch.cat([self.generator(some) for some in latents.split(self._at_once)])
        return x * 2 - 1 if self.architecture.output == "sigmoid" and not self.is_points else x

    def with_output(self, output: str) -> Checkpoint:
        """The same weights before another last activation, where no file tells which it was.

        Raises `ZooError` where it is known.
        """
        if output not in getattr(self.architecture, "outputs", ()):
            raise ZooError(f"The last activation is known here; it cannot be {output!r}.")
        architecture = self.architecture.with_output(output)  # pyright: ignore
        generator = architecture.skeleton()
        generator.load_state_dict(self.generator.state_dict(), assign=True)
        return replace(
            self, architecture=architecture, generator=generator.eval().requires_grad_(False)
        )

    @torch.no_grad()
    def score(self, samples: Tensor) -> Tensor:
        """D(x) of samples as `sample` gives them: (N,). Raises `ZooError` without a critic."""
        if self.critic is None:
            raise ZooError("This checkpoint holds no critic.")
        sigmoid = self.architecture.output == "sigmoid" and not self.is_points
        return self.critic((samples + 1) / 2 if sigmoid else samples)


def save_run(saved: RunExport, folder: Path, title: str | None = None) -> None:
    """Writes a run as a checkpoint. Raises `OSError` when the folder cannot be written."""
    run_files.save(saved, folder)
    (folder / "samples.png").write_bytes(picture(saved.view))
    (folder / "README.md").write_text(card_of_run(saved, title), encoding="utf-8")


def zip_of_run(saved: RunExport) -> bytes:
    """A run as a checkpoint folder, zipped: what the lab's page hands out."""
    with tempfile.TemporaryDirectory() as place:
        save_run(saved, Path(place))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archived:
            for name in FILES:
                archived.write(Path(place) / name, name)
    return out.getvalue()


def save_imported(imported: Imported, folder: Path) -> None:
    """Writes a generator that came from elsewhere in our format. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "format": run_files.FORMAT,
        "architecture": imported.architecture.to_dict(),
        "note": imported.note,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    weights = imported.generator.state_dict()
    save_file(
        {f"generator.{name}": tensor.contiguous() for name, tensor in weights.items()},
        folder / WEIGHTS,
    )
    checkpoint = Checkpoint(imported.architecture, imported.generator)
    latents = torch.randn(64, imported.architecture.latent_dim, generator=torch.Generator())
    (folder / "samples.png").write_bytes(picture(checkpoint.sample(latents)))
    (folder / "README.md").write_text(card_of_import(imported), encoding="utf-8")


def open_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint in a folder; curves and card are left out where they cannot be read.

    Raises `ZooError` when the generator cannot be had from it.
    """
    config = read_config(folder / CONFIG)
    architecture = from_plain(config.get("architecture"))
    check_size(architecture.skeleton())
    networks = _split(read_tensors(folder / WEIGHTS))
    generator = architecture.build()
    # What was on screen: the averaged generator where there was one.
    weights = networks.get("averaged") or networks.get("generator")
    if weights is None:
        raise ZooError("model.safetensors holds no tensors named 'generator.…'.")
    load_strictly(generator, weights, "generator")
    critic = None
    if "critic" in networks and isinstance(architecture, LabNetworks):
        critic = architecture.build_critic()
        load_strictly(critic, networks["critic"], "critic")
        critic.eval().requires_grad_(False)
    steps, figures, command = (config.get(name) for name in ("steps", "figures", "command"))
    return Checkpoint(
        architecture=architecture,
        generator=generator.eval().requires_grad_(False),
        critic=critic,
        experiment=_experiment(config.get("experiment")),
        steps=steps if isinstance(steps, int) and _is_figure(steps) else None,
        figures=_figures(figures),
        command=command[:10_000] if isinstance(command, str) else None,
        curves=_read_curves(folder / HISTORY),
        events=_read_events(folder / EVENTS),
        card=_read_card(folder / "README.md"),
    )


def is_ours(folder: Path) -> bool:
    """Whether a folder says that it is of our format, whatever is in it."""
    try:
        read_config(folder / CONFIG)
    except ZooError:
        return False
    return True


def read_config(path: Path) -> dict[str, Any]:
    """The `config.json` of our format as plain values. Raises `ZooError` for any other file."""
    try:
        values = json.loads(read_bounded(path, run_files.MAX_JSON))
    except FileNotFoundError:
        raise ZooError(
            f"There is no {path.name} in {path.parent}; "
            f"a checkpoint of ours has {', '.join(FILES)}."
        ) from None
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise ZooError(f"{path.name} is not valid JSON.") from None
    if not isinstance(values, dict) or values.get("format") != run_files.FORMAT:
        raise ZooError(
            f"{path.name} is not of the format {run_files.FORMAT!r}; "
            "`python -m wgan import` reads other people's files."
        )
    return values


def _split(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """`generator.0.weight` -> {"generator": {"0.weight": …}}."""
    networks: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        network, _, rest = name.partition(".")
        if network not in ("generator", "critic", "averaged"):
            raise ZooError(
                f"model.safetensors has a tensor {name!r}; "
                "expected names that begin with generator, critic or averaged."
            )
        networks.setdefault(network, {})[rest] = tensor
    return networks


def _experiment(values: Any) -> ExperimentConfig | None:
    try:
        return from_dict(values) if values is not None else None
    except ConfigError:
        return None


def _figures(values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        return {}
    return {str(k): v for k, v in values.items() if _is_figure(v)}


def _is_figure(value: Any) -> bool:
    """A number that can be shown: JSON may have thousands of digits, infinity and NaN."""
    return isinstance(value, (int, float)) and abs(value) < _MAX_FIGURE


def _read_curves(path: Path) -> dict[str, Curve]:
    try:
        values = json.loads(read_bounded(path, run_files.MAX_JSON))
        arrays = {
            name: Curve(*(np.array(curve[part], np.float32) for part in Curve._fields))
            for name, curve in values.items()
        }
    except _BROKEN:
        return {}
    sound = all(
        part.ndim == 1
        and len(part) == len(curve.step) <= _MAX_CURVE
        and np.isfinite(curve.step).all()
        for curve in arrays.values()
        for part in curve
    )
    return arrays if sound else {}


def _read_events(path: Path) -> tuple[Event, ...]:
    """What was done on the way, for the markers on the curves."""
    try:
        events = json.loads(read_bounded(path, run_files.MAX_JSON))["events"][:1000]
        return tuple(
            Event(int(event["step"]), "change", str(event["text"])[:200])
            for event in events
            if _is_figure(event["step"])
        )
    except _BROKEN:
        return ()


def _read_card(path: Path) -> str:
    try:
        with open_regular(path) as file:
            text = file.read(_MAX_CARD).decode("utf-8", "replace")
    except OSError:
        return ""
    if text.startswith("---\n"):
        _, _, text = text.removeprefix("---\n").partition("\n---\n")
    return text.strip()
