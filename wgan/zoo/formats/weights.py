"""Reads a file of weights that anybody may have made: named tensors come out, or one sentence.

Nothing in a file is ever executed, and nothing large is allocated on the word of a file: its
description is checked against its real size first, and the tensors are views of the mapped file
wherever the format allows it.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wgan.zoo.architecture import ZooError
from wgan.zoo.formats.detect import kind_of
from wgan.zoo.formats.safetensors import read_safetensors
from wgan.zoo.formats.torch_files import read_torch

MAX_FILE = {"safetensors": 2 * 10**9, "zip": 10**9, "legacy": 600 * 10**6}  # bytes
MAX_NAME = 200  # characters
MAX_DEPTH = 5  # dictionaries in dictionaries

FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
COUNTERS = (torch.int64, torch.int32)  # as in BatchNorm's num_batches_tracked

# Where checkpoints keep the generator's weights, the best first: an averaged generator draws
# better than the last one.
NESTS = (
    *("generator_smooth", "avgG", "generator_ema", "g_ema", "netG_ema", "params_ema", "ema"),
    *("generator", "generator_state_dict", "netG", "netG_state_dict", "gen", "G", "g"),
    *("state_dict", "model_state_dict", "model", "params", "weights"),
)
WRAPPERS = ("module.", "_orig_mod.")  # DataParallel's and torch.compile's


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The named tensors of a .safetensors file, or of what `torch.save` wrote.

    Every tensor is on the CPU, finite and of a type in `FLOATS`, or one whole number; common
    nestings and prefixes are unwrapped. The tensors may be views of the file, which must not be
    changed while they are in use. Raises `ZooError`.
    """
    kind = _checked_kind(path)
    try:
        found = read_safetensors(path) if kind == "safetensors" else read_torch(path, kind)
    except OSError as error:
        raise ZooError(f"{path.name} cannot be read: {error.strerror}.") from None
    tensors = _without_wrapper(_unwrapped(found, path.name))
    total = 0
    for name, tensor in tensors.items():
        _check_type(tensor, name, path.name)
        total += tensor.numel() * tensor.element_size()
        if total > MAX_FILE[kind]:  # tensors may share their numbers
            raise ZooError(f"{path.name} has tensors of more than {MAX_FILE[kind]:,} bytes.")
    for name, tensor in tensors.items():
        _check_values(tensor, name, path.name)
    return tensors


def _checked_kind(path: Path) -> str:
    try:
        status = path.stat()
    except (OSError, ValueError):
        raise ZooError(f"There is no file {path}.") from None
    if stat.S_ISDIR(status.st_mode):
        if (path / "saved_model.pb").exists():
            raise ZooError(f"{path} is a TensorFlow SavedModel; only PyTorch weights are read.")
        raise ZooError(f"{path} is a folder; name the file of weights in it.")
    if not stat.S_ISREG(status.st_mode):
        raise ZooError(f"{path} is no ordinary file.")
    try:
        kind = kind_of(path)
    except OSError as error:
        raise ZooError(f"{path.name} cannot be read: {error.strerror}.") from None
    if status.st_size > MAX_FILE[kind]:
        raise ZooError(
            f"{path.name} has {status.st_size:,} bytes; at most {MAX_FILE[kind]:,} are read of "
            "a file of its kind."
        )
    return kind


def _unwrapped(found: Any, file: str) -> dict[str, Tensor]:
    for _ in range(MAX_DEPTH):
        if not isinstance(found, Mapping):
            raise ZooError(
                f"{file} holds a {type(found).__name__}; expected tensors by name, as in a "
                "state_dict."
            )
        if not found:
            raise ZooError(f"{file} holds no tensors.")
        other = next((name for name in found if not _is_named_tensor(name, found[name])), None)
        if other is None:
            return {name: value.detach() for name, value in found.items()}
        inner = next((name for name in NESTS if isinstance(found.get(name), Mapping)), None)
        if inner is None:
            raise ZooError(
                f"{file} holds more than named tensors: {str(other)[:60]!r} is a "
                f"{type(found[other]).__name__}; expected a generator's state_dict, alone or "
                "under a name such as 'generator' or 'state_dict'."
            )
        found = found[inner]
    raise ZooError(f"{file} holds dictionaries within dictionaries, more than {MAX_DEPTH} deep.")


def _is_named_tensor(name: Any, value: Any) -> bool:
    return isinstance(name, str) and len(name) <= MAX_NAME and isinstance(value, Tensor)


def _without_wrapper(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in WRAPPERS:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def _check_type(tensor: Tensor, name: str, file: str) -> None:
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        raise ZooError(f"{file}'s tensor {name!r} is no plain tensor, but sparse or quantised.")
    counter = tensor.dtype in COUNTERS and tensor.numel() == 1
    if tensor.dtype not in FLOATS and not counter:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise ZooError(
            f"{file}'s tensor {name!r} is of type {kind}; weights are float32, float16, bfloat16 "
            "or float64."
        )


def _check_values(tensor: Tensor, name: str, file: str) -> None:
    if not tensor.is_floating_point() or not tensor.numel():
        return
    # The smallest and the largest tell, without a copy: NaN wins every comparison here.
    low, high = tensor.aminmax()
    if not (torch.isfinite(low) and torch.isfinite(high)):
        raise ZooError(f"{file}'s tensor {name!r} has values that are no finite numbers.")
