"""What the live parts of a page show: as the stream would send it to who has the page open."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from streamlit.testing.v1 import AppTest

from wgan.live.table import PARTS
from wgan.server.stream import decode, encode, source

Blocks = list[dict[str, Any]]


def mounted(at: AppTest, key: str) -> dict[str, Any]:
    """What the page gave a component of ours, the last one of this key."""
    (found,) = (c for c in at.get("bidi_component") if getattr(c, "key", None) == key)
    given = json.loads(found.proto.json)  # pyright: ignore[reportAttributeAccessIssue]
    return given[0] if isinstance(given, list) else given


def places(at: AppTest) -> set[str]:
    """The keys of all live parts on the page."""
    found = at.get("bidi_component")
    parts = (c for c in found if c.proto.component_name == "wgan_part")  # pyright: ignore
    return {str(getattr(c, "key", None)) for c in parts} - {"wgan-page"}


def blocks(at: AppTest, key: str) -> Blocks:
    """What stands in a place: its channel's newest state, or the blocks that came with the page."""
    data = mounted(at, key)
    return data["blocks"] if "blocks" in data else state(data["channel"])["blocks"]


def state(channel: str) -> dict[str, Any]:
    """What the stream sends of a channel now, as a browser reads it."""
    (found,) = decode(encode({"channel": channel, **source(PARTS, channel).payload()}))
    return found


def every(shown: Blocks) -> Iterator[dict[str, Any]]:
    """The blocks, and those in their columns."""
    for block in shown:
        yield block
        for column in block.get("columns", ()):
            yield from every(column)


def html(shown: Blocks) -> str:
    return "\n".join(block["html"] for block in every(shown) if "html" in block)


def text(shown: Blocks) -> str:
    """The words, as they are read."""
    return unescape(re.sub(r"<[^>]+>", "", html(shown)))


def charts(shown: Blocks) -> dict[str, dict[str, Any]]:
    """The charts by name."""
    return {c["name"]: c for block in every(shown) for c in block.get("figures", ())}


def pictures(shown: Blocks) -> list[dict[str, Any]]:
    """The grids of images."""
    return [block["pixels"] for block in every(shown) if "pixels" in block]
