"""The papers' figures, made by this package's trainer: each ends in arrays and in numbers.

result = finish(STUDIES["layers"].run(seed=0, steps=300))
result.numbers["gp_decades"]
"""

from __future__ import annotations

from wgan.figures import papers
from wgan.figures.base import Figure
from wgan.figures.meter import three
from wgan.studies import grid, layers, overfit, race, surface, weights
from wgan.studies.base import Progress, Study, finish, plain
from wgan.studies.cells import IMAGE_ROWS, METHODS
from wgan.studies.grid import Grid
from wgan.studies.layers import Layers
from wgan.studies.overfit import Overfit
from wgan.studies.race import Race
from wgan.studies.surface import REACH, Surfaces
from wgan.studies.weights import C, Weights

__all__ = ["STUDIES", "Progress", "Study", "finish", "plain"]

_SETS = {"ring8": "8 Gaussians", "grid25": "25 Gaussians", "swissroll": "Swiss roll"}
_CRITICS = {"clip": "clipping", "gp": "GP"}


def _draw_surface(result: Surfaces) -> Figure:
    ordered = sorted(result.surfaces, key=lambda s: list(_CRITICS).index(s.critic))
    shown = [
        (f"{_SETS[s.data]}, {_CRITICS[s.critic]}: dip {three(s.dip)}", s.values, s.real)
        for s in ordered
    ]
    return papers.value_surfaces(shown, REACH, columns=len(_SETS))


def _draw_weights(result: Weights) -> Figure:
    return papers.weight_histograms(
        {name: (h.edges, h.share) for name, h in result.histograms.items()}, C
    )


def _draw_overfit(result: Overfit) -> Figure:
    return papers.held_out_curves(
        [
            (f"{s.images:,} training images: gap {s.share:.0%}", s.step, s.train, s.held_out)
            for s in (result.few, result.many)
        ]
    )


def _draw_race(result: Race) -> Figure:
    curves = {name: (c.step, c.seconds, c.w1, c.modes) for name, c in result.curves.items()}
    return papers.race_curves(curves, result.floor)


def _draw_grid(result: Grid) -> Figure:
    rows, columns = list(IMAGE_ROWS), list(METHODS)
    cells = {
        (rows.index(cell.row), columns.index(cell.method)): (
            cell.samples,
            f"{cell.modes} / {result.modes_total} modes, {three(cell.ms_per_step)} ms a step",
        )
        for cell in result.cells
    }
    across = [choice.title for choice in METHODS.values()]
    return papers.sample_grid([c.title for c in IMAGE_ROWS.values()], across, cells)


def _draw_layers(result: Layers) -> Figure:
    return papers.layer_gradients(result.norms)


STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        Study(
            "surface",
            "Value surfaces of optimal critics (WGAN-GP, Fig. 1a)",
            "A clipped critic sees one hill where the data has parts; under GP it sees the parts.",
            3000,
            "critic updates of each of 6 critics",
            surface.run,
            _draw_surface,
        ),
        Study(
            "layers",
            "Gradients through a deep critic (WGAN-GP, Fig. 1b, left)",
            "Under clipping gradients explode or vanish from layer to layer; under GP they do not.",
            200,
            "generator steps of each of 4 critics",
            layers.run,
            _draw_layers,
        ),
        Study(
            "weights",
            "Weights of a critic (WGAN-GP, Fig. 1b, right)",
            "Clipping pushes the weights to ±c; under GP they spread.",
            200,
            "generator steps of each of 2 critics",
            weights.run,
            _draw_weights,
        ),
        Study(
            "overfit",
            "A critic that overfits (WGAN-GP, Fig. 5b)",
            "With few images to train on, the critic's estimate holds for those images only.",
            1500,
            "generator steps of each of 2 runs",
            overfit.run,
            _draw_overfit,
        ),
        Study(
            "race",
            "Clipping, GP and GAN by steps and by time (WGAN-GP, Fig. 3)",
            "A step with a penalty costs more, and GP is ahead of clipping all the same.",
            1500,
            "generator steps of each of 4 methods",
            race.run,
            _draw_race,
        ),
        Study(
            "grid",
            "Architectures and methods (WGAN-GP, Fig. 2)",
            "One setting a method for all architectures: GP covers the most modes in all.",
            400,
            "generator steps of each of 24 cells",
            grid.run,
            _draw_grid,
        ),
    )
}
