"""An experiment as one PyTorch script that needs nothing of this project.

The templates beside this file hold every branch; a script shows the ones that its config uses.
"""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from wgan.config import POINT_DATA, ConfigError, ExperimentConfig, image_data
from wgan.constraints import constraint
from wgan.data import title
from wgan.objectives import objective
from wgan.types import Event

MAX_POINTS = 90  # drawn by hand, that still fit into a script that people read
MAX_LINES = 150
DATA = (*POINT_DATA, "digits", "patches")
_MODES = ("ring8", "grid25", "digits")  # where the script can count modes as we do
_CONSTRAINTS = ("none", "clip", "gp", "gp_onesided", "r1", "r2")  # those of the template
_IMPORT = "from torch.nn.functional import "
_ACTIVATIONS = {
    "relu": "nn.ReLU()",
    "leaky_relu": "nn.LeakyReLU(0.2)",
    "tanh": "nn.Tanh()",
    "elu": "nn.ELU()",
    "softplus": "nn.Softplus()",
    "silu": "nn.SiLU()",
}
_OUTPUTS = {"linear": "", "tanh": ", nn.Tanh()", "sigmoid": ", nn.Sigmoid()"}


def refusal(config: ExperimentConfig) -> str | None:
    """Why there can be no script of this experiment, in one sentence; None when there can."""
    if config.data not in DATA:
        return (
            f"A script of its own cannot bring the data along ({title(config.data)}); "
            "it can make 2-D data, the small digits and the photo patches."
        )
    if len(config.points) > MAX_POINTS:
        return (
            f"{len(config.points):,} drawn points are too many to write into a script; "
            f"it takes up to {MAX_POINTS}."
        )
    if config.network == "resnet":
        return "Residual networks are not among what a script can have; it has MLPs and DCGANs."
    if config.constraint not in _CONSTRAINTS:
        return f"A script cannot have the constraint {constraint(config.constraint).label}."
    if config.faults:
        return "A script has no deliberate bugs; switch them off first."
    if config.fakes != "generated":
        return "A script trains a generator; this experiment has noise in its place."
    if config.freeze_g or config.freeze_d:
        return "A script trains both networks; one of them is frozen here."
    if config.precision != "float32":
        return "A script computes in float32; this experiment is set to bfloat16."
    return None


def script(
    config: ExperimentConfig,
    *,
    steps: int = 3000,
    events: Sequence[Event] = (),
    file: str = "run.py",
) -> str:
    """The script's text, at most 150 lines: networks, losses, optimisers and counting as here.

    steps: its default length, in generator steps. events: of the run whose settings these are;
    changes on the way are told in a comment, and the script begins with the settings after them.
    file: what its own help calls it.

    Raises `ConfigError` for an experiment that it cannot express; see `refusal`.
    """
    if (why := refusal(config)) is not None:
        raise ConfigError(why)
    images = not config.is_points
    text = (
        _environment()
        .get_template("script.py.jinja")
        .render(
            c=config,
            critic_loss=_loss(objective(config.objective).critic_loss),
            generator_loss=_loss(objective(config.objective).generator_loss),
            data=config.data,
            title=title(config.data),
            file=_plain(file),
            steps=steps,
            changes=_changes(events),
            images=images,
            channels=image_data(config.data)[0] if images else 0,
            mlp=config.network == "mlp",
            hidden=lambda side: _hidden(getattr(config, f"hidden_{side}")),
            modes=config.data in _MODES,
            sigmoid=config.output == "sigmoid",
            functional=_functional(config),
            dropout=f", nn.Dropout({config.dropout_d})" if config.dropout_d else "",
            activation=_ACTIVATIONS[config.activation],
            output=_OUTPUTS[config.output],
            normed=lambda kind: _norm(kind, maps=config.network == "dcgan"),
            optimizer=lambda side: _optimizer(config, side),
        )
    )
    return text.rstrip("\n") + "\n"


@functools.cache
def _environment() -> Environment:
    # A script is no web page: nothing to escape, and blocks leave no empty lines behind.
    return Environment(
        loader=PackageLoader("wgan.export"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def _changes(events: Sequence[Event]) -> list[str]:
    """What was changed on the way, as lines of the script's docstring."""
    there = [event for event in events if event.kind == "change"]
    if not there:
        return []
    lines = ["", "The run was changed on the way; the script has its last settings from the start:"]
    shown = there if len(there) <= 6 else there[-6:]
    if shown is not there:
        lines.append(f"    {len(there) - len(shown)} earlier changes")
    return lines + [f"    step {event.step:,}: {_plain(event.text)}" for event in shown]


def _plain(text: str) -> str:
    """A line that can stand in a docstring, whatever is in it."""
    line = " ".join(text.replace("\\", "").replace('"', "").split())
    return line if len(line) <= 80 else line[:79] + "…"


def _lines(function: Callable[..., Any]) -> list[str]:
    """The body of a function of the table, without its indentation."""
    _, _, body = inspect.getsource(function).partition(":\n")
    return textwrap.dedent(body).strip().split("\n")


def _loss(function: Callable[..., Any]) -> str:
    """A loss as `wgan.objectives` computes it; the script imports at its top."""
    lines = [line for line in _lines(function) if not line.startswith(_IMPORT)]
    return textwrap.indent("\n".join(lines).strip(), "    ")


def _functional(config: ExperimentConfig) -> list[str]:
    """What the script takes from `torch.nn.functional`; never nothing of it twice."""
    entry = objective(config.objective)
    lines = [*_lines(entry.critic_loss), *_lines(entry.generator_loss)]
    names = {line.rpartition(" ")[2] for line in lines if line.startswith(_IMPORT)}
    if config.data == "digits" and config.image_size != 8:
        names.add("interpolate")
    return sorted(names)


def _hidden(widths: tuple[int, ...]) -> str:
    """The units of the hidden layers as a list: `[128] * 3`."""
    if len(widths) > 1 and len(set(widths)) == 1:
        return f"[{widths[0]}] * {len(widths)}"
    return str(list(widths))


def _norm(kind: str, *, maps: bool) -> str:
    """A normalisation layer and the comma after it, or nothing."""
    kinds = {
        "batch": "nn.BatchNorm2d(maps), " if maps else "nn.BatchNorm1d(units), ",
        "layer": "nn.LayerNorm([maps, size, size]), " if maps else "nn.LayerNorm(units), ",
        "instance": "nn.InstanceNorm2d(maps, affine=True), "
        if maps
        else "nn.LayerNorm(units, elementwise_affine=False), ",
    }
    return kinds.get(kind, "")


def _optimizer(config: ExperimentConfig, side: str) -> str:
    """The constructor's call, for the side "g" or "d"."""
    kind, lr = getattr(config, f"optimizer_{side}"), getattr(config, f"lr_{side}")
    parameters = f"{'generator' if side == 'g' else 'critic'}.parameters(), lr={lr}"
    if kind == "adam":
        return f"Adam({parameters}, betas=({config.beta1}, {config.beta2}))"
    return f"RMSprop({parameters})" if kind == "rmsprop" else f"SGD({parameters})"
