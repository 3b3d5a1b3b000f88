"""Where data sets are kept on disk."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder of downloads and uploads: $WGAN_DATA, or ~/.cache/wgan-lab/data."""
    return Path(os.environ.get("WGAN_DATA") or "~/.cache/wgan-lab/data").expanduser()
