"""Reads a safetensors file, its header checked before its data is touched.

The format: 8 bytes of header length N (little-endian), N bytes of JSON
{name: {dtype, shape, data_offsets: [begin, end]}}, then the data the offsets count from.
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from wgan.files import open_regular
from wgan.zoo.architecture import ZooError

MAX_HEADER = 10 * 10**6  # bytes
MAX_TENSORS = 4000
_SIZES = {  # bytes a number -> the types of that size
    8: ("F64", "I64", "U64", "C64"),
    4: ("F32", "I32", "U32"),
    2: ("F16", "BF16", "I16", "U16"),
    1: ("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2"),
}
SIZES = {kind: size for size, kinds in _SIZES.items() for kind in kinds}


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors, mapped from the file. Raises `ZooError`, and `OSError`."""
    _check(path)
    try:
        return load_file(path)
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError):
        raise ZooError(f"{path.name} is not a whole safetensors file.") from None


def _check(path: Path) -> None:
    size = path.stat().st_size
    with open_regular(path) as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise ZooError(
                f"{path.name} claims a header of {length:,} bytes; at most {MAX_HEADER:,} are read."
            )
        if 8 + length > size:
            raise ZooError(
                f"{path.name} is truncated: its header ends at byte {8 + length:,} and the file "
                f"at {size:,}."
            )
        text = file.read(length)
    try:
        header = json.loads(text, object_pairs_hook=_without_twins)
        end = max(
            (_end(entry) for name, entry in header.items() if name != "__metadata__"), default=0
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ZooError(f"{path.name} has a header that is no list of tensors.") from None
    if len(header) > MAX_TENSORS + 1:
        raise ZooError(
            f"{path.name} has {len(header):,} tensors; at most {MAX_TENSORS:,} are read."
        )
    end += 8 + length
    if end > size:
        raise ZooError(
            f"{path.name} is truncated: its tensors end at byte {end:,} and the file at {size:,}."
        )
    if end < size:
        raise ZooError(f"{path.name} has {size - end:,} bytes that belong to no tensor.")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name occurs twice")
    return values


def _end(entry: dict[str, Any]) -> int:
    """Where a tensor's data ends. Raises `ValueError`, `KeyError` or `TypeError`."""
    begin, end = entry["data_offsets"]
    numbers = [begin, end, *entry["shape"]]
    if any(type(number) is not int or not 0 <= number < 2**50 for number in numbers):
        raise ValueError("sizes are whole numbers")
    if len(entry["shape"]) > 16 or end - begin != prod(entry["shape"]) * SIZES[entry["dtype"]]:
        raise ValueError("the offsets do not fit the shape")
    return end
