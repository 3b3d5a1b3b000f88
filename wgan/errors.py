"""What a person can put right."""

from __future__ import annotations


class UserError(Exception):
    """The message is one sentence for a person: what is wrong, and what would be right."""
