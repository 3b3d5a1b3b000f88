"""What an experiment is: one frozen dataclass, validated, and round-tripped through JSON.

Everything else in the package follows from an `ExperimentConfig`. A config, its seed and the log
of changes that were made to it determine a run completely.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wgan.constraints import CONSTRAINTS
from wgan.errors import UserError
from wgan.objectives import OBJECTIVES

Network = Literal["mlp", "dcgan", "resnet"]
Latent = Literal["normal", "uniform"]
Fakes = Literal["generated", "noisy_real"]
Activation = Literal["relu", "leaky_relu", "tanh", "elu", "softplus", "silu"]
Output = Literal["linear", "tanh", "sigmoid"]
Norm = Literal["none", "batch", "layer", "instance", "spectral"]
Optimizer = Literal["adam", "rmsprop", "sgd"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["float32", "bfloat16"]
Fault = Literal[
    "alpha_normal",
    "alpha_shared",
    "alpha_of_elements",
    "norm_of_batch",
    "norm_of_channels",
    "norm_without_eps",
    "penalty_detached",
    "fakes_attached",
    "sign_flipped",
    "clip_norm_scale",
    "raw_log",
    "range_mismatch",
    "batchnorm_eps",
]

POINT_DATA = ("ring8", "grid25", "swissroll", "moons", "spiral", "twolines", "points")
# Image data sets: name -> (channels, natural height and width in pixels).
IMAGE_DATA = {
    "digits": (1, 8),
    "avatars": (3, 64),
    "patches": (3, 32),
    "mnist": (1, 28),
    "fashion": (1, 28),
    "cifar10": (3, 32),
    "celeba": (3, 64),
    "lsun": (3, 64),
    "folder": (3, 64),
}
DATA = (*POINT_DATA, *IMAGE_DATA)
HUB = "hub:"  # data="hub:OWNER/NAME" is any image data set on the Hub that is stored as parquet
_HUB_IMAGES = (3, 64)
# The Hub's own rules for names; "--" and ".." it refuses too.
_REPO = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")

IMAGE_SIZES = (8, 16, 28, 32, 64, 128)
CONV_SIZES = (8, 16, 32, 64, 128)
MAX_POINTS = 2000
WIDTHS = ("widths_g", "widths_d")

# One name for both networks, as in `--set optimizer=rmsprop lr=5e-5`.
SHORTHANDS = {
    "optimizer": ("optimizer_g", "optimizer_d"),
    "lr": ("lr_g", "lr_d"),
    "norm": ("norm_g", "norm_d"),
}


class ConfigError(UserError, ValueError):
    """A config that cannot be run. The message names the field, the value and what is allowed."""


@dataclass(frozen=True)
class Span:
    """The numbers a field may take: low..high, both included."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


def _span(default: Any, low: float, high: float, live: bool = False) -> Any:
    return field(default=default, metadata={"span": Span(low, high), "live": live})


def _live(default: Any) -> Any:
    return field(default=default, metadata={"live": True})


