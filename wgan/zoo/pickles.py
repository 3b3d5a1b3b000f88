"""Reads what `torch.save` wrote, without ever running it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from wgan.zoo.architecture import ZooError


def read_pickle(path: Path, kind: str) -> Any:
    """What was saved: dictionaries, lists and tensors. Raises `ZooError`."""
    try:
        # A zip can be mapped; files from before torch 1.6 cannot.
        return torch.load(path, map_location="cpu", weights_only=True, mmap=kind == "zip")
    except Exception:  # a hostile file raises what it likes
        raise ZooError(
            f"{path.name} cannot be read as plain tensors; expected a state_dict saved by "
            "torch.save."
        ) from None
