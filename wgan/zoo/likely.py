"""Whether a repository is likely to load, told before it is pulled: by its name, tags and files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from wgan.hub import Found
from wgan.zoo.catalog import find_entry
from wgan.zoo.checkpoint import CONFIG, HISTORY
from wgan.zoo.repo_files import foreign, weights_file

Chance = Literal["likely", "perhaps", "no"]

# Words of a name or a tag that tell of another family of networks, and what it is.
_FAMILIES = (
    (r"style-?gan|stylegan[23]?|swagan|projected-?gan|lightweight-?gan|fast-?gan", "a StyleGAN"),
    (r"big-?gan|cgan|ac-?gan|conditional|info-?gan", "a conditional generator"),
    (r"pix2pix|cycle-?gan|es?r-?gan|srgan|super-resolution|image-to-image|deoldify|gfpgan|animegan",
     "a network from image to image, which takes no latents"),
    (r"vq-?gan|vae|diffusion|ddpm|latent-diffusion", "another family of networks than a GAN alone"),
    (r"hifi-?gan|mel-?gan|wave-?gan|vocoder|tts|audio", "a network of sounds"),
    (r"text-generation|llama|gpt|bert", "a network of words"),
)  # fmt: skip
_NAMED = re.compile(r"(^|[-_/])(dc|wgan|w-?gan-?gp|gan|pggan|pgan|progressive)", re.IGNORECASE)


class Verdict(NamedTuple):
    """why: one sentence."""

    chance: Chance
    why: str


def verdict(found: Found) -> Verdict:
    """What can be said of a search's hit without pulling it."""
    if (entry := find_entry(found.id)) is not None:
        return Verdict("likely" if entry.loads else "no", f"It is in the catalogue. {entry.why}")
    words = [found.id.lower(), *(tag.lower() for tag in found.tags)]
    if found.files and (why := foreign(found.files)) is not None:
        return Verdict("no", why)
    if "wgan-lab" in words or {CONFIG, HISTORY} <= set(found.files):
        return Verdict("likely", "It was saved by this app, or says so.")
    for pattern, what in _FAMILIES:
        if any(re.search(rf"(^|[^a-z])({pattern})([^a-z]|$)", word) for word in words):
            return Verdict("no", f"By its name or tags it is {what}.")
    return _by_files(found.files, found.id)


def _by_files(files: Sequence[str], name: str) -> Verdict:
    if not files:
        return Verdict("perhaps", "The Hub does not list its files here; look at it to see.")
    weights = weights_file(files)
    if weights is None:
        return Verdict("no", "It has no file of PyTorch weights.")
    if _NAMED.search(name):
        return Verdict(
            "perhaps", f"{weights} may hold a known layout; its shapes tell once pulled."
        )
    return Verdict("perhaps", f"Nothing tells what {weights} holds; its shapes do once pulled.")