@dataclass(frozen=True)
class ExperimentConfig:
    """One experiment, complete.

    *Live* fields (see `LIVE_FIELDS`) may change while a run goes on; the others are *structural*:
    changing one means a new run. Raises `ConfigError` when a value is not allowed.

    The defaults are WGAN-GP on the ring of eight Gaussians, with the penalty weight of the
    WGAN-GP authors' toy experiments (Gulrajani et al. 2017, reference code).
    """

    # The data and the two networks (structural).
    data: str = "ring8"
    points: tuple[tuple[float, float], ...] = ()  # data="points": where they were drawn
    folder: str = ""  # data="folder": an uploaded set's name, or the path of a folder or zip
    limit: int = _span(0, 0, 10_000_000)  # at most so many images; 0 is all
    network: Network = "mlp"
    width: int = _span(128, 4, 1024)  # units a layer; channels at the finest convolution
    depth: int = _span(3, 1, 12)  # hidden layers of an MLP
    widths_g: tuple[int, ...] = ()  # units of each hidden layer of an MLP; () is width × depth
    widths_d: tuple[int, ...] = ()
    maxout_d: int = _span(1, 1, 8)  # pieces of a maxout unit in an MLP's critic; 1 is none
    latent_dim: int = _span(2, 1, 512)
    latent: Latent = "normal"
    activation: Activation = "relu"
    output: Output = "linear"
    image_size: int = 8  # pixels, height and width; ignored by 2-D data
    fakes: Fakes = "generated"  # noisy_real: real + N(0, 1), no generator (WGAN-GP, Fig. 1a)

    # The game (live).
    objective: str = _live("wgan")  # of `wgan.objectives`
    constraint: str = _live("gp")  # of `wgan.constraints`
    clip_value: float = _span(0.01, 1e-4, 10, live=True)  # c: weights stay in [-c, c]
    gp_weight: float = _span(0.1, 0, 1e4, live=True)  # λ of GP; γ of R1 and R2
    gp_target: float = _span(1.0, 0, 100, live=True)  # the norm the penalty pulls towards
    dropout_d: float = _span(0.0, 0, 0.9, live=True)  # share of the critic's units left out
    norm_g: Norm = _live("none")
    norm_d: Norm = _live("none")
    optimizer_g: Optimizer = _live("adam")
    optimizer_d: Optimizer = _live("adam")
    lr_g: float = _span(1e-3, 0, 10, live=True)
    lr_d: float = _span(1e-3, 0, 10, live=True)
    beta1: float = _span(0.5, 0, 0.9999, live=True)  # Adam only
    beta2: float = _span(0.9, 0, 0.99999, live=True)  # Adam only
    critic_steps: int = _span(5, 1, 100, live=True)  # critic updates a step
    generator_steps: int = _span(1, 1, 100, live=True)  # generator updates a step, after them
    shared_latents: bool = _live(False)  # the generator's updates take the critic's last latents
    batch_size: int = _span(256, 2, 4096, live=True)
    ema: float = _span(0.0, 0, 0.99999, live=True)  # decay of the averaged generator; 0 is off
    freeze_g: bool = _live(False)
    freeze_d: bool = _live(False)
    faults: tuple[Fault, ...] = _live(())  # deliberate bugs, as found in public code

    # Where it runs (structural).
    seed: int = _span(0, 0, 2**31 - 1)
    device: Device = "auto"
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        for name in FIELDS:
            object.__setattr__(self, name, _checked(name, getattr(self, name)))
        _check_together(self)

    @property
    def is_points(self) -> bool:
        """True for 2-D data, False for images."""
        return self.data in POINT_DATA

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample: (2,) for points, (C, H, W) for images."""
        if self.is_points:
            return (2,)
        return (image_data(self.data)[0], self.image_size, self.image_size)

    @property
    def hidden_g(self) -> tuple[int, ...]:
        """Units of each hidden layer of an MLP generator."""
        return self.widths_g or (self.width,) * self.depth

    @property
    def hidden_d(self) -> tuple[int, ...]:
        """Units of each hidden layer of an MLP critic."""
        return self.widths_d or (self.width,) * self.depth

    def replace(self, changes: Mapping[str, Any]) -> ExperimentConfig:
        """A config with `changes` applied; shorthands are expanded. Raises `ConfigError`.

        A new `width` or `depth` takes the place of the lists `widths_g` and `widths_d`.
        """
        plain = {"widths_g": [], "widths_d": []} if {"width", "depth"} & set(changes) else {}
        return from_dict({**self.to_dict(), **plain, **expand(changes)})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON has them."""
        values = dataclasses.asdict(self)
        lists = {name: list(values[name]) for name in ("faults", *WIDTHS)}
        return values | {"points": [list(p) for p in self.points]} | lists

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)


FIELDS: dict[str, dataclasses.Field[Any]] = {
    f.name: f for f in dataclasses.fields(ExperimentConfig)
}
LIVE_FIELDS = tuple(name for name, f in FIELDS.items() if f.metadata.get("live"))
STRUCTURAL_FIELDS = tuple(name for name in FIELDS if name not in LIVE_FIELDS)

