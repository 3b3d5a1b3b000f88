"""Only what is new of typed arrays: a curve that grows is sent once, and then its new points.

An array `{"dtype": …, "bdata": base64}` of a JSON value whose beginning and end are those of the
array at the same place before becomes `{"dtype": …, "patch": [head, tail, base64]}`: the first
`head` bytes and the last `tail` bytes stay, the new ones stand between them. Everything else is
sent as it is.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np


def patch(old: Any, new: Any) -> Any:
    """`new`, with patches in the place of arrays that `old` mostly has."""
    if isinstance(new, dict):
        if "bdata" not in new:
            before = old if isinstance(old, dict) else {}
            return {name: patch(before.get(name), value) for name, value in new.items()}
        if isinstance(old, dict) and "bdata" in old:
            rest = {name: value for name, value in new.items() if name != "bdata"}
            head, tail, middle = _difference(_bytes(old["bdata"]), _bytes(new["bdata"]))
            return rest | {"patch": [head, tail, base64.b64encode(middle).decode()]}
        return new
    if isinstance(new, (list, tuple)):
        before = old if isinstance(old, (list, tuple)) else ()
        known = [before[i] if i < len(before) else None for i in range(len(new))]
        return [patch(one, value) for one, value in zip(known, new, strict=True)]
    return new


def apply(old: Any, change: Any) -> Any:
    """What `patch` was made from; `assets/stream.js` does the same."""
    if isinstance(change, dict):
        if "patch" not in change:
            before = old if isinstance(old, dict) else {}
            return {name: apply(before.get(name), value) for name, value in change.items()}
        head, tail, middle = change["patch"]
        whole = _bytes(old["bdata"])
        joined = whole[:head] + _bytes(middle) + whole[len(whole) - tail :]
        rest = {name: value for name, value in change.items() if name != "patch"}
        return rest | {"bdata": base64.b64encode(joined).decode()}
    if isinstance(change, list):
        before = old if isinstance(old, list) else []
        known = [before[i] if i < len(before) else None for i in range(len(change))]
        return [apply(one, value) for one, value in zip(known, change, strict=True)]
    return change


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _difference(old: bytes, new: bytes) -> tuple[int, int, bytes]:
    """How many bytes are the same at the beginning and at the end, and the new ones between."""
    least = min(len(old), len(new))
    one, other = np.frombuffer(old, np.uint8), np.frombuffer(new, np.uint8)
    differ = np.flatnonzero(one[:least] != other[:least])
    head = int(differ[0]) if len(differ) else least
    left = least - head
    backwards = np.flatnonzero(one[len(old) - left :][::-1] != other[len(new) - left :][::-1])
    tail = int(backwards[0]) if len(backwards) else left
    return head, tail, new[head : len(new) - tail]
