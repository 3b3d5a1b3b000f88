"""Judges of samples by the modes of a data set: Gaussians by distance, images by class."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wgan.data.base import Progress, silent
from wgan.data.classifier import Classifier, fit
from wgan.data.pixels import decode

FEATURES = 64  # principal components in which the class of an image is decided
BASIS = 5000  # at most so many images give those components
HELD_OUT = 5000  # at most so many images measure the classifier
LEAST_IMAGES = 200  # below this, what was held out says little about the classifier
LEAST_ACCURACY = 0.97  # below this, a class is not known well enough to be a mode
FEW = 5000  # up to so many images the nearest neighbour knows better than what is learnt from them
LEAST_LEARNT = 0.5  # of a classifier whose confusion is taken into account
REFERENCES = 10_000  # at most so many images of 28×28 stand for the real data
PERCENTILE = 0.99  # of the real images' distances: the border of high quality
_CHUNK = 16_000_000  # distances held at once, 64 MB


@dataclass(frozen=True, eq=False)
class CentreModes:
    """Modes of a mixture of equal round Gaussians; see `Modes`.

    A sample belongs to the nearest centre and is high quality within 3σ of it (the metric of the
    VEEGAN paper, Srivastava et al. 2017). centres: (K, 2).
    """

    names: tuple[str, ...]
    centres: Tensor
    sigma: float
    confusion: Tensor | None = None  # the nearest centre is no guess
    # P(distance < 3σ) in two dimensions; the distance is Rayleigh distributed.
    high_quality_real: float = 1 - math.exp(-4.5)

    @torch.no_grad()
    def judge(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        samples = samples.to(self.centres)
        distance, index = (samples[:, None] - self.centres).norm(dim=2).min(1)
        return index, distance < 3 * self.sigma


@dataclass(frozen=True, eq=False)
class ClassModes:
    """Modes that are the classes of labelled images; see `Modes`.

    A sample belongs to the class of the nearest real image in the space of the principal
    components. It is high quality when its distance to the nearest real image, over all pixels, is
    below `threshold`: the 99th percentile of the distances from a real image to the nearest other.

    accuracy: share of held-out real images whose class is right.
    components: (F, P) for P pixels; features: (N, F) of all real images; labels: (N,);
    references: (M, P), the real images that distances are measured to.
    """

    names: tuple[str, ...]
    accuracy: float
    threshold: float
    components: Tensor
    features: Tensor
    labels: Tensor
    references: Tensor
    confusion: Tensor | None = None  # below three in a hundred
    high_quality_real: float = PERCENTILE

    @torch.no_grad()
    def judge(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        images = samples.to(self.references).flatten(1)
        _, closest = nearest(images @ self.components.T, self.features)
        distance, _ = nearest(images, self.references)
        return self.labels[closest], distance < self.threshold


@dataclass(frozen=True, eq=False)
class LearntModes:
    """Modes that are the classes of many labelled images, told by a network; see `Modes`.

    High quality is as in `ClassModes`. accuracy: share of held-out real images whose class is
    right. confusion: (K, K), the share of held-out images of class i taken for class j.
    """

    names: tuple[str, ...]
    accuracy: float
    threshold: float
    classifier: Classifier
    confusion: Tensor
    references: Tensor
    high_quality_real: float = PERCENTILE

    @torch.no_grad()
    def judge(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        images = samples.to(self.references)
        distance, _ = nearest(images.flatten(1), self.references)
        return self.classifier.classify(images), distance < self.threshold


def fit_classes(
    pixels: Tensor,
    labels: Tensor,
    names: tuple[str, ...],
    device: torch.device,
    progress: Progress = silent,
) -> tuple[ClassModes | LearntModes | None, float]:
    """The classes of labelled images as modes on `device`, and the accuracy of their classifier.

    pixels: (N, C, H, W) as `decode` takes them; labels: (N,) int64. Both on the CPU. The modes are
    None when the accuracy, measured on images that were held out, is below `LEAST_ACCURACY` for
    the nearest neighbour in few images and `LEAST_LEARNT` for the network that is trained on many,
    or when the images are too few to tell (the accuracy is 0 then). The same images give the same
    modes.
    """
    if len(pixels) < LEAST_IMAGES:
        return None, 0.0
    if len(pixels) <= FEW:
        return _fit_neighbours(pixels, labels, names, device)
    classifier = fit(pixels, labels, len(names), progress)
    if classifier.accuracy < LEAST_LEARNT:
        return None, classifier.accuracy
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    references, threshold = _references(pixels, order)
    classifier.network.to(device)
    modes = LearntModes(
        names=names,
        accuracy=classifier.accuracy,
        threshold=threshold,
        classifier=classifier,
        confusion=classifier.confusion,
        references=references.to(device),
    )
    return modes, classifier.accuracy


@torch.no_grad()
def _fit_neighbours(
    pixels: Tensor, labels: Tensor, names: tuple[str, ...], device: torch.device
) -> tuple[ClassModes | None, float]:
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    components = _principal_components(_flat(pixels[order[:BASIS]]))
    features = torch.cat([_flat(chunk) @ components.T for chunk in pixels.split(2000)])

    count = min(len(pixels) // 5, HELD_OUT)
    held_out, kept = order[:count], order[count:]
    _, closest = nearest(features[held_out], features[kept])
    accuracy = (labels[kept][closest] == labels[held_out]).float().mean().item()
    if accuracy < LEAST_ACCURACY:
        return None, accuracy

    references, threshold = _references(pixels, order)
    modes = ClassModes(
        names=names,
        accuracy=accuracy,
        threshold=threshold,
        components=components.to(device),
        features=features.to(device),
        labels=labels.to(device),
        references=references.to(device),
    )
    return modes, accuracy


def _references(pixels: Tensor, order: Tensor) -> tuple[Tensor, float]:
    """Real images (M, P) to measure distances to, and the distance that is high quality still."""
    # Larger images, fewer references: a judgement costs the same at every size.
    count = int(REFERENCES * min(1, 28 * 28 / pixels[0].numel()))
    references = _flat(pixels[order[:count]])
    distance, _ = nearest(references, references, others=True)
    return references, distance.quantile(PERCENTILE).item()


def nearest(points: Tensor, references: Tensor, others: bool = False) -> tuple[Tensor, Tensor]:
    """Distance (n,) from each point (n, D) to the nearest reference (m, D), and its index (n,).

    others: the points are the references, and a point is not its own neighbour.
    """
    # ‖p − r‖² = ‖p‖² + 2(½‖r‖² − p·r): one matrix product, and the minimum is that of the bracket.
    half = references.square().sum(1)[None] / 2
    lows, indices = [], []
    rows = max(1, _CHUNK // len(references))
    for start in range(0, len(points), rows):
        chunk = points[start : start + rows]
        bracket = torch.addmm(half, chunk, references.T, alpha=-1)
        if others:
            bracket.diagonal(start).fill_(math.inf)
        low, index = bracket.min(1)
        lows.append(low)
        indices.append(index)
    squared = points.square().sum(1) + 2 * torch.cat(lows)
    return squared.clamp_min(0).sqrt(), torch.cat(indices)


def _flat(pixels: Tensor) -> Tensor:
    return decode(pixels).flatten(1)


def _principal_components(images: Tensor) -> Tensor:
    """The directions of most variance of images (N, P), as (F, P) orthonormal rows."""
    count = min(FEATURES, *images.shape)
    if count == images.shape[1]:  # any basis of the whole space gives the same distances
        return torch.eye(count).float()
    from sklearn.decomposition import PCA  # imported here: slow, and small images do without

    # A fixed state: the randomised solver, chosen for large images, must not touch global seeds.
    fitted = PCA(count, random_state=0).fit(images.numpy())
    return torch.from_numpy(fitted.components_).float()
