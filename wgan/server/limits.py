"""How much one server takes: read from the environment, with defaults for a small machine."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wgan.config import ConfigError, ExperimentConfig
from wgan.sizes import count_parameters

OFF = "off"


class LimitError(ConfigError):
    """More than this server takes. One sentence that says what is full, and what would help."""


def _number(default: int, low: int, high: int, about: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "about": about})


@dataclass(frozen=True)
class Limits:
    """The limits of a server; `WGAN_MAX_RUNS` in the environment sets `max_runs`, and so on.

    The CLI knows none of them: they are for a server that strangers share.

    Whoever sends no cookie is a new visitor each time; their address stays the same. A reverse
    proxy on this machine tells it in `X-Forwarded-For`; one elsewhere is believed when its own
    address is in the environment's FORWARDED_ALLOW_IPS, which the web server (uvicorn) reads.
    Otherwise all visitors seem to come from the proxy: then let `max_runs_per_address` be
    `max_runs`. Who opens `localhost` has no address and is not limited by it.
    """

    max_runs: int = _number(128, 1, 10_000, "Runs in memory at once.")
    max_runs_per_visitor: int = _number(4, 1, 10_000, "Runs that one visitor has in memory.")
    max_runs_per_address: int = _number(
        40,
        1,
        10_000,
        "Runs in memory from one network address, as of a class behind one router.",
    )
    max_viewers: int = _number(2000, 1, 10**6, "Pages that show something live at once.")
    max_viewers_per_address: int = _number(
        500, 1, 10**6, "The same for one address, which a whole class may share."
    )
    max_parameters: int = _number(
        20_000_000, 1_000, 10**10, "Parameters of a run's two networks together."
    )
    max_parameters_in_all: int = _number(
        200_000_000, 1_000, 10**12, "Parameters of all runs in memory; each takes about 24 bytes."
    )
    max_batch: int = _number(1024, 2, 4096, "Samples in a batch.")
    max_image_size: int = _number(128, 8, 128, "Height and width of images, in pixels.")
    max_upload_mb: int = _number(200, 1, 100_000, "Size of an uploaded file, in MB.")
    sleep_after: int = _number(
        60, 1, 10**7, "Seconds without a watcher until a run pauses; it wakes when watched."
    )
    leave_after: int = _number(
        1800, 1, 10**7, "Seconds without a watcher until a run leaves memory for the disk."
    )
    autosave: str = field(
        default="",
        metadata={"about": "The folder where runs are saved as they train; off saves none."},
    )
    autosave_runs: int = _number(500, 1, 10**6, "Saved runs on disk; the oldest are deleted first.")
    autosave_mb: int = _number(
        4000, 1, 10**7, "Size of all saved runs, in MB; the oldest are deleted first."
    )

    @property
    def folder(self) -> Path | None:
        """Where runs are saved; None when they are not."""
        if self.autosave.lower() == OFF:
            return None
        return Path(self.autosave or "~/.cache/wgan-lab/runs").expanduser()

    def check(self, config: ExperimentConfig) -> int:
        """The number of parameters of a new run of this config. Raises `LimitError`."""
        self.check_live(config)
        if not config.is_points and config.image_size > self.max_image_size:
            raise LimitError(
                f"image_size is {config.image_size}; this server allows at most "
                f"{self.max_image_size} pixels."
            )
        parameters = count_parameters(config)
        if parameters > self.max_parameters:
            raise LimitError(
                f"The two networks would have {parameters:,} parameters; this server allows "
                f"{self.max_parameters:,}, so choose a smaller width, depth or image size."
            )
        return parameters

    def check_live(self, config: ExperimentConfig) -> None:
        """Raises `LimitError` for what a run that goes on may not change to."""
        if config.batch_size > self.max_batch:
            raise LimitError(
                f"batch_size is {config.batch_size}; this server allows at most {self.max_batch}."
            )


def read_limits(environment: Mapping[str, str]) -> Limits:
    """The limits that an environment sets; what is missing or empty has its default.

    Raises `LimitError` for a value that is not allowed.
    """
    given: dict[str, Any] = {}
    for limit in dataclasses.fields(Limits):
        if text := environment.get(variable(limit.name), "").strip():
            number = "low" in limit.metadata
            given[limit.name] = _parsed(limit, text) if number else _path(limit.name, text)
    return Limits(**given)


def variable(name: str) -> str:
    """The name of a limit in the environment."""
    return f"WGAN_{name.upper()}"


def _parsed(limit: dataclasses.Field[Any], text: str) -> int:
    low, high = limit.metadata["low"], limit.metadata["high"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 15 and low <= int(text) <= high):
        raise LimitError(
            f"{variable(limit.name)} is {text[:40]!r}; allowed: a whole number from {low:,} to "
            f"{high:,}."
        )
    return int(text)


def _path(name: str, text: str) -> str:
    if not text.isprintable():
        raise LimitError(f"{variable(name)} is {text[:40]!r}; allowed: a folder, or off.")
    return text


@functools.cache
def limits() -> Limits:
    """The limits of this process. Raises `LimitError` for a value that is not allowed."""
    return read_limits(os.environ)


def describe(limits: Limits) -> list[tuple[str, str, str]]:
    """Every limit as (its name in the environment, its value, what it limits)."""
    rows = []
    for limit in dataclasses.fields(Limits):
        value = getattr(limits, limit.name)
        shown = f"{value:,}" if isinstance(value, int) else str(limits.folder or OFF)
        rows.append((variable(limit.name), shown, limit.metadata["about"]))
    return rows
