"""The generators of jacobaustin123/wgan-pytorch: a linear layer, then transposed convolutions.

After each layer but the last come batch normalisation and leaky ReLU (.01); the last one is
linear, and was trained on pictures in [0, 1].
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from wgan.networks import Reshape
from wgan.zoo.architecture import ZooError
from wgan.zoo.families import plain
from wgan.zoo.families.base import Place, Rebuilt, counted, matched, shape


class _Conv(NamedTuple):
    kernel: int
    stride: int
    padding: int
    bias: bool


class _Shape(NamedTuple):
    side: int  # pixels of the first maps
    size: int  # pixels of the image
    convs: tuple[_Conv, ...]


# By the number of convolutions: of the MNIST and of the LSUN generator.
SHAPES = {
    3: _Shape(5, 28, (_Conv(4, 1, 0, False), _Conv(4, 2, 2, False), _Conv(4, 2, 1, True))),
    5: _Shape(
        8,
        64,
        (
            _Conv(5, 1, 2, False),
            _Conv(6, 2, 2, False),
            _Conv(6, 2, 2, False),
            _Conv(6, 2, 2, True),
            _Conv(3, 1, 1, True),
        ),
    ),
}
LAYOUT = "jacobaustin123's WGAN"


class UnitToSigned(nn.Module):
    """Pictures in [0, 1] as pictures in [−1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x - 1


@dataclass(frozen=True)
class FcWgan(Rebuilt):
    """maps: channels of the first maps and after each convolution, the image's the last."""

    latent_dim: int
    maps: tuple[int, ...]
    family: ClassVar[str] = "jacobaustin-wgan"
    note: ClassVar[str] = (
        f"It has the layout of {LAYOUT}, trained with the gradient penalty; its widths were read "
        "from the shapes of its weights."
    )

    @property
    def sample_shape(self) -> tuple[int, ...]:
        size = SHAPES[len(self.maps) - 1].size
        return (self.maps[-1], size, size)

    @property
    def output(self) -> str:
        return "linear"

    def network(self) -> nn.Module:
        side, _, convs = SHAPES[len(self.maps) - 1]
        first = self.maps[0] * side**2
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            fc1=nn.Linear(self.latent_dim, first, bias=False),
            bn1=nn.BatchNorm1d(first),
            relu1=nn.LeakyReLU(0.01),
            reshape=Reshape(self.maps[0], side, side),
        )
        for number, (conv, (inputs, outputs)) in enumerate(
            zip(convs, pairwise(self.maps), strict=True), start=1
        ):
            layers[f"conv{number}"] = nn.ConvTranspose2d(
                inputs, outputs, conv.kernel, conv.stride, conv.padding, bias=conv.bias
            )
            if number < len(convs):
                layers[f"bn{number + 1}"] = nn.BatchNorm2d(outputs)
                layers[f"relu{number + 1}"] = nn.LeakyReLU(0.01)
        layers["signed"] = UnitToSigned()
        return nn.Sequential(layers)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> FcWgan:
        maps = plain.wholes(values, "maps", 1, plain.MAX_MAPS, range(4, 7))
        if len(maps) - 1 not in SHAPES or maps[-1] not in plain.IMAGE_CHANNELS:
            raise ZooError(
                f"maps of the architecture are {list(maps)}; {LAYOUT} has 3 or 5 convolutions and "
                "1 or 3 channels at the end."
            )
        return cls(plain.whole(values, "latent_dim", 1, plain.MAX_LATENT), maps)


def read(tensors: Mapping[str, Tensor]) -> tuple[FcWgan, dict[str, Tensor]]:
    """The architecture that these weights tell of. Raises `ZooError`."""
    count = counted(tensors, r"conv(\d+)\.weight", LAYOUT) - 1
    if count not in SHAPES:
        raise ZooError(f"The generator has {count} convolutions; {LAYOUT} has 3 or 5.")
    first = shape(tensors, "fc1.weight", 2, LAYOUT)
    kernels = [shape(tensors, f"conv{i}.weight", 4, LAYOUT) for i in range(1, count + 1)]
    maps = [kernels[0][0], *(kernel[1] for kernel in kernels)]
    architecture = FcWgan.from_plain({"latent_dim": first[1], "maps": maps})
    own = architecture.skeleton().state_dict()
    places = [Place(name, tuple(tensor.shape), name) for name, tensor in own.items()]
    return architecture, matched(tensors, places, LAYOUT)
