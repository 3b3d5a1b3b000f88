"""Networks: shapes, seeds, and normalisation that comes and goes without touching a weight."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.conftest import KINDS, MakeConfig
from wgan.config import ExperimentConfig, choices
from wgan.networks import Norm, Weighted, build_critic, build_generator, set_norm

CPU = torch.device("cpu")
NORMS = choices("norm_g")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def build(config: ExperimentConfig, seed: int = 0) -> tuple[nn.Sequential, nn.Sequential]:
    rng = seeded(seed)
    return build_generator(config, CPU, rng), build_critic(config, CPU, rng)


def stored(network: nn.Module) -> list[Tensor]:
    """Weights and biases of all Linear and Conv layers, as they are stored, in order."""
    found = []
    for module in network.modules():
        if isinstance(module, Weighted):
            own = dict(module.named_parameters())
            weight = own["weight" if "weight" in own else "parametrizations.weight.original"]
            found += [weight.detach().clone(), own["bias"].detach().clone()]
    return found


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def norms(network: nn.Module) -> list[Norm]:
    return [module for module in network.modules() if isinstance(module, Norm)]


# Shapes.


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("size", [8, 16, 32, 64])
@pytest.mark.parametrize("network", choices("network"))
def test_images_of_every_size(make_config: MakeConfig, network: str, size: int, norm: str):
    data = "cifar10" if size > 8 else "digits"
    config = make_config("mlp", data=data, network=network, image_size=size, norm=norm, width=4)
    generator, critic = build(config)
    fake = generator(torch.randn(3, config.latent_dim))
    assert fake.shape == (3, *config.sample_shape)
    assert fake.shape[1:] == (3 if size > 8 else 1, size, size)
    assert critic(fake).shape == (3,)
    assert critic(fake).isfinite().all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("depth", [1, 3, 12])
def test_points(make_config: MakeConfig, depth: int, norm: str):
    config = make_config("points", depth=depth, norm=norm, latent_dim=5)
    generator, critic = build(config)
    fake = generator(torch.randn(7, 5))
    assert fake.shape == (7, 2)
    assert critic(fake).shape == (7,)
    linear = [module for module in generator.modules() if isinstance(module, nn.Linear)]
    assert [layer.out_features for layer in linear] == [8] * depth + [2]


@pytest.mark.parametrize("kind", ["points", "mlp", "dcgan", "resnet"])
@pytest.mark.parametrize("activation", choices("activation"))
def test_activations_are_used_by_both_networks(make_config: MakeConfig, kind: str, activation: str):
    nets = build(make_config(kind, activation=activation))
    wanted = activation.replace("_", "")
    for network in nets:
        names = [type(module).__name__.lower() for module in network.modules()]
        assert wanted in names
        assert not (set(names) & {"relu", "leakyrelu", "elu", "softplus", "silu"}) - {wanted}


@pytest.mark.parametrize("kind", ["mlp", "dcgan", "resnet"])
def test_outputs_have_their_ranges(make_config: MakeConfig, kind: str):
    ranges = {}
    for output in choices("output"):
        generator, _ = build(make_config(kind, output=output))
        for parameter in generator.parameters():
            parameter.data *= 30  # large enough to reach the ends of a bounded range
        x = generator(torch.randn(64, 4, generator=seeded()))
        ranges[output] = (x.min().item(), x.max().item())
    assert ranges["linear"][0] < -2
    assert ranges["linear"][1] > 2
    assert -1 <= ranges["tanh"][0] < -0.9
    assert 0.9 < ranges["tanh"][1] <= 1
    assert 0 <= ranges["sigmoid"][0] < 0.1
    assert 0.9 < ranges["sigmoid"][1] <= 1


# Seeds.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", ["none", "spectral"])
def test_the_seed_decides_the_weights(make_config: MakeConfig, kind: str, norm: str):
    config = make_config(kind, norm=norm)
    for a, b, c in zip(build(config, 1), build(config, 1), build(config, 2), strict=True):
        assert same(list(a.state_dict().values()), list(b.state_dict().values()))
        assert not same(stored(a), stored(c))


@pytest.mark.parametrize("kind", KINDS)
def test_the_global_random_state_is_left_alone(make_config: MakeConfig, kind: str):
    before = torch.get_rng_state()
    for norm in NORMS:
        for network in build(make_config(kind, norm=norm)):
            set_norm(network, "spectral", seeded())
            set_norm(network, norm, seeded())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_start_uniform_within_the_root_of_the_fan_in(make_config: MakeConfig, kind: str):
    fields = {"latent_dim": 64, "width": 64} | ({} if kind == "points" else {"image_size": 16})
    for network in build(make_config(kind, **fields)):
        for module in network.modules():
            if isinstance(module, Weighted):
                weight = module.weight.detach()
                fan_in, _ = nn.init._calculate_fan_in_and_fan_out(weight)  # as PyTorch counts it
                bound = fan_in**-0.5
                assert weight.abs().max() <= bound
                if weight.numel() > 4000:
                    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
                    assert weight.mean().abs() < 0.05 * bound


# Normalisation.


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(list(KINDS)),
    order=st.lists(st.sampled_from(NORMS), min_size=1, max_size=6),
)
def test_changing_normalisation_in_any_order_keeps_every_weight(
    make_config: MakeConfig, kind: str, order: list[str]
):
    for network in build(make_config(kind)):
        before, names = stored(network), [name for name, _ in network.named_parameters()]
        parameters = {id(p) for p in network.parameters()}
        for norm in order:
            set_norm(network, norm, seeded())
            assert same(stored(network), before)
            assert parameters <= {id(p) for p in network.parameters()}
        set_norm(network, "none", seeded())
        assert same(stored(network), before)
        # The order too: optimisers keep their state by it.
        assert [name for name, _ in network.named_parameters()] == names


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("first", "norm"), list(itertools.product(NORMS, ["batch", "layer", "instance"]))
)
def test_a_new_layer_starts_with_scale_1_and_shift_0(
    make_config: MakeConfig, kind: str, first: str, norm: str
):
    for network in build(make_config(kind, norm=first)):
        for module in norms(network):
            for parameter in module.parameters():
                nn.init.constant_(parameter, 7.0)  # a layer that was there has learned something
        set_norm(network, norm, seeded())
        for module in norms(network):
            named = dict(module.layer.named_parameters())
            assert all((named[n] == (1 if n == "weight" else 0)).all() for n in named)
            if norm == "batch":
                assert (module.layer.running_mean == 0).all()  # pyright: ignore
                assert (module.layer.running_var == 1).all()  # pyright: ignore
        kinds = {type(module.layer).__name__ for module in norms(network)}
        assert (
            kinds
            <= {
                "batch": {"BatchNorm1d", "BatchNorm2d"},
                "layer": {"LayerNorm"},
                "instance": {"InstanceNorm2d", "LayerNorm"},
            }[norm]
        )


@pytest.mark.parametrize("kind", KINDS)
def test_without_normalisation_nothing_stands_there(make_config: MakeConfig, kind: str):
    for network in build(make_config(kind, norm="batch")):
        count = len(list(network.parameters()))
        assert len(norms(network)) >= 1
        set_norm(network, "none", seeded())
        assert len(list(network.parameters())) == count - 2 * len(norms(network))
        x = torch.randn(2, *norms(network)[0].shape)
        assert torch.equal(norms(network)[0](x), x)


@pytest.mark.parametrize("kind", ["dcgan", "resnet"])
@pytest.mark.parametrize("size", [8, 32])
def test_layer_norm_in_convolutions_is_over_channels_and_pixels(
    make_config: MakeConfig, kind: str, size: int
):
    config = make_config(kind, data="cifar10", image_size=size, norm="layer")
    _, critic = build(config)
    seen: list[tuple[Tensor, Tensor]] = []

    def keep(_: nn.Module, x: Any, y: Any) -> None:
        seen.append((x[0], y))

    for module in norms(critic):
        module.register_forward_hook(keep)
    critic(3 * torch.randn(5, *config.sample_shape, generator=seeded()) + 1)
    assert len(seen) == len(norms(critic)) > 0
    for x, y in seen:
        assert x.dim() == 4
        flat = y.flatten(1)
        assert torch.allclose(flat.mean(1), torch.zeros(5), atol=1e-4)
        assert torch.allclose(flat.var(1, correction=0), torch.ones(5), atol=0.02)
        # Over all of (C, H, W): a single channel or pixel is not normalised by itself.
        assert y.mean((2, 3)).abs().max() > 0.05


@pytest.mark.parametrize("norm", ["layer", "instance", "spectral", "none"])
@pytest.mark.parametrize("kind", KINDS)
def test_only_batch_norm_ties_samples_together(make_config: MakeConfig, kind: str, norm: str):
    config = make_config(kind, norm=norm)
    _, critic = build(config)
    critic.eval() if norm == "spectral" else critic.train()
    x = torch.randn(6, *config.sample_shape, generator=seeded())
    assert torch.allclose(critic(x)[:2], critic(x[:2]), atol=1e-5)
    set_norm(critic, "batch", seeded())
    critic.train()
    assert not torch.allclose(critic(x)[:2], critic(x[:2]), atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_spectral_norm_divides_by_the_largest_singular_value(make_config: MakeConfig, kind: str):
    config = make_config(kind, norm="spectral", width=16)
    generator, critic = build(config)
    for network in (generator, critic):
        for parameter in network.parameters():
            parameter.data *= 5
        network.train()
        for _ in range(30):  # the power iteration goes on while it trains
            z = torch.randn(2, config.latent_dim)
            network(z) if network is generator else network(torch.randn(2, *config.sample_shape))
        network.eval()
        for module in network.modules():
            if isinstance(module, Weighted):
                weight = module.weight.detach()
                outputs = 1 if isinstance(module, nn.ConvTranspose2d) else 0
                matrix = weight.movedim(outputs, 0).flatten(1)
                top = torch.linalg.matrix_norm(matrix, 2).item()
                assert top == pytest.approx(1, abs=0.03)


def test_spectral_norm_is_close_from_the_start(make_config: MakeConfig):
    _, critic = build(make_config("points", norm="spectral", width=128, depth=3))
    critic.eval()
    for module in critic.modules():
        if isinstance(module, nn.Linear):
            top = torch.linalg.matrix_norm(module.weight.detach(), 2).item()
            assert top == pytest.approx(1, abs=0.1)
