"""A generator step in its stages, and the figures that it leaves."""

from __future__ import annotations

# The stages of a step, in order, with the words that slow motion shows.
STAGES = {
    "data": "Draw real samples and latents, generate fakes",
    "scores": "The critic scores both",
    "penalty": "Penalty at the interpolates",
    "critic": "Update the critic",
    "clip": "Clip the critic's weights",
    "generate": "Draw latents, the critic scores the fakes",
    "generator": "Update the generator",
}
# Figures of a step, in the order of the tensor that `step` returns; no penalty is NaN.
FIGURES = ("critic_loss", "generator_loss", "critic_estimate", "penalty")
# After which stage each is this step's; until then it is the one of the update before.
FRESH = {
    "data": (),
    "scores": ("critic_estimate",),
    "penalty": ("critic_estimate", "penalty"),
    "critic": ("critic_loss", "critic_estimate", "penalty"),
    "clip": ("critic_loss", "critic_estimate", "penalty"),
    "generate": FIGURES,
    "generator": FIGURES,
}
