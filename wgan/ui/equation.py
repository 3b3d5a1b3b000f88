"""The objective in use, typeset, with the active term highlighted."""

from __future__ import annotations

from typing import Literal

from wgan.config import ExperimentConfig
from wgan.constraints import constraint as constraint_named
from wgan.objectives import objective

Term = Literal["critic", "constraint", "generator"]
HIGHLIGHT = "#d55e00"  # which shell.css has in two shades, for the two themes


def equation(config: ExperimentConfig, active: Term = "constraint") -> str:
    """LaTeX of what D and G minimise.

    active: the highlighted term: the one that slow motion computes; at full speed the constraint,
    the term that the switches are about.
    """

    def term(name: str, text: str) -> str:
        return rf"\textcolor{{{HIGHLIGHT}}}{{{text}}}" if text and name == active else text

    constraint = _with_numbers(config)
    critic = term("critic", objective(config.objective).critic_equation)
    joint = r",\quad " if constraint_named(config.constraint).clips else " + "
    if constraint:
        # After a comma, not a plus: clipping is no term of the loss.
        critic += joint + term("constraint", constraint)
    generator = term("generator", objective(config.objective).generator_equation)
    return (
        r"\begin{aligned}"
        rf"\min_D\;& {critic}\\[2pt]"
        rf"\min_G\;& {generator}"
        r"\end{aligned}"
    )


def _with_numbers(config: ExperimentConfig) -> str:
    """The constraint's term with the values in use for λ, k and c."""
    text = constraint_named(config.constraint).equation
    if constraint_named(config.constraint).clips:
        return text.replace("-c,c", f"-{config.clip_value:g},{config.clip_value:g}")
    text = text.replace(r"\lambda", f"{config.gp_weight:g}")
    return text.replace("-k)", f"-{config.gp_target:g})")
