"""What this machine offers a server of the lab."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from wgan.data.cache import cache_folder
from wgan.server.limits import LimitError, describe, limits
from wgan.threads import use_training_threads
from wgan.zoo.errors import ZooError

PACKAGES = ("torch", "torchvision", "streamlit", "plotly", "numpy", "huggingface-hub")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def short() -> dict[str, Any]:
    """Versions and limits: what is told without torch, whose import takes seconds."""
    return {"versions": _versions(), "limits": _limits()}


def information() -> dict[str, Any]:
    """Everything that `info` tells, as JSON has it. Takes 3 seconds when the Hub is away."""
    return {
        "versions": _versions(),
        "device": _device(),
        "limits": _limits(),
        "folders": _folders(),
        "hub": _hub(),
        "checkpoints": _checkpoints(),
    }


def as_text(found: Mapping[str, Any]) -> str:
    """The same for people: a heading and a line a thing."""
    lines = []
    for title, content in found.items():
        lines.append(title.capitalize())
        for name, value in content.items():
            lines.append(f"  {name:<28} {_words(value)}")
    return "\n".join(lines)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_words(v)}" for name, v in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, []) else str(value)


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def _device() -> dict[str, Any]:
    import torch

    found: dict[str, Any] = {
        "used": "cuda" if torch.cuda.is_available() else "cpu",
        "cores": os.cpu_count(),
        "cores_allowed": cores_allowed(),
        "memory_gb": _gigabytes(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")),
        "training_threads": _training_threads(),
    }
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        found |= {"gpu": gpu.name, "gpu_memory_gb": _gigabytes(gpu.total_memory)}
        found["gpus"] = torch.cuda.device_count()
    return found


def cores_allowed(quota: Path = _QUOTA) -> float:
    """Cores that this process may use: a container may have fewer than the machine."""
    allowed = float(os.cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        allowed = float(len(os.sched_getaffinity(0)))
    try:
        most, period = quota.read_text().split()
        return min(allowed, round(int(most) / int(period), 2))
    except (OSError, ValueError):  # no quota ("max"), or not Linux
        return allowed


def _training_threads() -> int:
    """How many threads one step uses; the number belongs to a thread, so a new one is asked."""
    import torch

    found: list[int] = []

    def ask() -> None:
        use_training_threads()
        found.append(torch.get_num_threads())

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    return found[0]


def _limits() -> dict[str, str]:
    try:
        return {variable: value for variable, value, _ in describe(limits())}
    except LimitError as error:
        return {"error": str(error)}


def _folders() -> dict[str, Any]:
    from huggingface_hub import constants

    folders: dict[str, Path | None] = {
        "data sets (WGAN_DATA)": cache_folder(),
        "hub (HF_HOME)": Path(constants.HF_HOME),
    }
    with suppress(LimitError):  # what is wrong stands among the limits
        folders["runs (WGAN_AUTOSAVE)"] = limits().folder
    return {name: folder and look_at(folder) for name, folder in folders.items()}


def look_at(folder: Path) -> dict[str, Any]:
    """A folder that is there or could be made: can it be written, and how much room has it?"""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    found: dict[str, Any] = {"path": str(folder), "writable": writable}
    try:
        found["free_gb"] = _gigabytes(shutil.disk_usage(there).free)
    except OSError:
        found["free_gb"] = None
    return found


def _hub() -> dict[str, Any]:
    from huggingface_hub import constants

    from wgan.hub import HubError
    from wgan.hub.network import check_connection, endpoint

    found: dict[str, Any] = {"address": endpoint(), "reachable": True, "message": "It answers."}
    if constants.is_offline_mode():
        return found | {"reachable": False, "message": "HF_HUB_OFFLINE is set: it is not asked."}
    try:
        check_connection()
    except HubError as error:
        return found | {"reachable": False, "message": str(error)}
    return found


def _checkpoints() -> dict[str, str]:
    from wgan.zoo.bundled import bundled

    try:
        return {one.name: one.summary for one in bundled()}
    except ZooError as error:
        return {"error": str(error)}


def _gigabytes(size: int) -> float:
    return round(size / 1e9, 1)
