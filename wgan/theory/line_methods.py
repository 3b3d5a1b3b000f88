"""The objectives under which the generator of one parameter is trained, see `line_run`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """An objective with its constraint, and the critic's learning rate that suits both."""

    label: str
    objective: str
    constraint: str
    lr: float = 2e-3


METHODS = {
    "gan_saturating": Method("GAN, saturating", "gan_saturating", "none"),
    "gan": Method("GAN, non-saturating", "gan", "none"),
    "lsgan": Method("LSGAN", "lsgan", "none"),
    "hinge": Method("hinge", "hinge", "none"),
    "wgan_clip": Method("WGAN, clipping", "wgan", "clip", 1e-3),
    "wgan_gp": Method("WGAN-GP", "wgan", "gp", 5e-3),
}
LABELS = {key: method.label for key, method in METHODS.items()}
CLIP, WEIGHT = 0.1, 10.0  # c of clipping, λ of the penalty
STEPS = 150  # generator steps of a run