# The values of the fields whose types do not list them.
_CHOICES: dict[str, tuple[Any, ...]] = {
    "data": DATA,
    "objective": tuple(OBJECTIVES),
    "constraint": tuple(CONSTRAINTS),
    "image_size": IMAGE_SIZES,
    "faults": typing.get_args(Fault),
}
_TYPES = typing.get_type_hints(ExperimentConfig)


def image_data(name: str) -> tuple[int, int]:
    """(channels, natural size in pixels) of an image data set. Raises `KeyError` for others."""
    return _HUB_IMAGES if name.startswith(HUB) else IMAGE_DATA[name]


def is_repo_id(text: str) -> bool:
    """Whether `text` is OWNER/NAME by the Hub's rules for names."""
    owner, slash, name = text.partition("/")
    parts = all(_REPO.fullmatch(part) for part in (owner, name))
    return bool(slash) and parts and "--" not in text and ".." not in text


def choices(name: str) -> tuple[Any, ...]:
    """The values an enumerated field may take; empty for free numbers."""
    if name in _CHOICES:
        return _CHOICES[name]
    kind = _TYPES[name]
    return typing.get_args(kind) if typing.get_origin(kind) is Literal else ()


def span(name: str) -> Span:
    """The range of a numeric field. Raises `KeyError` for a field that has none."""
    return FIELDS[name].metadata["span"]


def from_dict(values: Any) -> ExperimentConfig:
    """A config from plain values; missing fields take their defaults. Raises `ConfigError`."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"A config must be a JSON object of fields, not {_show(values)}.")
    return ExperimentConfig(**expand(values))


def from_json(text: str | bytes) -> ExperimentConfig:
    """A config from JSON text. Raises `ConfigError`."""
    try:
        # Text beyond any real config is refused before it is parsed.
        if len(text) > 1_000_000:
            raise ConfigError("The config is larger than 1 MB; a config is a small JSON object.")
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError("The config is not valid JSON; expected an object of fields.") from None
    return from_dict(values)


def expand(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Expands the shorthands and refuses unknown names. A full name wins over a shorthand."""
    full: dict[str, Any] = {}
    for name, value in changes.items():
        if name in SHORTHANDS:
            full |= {target: value for target in SHORTHANDS[name] if target not in changes}
        elif name in FIELDS:
            full[name] = value
        else:
            known = [*FIELDS, *SHORTHANDS]
            near = difflib.get_close_matches(name, known, n=1) if isinstance(name, str) else []
            hint = f"Did you mean '{near[0]}'?" if near else f"The fields are {', '.join(known)}."
            raise ConfigError(f"There is no field {_show(name)}. {hint}")
    return full


def parse_assignment(text: str) -> tuple[str, Any]:
    """`"lr=2e-4"` -> `("lr", 0.0002)`. A value that is no JSON is a string.

    `widths_d=64,32` is a list.

    Raises `ConfigError` when there is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ConfigError(f"Expected field=value, got {_show(text)}.")
    if name in WIDTHS:
        parts = [part.strip() for part in value.strip("[] ").split(",")]
        return name, [int(p) if p.isdecimal() and len(p) < 10 else p for p in parts if p]
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        if name == "faults":
            return name, [part for part in value.split(",") if part]
        return name, value


def diff(old: ExperimentConfig, new: ExperimentConfig) -> dict[str, tuple[Any, Any]]:
    """The fields that differ, as {name: (old value, new value)}, in the order of the fields."""
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in FIELDS}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def replace_live(config: ExperimentConfig, changes: Mapping[str, Any]) -> ExperimentConfig:
    """The config of a run that goes on with `changes`.

    Raises `ConfigError` when a value is not allowed or a changed field is structural.
    """
    new = config.replace(changes)
    structural = [name for name in diff(config, new) if name not in LIVE_FIELDS]
    if structural:
        raise ConfigError(
            f"{structural[0]} cannot change while a run goes on; it starts a new run. "
            f"Live fields: {', '.join(LIVE_FIELDS)}."
        )
    return new


def _show(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits; lists in lists in lists
        text = f"too large a value ({type(value).__name__})"
    return text if len(text) <= 60 else text[:57] + "..."


def _fail(name: str, value: Any, allowed: str) -> typing.NoReturn:
    raise ConfigError(f"{name} is {_show(value)}; allowed: {allowed}.")


def _checked(name: str, value: Any) -> Any:
    """`value` as the field's own type, or `ConfigError`."""
    if name == "points":
        return _checked_points(value)
    if name == "data" and isinstance(value, str) and value.startswith(HUB):
        if not is_repo_id(value.removeprefix(HUB)):
            _fail(name, value, "hub:OWNER/NAME, with letters, digits, '-', '_' and '.'")
        return value
    if name == "folder":
        if not isinstance(value, str) or len(value) > 500 or not value.isprintable():
            _fail(name, value, "a name or path of up to 500 printable characters")
        return value
    if name == "faults":
        known = choices("faults")
        if not isinstance(value, (list, tuple)) or any(v not in known for v in value):
            _fail(name, value, f"a list from {', '.join(known)}")
        return tuple(fault for fault in known if fault in value)
    if name in WIDTHS:
        return _checked_widths(name, value)
    if allowed := choices(name):
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value not in allowed:
            _fail(name, value, ", ".join(map(str, allowed)))
        return value
    kind = _TYPES[name]
    if kind is bool:
        if not isinstance(value, bool):
            _fail(name, value, "true, false")
        return value
    return _checked_number(name, value, kind)


