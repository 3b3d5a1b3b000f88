"""What is kept of a run: a copy that nobody changes any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wgan.config import ExperimentConfig
from wgan.types import Curve, Event, ImageView, Metrics, PointView

if TYPE_CHECKING:
    import torch
    from torch import nn

    from wgan.trainer import Trainer


@dataclass(frozen=True)
class RunExport:
    """A run at one moment: the settings it began with and has now, its log, curves and weights.

    shares: {attribute: {value: share of the samples}}, for data whose attributes are known.
    """

    first_config: ExperimentConfig
    config: ExperimentConfig
    steps: int
    events: tuple[Event, ...]
    curves: Mapping[str, Curve]
    weights: Mapping[str, torch.Tensor]
    metrics: Metrics
    view: PointView | ImageView
    shares: Mapping[str, Mapping[str, float]]


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All tensors of the networks, as `generator.…`, `critic.…` and, if there, `averaged.…`."""
    networks: dict[str, nn.Module] = {"generator": trainer.generator, "critic": trainer.critic}
    if trainer.averaged is not None:
        networks["averaged"] = trainer.averaged
    return {
        f"{prefix}.{name}": tensor.detach().cpu().contiguous().clone()
        for prefix, network in networks.items()
        for name, tensor in network.state_dict().items()
    }
