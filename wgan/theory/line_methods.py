"""The objectives under which the generator of one parameter is trained, see `line_run`."""

from __future__ import annotations

from dataclasses import dataclass

from wgan.labels import method


@dataclass(frozen=True)
class Method:
    """An objective with its constraint, and the critic's learning rate that suits both."""

    objective: str
    constraint: str
    lr: float = 2e-3

    @property
    def label(self) -> str:
        return method(self.objective, self.constraint)


METHODS = {
    "gan_saturating": Method("gan_saturating", "none"),
    "gan": Method("gan", "none"),
    "lsgan": Method("lsgan", "none"),
    "hinge": Method("hinge", "none"),
    "wgan_clip": Method("wgan", "clip", 1e-3),
    "wgan_gp": Method("wgan", "gp", 5e-3),
}
LABELS = {key: method.label for key, method in METHODS.items()}
CLIP, WEIGHT = 0.1, 10.0  # c of clipping, λ of the penalty
STEPS = 150  # generator steps of a run
