"""Named experiments: the papers' settings where they exist, and settings measured to work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wgan.config import CONV_SIZES, POINT_DATA, ExperimentConfig, from_dict, image_data
from wgan.recipes import GAN, RING_GAN, WGAN_CLIP, WGAN_GP, belonging


@dataclass(frozen=True)
class Preset:
    """A starting point. `about` says in one sentence what to watch for, and where it is from."""

    name: str
    title: str
    about: str
    fields: dict[str, Any]

    @cached_property
    def config(self) -> ExperimentConfig:
        return from_dict(self.fields)


TOY = {"width": 128, "depth": 3, "latent_dim": 2, "batch_size": 256, "beta1": 0.5, "beta2": 0.9}
DIGITS = {
    "data": "digits",
    "image_size": 8,
    "width": 256,
    "depth": 3,
    "latent_dim": 64,
    "output": "tanh",
    "batch_size": 64,
    "lr": 2e-4,
    "beta1": 0.5,
    "beta2": 0.9,
    "gp_weight": 10.0,
}
MNIST = DIGITS | {"data": "mnist", "image_size": 28, "batch_size": 128, "latent_dim": 100}
# The vanilla GAN of a blog that introduces GANs on MNIST: ReLU in both, a generator of two hidden
# layers, a discriminator of one, one step each. The losses are those of logits; the blog takes the
# log of a sigmoid, which is the deliberate bug `raw_log` here.
BLOG = {
    **GAN,
    "widths_g": (256, 512),
    "widths_d": (256,),
    "latent_dim": 100,
    "activation": "relu",
    "batch_size": 128,
    "lr": 2e-4,
    "beta1": 0.5,
    "beta2": 0.999,
}
# Faces and rooms at 64×64: Gulrajani et al. 2017, App. F, in a DCGAN's shape; LayerNorm in the
# critic as there. bfloat16 makes the convolutions 1.4 times as fast even on a CPU.
PHOTOS = {
    "image_size": 64,
    "network": "dcgan",
    "width": 64,
    "latent_dim": 128,
    "output": "tanh",
    "batch_size": 64,
    "norm_g": "batch",
    "norm_d": "layer",
    "gp_weight": 10.0,
    "lr": 1e-4,
    "beta1": 0.5,
    "beta2": 0.9,
    "ema": 0.999,
    "precision": "bfloat16",
    "limit": 50_000,
}

# The same without a convolution and without any normalisation.
PHOTOS_MLP = PHOTOS | {
    "network": "mlp",
    "width": 512,
    "depth": 4,
    "norm_g": "none",
    "norm_d": "none",
    "precision": "float32",
}
LARGE_DATA = ("celeba", "lsun")
# Small enough that a CPU shows something within minutes, where small batches and no normalisation
# in the critic get further than the settings above.
OWN = (
    PHOTOS
    | WGAN_GP
    | {"image_size": 32, "width": 32, "batch_size": 32, "norm_d": "none", "lr": 2e-4, "ema": 0.99}
    | {"activation": "leaky_relu", "limit": 0}
)

_ALL = [
    Preset(
        "digits-gan",
        "Digits · GAN that collapses",
        "After 300 steps all samples are the same picture. Switch to WGAN-GP and watch it heal.",
        DIGITS | GAN,
    ),
    Preset(
        "digits-wgan-clip",
        "Digits · WGAN, clipped",
        "Some of the digits appear, slowly: clipping keeps the critic's slope far below 1.",
        DIGITS | WGAN_CLIP | {"lr": 2e-4},
    ),
    Preset(
        "digits-wgan-gp",
        "Digits · WGAN-GP",
        "All ten digits, evenly, after about 400 steps.",
        DIGITS | WGAN_GP,
    ),
    Preset(
        "ring-gan",
        "Ring of 8 · GAN that collapses",
        "The samples gather on one Gaussian and hop from one to the next.",
        TOY | RING_GAN | {"activation": "leaky_relu"},
    ),
    Preset(
        "ring-lsgan",
        "Ring of 8 · LSGAN",
        "Least squares (Mao et al. 2017): some of the eight modes, rarely all.",
        TOY | GAN | {"objective": "lsgan", "lr": 2e-4},
    ),
    Preset(
        "ring-wgan-clip",
        "Ring of 8 · WGAN, clipped",
        "The original constraint: see how flat and angular the critic's surface stays.",
        TOY | WGAN_CLIP,
    ),
    Preset(
        "ring-wgan-gp",
        "Ring of 8 · WGAN-GP",
        "All eight modes after about 500 steps; with the authors' penalty weight for toy data.",
        TOY | WGAN_GP | {"lr": 1e-3, "gp_weight": 0.1, "ema": 0.99},
    ),
    Preset(
        "grid-gan",
        "Grid of 25 · GAN that collapses",
        "Of 25 modes a few are found and lost again.",
        TOY | RING_GAN | {"data": "grid25", "activation": "leaky_relu"},
    ),
    Preset(
        "grid-wgan-gp",
        "Grid of 25 · WGAN-GP",
        "25 modes: wider networks, the same penalty.",
        TOY | WGAN_GP | {"data": "grid25", "lr": 1e-3, "gp_weight": 0.1, "ema": 0.99},
    ),
    Preset(
        "swissroll-wgan-clip",
        "Swiss roll · WGAN, clipped",
        "The critic's surface cannot follow the roll (WGAN-GP, Fig. 1).",
        TOY | WGAN_CLIP | {"data": "swissroll"},
    ),
    Preset(
        "swissroll-wgan-gp",
        "Swiss roll · WGAN-GP",
        "With the penalty it can: look along the roll.",
        TOY | WGAN_GP | {"data": "swissroll", "lr": 1e-3, "gp_weight": 0.1, "ema": 0.99},
    ),
    Preset(
        "avatars-wgan-gp",
        "Avatars · WGAN-GP, DCGAN",
        "Faces drawn from seven attributes, at 64 × 64: hours on a CPU, minutes on a GPU.",
        PHOTOS
        | WGAN_GP
        | {
            "data": "avatars",
            "width": 16,
            "latent_dim": 64,
            "batch_size": 32,
            "norm_d": "none",
            "activation": "leaky_relu",
            "lr": 2e-4,
            "limit": 0,
        },
    ),
    Preset(
        "mnist-gan-mlp",
        "MNIST · GAN, MLPs",
        "The vanilla GAN of many tutorials, with tanh output.",
        MNIST | GAN | {"beta2": 0.999},
    ),
    *(
        Preset(
            f"{data}-gan-blog-{output}",
            f"{title} · GAN of the blog, {output}",
            "The vanilla GAN that introductions begin with: 100-256-512 units, one critic step.",
            BLOG | {"data": data, "image_size": size, "output": output},
        )
        for data, title, size in (("digits", "Digits", 8), ("mnist", "MNIST", 28))
        for output in ("sigmoid", "tanh")
    ),
    Preset(
        "mnist-wgan-gp",
        "MNIST · WGAN-GP, MLPs",
        "The same networks under the gradient penalty.",
        MNIST | WGAN_GP,
    ),
    Preset(
        "mnist-wgan-gp-dcgan",
        "MNIST · WGAN-GP, DCGAN",
        "Convolutions on 32×32 pixels; wants a GPU.",
        MNIST | WGAN_GP | {"network": "dcgan", "image_size": 32, "width": 32, "norm_g": "batch"},
    ),
    Preset(
        "cifar10-wgan-gp",
        "CIFAR-10 · WGAN-GP, ResNet",
        "Residual networks with layer normalisation in the critic; wants a GPU.",
        MNIST
        | WGAN_GP
        | {
            "data": "cifar10",
            "network": "resnet",
            "image_size": 32,
            "width": 64,
            "batch_size": 64,
            "norm_g": "batch",
            "norm_d": "layer",
        },
    ),
    Preset(
        "celeba-wgan-gp-mlp",
        "CelebA · WGAN-GP, fully connected",
        "Every convolution replaced by a linear layer and no normalisation; wants a GPU.",
        PHOTOS_MLP | WGAN_GP | {"data": "celeba"},
    ),
    Preset(
        "celeba64-wgan-gp",
        "CelebA · WGAN-GP, DCGAN",
        "Faces at 64 × 64 with LayerNorm in the critic; wants a GPU.",
        PHOTOS | WGAN_GP | {"data": "celeba"},
    ),
    Preset(
        "lsun64-wgan-gp-mlp",
        "LSUN bedrooms · WGAN-GP, fully connected",
        "The fully connected networks on rooms.",
        PHOTOS_MLP | WGAN_GP | {"data": "lsun"},
    ),
    Preset(
        "lsun64-wgan-gp",
        "LSUN bedrooms · WGAN-GP, DCGAN",
        "Bedrooms at 64 × 64; wants a GPU.",
        PHOTOS | WGAN_GP | {"data": "lsun"},
    ),
]
PRESETS = {preset.name: preset for preset in _ALL}
DEFAULT = "digits-gan"


def cure(config: ExperimentConfig) -> dict[str, Any]:
    """The live changes that make a run WGAN-GP, with the values measured for its kind of data."""
    # BatchNorm in the critic would spoil the penalty; bugs and frozen networks are healed too.
    norm = "layer" if config.norm_d == "batch" else config.norm_d
    sound = {"norm_d": norm, "freeze_g": False, "freeze_d": False, "faults": []}
    return recipe(config, "wgan", "gp") | sound


def collapse(config: ExperimentConfig) -> dict[str, Any]:
    """The live changes that make a run the GAN that collapses."""
    return recipe(config, "gan", "none")


def recipe(config: ExperimentConfig, objective: str, constraint: str) -> dict[str, Any]:
    """The live changes to an objective and a constraint, with all that belongs to them."""
    switches = {"objective": objective, "constraint": constraint}
    return switches | belonging(config.replace(switches))


def own_images(fields: Mapping[str, Any]) -> ExperimentConfig:
    """A WGAN-GP on images that nobody has tried before; `fields` name them. Raises `ConfigError`.

    fields: of the config, such as data, folder and limit.
    """
    return from_dict({**OWN, **fields})


def with_data(config: ExperimentConfig, data: str) -> ExperimentConfig:
    """The config of another data set, in its natural size.

    Between points and images the networks take the shapes that suit the other kind. Of a set that
    comes in gigabytes a part is taken, unless the config has a limit already.
    """
    if data in LARGE_DATA and not config.limit:
        config = config.replace({"limit": PHOTOS["limit"]})
    if data in POINT_DATA and config.is_points:
        return config.replace({"data": data})
    if data not in POINT_DATA and not config.is_points:
        size = image_data(data)[1]
        fits = config.network == "mlp" or size in CONV_SIZES
        return config.replace({"data": data, "image_size": size if fits else 32})
    kind = TOY | {"output": "linear", "activation": "relu", "network": "mlp"}
    if data not in POINT_DATA:
        kind = DIGITS | {"image_size": image_data(data)[1], "fakes": "generated"}
    weight = 0.1 if data in POINT_DATA else 10.0
    return config.replace(kind | {"data": data, "gp_weight": weight})
