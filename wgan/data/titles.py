"""Names and origins of the data sets, in words for people."""

from __future__ import annotations

from wgan.config import HUB, POINT_DATA

_WORDS = {
    "ring8": (
        "Ring of 8 Gaussians",
        "Eight Gaussians on a circle, scaled as in the WGAN-GP authors' toy experiments.",
    ),
    "grid25": (
        "Grid of 25 Gaussians",
        "A 5 × 5 grid of Gaussians, scaled as in the WGAN-GP authors' toy experiments.",
    ),
    "swissroll": (
        "Swiss roll",
        "One noisy spiral, evenly spread over its angle; WGAN-GP paper, figure 1.",
    ),
    "moons": ("Two moons", "Two interleaved half circles, as in scikit-learn's make_moons."),
    "spiral": ("Spiral", "Two arms wound around each other, with a little Gaussian noise."),
    "twolines": (
        "Two parallel lines",
        "Uniform on two vertical lines at x = ±0.5, after Example 1 of the WGAN paper.",
    ),
    "points": ("Your own points", "Drawn by hand; every point is a narrow Gaussian, σ = 0.02."),
    "digits": (
        "Small digits",
        "1,797 handwritten digits of 8 × 8 pixels, from UCI, part of scikit-learn.",
    ),
    "avatars": (
        "Avatars",
        "Small faces drawn by this project from seven attributes, 64 × 64 pixels; no download.",
    ),
    "patches": (
        "Photo patches",
        "Crops of the two photographs that come with scikit-learn, 32 × 32 pixels.",
    ),
    "mnist": (
        "MNIST",
        "60,000 handwritten digits of 28 × 28 pixels (LeCun et al. 1998); downloads 12 MB.",
    ),
    "fashion": (
        "Fashion-MNIST",
        "60,000 articles of clothing, 28 × 28 pixels (Xiao et al. 2017); downloads 31 MB.",
    ),
    "cifar10": (
        "CIFAR-10",
        "50,000 colour photographs of 32 × 32 pixels (Krizhevsky 2009); downloads 170 MB.",
    ),
    "celeba": (
        "CelebA",
        "162,770 photographs of faces (Liu et al. 2015, training split), from the Hub, cropped.",
    ),
    "lsun": (
        "LSUN bedrooms",
        "Photographs of bedrooms (Yu et al. 2015), from the Hub, cropped and resized.",
    ),
    "folder": ("Your own images", "From an uploaded zip or a folder, cropped and resized."),
}


# Those that are made here or come along with scikit-learn; "points" has to be drawn first.
WITHOUT_DOWNLOAD = (
    *("digits", "avatars", "patches"),
    *(name for name in POINT_DATA if name != "points"),
)


def without_download() -> str:
    """The titles of the data sets that need no network, in one line."""
    return ", ".join(map(title, WITHOUT_DOWNLOAD))


def title(name: str) -> str:
    """The name of a data set as people write it. Raises `KeyError` for an unknown one."""
    if name.startswith(HUB):
        return name.removeprefix(HUB)
    return _WORDS[name][0]


def about(name: str) -> str:
    """One sentence: what the data set is and where it comes from. Raises `KeyError`."""
    if name.startswith(HUB):
        return f"The images of {name.removeprefix(HUB)} on the Hub, cropped and resized."
    return _WORDS[name][1]
