"""What the critics of the studies are trained with: the page Critic offers the same as runs."""

from __future__ import annotations

from typing import Any

from wgan.config import ExperimentConfig, from_dict

Fields = dict[str, Any]

# Value surfaces (WGAN-GP, Fig. 1a): real samples with unit Gaussian noise in place of a generator.
SURFACE_DATA = ("ring8", "grid25", "swissroll")
_SURFACE: Fields = {"fakes": "noisy_real", "width": 128, "depth": 3, "batch_size": 256}
SURFACE_CRITICS: dict[str, Fields] = {
    "clip": {"constraint": "clip", "clip_value": 0.01, "optimizer": "rmsprop", "lr": 5e-5},
    "gp": {"constraint": "gp", "gp_weight": 0.1, "optimizer": "adam", "lr": 1e-3},
}

# Gradients by layer, and weights (WGAN-GP, Fig. 1b): twelve hidden layers without normalisation.
_DEEP: Fields = {"data": "swissroll", "width": 64, "depth": 12, "batch_size": 256}
_CLIP: Fields = {"constraint": "clip", "optimizer": "rmsprop", "lr": 5e-5}
_GP: Fields = {"constraint": "gp", "gp_weight": 10.0, "optimizer": "adam", "lr": 1e-3}
LAYER_CRITICS: dict[str, Fields] = {
    "clip_0.1": _CLIP | {"clip_value": 0.1},
    "clip_0.01": _CLIP | {"clip_value": 0.01},
    "clip_0.001": _CLIP | {"clip_value": 0.001},
    "gp": _GP,
}
C = 0.01  # the weights stay in ±C
WEIGHT_CRITICS: dict[str, Fields] = {"clip": _CLIP | {"clip_value": C}, "gp": _GP}

# A critic that overfits (WGAN-GP, Fig. 5b): digits to train on.
FEW, MANY = 100, 1400


def surface(data: str, critic: str, seed: int = 0) -> ExperimentConfig:
    """data: of `SURFACE_DATA`. critic: a key of `SURFACE_CRITICS`."""
    return from_dict(_SURFACE | SURFACE_CRITICS[critic] | {"data": data, "seed": seed})


def layers(critic: str, seed: int = 0) -> ExperimentConfig:
    """critic: a key of `LAYER_CRITICS`."""
    return from_dict(_DEEP | LAYER_CRITICS[critic] | {"seed": seed})


def weights(critic: str, seed: int = 0) -> ExperimentConfig:
    """critic: a key of `WEIGHT_CRITICS`."""
    return from_dict(_DEEP | WEIGHT_CRITICS[critic] | {"seed": seed})