def _checked_number(name: str, value: Any, kind: type) -> int | float:
    limits = span(name)
    allowed = str(limits).replace("a number", "a whole number") if kind is int else str(limits)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _fail(name, value, allowed)
    if not limits.low <= value <= limits.high or kind(value) != value:  # NaN fails the first test
        _fail(name, value, allowed)
    return kind(value)


def _checked_widths(name: str, value: Any) -> tuple[int, ...]:
    units, layers = span("width"), int(span("depth").high)
    allowed = f"up to {layers} whole numbers from {units.low:g} to {units.high:g}"
    if not isinstance(value, (list, tuple)) or len(value) > layers:
        _fail(name, value, allowed)
    for width in value:
        if isinstance(width, bool) or not isinstance(width, (int, float)):
            _fail(name, value, allowed)
        if not units.low <= width <= units.high or int(width) != width:
            _fail(name, value, allowed)
    return tuple(int(width) for width in value)


def _checked_points(value: Any) -> tuple[tuple[float, float], ...]:
    allowed = f"up to {MAX_POINTS:,} pairs of numbers from -3 to 3"
    if not isinstance(value, (list, tuple)) or len(value) > MAX_POINTS:
        _fail("points", value, allowed)
    for point in value:
        if (
            not isinstance(point, (list, tuple))
            or len(point) != 2
            or any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in point)
            or not all(-3 <= v <= 3 for v in point)
        ):
            _fail("points", value, allowed)
    return tuple((float(x), float(y)) for x, y in value)


def _check_together(config: ExperimentConfig) -> None:
    """What no single field can tell."""
    if config.data == "points" and not config.points:
        _fail("points", [], "at least one [x, y] pair when data is points")
    if config.is_points:
        if config.network != "mlp":
            _fail("network", config.network, f"mlp (the data {config.data} has two dimensions)")
        if config.output != "linear":
            _fail("output", config.output, f"linear (the data {config.data} is not bounded)")
    elif config.fakes != "generated":
        _fail("fakes", config.fakes, f"generated (the data {config.data} are images)")
    elif config.network != "mlp":
        for name in WIDTHS:
            if getattr(config, name):
                _fail(name, list(getattr(config, name)), f"[] for a {config.network}")
        if config.maxout_d != 1:
            _fail("maxout_d", config.maxout_d, f"1 for a {config.network}")
        if config.image_size not in CONV_SIZES:
            sizes = ", ".join(map(str, CONV_SIZES))
            _fail("image_size", config.image_size, f"{sizes} for a {config.network}")
        widest = 128 if config.image_size == 128 else 256
        if config.width > widest:
            allowed = f"4 to {widest} channels for a {config.network} of this image size"
            _fail("width", config.width, allowed)
    if config.data == "folder" and not config.folder:
        _fail("folder", "", "the name of an uploaded set or a path when data is folder")
