"""Numbers of an architecture, as somebody's config.json has them: checked before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wgan.zoo.architecture import ZooError

MAX_LATENT = 4096
MAX_MAPS = 4096  # channels of one layer
IMAGE_CHANNELS = (1, 3)


def whole(values: Mapping[str, Any], name: str, low: int, high: int) -> int:
    """The whole number `values[name]` from low to high. Raises `ZooError`."""
    value = values.get(name)
    if type(value) is not int or not low <= value <= high:
        raise _refused(name, value, f"a whole number from {low} to {high:,}")
    return value


def wholes(
    values: Mapping[str, Any], name: str, low: int, high: int, counts: range
) -> tuple[int, ...]:
    """The list `values[name]`, so many whole numbers from low to high. Raises `ZooError`."""
    value = values.get(name)
    fits = isinstance(value, list) and len(value) in counts
    if not fits or any(type(number) is not int or not low <= number <= high for number in value):
        raise _refused(name, value, f"{_span(counts)} whole numbers from {low} to {high:,}")
    return tuple(value)


def flags(values: Mapping[str, Any], name: str, count: int) -> tuple[bool, ...]:
    """The list `values[name]`, so many times true or false. Raises `ZooError`."""
    value = values.get(name)
    if (
        not isinstance(value, list)
        or len(value) != count
        or any(type(v) is not bool for v in value)
    ):
        raise _refused(name, value, f"{count} times true or false")
    return tuple(value)


def image_channels(values: Mapping[str, Any], name: str) -> int:
    """`values[name]`, the channels of an image. Raises `ZooError`."""
    value = whole(values, name, *IMAGE_CHANNELS)
    if value not in IMAGE_CHANNELS:
        raise _refused(name, value, "1 or 3")
    return value


def _span(counts: range) -> str:
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _refused(name: str, value: Any, allowed: str) -> ZooError:
    shown = (
        repr(value) if isinstance(value, (int, str, type(None))) else f"a {type(value).__name__}"
    )
    return ZooError(f"{name} of the architecture is {shown[:40]}; allowed: {allowed}.")
