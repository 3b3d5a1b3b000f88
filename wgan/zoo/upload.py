"""A generator that a visitor brings: one file of weights, or a zip of a checkpoint folder."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
import zlib
from pathlib import Path

from wgan.data.base import DataError
from wgan.data.zips import check_directory, open_zip
from wgan.zoo.architecture import ZooError
from wgan.zoo.checkpoint import CONFIG, FILES, WEIGHTS, Checkpoint, open_checkpoint
from wgan.zoo.importers import import_weights

MAX_UPLOAD = 200  # MB, of the file and of what is in a zip


def open_upload(name: str, data: bytes) -> Checkpoint:
    """The generator in an uploaded file; what it is called decides how it is read.

    Only files of our format are taken from a zip, whatever else it holds. Raises `ZooError`.
    """
    suffix = Path(name).suffix.lower()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if suffix == ".zip":
            _unpack(data, folder)
            return open_checkpoint(folder)
        # Under its name, which a refusal tells, as far as that is harmless.
        file = folder / (re.sub(r"[^\w.-]", "_", Path(name).name)[-80:] or "file")
        file.write_bytes(data)
        imported = import_weights(file)
    return Checkpoint(imported.architecture, imported.generator, card=imported.note)


def _unpack(data: bytes, folder: Path) -> None:
    """Takes the files of our format out of a zip, from its top or from its one folder."""
    try:
        file = io.BytesIO(data)
        check_directory(file)
        with open_zip(file) as zipped:
            found = {Path(i.filename).name: i for i in zipped.infolist() if _is_ours(i.filename)}
            missing = [name for name in (CONFIG, WEIGHTS) if name not in found]
            if missing:
                raise ZooError(
                    f"The zip holds no {missing[0]}; expected a checkpoint folder with "
                    f"{CONFIG} and {WEIGHTS}."
                )
            if sum(info.file_size for info in found.values()) > MAX_UPLOAD * 10**6:
                raise ZooError(f"The zip unpacks to more than {MAX_UPLOAD} MB.")
            for name, info in found.items():
                with zipped.open(info) as source:
                    # What a zip says of its sizes need not be true.
                    content = source.read(info.file_size + 1)
                if len(content) > info.file_size:
                    raise ZooError(f"The zip's {name} is larger than the zip says.")
                (folder / name).write_bytes(content)
    except ZooError:
        raise
    except DataError as error:
        raise ZooError(str(error)) from None
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError):
        raise ZooError("The zip is damaged or encrypted and cannot be unpacked.") from None


def _is_ours(name: str) -> bool:
    path = Path(name)
    return path.name in FILES and len(path.parts) <= 2 and ".." not in path.parts
