"""The objectives and constraints in LaTeX; `wgan.losses` has the code to each equation."""

from __future__ import annotations

# What each side minimises, in LaTeX; shown on the page beside the switches.
CRITIC_EQUATIONS = {
    "gan": r"-\mathbb{E}[\log\sigma(D(x))]-\mathbb{E}[\log(1-\sigma(D(\tilde x)))]",
    "gan_saturating": r"-\mathbb{E}[\log\sigma(D(x))]-\mathbb{E}[\log(1-\sigma(D(\tilde x)))]",
    "lsgan": r"\tfrac12\mathbb{E}[(D(x)-1)^2]+\tfrac12\mathbb{E}[D(\tilde x)^2]",
    "wgan": r"\mathbb{E}[D(\tilde x)]-\mathbb{E}[D(x)]",
    "hinge": r"\mathbb{E}[\max(0,1-D(x))]+\mathbb{E}[\max(0,1+D(\tilde x))]",
}
GENERATOR_EQUATIONS = {
    "gan": r"-\mathbb{E}[\log\sigma(D(\tilde x))]",
    "gan_saturating": r"\mathbb{E}[\log(1-\sigma(D(\tilde x)))]",
    "lsgan": r"\tfrac12\mathbb{E}[(D(\tilde x)-1)^2]",
    "wgan": r"-\mathbb{E}[D(\tilde x)]",
    "hinge": r"-\mathbb{E}[D(\tilde x)]",
}
# What the constraint adds to the critic's loss, or does to its weights.
CONSTRAINT_EQUATIONS = {
    "none": "",
    "clip": r"w\leftarrow\mathrm{clip}(w,-c,c)",
    "gp": r"\lambda\,\mathbb{E}[(\lVert\nabla D(\hat x)\rVert_2-k)^2]",
    "gp_onesided": r"\lambda\,\mathbb{E}[\max(0,\lVert\nabla D(\hat x)\rVert_2-k)^2]",
    "r1": r"\tfrac{\lambda}{2}\,\mathbb{E}[\lVert\nabla D(x)\rVert_2^2]",
    "r2": r"\tfrac{\lambda}{2}\,\mathbb{E}[\lVert\nabla D(\tilde x)\rVert_2^2]",
}
