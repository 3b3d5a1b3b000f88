"""The generator of PyTorch's DCGAN tutorial, and of the many who began with it.

Transposed convolutions of 4×4 pixels: the first makes 4×4 maps of the latents (stride 1, padding
0), each further one doubles them (stride 2, padding 1). Between them batch normalisation, where
there is any, and ReLU; tanh at the end. Weights tell the widths, but neither strides nor
activations: those are assumed, and whatever would leave them in doubt is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

from torch import Tensor, nn

from wgan.networks import Reshape
from wgan.zoo.architecture import ZooError
from wgan.zoo.families import plain
from wgan.zoo.families.base import COUNTER, NORM, OUTPUTS, Rebuilt
from wgan.zoo.families.layers import BgrToRgb

FIRST = (4, 7)  # kernels of the first layer, which are the sizes of its maps
MAX_SIZE = 256  # pixels
MAX_LAYERS = 7


@dataclass(frozen=True)
class DcganTutorial(Rebuilt):
    """first: the first kernel's size. maps: channels after each layer, the image's the last.

    norm: whether batch normalisation follows the layers, all but the last. bias, last_bias:
    whether they and the last have biases. output: the last activation, which no file tells. bgr:
    whether the channels stand as blue, green, red, as OpenMMLab has them.
    """

    latent_dim: int
    first: int
    maps: tuple[int, ...]
    norm: bool
    bias: bool
    last_bias: bool
    output: str = "tanh"  # pyright: ignore[reportIncompatibleMethodOverride]
    bgr: bool = False
    family: ClassVar[str] = "dcgan-tutorial"
    note: ClassVar[str] = (
        "It was rebuilt from the names and shapes of its weights, with the strides and activations "
        "of PyTorch's DCGAN tutorial: every layer after the first doubles the image, ReLU between "
        "layers, tanh or sigmoid at the end."
    )

    @property
    def sample_shape(self) -> tuple[int, ...]:
        size = self.first * 2 ** (len(self.maps) - 1)
        return (self.maps[-1], size, size)

    @property
    def outputs(self) -> tuple[str, ...]:
        return () if self.bgr else OUTPUTS  # OpenMMLab's is known

    def with_output(self, output: str) -> DcganTutorial:
        return replace(self, output=output)

    def network(self) -> nn.Sequential:
        layers: list[nn.Module] = [Reshape(self.latent_dim, 1, 1)]
        *hidden, (inputs, channels) = pairwise((self.latent_dim, *self.maps))
        shape = (self.first, 1, 0)  # kernel, stride, padding
        for before, maps in hidden:
            layers.append(nn.ConvTranspose2d(before, maps, *shape, bias=self.bias))
            layers += [nn.BatchNorm2d(maps), nn.ReLU()] if self.norm else [nn.ReLU()]
            shape = (4, 2, 1)
        layers.append(nn.ConvTranspose2d(inputs, channels, *shape, bias=self.last_bias))
        layers.append(nn.Tanh() if self.output == "tanh" else nn.Sigmoid())
        return nn.Sequential(*layers, BgrToRgb()) if self.bgr else nn.Sequential(*layers)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> DcganTutorial:
        architecture = cls(
            latent_dim=plain.whole(values, "latent_dim", 1, plain.MAX_LATENT),
            first=plain.whole(values, "first", *FIRST),
            maps=plain.wholes(values, "maps", 1, plain.MAX_MAPS, range(2, MAX_LAYERS + 1)),
            norm=plain.flag(values, "norm"),
            bias=plain.flag(values, "bias"),
            last_bias=plain.flag(values, "last_bias"),
            output=plain.choice(values, "output", OUTPUTS),
            bgr=plain.flag({"bgr": False, **values}, "bgr"),
        )
        _check(architecture)
        return architecture


def _check(architecture: DcganTutorial) -> None:
    """Raises `ZooError` for what no single number tells."""
    channels, size, _ = architecture.sample_shape
    if architecture.bgr and channels != 3:
        raise ZooError("bgr of the architecture is true; a grey picture has no order of colours.")
    if channels not in plain.IMAGE_CHANNELS:
        raise ZooError(
            f"The last transposed convolution makes {channels} channels; an image has 1 or 3."
        )
    if architecture.first not in FIRST or size > MAX_SIZE:
        raise ZooError(
            f"The generator would make images of {size} pixels from maps of {architecture.first}; "
            f"it begins with maps of 4 or 7 pixels and makes images of at most {MAX_SIZE}."
        )


@dataclass(frozen=True)
class _Layer:
    """A module of the file: its path, the numbers in it, and its tensors by their last name."""

    path: str
    numbers: tuple[int, ...]
    tensors: dict[str, Tensor]

    @property
    def is_convolution(self) -> bool:
        return "weight" in self.tensors and self.tensors["weight"].ndim == 4


def is_like(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these could be weights of such a generator: kernels, under names that count."""
    kernels = [name for name, t in tensors.items() if t.ndim == 4 and name.endswith(".weight")]
    return len(kernels) > 1 and all(re.search(r"\d", name) for name in kernels)


