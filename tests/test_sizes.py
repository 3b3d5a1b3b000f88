"""Parameters counted without building, against the networks themselves."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from wgan.config import ConfigError, ExperimentConfig, choices, from_dict
from wgan.networks import CRITICS, GENERATORS, Norm
from wgan.sizes import count_parameters

IMAGES = {"digits": "tanh", "celeba": "tanh", "cifar10": "sigmoid"}  # one channel and three


def built(config: ExperimentConfig) -> int:
    """The parameters of both networks, without memory for them."""
    total = 0
    with torch.device("meta"):
        for build, norm in ((GENERATORS, config.norm_g), (CRITICS, config.norm_d)):
            network = build[config.network](config)
            for module in network.modules():
                if isinstance(module, Norm):
                    module.use(norm)
            total += sum(parameter.numel() for parameter in network.parameters())
    return total


def image_configs(network: str) -> list[ExperimentConfig]:
    found = []
    for (data, output), size, width in product(IMAGES.items(), choices("image_size"), (8, 20)):
        fields = {"data": data, "output": output, "image_size": size, "width": width}
        try:
            found.append(from_dict({"network": network, "latent_dim": 7, "depth": 2, **fields}))
        except ConfigError:
            continue  # convolutions do not take every size
    assert found
    return found


@pytest.mark.parametrize("norm", choices("norm_g"))
@pytest.mark.parametrize("network", choices("network"))
def test_every_network_is_counted_as_it_is_built(network: str, norm: str):
    for config in image_configs(network):
        for fields in ({"norm_g": norm}, {"norm_d": norm}):
            changed = config.replace(fields)
            assert count_parameters(changed) == built(changed), changed


@pytest.mark.parametrize("norm", choices("norm_g"))
def test_lists_of_layers_and_maxout_are_counted_as_they_are_built(norm: str):
    layers = {"widths_g": [9, 5], "widths_d": [7], "maxout_d": 3}
    for config in (from_dict(layers | {"norm": norm}), from_dict({"maxout_d": 4, "norm": norm})):
        assert count_parameters(config) == built(config)


@pytest.mark.parametrize("norm", choices("norm_g"))
@pytest.mark.parametrize("depth", [1, 3, 12])
def test_networks_for_points_are_counted_as_they_are_built(depth: int, norm: str):
    config = from_dict({"depth": depth, "width": 9, "latent_dim": 5, "norm": norm})
    assert count_parameters(config) == built(config)
