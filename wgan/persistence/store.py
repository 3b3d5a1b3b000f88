"""Runs on disk: one safetensors file each, whole or not there at all.

A file holds a run's tensors; its header holds the JSON of everything else, and a checksum. It is
written under another name, flushed to the disk and then renamed, so that a process that is killed
at any moment leaves the old file or the new one.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
import uuid
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger("wgan.lab")

FORMAT = "wgan-lab-run/1"
SUFFIX, PART, BROKEN = ".safetensors", ".part", ".broken"
PARTS_LIVE = 600.0  # seconds; an older part was left by a process that was killed
_ID = re.compile(r"[A-Za-z0-9_-]{4,40}")


class BrokenError(ValueError):
    """A file that is no whole autosave."""


def is_id(text: str) -> bool:
    """Whether this can be the id of a run, and so a part of a path."""
    return _ID.fullmatch(text) is not None


class Store:
    """The saved runs in one folder, at most `most` of them and `most_bytes` in all."""

    def __init__(self, folder: Path, most: int = 500, most_bytes: int = 4_000_000_000) -> None:
        self.folder, self.most, self.most_bytes = folder, most, most_bytes

    def write(self, id: str, about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Saves a run in the place of what was saved of it. Raises `OSError`; then that stays.

        tensors: contiguous, on the CPU.
        """
        from safetensors.torch import save  # here: it brings torch, which is there by then

        text = json.dumps(about)
        check = str(_checksum(text, tensors))
        content = save(dict(tensors), {"format": FORMAT, "about": text, "check": check})
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(id)
        part = path.with_name(f"{id}.{uuid.uuid4().hex[:8]}{PART}")
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        _flush_folder(self.folder)

    def read_about(self, id: str) -> dict[str, Any] | None:
        """What JSON has of a run; None when it is not saved here. A broken file is set aside."""
        # "np": what stands in the header is told before torch is there.
        return self._read(id, "np", lambda file: None, check=False)[0]

    def read(self, id: str) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """All of a saved run; None when it is not here. A broken file is set aside."""
        about, tensors = self._read(id, "pt", _all, check=True)
        return None if about is None else (about, tensors)

    def _read(
        self, id: str, kind: str, pick: Any, *, check: bool
    ) -> tuple[dict[str, Any] | None, Any]:
        if not is_id(id) or not (path := self._path(id)).is_file():
            return None, None
        try:
            with safe_open(path, kind) as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT:
                    raise BrokenError("its format is another one")
                tensors = pick(file)
            if check and str(_checksum(header["about"], tensors)) != header["check"]:
                raise BrokenError("its checksum does not match")
            about = json.loads(header["about"])
            if not isinstance(about, dict):
                raise BrokenError("its header is no object")
        except (SafetensorError, ValueError, KeyError, RecursionError) as error:
            self.set_aside(id, error)
            return None, None
        except OSError as error:
            log.warning("autosave of run=%s cannot be read: %s", id, error.strerror)
            return None, None
        return about, tensors

    def set_aside(self, id: str, why: Exception) -> None:
        """Takes a broken file out of the way, for whoever wants to look at it."""
        path = self._path(id)
        log.warning("autosave of run=%s is broken and set aside: %s", id, str(why).split("\n")[0])
        try:
            path.replace(path.with_name(path.name + BROKEN))
        except OSError:
            path.unlink(missing_ok=True)

    def is_set_aside(self, id: str) -> bool:
        """Whether a file of this run was broken, and is still there for whoever wants to look."""
        return is_id(id) and Path(f"{self._path(id)}{BROKEN}").exists()

    def delete(self, id: str) -> None:
        """Forgets a run; one that is not saved is no error."""
        try:
            self._path(id).unlink(missing_ok=True)
        except OSError as error:
            log.warning("autosave of run=%s cannot be deleted: %s", id, error.strerror)

    def make_room(self, keep: Collection[str]) -> None:
        """Deletes the oldest files beyond the bounds, but none of the runs `keep`."""
        files = []
        for entry in os.scandir(self.folder):
            try:
                about = entry.stat()
                if entry.name.endswith(PART):
                    if abs(time.time() - about.st_mtime) > PARTS_LIVE:
                        os.unlink(entry.path)
                elif entry.name.endswith((SUFFIX, BROKEN)):
                    files.append((about.st_mtime, about.st_size, entry))
            except OSError:
                continue  # another process was faster
        files.sort(key=lambda file: file[0])
        count, size = len(files), sum(file[1] for file in files)
        for _, bytes, entry in files:
            if count <= self.most and size <= self.most_bytes:
                return
            id = entry.name.split(".")[0]
            if id not in keep:
                Path(entry.path).unlink(missing_ok=True)
                count, size = count - 1, size - bytes

    def _path(self, id: str) -> Path:
        if not is_id(id):
            raise ValueError("this is no id of a run")
        return self.folder / f"{id}{SUFFIX}"


def _all(file: Any) -> dict[str, Tensor]:
    return {name: file.get_tensor(name) for name in list(file.keys())}


def _checksum(text: str, tensors: Mapping[str, Tensor]) -> int:
    total = zlib.crc32(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name].reshape(-1)
        shape = f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}"
        total = zlib.crc32(shape.encode(), total)
        if tensor.numel():
            total = zlib.crc32(tensor.numpy().view("u1").data, total)
    return total


def _flush_folder(folder: Path) -> None:
    """Makes a rename survive a loss of power, where a folder can be flushed."""
    if os.name == "posix":
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