def read(
    tensors: Mapping[str, Tensor], output: str = "tanh"
) -> tuple[DcganTutorial, dict[str, Tensor]]:
    """The architecture that these weights tell of, and the weights by its own names.

    Raises `ZooError` that names the tensor or the layer which does not fit.
    """
    layers = _layers(tensors)
    convolutions = [layer for layer in layers if layer.is_convolution]
    norms: dict[str, _Layer] = {}  # by the path of the convolution before
    for before, layer in pairwise(layers):
        _check_gap(before, layer)
        if not layer.is_convolution:
            norms[before.path] = layer
    *hidden, last = convolutions
    if last.path in norms:
        raise ZooError(f"Normalisation {norms[last.path].path!r} follows the last convolution.")
    for layer in convolutions[1:]:
        _check_kernel(layer, (4,))
    _check_kernel(convolutions[0], FIRST)
    architecture = DcganTutorial(
        latent_dim=convolutions[0].tensors["weight"].shape[0],
        first=convolutions[0].tensors["weight"].shape[2],
        maps=tuple(layer.tensors["weight"].shape[1] for layer in convolutions),
        norm=_same_for_all(hidden, [layer.path in norms for layer in hidden], "normalisation"),
        bias=_same_for_all(hidden, ["bias" in layer.tensors for layer in hidden], "a bias"),
        last_bias="bias" in last.tensors,
        output=output,
    )
    if architecture.bias and not architecture.last_bias:
        raise ZooError(f"The layer {hidden[0].path!r} has a bias and {last.path!r} has none.")
    _check_shapes(architecture, convolutions, norms)
    # The same numbers, under the same rules as from a config.json.
    DcganTutorial.from_plain(architecture.to_dict())
    own = [
        name
        for name, module in architecture.skeleton().named_children()
        if isinstance(module, (nn.ConvTranspose2d, nn.BatchNorm2d))
    ]
    return architecture, {
        f"{name}.{leaf}": tensor
        for name, layer in zip(own, layers, strict=True)
        for leaf, tensor in layer.tensors.items()
    }


def _layers(tensors: Mapping[str, Tensor]) -> list[_Layer]:
    """The modules in the order of the numbers in their names."""
    grouped: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        path, _, leaf = name.rpartition(".")
        grouped.setdefault(path, {})[leaf] = tensor
    words = {path: re.findall(r"[^\d.]+", path) for path in grouped}
    first = next(iter(grouped))
    for path in grouped:
        if words[path] != words[first]:
            raise ZooError(
                f"The layers {first!r} and {path!r} are not counted in one row, so that their "
                "order is not known; expected names such as 'main.0.weight', 'main.1.weight'."
            )
    layers = [
        _Layer(path, tuple(int(part) for part in re.findall(r"\d+", path)), group)
        for path, group in grouped.items()
    ]
    layers.sort(key=lambda layer: layer.numbers)
    for layer in layers:
        _check_kind(layer)
    if not layers[0].is_convolution or max(layers[0].numbers, default=0) > 1:
        raise ZooError(f"The generator begins with {layers[0].path!r}, no transposed convolution.")
    return layers


def _check_kind(layer: _Layer) -> None:
    found = set(layer.tensors)
    if layer.is_convolution and found <= {"weight", "bias"}:
        return
    if not layer.is_convolution and found == {*NORM, COUNTER}:
        return
    raise ZooError(
        f"The layer {layer.path!r} has {', '.join(sorted(found))}; expected a transposed "
        f"convolution's weight of four axes and bias, or batch normalisation's "
        f"{', '.join(sorted(NORM))} and {COUNTER}."
    )


def _check_gap(before: _Layer, layer: _Layer) -> None:
    """Between two layers with weights there is just the activation, by the count of the names.

    A layer more could be one that changes the image: upsampling, say. Inside one block, as
    in 0, 1, 3, 4, …, normalisation follows its convolution at once and the next convolution with
    one place between; from block to block, as in 0.0, 0.1, 1.0, …, nothing lies between.
    """
    a, b = before.numbers, layer.numbers
    level = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    if level is not None:
        step = b[level] - a[level]
        in_block = len(a) == len(b) == level + 1
        if not layer.is_convolution:
            expected = in_block and step == 1 and before.is_convolution
        else:
            expected = step == (2 if in_block else 1) and not any(b[level + 1 :])
        if expected:
            return
    raise ZooError(
        f"What lies between the layers {before.path!r} and {layer.path!r} is not known; expected "
        "transposed convolution, batch normalisation or none, and ReLU, in turn."
    )


def _check_kernel(layer: _Layer, allowed: tuple[int, ...]) -> None:
    height, width = layer.tensors["weight"].shape[2:]
    if height != width or height not in allowed:
        raise ZooError(
            f"The kernel of {layer.path!r} has {height}×{width} pixels, which leaves its stride "
            f"in doubt; expected {' or '.join(f'{size}×{size}' for size in allowed)}."
        )


def _same_for_all(layers: list[_Layer], values: list[bool], what: str) -> bool:
    if len(set(values)) > 1:
        has, lacks = layers[values.index(True)].path, layers[values.index(False)].path
        raise ZooError(f"The layer {has!r} has {what} and {lacks!r} has none.")
    return values[0]


def _check_shapes(
    architecture: DcganTutorial, convolutions: list[_Layer], norms: Mapping[str, _Layer]
) -> None:
    inputs = architecture.latent_dim
    for layer, maps in zip(convolutions, architecture.maps, strict=True):
        if layer.tensors["weight"].shape[0] != inputs:
            raise ZooError(
                f"The transposed convolution {layer.path!r} takes "
                f"{layer.tensors['weight'].shape[0]} channels where {inputs} come."
            )
        vectors = {name: t for name, t in layer.tensors.items() if name != "weight"}
        _check_vectors(layer.path, vectors, maps)
        if layer.path in norms:
            norm = norms[layer.path]
            vectors = {name: t for name, t in norm.tensors.items() if name != COUNTER}
            _check_vectors(norm.path, vectors, maps)
        inputs = maps


def _check_vectors(path: str, vectors: Mapping[str, Tensor], maps: int) -> None:
    for name, tensor in vectors.items():
        if tuple(tensor.shape) != (maps,):
            raise ZooError(
                f"The tensor '{path}.{name}' should have the shape {maps} and has "
                f"{'×'.join(map(str, tensor.shape)) or 'a single number'}."
            )
