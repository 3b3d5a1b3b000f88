"""Which published layout a file has, by the names that only this layout uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from torch import Tensor

from wgan.zoo.architecture import Architecture, ZooError
from wgan.zoo.families import dcgan_tutorial, fc_wgan, mlp, openmmlab
from wgan.zoo.families import progressive_names as progressive

Read = tuple[Architecture, dict[str, Tensor]]


class Layout(NamedTuple):
    """names: a pattern of whole names that no other layout has. example: one of them."""

    title: str
    names: str
    example: str
    read: Callable[[Mapping[str, Tensor]], Read]


LAYOUTS = (
    Layout(
        progressive.GENFORCE.layout,
        r"layer\d+\.(weight|bias)|output\d+\.(weight|bias)",
        "layer0.weight",
        partial(progressive.read_official, naming=progressive.GENFORCE),
    ),
    Layout(
        progressive.HIGAN.layout,
        r"layer\d+\.wscale\.bias|output\d+\.(conv\.weight|wscale\.bias)",
        "layer0.wscale.bias",
        partial(progressive.read_official, naming=progressive.HIGAN),
    ),
    Layout(
        progressive.DISSECT.layout,
        r"layer\d+\.wscale\.b|output_\d+x\d+\..*",
        "layer1.wscale.b",
        partial(progressive.read_official, naming=progressive.DISSECT),
    ),
    Layout(
        progressive.DISSECT_OLD.layout,
        r"features\.\d+\.(conv\.weight|wscale\.b)|output\.(conv\.weight|wscale\.b)",
        "features.0.wscale.b",
        partial(progressive.read_official, naming=progressive.DISSECT_OLD),
    ),
    Layout(
        "pytorch_GAN_zoo's progressive GAN",
        r"(formatLayer|groupScale0|scaleLayers|toRGBLayers)\..*",
        "formatLayer.module.weight",
        progressive.read_gan_zoo,
    ),
    Layout(
        "OpenMMLab's progressive GAN",
        r"noise2feat\.linear\.weight_orig|(conv_blocks|torgb_layers)\..*\.weight_orig",
        "noise2feat.linear.weight_orig",
        progressive.read_openmmlab,
    ),
    Layout(
        "OpenMMLab's WGAN-GP",
        r"noise2feat\.linear\.weight|noise2feat\.norm\..*|to_rgb\..*",
        "noise2feat.linear.weight",
        openmmlab.read_wgan_gp,
    ),
    Layout(
        "OpenMMLab's DCGAN",
        r"noise2feat\.(conv|bn)\..*|upsampling\..*|output_layer\..*",
        "noise2feat.conv.weight",
        openmmlab.read_dcgan,
    ),
    Layout(
        "OpenMMLab's LSGAN",
        r"noise2feat_(head|tail)\..*",
        "noise2feat_head.0.weight",
        openmmlab.read_lsgan,
    ),
    Layout(fc_wgan.LAYOUT, r"fc1\.weight", "fc1.weight", fc_wgan.read),
)
# Layouts without a name of their own: told by what the tensors are.
COUNTED = (
    Layout("PyTorch's DCGAN tutorial", "", "main.0.weight", dcgan_tutorial.read),
    Layout(mlp.LAYOUT, "", "model.0.weight", mlp.read),
)
# Families that are not rebuilt here: a pattern of one name, and what it is.
_OTHERS = (
    (r"(g_)?(mapping|synthesis)\..*|style\.\d+\..*|.*\.modulation\..*", "a StyleGAN"),
    (r".*(ccbn|hyper|cbn)\d*\..*", "a conditional generator"),
    (r"(time_embed|time_embedding|down_blocks|up_blocks)\..*", "a diffusion model"),
)


def recognised(tensors: Mapping[str, Tensor]) -> Read | None:
    """The architecture and the weights by its names; None where no layout is like it.

    Raises `ZooError` for what is like a layout and is not quite it, and for known others.
    """
    found = [one for one in LAYOUTS if any(re.fullmatch(one.names, name) for name in tensors)]
    if len(found) == 1:
        return found[0].read(tensors)
    if found:
        two = " and ".join(f"{one.title} ({_one(one, tensors)})" for one in found[:2])
        raise ZooError(f"The generator has tensors of two layouts, {two}; expected those of one.")
    for pattern, what in _OTHERS:
        if name := next((name for name in tensors if re.fullmatch(pattern, name)), None):
            raise ZooError(
                f"These are the weights of {what}, as {name!r} tells: another family of networks "
                "than those that are rebuilt here."
            )
    if dcgan_tutorial.is_like(tensors):
        # PyProbML's, which is the tutorial's in blocks and ends in a sigmoid.
        blocks = all(re.match(r"gen\.\d+\.\d+\.", name) for name in tensors)
        return dcgan_tutorial.read(tensors, "sigmoid" if blocks else "tanh")
    if mlp.is_like(tensors):
        return mlp.read(tensors)
    return None


def _one(layout: Layout, tensors: Mapping[str, Tensor]) -> str:
    return repr(next(name for name in tensors if re.fullmatch(layout.names, name)))
