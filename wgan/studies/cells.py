"""Architectures and methods to set against each other (WGAN-GP, Fig. 2): settings of one cell.

The rows are the paper's as far as this package's networks have them, at 8 × 8 pixels. There a DCGAN
has one scale and so a constant number of channels; the MLPs and the tanh replace the layers of both
networks. On 2-D data the rows are what the same ideas mean for an MLP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wgan.config import POINT_DATA, ExperimentConfig, from_dict
from wgan.presets import DIGITS, TOY


@dataclass(frozen=True)
class Choice:
    """A row or a column: what it is called, and the fields that make it."""

    title: str
    fields: Mapping[str, Any]


# Adam and RMSProp as in the paper's comparison, with GP at its toy and digit learning rates; every
# method keeps its settings over all rows.
METHODS: dict[str, Choice] = {
    "gan": Choice(
        "GAN",
        {"objective": "gan", "constraint": "none", "critic_steps": 1, "lr": 2e-4, "beta2": 0.999},
    ),
    "lsgan": Choice(
        "LSGAN",
        {"objective": "lsgan", "constraint": "none", "critic_steps": 1}
        | {"optimizer": "rmsprop", "lr": 1e-4},
    ),
    "clip": Choice(
        "WGAN, clipped",
        {"objective": "wgan", "constraint": "clip", "clip_value": 0.01, "critic_steps": 5}
        | {"optimizer": "rmsprop", "lr": 5e-5},
    ),
    "gp": Choice("WGAN-GP", {"objective": "wgan", "constraint": "gp", "critic_steps": 5}),
}

_CONV = {"network": "dcgan", "width": 32}
IMAGE_ROWS: dict[str, Choice] = {
    "dcgan": Choice("DCGAN", _CONV | {"norm": "batch"}),
    "bare_g": Choice("No norm in G, constant width", _CONV | {"norm_g": "none", "norm_d": "batch"}),
    "bare": Choice("No norm at all", _CONV | {"norm": "none"}),
    "mlp": Choice("MLP, 4 × 512", {"network": "mlp", "width": 512, "depth": 4, "norm": "none"}),
    "tanh": Choice("Tanh everywhere", _CONV | {"norm": "batch", "activation": "tanh"}),
    "deep": Choice("ResNet", {"network": "resnet", "width": 32, "norm": "batch"}),
}
POINT_ROWS: dict[str, Choice] = {
    "mlp": Choice("MLP, 3 × 128", {}),
    "batch": Choice("BatchNorm in both", {"norm": "batch"}),
    "wide": Choice("MLP, 4 × 512", {"width": 512, "depth": 4}),
    "tanh": Choice("Tanh everywhere", {"activation": "tanh"}),
    "deep": Choice("12 layers", {"depth": 12}),
    "narrow": Choice("MLP, 2 × 16", {"width": 16, "depth": 2}),
}


def rows_for(data: str) -> dict[str, Choice]:
    """The architectures that a data set can be tried with."""
    return POINT_ROWS if data in POINT_DATA else IMAGE_ROWS


def cell(row: str, method: str, data: str, seed: int) -> ExperimentConfig:
    """The experiment of one cell. Raises `KeyError` for a row that the data does not have.

    In a penalised critic LayerNorm stands where the row has BatchNorm, as in the paper.
    """
    points = data in POINT_DATA
    kind = TOY | {"lr": 1e-3, "gp_weight": 0.1} if points else DIGITS
    architecture = rows_for(data)[row].fields
    fields = {**kind, **architecture, **METHODS[method].fields, "data": data, "seed": seed}
    config = from_dict(fields)
    if method == "gp" and config.norm_d == "batch":
        config = config.replace({"norm_d": "layer"})
    return config
