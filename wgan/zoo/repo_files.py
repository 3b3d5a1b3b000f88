"""What a repository holds, told by the names of its files: which to pull, or why none loads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

TENSORS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")  # the safe one first

# What a file name says about a repository, in the order in which it is asked: a pattern of the
# whole path, and what such a repository is.
_FOREIGN = (
    (r"model_index\.json|(unet|vae)/.*", "a diffusers pipeline"),
    (r"adapter_(config|model)\..*", "an adapter for another model"),
    (r"tokenizer.*|preprocessor_config\.json|generation_config\.json", "a transformers model"),
    (
        r".*\.safetensors\.index\.json|.*-\d{5}-of-\d{5}\.(bin|safetensors)",
        "a large model in several parts",
    ),
)
_FOREIGN_WEIGHTS = (
    (
        r"(.*/)?(saved_model\.pb|keras_metadata\.pb|variables/.*)|.*\.(h5|hdf5|keras|ckpt\.index)",
        "a Keras or TensorFlow model",
    ),
    (r".*\.(tflite|mlmodel|mlpackage/.*)", "a model for phones"),
    (r".*\.(msgpack|orbax.*)", "a Flax (JAX) model"),
    (r".*\.onnx", "an ONNX graph, which has no layers to take the weights from"),
    (r".*\.gguf", "a language model"),
    (r".*\.(pkl|pickle|joblib)", "a pickle, which could run any code when it is opened"),
)
_OTHERS = ("disc", "critic", "netd", "optim", "sched", "training", "rng", "scaler", "classif")


def foreign(files: Iterable[str]) -> str | None:
    """One sentence on why nothing in a repository loads here; None when something may.

    files: the names of its files.
    """
    names = [name for name in files if PurePosixPath(name).name not in (".gitattributes", "")]
    if not [name for name in names if name != "README.md"]:
        return "This repository is empty: it has no weights, only a page."
    for pattern, what in _FOREIGN:
        if any(re.fullmatch(pattern, name) for name in names):
            return f"This is {what}; only generators of GANs load here."
    if weights_file(names) is not None:
        return None
    for pattern, what in _FOREIGN_WEIGHTS:
        if any(re.fullmatch(pattern, name, re.IGNORECASE) for name in names):
            return f"This is {what}; only PyTorch generators load here."
    several = [name for name in names if _is_tensors(name)]
    if several:
        return (
            f"This repository has {len(several)} files of weights and none is named as a "
            "generator's; download the right one and import it as a file."
        )
    return "This repository has no file of PyTorch weights."


def weights_file(files: Iterable[str]) -> str | None:
    """The file with the generator's weights; safetensors first, since it cannot run code.

    files: the names of a repository's files. None when there is none, or no telling which.
    """
    names = sorted(filter(_is_tensors, files), key=_order)
    safe = [name for name in names if name.endswith(".safetensors")]
    generators = [name for name in names if _is_generator(name)]
    for choice in (
        [name for name in safe if name == "model.safetensors"],
        [name for name in generators if name in safe],
        safe if len(safe) == 1 else [],
        [name for name in names if name == "pytorch_model.bin"],
        generators,
        names if len(names) == 1 else [],
    ):
        if choice:
            return choice[0]
    return None


def _is_tensors(name: str) -> bool:
    """Whether a file may hold a generator: by its ending, and by being no critic or optimiser."""
    words = _words(name)
    others = any(word.startswith(_OTHERS) for word in words) or "d" in words
    return name.lower().endswith(TENSORS) and not others


def _is_generator(name: str) -> bool:
    return any(word.startswith("gen") or word in ("g", "netg", "ema") for word in _words(name))


def _words(name: str) -> list[str]:
    """The words in a file's name, without numbers: "out/netG_epoch_10.pth" -> netg, epoch."""
    found = re.findall(r"[a-z0-9]+", PurePosixPath(name).stem.lower())
    return [word.rstrip("0123456789") for word in found]


def _order(name: str) -> tuple[int, int, list[int], str]:
    """Safe formats first, then what lies on top, then the latest of numbered files."""
    kind = next(place for place, end in enumerate(TENSORS) if name.lower().endswith(end))
    numbers = [-int(number) for number in re.findall(r"\d+", PurePosixPath(name).stem)]
    return kind, name.count("/"), numbers, name
