"""Combinations that the literature warns of: allowed, and told why they are a bad idea.

BatchNorm under a gradient penalty is certain enough for an alarm: see `wgan.diagnostics.doctor`.
"""

from __future__ import annotations

from wgan.config import ExperimentConfig
from wgan.constraints import constraint as constraint_named
from wgan.objectives import objective


def warnings(config: ExperimentConfig) -> list[str]:
    """One sentence each, with its source, in the order of importance; empty for a sound config."""
    c, found = config, []
    constraint = constraint_named(c.constraint)
    if constraint.clips and c.optimizer_d == "adam" and c.beta1 > 0:
        found.append(
            "Momentum with weight clipping: the critic's loss is nonstationary and training may "
            "become unstable. Use RMSProp, or Adam with β₁ = 0 (WGAN, section 4)."
        )
    if c.objective == "wgan" and c.constraint == "none" and c.norm_d != "spectral":
        found.append(
            "WGAN without a constraint: nothing keeps the critic Lipschitz, so its loss has no "
            "lower bound. Use clipping or GP (WGAN, section 3)."
        )
    if constraint.clips and c.clip_value > 0.1:
        found.append(
            f"Clipping at c = {c.clip_value:g}: with a large c the gradients explode through the "
            "layers and the critic takes long to reach its optimum (WGAN-GP, Fig. 1b)."
        )
    if constraint.has_target and c.activation == "elu":
        found.append(
            "ELU under a gradient penalty: its second derivative jumps, and the WGAN-GP authors "
            "saw it fail where softplus worked (WGAN-GP, appendix)."
        )
    if constraint.is_penalty and c.gp_weight == 0:
        found.append("The penalty weight λ is 0: the constraint is switched on but does nothing.")
    if c.objective == "wgan" and c.critic_steps == 1 and c.constraint != "none":
        found.append(
            "One critic step: the critic's estimate follows W1 only when the critic is near its "
            "optimum. The papers use 5 (WGAN, Algorithm 1)."
        )
    if "raw_log" in c.faults and not objective(c.objective).logits:
        found.append("The bug 'raw log' acts on the GAN objectives only; it does nothing here.")
    return found
