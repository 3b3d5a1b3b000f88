"""Generators and critics: MLP, DCGAN-shaped and residual, for 2-D points and for images.

A generator maps latents (N, latent_dim) to samples (N, *sample_shape); a critic maps samples to
scores (N,). Every place where a normalisation layer may stand is a `Norm`, whose inside can be
exchanged while the Linear and Conv weights around it stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import log2

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from wgan.config import ExperimentConfig

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "silu": nn.SiLU,
}
OUTPUTS: dict[str, type[nn.Module]] = {
    "linear": nn.Identity,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
Weighted = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
Build = Callable[[ExperimentConfig], nn.Sequential]


class Norm(nn.Module):
    """A place for a normalisation layer. `shape` is (features,) or (C, H, W).

    batch: over the batch, per feature or channel (Ioffe & Szegedy 2015).
    layer: over (features,) or all of (C, H, W) of each sample (WGAN-GP §4 recommends it for
    critics, because it ties no samples of a batch together).
    instance: over (H, W) of each sample and channel. A layer without pixels has one channel a
    sample, all its features: there it is layer normalisation without learned scale.
    none, spectral: nothing stands here; spectral normalisation acts on the weights.
    """

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape
        self.layer: nn.Module = nn.Identity()

    def use(self, kind: str) -> None:
        """Puts a fresh layer of this kind here; it starts with scale 1 and shift 0."""
        channels, maps = self.shape[0], len(self.shape) == 3
        if kind == "batch":
            self.layer = nn.BatchNorm2d(channels) if maps else nn.BatchNorm1d(channels)
        elif kind == "layer":
            self.layer = nn.LayerNorm([*self.shape])
        elif kind == "instance":
            self.layer = (
                nn.InstanceNorm2d(channels, affine=True)
                if maps
                else nn.LayerNorm([*self.shape], elementwise_affine=False)
            )
        else:
            self.layer = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class Reshape(nn.Module):
    """(N, …) -> (N, *shape)."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], *self.shape)


class Score(nn.Module):
    """(N, 1, …) -> (N,): a critic ends in one number a sample, with no sigmoid."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0])


class Dropout(nn.Module):
    """Leaves out a share p of the units in training (Srivastava et al. 2014), drawn from `rng`,
    which whoever trains sets: torch's own layer draws from the global random state."""

    def __init__(self) -> None:
        super().__init__()
        self.p = 0.0
        self.rng: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape, generator=self.rng, device=x.device) >= self.p
        return x * kept / (1 - self.p)


