"""Reads what `torch.save` wrote, after its description was checked against its real size.

Two formats: since torch 1.6 a zip, uncompressed, with a pickle and one record a storage; before
that five pickles in a row (magic number, protocol, machine, what was saved, the storages' keys)
and then the storages, each behind its count in eight bytes.
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO

import torch

from wgan.files import open_regular
from wgan.zoo.architecture import ZooError
from wgan.zoo.formats.pickles import INERT, Inert, PickleError, Trace

MAX_PICKLE = 32 * 10**6  # bytes, without the tensors' numbers
MAX_INDEX = 16 * 10**6  # bytes of a zip's list of records
MAX_RECORDS = 11_000

# torch, too, makes our empty class of these names and imports nothing.
torch.serialization.add_safe_globals([(Inert, name.replace(" ", ".")) for name in INERT])


def read_torch(path: Path, kind: str) -> Any:
    """What was saved: dictionaries, lists, tensors and plain values.

    `kind` is zip or legacy. Raises `ZooError`, and `OSError`.
    """
    try:
        with open_regular(path) as file:
            if kind == "zip":
                _check_zip(file)
            else:
                _check_legacy(file)
    except PickleError as error:
        raise ZooError(f"{path.name} {error}.") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how the file was written
            # A zip can be mapped; files from before torch 1.6 cannot.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=kind == "zip")
    except Exception:  # broken bytes raise what they like
        raise ZooError(f"{path.name} is broken: torch cannot read it.") from None


def _open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """A zip as `torch.save` writes it, whose list of records is not too long to be read.

    Raises `PickleError`.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - 98))
    tail = file.read()
    # The list's own place and length, in the plain form and in the one for large files.
    plain, large = tail[-22:], tail[-98:-42]
    lengths = [int.from_bytes(plain[12:16], "little")]
    if tail[-42:-38] == b"PK\x06\x07":
        lengths = [int.from_bytes(large[40:48], "little")]
    if plain[:4] != b"PK\x05\x06" or max(lengths) > size:
        raise PickleError("is truncated or broken: it is a zip whose list of records is lost")
    if max(lengths) > MAX_INDEX:
        raise PickleError("is a zip with too many records")
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, struct.error, RuntimeError, ValueError, OSError):
        raise PickleError("is a zip with a broken list of records") from None


def _check_zip(file: BinaryIO) -> None:
    with _open_zip(file) as archive:
        records = {record.filename: record for record in archive.infolist()}
        folder = next(iter(records), "").partition("/")[0]
        _check_kind(records, folder)
        # torch takes names that differ in their case for one.
        distinct = {name.casefold() for name in records}
        if len(records) > MAX_RECORDS or len(distinct) < len(archive.infolist()):
            raise PickleError("is a zip with too many records, or two of one name")
        if any(record.compress_type != zipfile.ZIP_STORED for record in records.values()):
            raise PickleError("is a compressed zip; torch.save does not compress")
        pickle = records[f"{folder}/data.pkl"]
        if pickle.file_size > MAX_PICKLE:
            raise PickleError(f"has a pickle of more than {MAX_PICKLE:,} bytes")
        order = records.get(f"{folder}/byteorder")
        try:
            if order and (order.file_size > 6 or archive.read(order) != b"little"):
                raise PickleError("was saved by a big-endian machine")
            program = archive.read(pickle)
        except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, OSError):
            raise PickleError("is truncated or broken: its pickle cannot be read") from None
        trace = Trace()
        trace.follow(io.BytesIO(program))
        for key, storage in trace.storages.items():
            record = records.get(f"{folder}/data/{key}")
            if storage.count and (record is None or record.file_size < storage.nbytes):
                raise PickleError(f"lacks the numbers {key[:40]!r} of its tensors")


def _check_kind(records: Collection[str], folder: str) -> None:
    if any(name.endswith(".h5") for name in records):
        raise PickleError("is a Keras file; only PyTorch weights are read")
    if f"{folder}/constants.pkl" in records:
        raise PickleError("is a TorchScript program; expected a state_dict saved by torch.save")
    if f"{folder}/data.pkl" not in records:
        raise PickleError("is a zip that torch.save did not write")


def _check_legacy(file: BinaryIO) -> None:
    size = file.seek(0, 2)
    file.seek(0)
    head = io.BytesIO(file.read(MAX_PICKLE))
    trace = Trace()
    trace.follow(head)
    protocol, machine = trace.follow(head), trace.follow(head)
    if protocol != 1001 or type(machine) is not dict or machine.get("little_endian") is not True:
        raise PickleError("was not saved by torch on a little-endian machine")
    trace.follow(head)
    keys = trace.follow(head)
    words = type(keys) is list and all(type(key) is str for key in keys)
    if not words or sorted(keys) != sorted(trace.storages):
        raise PickleError("does not list the storages its tensors need")
    place = head.tell()
    for key in keys:
        storage = trace.storages[key]
        file.seek(place)
        if int.from_bytes(file.read(8), "little") != storage.count:
            raise PickleError(f"is truncated or broken: the numbers {key[:40]!r} are not there")
        place += 8 + storage.nbytes
    if place != size:
        raise PickleError(f"does not end with its tensors, at byte {place:,}, but at {size:,}")
