"""What is wrong with a generator that somebody wants to open or keep."""

from __future__ import annotations

from wgan.errors import UserError


class ZooError(UserError, ValueError):
    """A checkpoint that cannot be used. One sentence: what is wrong, what would be right."""
