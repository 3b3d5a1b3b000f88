"""One entry a constraint on the critic: what it costs or clips, its equation, what it is called.

The config, the switches, the labels, the trainer and the guide read this table. It imports no
torch. To add a penalty: the function that gives its cost and an entry here, and its explanation in
`wgan/ui/text/en/constraints_each.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    Cost = Callable[[Tensor, float, Collection[str]], Tensor]

Place = Literal["between", "real", "fake"]


@dataclass(frozen=True)
class Constraint:
    """What keeps the critic from growing steep.

    A penalty adds λ E[cost] to the critic's loss. cost: of ∇D (N, …), the target k and the
    deliberate bugs, for each sample; at: the samples at which it looks: x̂ = α x + (1 − α) x̃
    between real and generated ones, or one of the two. clips: whether the critic's weights are
    clipped after each of its updates. equation: in LaTeX; empty where nothing is done. penalty:
    its mean in words, to be formatted with the target k.
    """

    label: str
    equation: str
    source: str
    penalty: str = ""
    at: Place = "between"
    cost: Cost | None = None
    clips: bool = False

    @property
    def is_penalty(self) -> bool:
        return self.cost is not None

    @property
    def has_target(self) -> bool:
        """Whether it compares the norm with k: the gradient penalties."""
        return self.is_penalty and self.at == "between"


def two_sided(gradient: Tensor, target: float, faults: Collection[str]) -> Tensor:
    # (‖∇D(x̂)‖ − k)²
    return (norms(gradient, faults) - target).square()


def one_sided(gradient: Tensor, target: float, faults: Collection[str]) -> Tensor:
    # max(0, ‖∇D(x̂)‖ − k)²: only where the norm is over k
    return (norms(gradient, faults) - target).relu().square()


def zero_centred(gradient: Tensor, target: float, faults: Collection[str]) -> Tensor:
    # ½ ‖∇D‖²
    return 0.5 * gradient.flatten(1).square().sum(1)


def norms(gradient: Tensor, faults: Collection[str] = ()) -> Tensor:
    """‖∇D(x)‖₂ of each sample, (N,); differentiable, also where the gradient is 0."""
    # d√s/ds is infinite at s = 0: a small number under the root keeps 0 · ∞ = NaN away.
    epsilon = 0.0 if "norm_without_eps" in faults else 1e-12
    if "norm_of_batch" in faults:
        squares = gradient.square().sum().expand(len(gradient))
    elif "norm_of_channels" in faults:  # (N, C, H, W) -> (N, H, W): a norm at each pixel
        squares = gradient.square().sum(1)
    else:
        squares = gradient.flatten(1).square().sum(1)
    return (squares + epsilon).sqrt()


CONSTRAINTS: dict[str, Constraint] = {
    "none": Constraint("no constraint", "", ""),
    "clip": Constraint(
        "clipping",
        r"w\leftarrow\mathrm{clip}(w,-c,c)",
        "Arjovsky et al. 2017, Algorithm 1, line 7",
        clips=True,
    ),
    "gp": Constraint(
        "GP",
        r"\lambda\,\mathbb{E}[(\lVert\nabla D(\hat x)\rVert_2-k)^2]",
        "Gulrajani et al. 2017, equation 3",
        "λ · mean of (‖∇D‖ − {k:g})² over these samples.",
        cost=two_sided,
    ),
    "gp_onesided": Constraint(
        "one-sided GP",
        r"\lambda\,\mathbb{E}[\max(0,\lVert\nabla D(\hat x)\rVert_2-k)^2]",
        "Gulrajani et al. 2017, section 4; Petzka et al. 2018",
        "λ · mean of max(0, ‖∇D‖ − {k:g})²: smaller norms are free.",
        cost=one_sided,
    ),
    "r1": Constraint(
        "R1",
        r"\tfrac{\lambda}{2}\,\mathbb{E}[\lVert\nabla D(x)\rVert_2^2]",
        "Mescheder et al. 2018, equation 9",
        "½ γ · mean of ‖∇D‖² at the real samples.",
        at="real",
        cost=zero_centred,
    ),
    "r2": Constraint(
        "R2",
        r"\tfrac{\lambda}{2}\,\mathbb{E}[\lVert\nabla D(\tilde x)\rVert_2^2]",
        "Mescheder et al. 2018, equation 10",
        "½ γ · mean of ‖∇D‖² at the generated samples.",
        at="fake",
        cost=zero_centred,
    ),
}


def constraint(name: str) -> Constraint:
    """The entry of a constraint. Raises `ValueError` for an unknown name."""
    if name not in CONSTRAINTS:
        raise ValueError(f"There is no constraint {name!r}; there are {', '.join(CONSTRAINTS)}.")
    return CONSTRAINTS[name]