class Maxout(nn.Module):
    """(N, units · pieces) -> (N, units): the largest of each unit's pieces (Goodfellow 2013)."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, self.pieces)).amax(-1)


def mlp_generator(c: ExperimentConfig) -> nn.Sequential:
    """latent -> [Linear, Norm, activation] for each hidden layer -> Linear -> output."""
    size = torch.Size(c.sample_shape).numel()
    widths = [c.latent_dim, *c.hidden_g]
    layers: list[nn.Module] = []
    for inputs, units in pairwise(widths):
        layers += [nn.Linear(inputs, units), Norm(units), _activation(c.activation)]
    return nn.Sequential(
        *layers,
        nn.Linear(widths[-1], size),
        Reshape(*c.sample_shape),
        OUTPUTS[c.output](),
    )


def mlp_critic(c: ExperimentConfig) -> nn.Sequential:
    """sample -> [Linear, Norm, activation or maxout, Dropout] for each hidden layer -> score."""
    widths, pieces = [torch.Size(c.sample_shape).numel(), *c.hidden_d], c.maxout_d
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, units in pairwise(widths):
        activation = Maxout(pieces) if pieces > 1 else _activation(c.activation)
        layers += [nn.Linear(inputs, units * pieces), Norm(units * pieces), _dropped(activation)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 1), Score())


def _dropped(layer: nn.Module) -> nn.Sequential:
    # Inside of one place, so that the numbers of the layers with weights stay what they were.
    return nn.Sequential(layer, Dropout())


def dcgan_generator(c: ExperimentConfig) -> nn.Sequential:
    """DCGAN (Radford et al. 2016, Fig. 1): 4×4 maps, doubled by strided transposed convolutions.

    Channels halve as the maps double, down to `width` at half the image size.
    """
    channels = c.sample_shape[0]
    doublings = int(log2(c.image_size // 4))
    maps, size = c.width * 2 ** (doublings - 1), 4
    layers: list[nn.Module] = [
        Reshape(c.latent_dim, 1, 1),
        nn.ConvTranspose2d(c.latent_dim, maps, 4),
        Norm(maps, size, size),
        _activation(c.activation),
    ]
    for _ in range(doublings - 1):
        layers.append(nn.ConvTranspose2d(maps, maps // 2, 4, stride=2, padding=1))
        maps, size = maps // 2, size * 2
        layers += [Norm(maps, size, size), _activation(c.activation)]
    last = nn.ConvTranspose2d(maps, channels, 4, stride=2, padding=1)
    return nn.Sequential(*layers, last, OUTPUTS[c.output]())


def dcgan_critic(c: ExperimentConfig) -> nn.Sequential:
    """The generator's mirror: strided convolutions down to 4×4 maps, then one score.

    As in DCGAN the first layer has no normalisation, unless it is the only one (8×8 pixels).
    """
    maps, size = c.width, c.image_size // 2
    layers: list[nn.Module] = [nn.Conv2d(c.sample_shape[0], maps, 4, stride=2, padding=1)]
    if size == 4:
        layers.append(Norm(maps, size, size))
    layers.append(_dropped(_activation(c.activation)))
    while size > 4:
        layers.append(nn.Conv2d(maps, maps * 2, 4, stride=2, padding=1))
        maps, size = maps * 2, size // 2
        layers += [Norm(maps, size, size), _dropped(_activation(c.activation))]
    return nn.Sequential(*layers, nn.Conv2d(maps, 1, 4), Score())


class Residual(nn.Module):
    """Pre-activation residual block (WGAN-GP App. C): x + conv(act(norm(conv(act(norm(x)))))).

    `scale` 2 doubles the maps before the first convolution, ½ halves them after the second.
    """

    def __init__(self, inputs: int, outputs: int, size: int, scale: float, activation: str) -> None:
        super().__init__()
        middle = int(size * scale) if scale > 1 else size
        up = nn.Upsample(scale_factor=2) if scale > 1 else nn.Identity()
        down = nn.AvgPool2d(2) if scale < 1 else nn.Identity()
        self.shortcut = nn.Sequential(up, nn.Conv2d(inputs, outputs, 1), down)
        self.residual = nn.Sequential(
            Norm(inputs, size, size),
            _activation(activation),
            up,
            nn.Conv2d(inputs, outputs, 3, padding=1),
            Norm(outputs, middle, middle),
            _activation(activation),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            down,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.residual(x)


def resnet_generator(c: ExperimentConfig) -> nn.Sequential:
    """Linear to 4×4 maps, residual blocks that double them, one convolution to the image."""
    maps, size = c.width, 4
    layers: list[nn.Module] = [nn.Linear(c.latent_dim, maps * 16), Reshape(maps, 4, 4)]
    while size < c.image_size:
        layers.append(Residual(maps, maps, size, 2, c.activation))
        size *= 2
    return nn.Sequential(
        *layers,
        Norm(maps, size, size),
        _activation(c.activation),
        nn.Conv2d(maps, c.sample_shape[0], 3, padding=1),
        OUTPUTS[c.output](),
    )


def resnet_critic(c: ExperimentConfig) -> nn.Sequential:
    """One convolution, residual blocks that halve the maps to 4×4, mean over them, one score."""
    maps, size = c.width, c.image_size
    layers: list[nn.Module] = [nn.Conv2d(c.sample_shape[0], maps, 3, padding=1)]
    while size > 4:
        layers.append(Residual(maps, maps, size, 0.5, c.activation))
        size //= 2
    return nn.Sequential(
        *layers,
        _activation(c.activation),
        nn.AdaptiveAvgPool2d(1),
        _dropped(nn.Flatten()),
        nn.Linear(maps, 1),
        Score(),
    )


GENERATORS = {"mlp": mlp_generator, "dcgan": dcgan_generator, "resnet": resnet_generator}
CRITICS = {"mlp": mlp_critic, "dcgan": dcgan_critic, "resnet": resnet_critic}


def build_generator(
    c: ExperimentConfig, device: torch.device, rng: torch.Generator
) -> nn.Sequential:
    """The generator of a config, its weights drawn from `rng` (a CPU generator)."""
    return _materialise(GENERATORS[c.network], c, c.norm_g, device, rng)


def build_critic(c: ExperimentConfig, device: torch.device, rng: torch.Generator) -> nn.Sequential:
    """The critic of a config, its weights drawn from `rng` (a CPU generator)."""
    return _materialise(CRITICS[c.network], c, c.norm_d, device, rng)


def _materialise(
    build: Build, c: ExperimentConfig, norm: str, device: torch.device, rng: torch.Generator
) -> nn.Sequential:
    network = initialised(lambda: build(c), device, rng)
    set_norm(network, norm, rng)
    return network


def initialised(
    build: Callable[[], nn.Sequential], device: torch.device, rng: torch.Generator
) -> nn.Sequential:
    """The network that `build` makes, its weights drawn from `rng` (a CPU generator)."""
    # Built without memory first, so that torch's own initialisation, which draws from the
    # global random state, never runs.
    with torch.device("meta"):
        network = build()
    network.to_empty(device=device)
    for module in network.modules():
        if isinstance(module, Weighted):
            _initialise(module, rng)
    return network


@torch.no_grad()
def _initialise(layer: Weighted, rng: torch.Generator) -> None:
    """Weights and biases uniform in ±1/√fan_in: PyTorch's own default, which public GANs run with.

    It matters: under the larger weights of He et al. 2015 the same GAN does not collapse on the
    digits. Drawn on the CPU, so that a seed gives the same weights on every device.
    """
    # A ConvTranspose2d keeps its inputs first: PyTorch takes its fan_in from the second axis.
    bound = layer.weight[0].numel() ** -0.5
    assert layer.bias is not None  # every layer here has one
    for parameter in (layer.weight, layer.bias):
        parameter.copy_(torch.empty(parameter.shape).uniform_(-bound, bound, generator=rng))


def set_norm(network: nn.Module, kind: str, rng: torch.Generator) -> None:
    """Exchanges the normalisation of a whole network; Linear and Conv weights stay.

    The new layers start at scale 1, shift 0. Spectral normalisation (Miyato et al. 2018) divides
    each weight by its largest singular value; `rng` draws the start of its power iteration.
    """
    device = next(network.parameters()).device
    for module in list(network.modules()):
        if isinstance(module, Norm):
            module.use(kind)
            module.to(device)
        elif isinstance(module, Weighted):
            if parametrize.is_parametrized(module, "weight"):
                # leave_parametrized=False brings the weight back as it was before the division.
                parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)
                # It comes back behind the bias; optimisers keep their state by the order.
                module.register_parameter("bias", module._parameters.pop("bias"))
            if kind == "spectral":
                _divide_by_norm(module, rng)


@torch.no_grad()
def _divide_by_norm(layer: Weighted, rng: torch.Generator) -> None:
    # torch draws its singular vectors from the global random state, which is nobody's to change;
    # they are drawn again from our own.
    with torch.random.fork_rng([layer.weight.device] if layer.weight.is_cuda else []):
        spectral_norm(layer, "weight")
    division = layer.get_submodule("parametrizations.weight.0")
    for vector in division.buffers():
        start = torch.randn(vector.shape, generator=rng)
        vector.copy_(nn.functional.normalize(start, dim=0))
    for _ in range(15):  # enough for the largest singular value to within a few percent
        _ = layer.weight


def _activation(name: str) -> nn.Module:
    return nn.LeakyReLU(0.2) if name == "leaky_relu" else ACTIVATIONS[name]()


@contextmanager
def evaluating(network: nn.Module) -> Iterator[nn.Module]:
    """In evaluation mode, so that looking changes no running statistics; then as it was."""
    training = network.training
    network.eval()
    try:
        yield network
    finally:
        network.train(training)
