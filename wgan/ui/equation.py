"""The objective in use, typeset, with the active term highlighted."""

from __future__ import annotations

from wgan.config import ExperimentConfig
from wgan.equations import CONSTRAINT_EQUATIONS, CRITIC_EQUATIONS, GENERATOR_EQUATIONS
from wgan.lab.frame import Stage

# Which term a stage of slow motion computes.
TERM_OF_STAGE = {
    "data": "critic",
    "scores": "critic",
    "penalty": "constraint",
    "critic": "critic",
    "clip": "constraint",
    "generate": "generator",
    "generator": "generator",
}
HIGHLIGHT = "#d55e00"


def equation(config: ExperimentConfig, stage: Stage | None = None) -> str:
    """LaTeX of what D and G minimise.

    The highlighted term is the one that the stage computes; at full speed it is the constraint,
    the term that the switches are about.
    """
    active = TERM_OF_STAGE[stage.name] if stage else "constraint"

    def term(name: str, text: str) -> str:
        return rf"\textcolor{{{HIGHLIGHT}}}{{{text}}}" if text and name == active else text

    constraint = _with_numbers(config)
    critic = term("critic", CRITIC_EQUATIONS[config.objective])
    joint = r",\quad " if config.constraint == "clip" else " + "
    if constraint:
        # After a comma, not a plus: clipping is no term of the loss.
        critic += joint + term("constraint", constraint)
    generator = term("generator", GENERATOR_EQUATIONS[config.objective])
    return (
        r"\begin{aligned}"
        rf"\min_D\;& {critic}\\[2pt]"
        rf"\min_G\;& {generator}"
        r"\end{aligned}"
    )


def _with_numbers(config: ExperimentConfig) -> str:
    """The constraint's term with the values in use for λ, k and c."""
    text = CONSTRAINT_EQUATIONS[config.constraint]
    if config.constraint == "clip":
        return text.replace("-c,c", f"-{config.clip_value:g},{config.clip_value:g}")
    text = text.replace(r"\lambda", f"{config.gp_weight:g}")
    return text.replace("-k)", f"-{config.gp_target:g})")
