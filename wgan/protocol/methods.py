"""What the protocol compares: our methods with their settings, and the rows that are published.

The papers' ring (radius 1, σ = 0.01) and grid (−4..4 in steps of 2, σ = 0.05) are this project's
`ring8` and `grid25` but for a factor, √2 and 1/√8, that brings each to about unit variance for
training. High quality, within 3σ of a centre, is the same share on either side of a factor; so the
lab's own data sets serve as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from wgan.config import ExperimentConfig, from_dict
from wgan.presets import GAN, TOY, WGAN_CLIP, WGAN_GP

DATA = {"ring": "ring8", "grid": "grid25"}  # the papers' names -> ours
MODES = {"ring": 8, "grid": 25}
DRAWN = 2500  # samples judged at the end of a run (Srivastava et al. 2017)


@dataclass(frozen=True)
class Method:
    """One row: settings at the start, live changes on the way, and when to stop.

    fields: of the config, without data and seed. plan: (generator steps done, live changes).
    about: its settings in a few words, under the table.
    """

    name: str
    title: str
    fields: Mapping[str, Any]
    steps: int
    about: str
    plan: tuple[tuple[int, Mapping[str, Any]], ...] = ()

    def config(self, data: str, seed: int) -> ExperimentConfig:
        """The experiment on the papers' `data` ("ring" or "grid"), on the CPU."""
        return from_dict({**self.fields, "data": DATA[data], "seed": seed, "device": "cpu"})

    def scaled(self, factor: float) -> Method:
        """The same with all step counts multiplied, at least 1: a rehearsal."""
        plan = tuple((max(1, round(step * factor)), changes) for step, changes in self.plan)
        return replace(self, steps=max(1, round(self.steps * factor)), plan=plan)


@dataclass(frozen=True)
class Published:
    """A row as its paper prints it: means and, where given, deviations. HQ in percent."""

    title: str
    source: str
    ring_modes: str
    ring_hq: str
    grid_modes: str
    grid_hq: str


VEEGAN = "VEEGAN paper"  # Srivastava et al. 2017
PACGAN = "PacGAN paper"  # Lin et al. 2018
PUBLISHED = (
    Published("GAN", VEEGAN, "1", "99.3", "3.3", "0.5"),
    Published("Unrolled GAN", VEEGAN, "7.6", "35.6", "23.6", "16"),
    Published("VEEGAN", VEEGAN, "8", "52.9", "24.6", "40"),
    Published("GAN", PACGAN, "6.3 ± 0.5", "98.2", "17.3 ± 0.8", "94.8"),
    Published("PacGAN2", PACGAN, "7.9 ± 0.1", "95.6", "23.8 ± 0.7", "91.3"),
    Published("PacGAN4", PACGAN, "7.8 ± 0.1", "95.9", "24.8 ± 0.2", "93.6"),
)

_USUAL = TOY | GAN | {"lr": 2e-4}
_GP = TOY | WGAN_GP | {"lr": 1e-3, "gp_weight": 0.1, "ema": 0.99}
_ALL = (
    Method(
        "gan",
        "GAN, non-saturating",
        _USUAL,
        4000,
        "Adam 2e-4 (0.5, 0.9), 1 critic step, 4,000 generator steps",
    ),
    Method(
        "lsgan",
        "LSGAN",
        _USUAL | {"objective": "lsgan"},
        4000,
        "Adam 2e-4 (0.5, 0.9), 1 critic step, 4,000 generator steps",
    ),
    Method(
        "wgan-clip",
        "WGAN, clipped",
        TOY | WGAN_CLIP,
        2000,
        "the paper's RMSProp 5e-5, c = 0.01 and 5 critic steps, 2,000 generator steps",
    ),
    Method(
        "wgan-gp",
        "WGAN-GP",
        _GP,
        1500,
        "λ = 0.1 (the authors' for toys), Adam 1e-3 (0.5, 0.9), 5 critic steps, EMA 0.99, 1,500 "
        "generator steps",
    ),
    # The time that GAN + R1 takes: twice the steps, and a rate that lets the samples settle.
    Method(
        "wgan-gp-long",
        "WGAN-GP, longer, decayed",
        _GP,
        3000,
        "the same for 3,000 generator steps; the learning rate falls to 3e-4 at 2,000 and to 1e-4 "
        "at 2,600",
        ((2000, {"lr": 3e-4}), (2600, {"lr": 1e-4})),
    ),
    # Zero-centred, at real data only: converges locally where the others circle (Mescheder 2018).
    Method(
        "gan-r1",
        "GAN + R1, decayed",
        TOY
        | GAN
        | {"constraint": "r1", "gp_weight": 0.1, "lr": 1e-3, "beta1": 0.0, "beta2": 0.99}
        | {"ema": 0.99},
        9000,
        "non-saturating, γ = 0.1, Adam 1e-3 (0, 0.99), 1 critic step, EMA 0.99, 9,000 generator "
        "steps; the learning rate falls to 3e-4 at 3,500, 1e-4 at 6,500, 3e-5 at 8,000",
        ((3500, {"lr": 3e-4}), (6500, {"lr": 1e-4}), (8000, {"lr": 3e-5})),
    ),
)
METHODS = {method.name: method for method in _ALL}
