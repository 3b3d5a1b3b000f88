"""How samples cover the modes of their data set."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wgan.data.base import Modes

# A mode counts as covered with so many high-quality samples, of so many drawn.
COVERED, DRAWN = 20, 2500


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
