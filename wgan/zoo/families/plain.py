"""The numbers of an architecture, as somebody's config.json has them, checked one by one."""

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
    if not isinstance(value, list) or len(value) not in counts or not _within(value, low, high):
        allowed = f"{counts[0]} to {counts[-1]} whole numbers from {low} to {high:,}"
        raise _refused(name, value, allowed)
    return tuple(value)


def flag(values: Mapping[str, Any], name: str) -> bool:
    """`values[name]`, true or false. Raises `ZooError`."""
    value = values.get(name)
    if type(value) is not bool:
        raise _refused(name, value, "true, false")
    return value


def choice(values: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    """`values[name]`, one of `allowed`; the first of them where there is none."""
    value = values.get(name, allowed[0])
    if not isinstance(value, str) or value not in allowed:
        raise _refused(name, value, ", ".join(allowed))
    return value


def image_channels(values: Mapping[str, Any], name: str) -> int:
    """`values[name]`, the channels of an image. Raises `ZooError`."""
    value = whole(values, name, *IMAGE_CHANNELS)
    if value not in IMAGE_CHANNELS:
        raise _refused(name, value, "1 or 3")
    return value


def _within(numbers: list[Any], low: int, high: int) -> bool:
    return all(type(number) is int and low <= number <= high for number in numbers)


def _refused(name: str, value: Any, allowed: str) -> ZooError:
    plain = isinstance(value, (int, float, str)) or value is None
    shown = repr(value)[:40] if plain else f"a {type(value).__name__}"
    return ZooError(f"{name} of the architecture is {shown}; allowed: {allowed}.")
