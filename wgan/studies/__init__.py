"""The papers' figures, made by this package's trainer: each ends in arrays and in numbers.

result = finish(STUDIES["layers"].run(seed=0, steps=300))
result.numbers["gp_decades"]
"""

from __future__ import annotations

from wgan.studies.base import Progress, Study, finish, plain

__all__ = ["STUDIES", "Progress", "Study", "finish", "plain"]

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        Study(
            "surface",
            "Value surfaces of optimal critics (WGAN-GP, Fig. 1a)",
            "A clipped critic sees one hill where the data has parts; under GP it sees the parts.",
            3000,
            "critic updates of each of 6 critics",
        ),
        Study(
            "layers",
            "Gradients through a deep critic (WGAN-GP, Fig. 1b, left)",
            "Under clipping gradients explode or vanish from layer to layer; under GP they do not.",
            200,
            "generator steps of each of 4 critics",
        ),
        Study(
            "weights",
            "Weights of a critic (WGAN-GP, Fig. 1b, right)",
            "Clipping pushes the weights to ±c; under GP they spread.",
            200,
            "generator steps of each of 2 critics",
        ),
        Study(
            "overfit",
            "A critic that overfits (WGAN-GP, Fig. 5b)",
            "With few images to train on, the critic's estimate holds for those images only.",
            1500,
            "generator steps of each of 2 runs",
        ),
        Study(
            "race",
            "Clipping, GP and GAN by steps and by time (WGAN-GP, Fig. 3)",
            "A step with a penalty costs more, and GP is ahead of clipping all the same.",
            1500,
            "generator steps of each of 4 methods",
        ),
        Study(
            "grid",
            "Architectures and methods (WGAN-GP, Fig. 2)",
            "One setting a method for all architectures: GP covers the most modes in all.",
            400,
            "generator steps of each of 24 cells",
        ),
    )
}
