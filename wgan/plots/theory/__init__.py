"""The figures of the blackboard, from what `wgan.theory` computes."""

from __future__ import annotations

import re


def uid(*names: str) -> str:
    """A trace's uid from its name: Plotly puts uids into selectors, which take no signs."""
    return re.sub(r"\W+", "-", " ".join(names)).strip("-")
