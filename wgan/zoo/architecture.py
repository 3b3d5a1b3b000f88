"""What a generator is made of, in plain numbers: enough to rebuild it before its weights are read.

A network is first built without memory, so that a description that asks for ten billion
parameters is refused before anything is allocated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from wgan.config import ConfigError, ExperimentConfig, from_dict
from wgan.networks import CRITICS, GENERATORS, build_critic, build_generator
from wgan.zoo.errors import ZooError

MAX_PARAMETERS = 150_000_000  # 600 MB of float32


class Architecture(Protocol):
    """A generator's shape. G maps latents (N, latent_dim) to samples (N, *sample_shape)."""

    family: ClassVar[str]

    @property
    def latent_dim(self) -> int: ...

    @property
    def latent(self) -> str:
        """normal, or uniform in [−1, 1]."""
        ...

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """(2,) for points, (C, H, W) for images."""
        ...

    @property
    def output(self) -> str:
        """linear, tanh: in [−1, 1], or sigmoid: in [0, 1]."""
        ...

    def skeleton(self) -> nn.Module:
        """The generator on the meta device: shapes without memory."""
        ...

    def build(self) -> nn.Module:
        """The generator on the CPU; its weights mean nothing yet."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain values, the family's name among them, for `from_plain`."""
        ...


@dataclass(frozen=True)
class LabNetworks:
    """The networks of `wgan.networks`, as one of our experiments had them when it was saved."""

    config: ExperimentConfig
    family: ClassVar[str] = "wgan-lab"

    @property
    def latent_dim(self) -> int:
        return self.config.latent_dim

    @property
    def latent(self) -> str:
        return self.config.latent

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return self.config.sample_shape

    @property
    def output(self) -> str:
        return self.config.output

    def skeleton(self) -> nn.Module:
        with torch.device("meta"):
            return GENERATORS[self.config.network](self.config)

    def build(self) -> nn.Module:
        # In memory from the start: spectral normalisation cannot be put on without weights.
        return build_generator(self.config, torch.device("cpu"), torch.Generator())

    def build_critic(self) -> nn.Module:
        """The critic on the CPU; its weights mean nothing yet."""
        with torch.device("meta"):
            check_size(CRITICS[self.config.network](self.config))
        return build_critic(self.config, torch.device("cpu"), torch.Generator())

    def to_dict(self) -> dict[str, Any]:
        return {"family": self.family, "settings": self.config.to_dict()}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> LabNetworks:
        try:
            config = from_dict(values.get("settings"))
        except ConfigError as error:
            raise ZooError(f"The settings in config.json cannot be used: {error}") from None
        if config.fakes != "generated":
            raise ZooError("This run trained a critic alone: there is no generator to open.")
        return cls(config)


def check_size(skeleton: nn.Module) -> None:
    """Raises `ZooError` for a network that is too large to be built here."""
    count = sum(parameter.numel() for parameter in skeleton.parameters())
    if count > MAX_PARAMETERS:
        raise ZooError(
            f"This network has {count:,} parameters; at most {MAX_PARAMETERS:,} are built here."
        )


def load_strictly(network: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Gives `network` these weights: every name and every shape must be the expected one.

    Floating-point weights become float32. Raises `ZooError` with what was expected and what was
    found; the network is then unchanged.
    """
    expected = network.state_dict()
    for name in (*expected, *(name for name in tensors if name not in expected)):
        if name not in tensors:
            raise ZooError(
                f"The {what} lacks the tensor {name!r} of shape {_shape(expected[name])}."
            )
        if name not in expected:
            raise ZooError(
                f"The {what} has a tensor {name!r} of shape {_shape(tensors[name])} "
                "that its architecture does not know."
            )
        if expected[name].shape != tensors[name].shape:
            raise ZooError(
                f"The {what}'s tensor {name!r} should have the shape {_shape(expected[name])} "
                f"and has {_shape(tensors[name])}."
            )
        if expected[name].is_floating_point() != tensors[name].is_floating_point():
            raise ZooError(
                f"The {what}'s tensor {name!r} should be of type {_type(expected[name])} "
                f"and is of type {_type(tensors[name])}."
            )
    network.load_state_dict({name: tensors[name].to(expected[name].dtype) for name in expected})


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
