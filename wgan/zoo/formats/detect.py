"""What a file is, by its first bytes: weights in a format that is read here, or something else."""

from __future__ import annotations

from pathlib import Path

from wgan.zoo.architecture import ZooError

LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # how torch.save began before 1.6

# First bytes -> what such a file is.
OTHERS = {
    b"version https://git-lfs": "a Git LFS pointer, not the weights themselves; download the file",
    b"\x89HDF\r\n\x1a\n": "a Keras or HDF5 file; only PyTorch weights are read",
    b"GGUF": "a GGUF file; only PyTorch weights are read",
    b"\x93NUMPY": "a NumPy array; only PyTorch weights are read",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"\x80": "a pickle that torch.save did not write; expected a file saved by torch.save",
}


def kind_of(path: Path) -> str:
    """safetensors, zip (`torch.save`) or legacy (`torch.save` before version 1.6).

    Raises `ZooError` that says what the file is instead, and `OSError`.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise ZooError(f"{path.name} is empty.")
    kind = _kind(path, head)
    if kind != "safetensors" and path.suffix == ".safetensors":
        raise ZooError(f"{path.name} is no safetensors file but one written by torch.save.")
    return kind


def _kind(path: Path, head: bytes) -> str:
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(LEGACY):
        return "legacy"
    # Eight bytes of length, then JSON. A Git LFS pointer and HTML have text there.
    if head[8:9] == b"{" and head[5:8] == b"\0\0\0":
        return "safetensors"
    for start, what in OTHERS.items():
        if head.startswith(start):
            raise ZooError(f"{path.name} is {what}.")
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise ZooError(
            f"{path.name} is a web page, not weights; the download was answered by a page."
        )
    if text.startswith((b"{", b"[")):
        raise ZooError(f"{path.name} is JSON text, not weights.")
    if head[257:262] == b"ustar":
        raise ZooError(f"{path.name} is a tar archive; unpack it first.")
    if path.suffix == ".safetensors":
        return "safetensors"  # its reader says what is wrong with it
    raise ZooError(
        f"{path.name} holds no weights; expected a safetensors file or one saved by torch.save."
    )
