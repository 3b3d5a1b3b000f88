"""Figures of merit: pure functions of samples and critics, plain values out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from wgan.data.base import Dataset, Modes

Critic = Callable[[Tensor], Tensor]

# A mode counts as covered with so many high-quality samples, of so many drawn.
COVERED, DRAWN = 20, 2500


@torch.no_grad()
def critic_estimate(critic: Critic, real: Tensor, fake: Tensor) -> float:
    """E[D(real)] − E[D(fake)], in the critic's units (Arjovsky et al. 2017, equations 2 and 3).

    For a critic that is K-Lipschitz and optimal it is K·W1; a critic's K is not known, so that
    figures of one critic over time compare, those of different critics do not.

    real, fake: (n, *shape), (m, *shape); critic: (n, *shape) -> (n,).
    """
    return (critic(real).mean() - critic(fake).mean()).item()


def w1(a: Tensor, b: Tensor) -> float:
    """Exact 1-Wasserstein distance of two samples of equal size, with Euclidean ground cost.

    a, b: (n, *shape), flattened. Between n points and n points some optimal plan is an assignment,
    so that W1 = min over permutations π of 1/n Σ ‖aᵢ − b_π(i)‖ (Kantorovich; Birkhoff's theorem).
    In the data's units, ≥ 0; NaN when a sample is not finite. The cost grows like n³.

    Raises `ValueError` when the shapes differ or the samples are empty.
    """
    if a.shape != b.shape or len(a) == 0:
        raise ValueError(
            f"W1 needs two samples of equal size, not {tuple(a.shape)} and {tuple(b.shape)}."
        )
    cost = cdist(_rows(a), _rows(b))
    if not math.isfinite(cost.sum()):
        return math.nan
    return float(cost[linear_sum_assignment(cost)].mean())


def w1_floor(dataset: Dataset, n: int, generator: torch.Generator, repeats: int = 4) -> float:
    """Mean W1 between two independent real batches of n: what a perfect generator would score.

    It is above 0 because a batch is not the distribution (see Stanczuk et al. 2021).
    """
    pairs = ((dataset.sample(n, generator), dataset.sample(n, generator)) for _ in range(repeats))
    return sum(w1(a, b) for a, b in pairs) / repeats


def gradient_norms(
    critic: Critic, real: Tensor, fake: Tensor, generator: torch.Generator
) -> Tensor:
    """‖∇D(x̂)‖₂ at x̂ = α·real + (1 − α)·fake, α uniform on 0..1 for each pair.

    The points at which WGAN-GP penalises (Gulrajani et al. 2017, Algorithm 1); 1 is its target.

    real, fake: (n, *shape); critic: (n, *shape) -> (n,); generator: on the samples' device.
    Gives (n,), detached. Works under any grad mode, and leaves no gradient on the parameters.
    """
    # A caller's inference mode would forbid gradients even where they are enabled again.
    with torch.inference_mode(False), torch.enable_grad():
        alpha = torch.rand(len(real), generator=generator, device=real.device)
        alpha = alpha.view(-1, *[1] * (real.ndim - 1))
        between = (alpha * real + (1 - alpha) * fake).detach().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(between).sum(), between)
        return gradient.flatten(1).norm(dim=1)


@dataclass(frozen=True)
class Coverage:
    """How well samples cover the modes of a data set. K modes.

    counts: high-quality samples on each mode, (K,); none on a class on which there are no more than
    samples of the others, confused, would give. samples: how many were judged.
    modes: modes with at least 20 high-quality samples of 2,500, in proportion for other numbers;
    modes_any: with at least one, as in the papers (Srivastava et al. 2017; Lin et al. 2018).
    modes_total: K. high_quality: share of the samples, 0..1.
    mode_kl: KL divergence of the histogram over modes, of all samples, high quality or not, from
    uniform; in nats, 0 (even) .. log K (one mode only). shares: that histogram, (K,), summing to 1.
    """

    counts: tuple[int, ...]
    samples: int
    modes: int
    modes_any: int
    modes_total: int
    high_quality: float
    mode_kl: float
    shares: tuple[float, ...] = ()


def coverage(modes: Modes, samples: Tensor) -> Coverage:
    """Judges samples (n, *shape) by the modes of their data set; see `Coverage`.

    Raises `ValueError` when there are no samples.
    """
    n, total = len(samples), len(modes.names)
    if n == 0:
        raise ValueError("Coverage needs at least one sample.")
    index, high_quality = modes.judge(samples)
    good = torch.bincount(index[high_quality], minlength=total).cpu()
    counts = _beyond_confusion(good, modes.confusion)
    enough = math.ceil(COVERED * n / DRAWN)
    # KL(p‖uniform) = log K − H(p), with H(p) = Σ −p log p and 0 log 0 = 0.
    share = torch.bincount(index, minlength=total).double() / n
    kl = math.log(total) - torch.special.entr(share).sum().item()
    return Coverage(
        counts=tuple(counts.tolist()),
        samples=n,
        modes=int((counts >= enough).sum()),
        modes_any=int((counts >= 1).sum()),
        modes_total=total,
        high_quality=good.sum().item() / n,
        mode_kl=max(0.0, kl),  # rounding can leave −1e−16
        shares=tuple(share.tolist()),
    )


def _beyond_confusion(counts: Tensor, confusion: Tensor | None) -> Tensor:
    """The counts (K,), and 0 for a class that the classifier's confusion alone explains.

    confusion: (K, K), the share of real images of class i taken for class j. So many of the other
    classes' samples are expected on class j: Σ_{i≠j} counts_i · confusion_ij / confusion_ii, since
    class i kept only confusion_ii of its own; ± its square root.
    """
    if confusion is None:
        return counts
    confusion = confusion.cpu()
    kept = confusion.diagonal()
    alone = (counts / kept.clamp_min(0.01)) @ (confusion - kept.diag())
    return torch.where(counts > alone + 3 * alone.sqrt(), counts, 0)


def _rows(samples: Tensor):
    """(n, *shape) as a numpy array (n, D) of float64, which scipy computes in."""
    return samples.detach().flatten(1).double().cpu().numpy()
