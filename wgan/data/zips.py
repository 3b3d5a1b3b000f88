"""The images inside a zip, read one at a time: nothing is ever unpacked onto the disk."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from wgan.data.base import DataError
from wgan.data.pictures import (
    MAX_BYTES,
    SUFFIXES,
    PictureError,
    Pixels,
    Spend,
    for_free,
    read_picture,
)

_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # those that zipfile unpacks bit by bit
_ENCRYPTED = 1  # a bit of a member's flags
# The record at a zip's end (PKWARE's APPNOTE, 4.3.16), whose sixth item is the size of the
# directory; the longest comment that may follow it, and what may stand before it.
_END = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT, _LOCATOR, _LOCAL_HEADER = 0xFFFF, 20, 30  # bytes
_DIRECTORY = 8_000_000  # bytes: 20,000 members with names of 350 letters
_NO_ZIP = "That is not a zip file, or it is damaged."


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """A zip to read from. Raises `DataError` for what is none, or is damaged."""
    try:
        return zipfile.ZipFile(file)
    # Damaged directories make it raise more than its own error.
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error):
        raise DataError(_NO_ZIP) from None


def check_directory(file: BinaryIO) -> None:
    """Raises `DataError` for a directory that would take much memory to open."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _LOCATOR - _END.size - _LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + _END.size:
        raise DataError(_NO_ZIP)
    directory = _END.unpack_from(tail, at)[5]
    # The locator of a second record, which zipfile would believe instead: for zips of more than
    # 65,535 members.
    large = tail[max(0, at - _LOCATOR) : at].startswith(b"PK\x06\x07")
    if large or directory > _DIRECTORY:
        raise DataError("The zip holds too many files; 20,000 are allowed.")


def images_in(opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The members that are images by their names, in the zip's order.

    Names serve for nothing else: folders, links, zips in the zip and whatever macOS adds are left
    out. Raises `DataError` when an image is encrypted, or when any two members share bytes: so a
    small zip could hold the same large image many thousand times.
    """
    _check_overlaps(opened)
    found = [member for member in opened.infolist() if _is_image(member)]
    if any(member.flag_bits & _ENCRYPTED for member in found):
        raise DataError("The zip is encrypted; pack it again without a password.")
    return found


def _check_overlaps(opened: zipfile.ZipFile) -> None:
    end = 0
    for member in sorted(opened.infolist(), key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise DataError("The zip's files overlap; pack it again.")
        end = member.header_offset + _LOCAL_HEADER + member.compress_size


def _is_image(member: zipfile.ZipInfo) -> bool:
    parts = member.filename.lower().split("/")
    link = stat.S_ISLNK(member.external_attr >> 16)
    hidden = "__macosx" in parts or parts[-1].startswith(".")
    return parts[-1].endswith(SUFFIXES) and not link and not hidden


def read_member(
    opened: zipfile.ZipFile, member: zipfile.ZipInfo, size: int, spend: Spend = for_free
) -> Pixels:
    """An image as `read_picture` gives it. Raises `PictureError`."""
    if member.compress_type not in _PLAIN:
        raise PictureError("The file is packed in a way that is not read here.")
    try:
        with opened.open(member) as file:
            # zipfile may unpack as much as it is asked for, however small the member claims to be.
            content = file.read(min(member.file_size, MAX_BYTES) + 1)
        return read_picture(content, size, spend)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError(f"The file cannot be unpacked ({error}).") from error


def read_members(
    opened: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    size: int,
    spend: Spend = for_free,
) -> Iterator[Pixels | None]:
    """Each image of `members` in turn; None for one that cannot be read."""
    for member in members:
        try:
            yield read_member(opened, member, size, spend)
        except PictureError:
            yield None
