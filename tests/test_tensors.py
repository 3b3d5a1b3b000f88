"""Files of weights: whole ones are read whatever they are wrapped in, all others refused."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
import textwrap
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file
from torch import Tensor, nn

from wgan.zoo.architecture import ZooError
from wgan.zoo.formats.weights import read_tensors

ROOT = Path(__file__).resolve().parent.parent


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


WEIGHTS: dict[str, Tensor] = network().state_dict()


def zipped(value: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def legacy(value: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def same(found: dict[str, Tensor], expected: dict[str, Tensor] = WEIGHTS) -> bool:
    return set(found) == set(expected) and all(
        torch.equal(found[name], expected[name]) and found[name].dtype == expected[name].dtype
        for name in expected
    )


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ZooError) as error:
        read_tensors(path)
    sentence = str(error.value)
    assert path.name in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 300
    assert "\n" not in sentence
    return sentence


# What is read.


@pytest.mark.parametrize("ending", ["bin", "pt", "pth", "ckpt"])
@pytest.mark.parametrize("written", [zipped, legacy])
def test_reads_what_torch_saves(tmp_path: Path, ending: str, written: Callable[[Any], bytes]):
    path = tmp_path / f"weights.{ending}"
    path.write_bytes(written(WEIGHTS))
    assert same(read_tensors(path))


def test_reads_safetensors(tmp_path: Path):
    save_file(WEIGHTS, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert same(read_tensors(tmp_path / "model.safetensors"))


def test_reads_a_zip_with_a_list_of_records_as_before_torch_2(tmp_path: Path):
    with (
        zipfile.ZipFile(io.BytesIO(zipped(WEIGHTS))) as new,
        zipfile.ZipFile(tmp_path / "old.pt", "w") as old,
    ):
        for record in new.infolist():
            if record.filename.split("/")[1] not in ("byteorder", ".format_version"):
                old.writestr(record.filename, new.read(record))
    assert same(read_tensors(tmp_path / "old.pt"))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: {"state_dict": w},
        lambda w: {"generator": w, "discriminator": {"x": torch.zeros(1)}},
        lambda w: {"epoch": 3, "netG": w, "netD": {}, "loss": [0.5, 1.5], "name": "é"},
        lambda w: {"model": w, "optimizer": torch.optim.Adam(network().parameters()).state_dict()},
        lambda w: {"params": {n: t + 1 for n, t in w.items()}, "params_ema": w},
        lambda w: {"meta": {"iter": 7, "sizes": (1, 2)}, "state_dict": {"generator": w}},
        lambda w: {f"module.{n}": t for n, t in w.items()},
        lambda w: {"state_dict": {f"module._orig_mod.{n}": t for n, t in w.items()}},
        lambda w: {n: nn.Parameter(t) if t.is_floating_point() else t for n, t in w.items()},
        lambda w: {"generator": {"model": {"state_dict": w}}},
    ],
)
@pytest.mark.parametrize("written", [zipped, legacy])
def test_unwraps_what_weights_come_in(
    tmp_path: Path, wrap: Callable[[Any], Any], written: Callable[[Any], bytes]
):
    (tmp_path / "w.pt").write_bytes(written(wrap(WEIGHTS)))
    assert same(read_tensors(tmp_path / "w.pt"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_keeps_the_type_and_views_of_one_storage(tmp_path: Path, dtype: torch.dtype):
    base = torch.arange(12.0).to(dtype)
    expected = {"a": base[2:6].view(2, 2), "b": base.view(3, 4).t(), "empty": base[:0]}
    for written in (zipped, legacy):
        (tmp_path / "w.pt").write_bytes(written(expected))
        found = read_tensors(tmp_path / "w.pt")
        assert same(found, expected)
        assert not any(tensor.requires_grad for tensor in found.values())


def test_writing_into_what_was_read_leaves_the_file_alone(tmp_path: Path):
    path = tmp_path / "w.pt"
    path.write_bytes(zipped(WEIGHTS))
    read_tensors(path)["0.weight"].zero_()
    assert same(read_tensors(path))


# What is refused: a name -> the file's name, its content, and a word of the sentence.


class Evil:
    """Its pickle would make a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.target}",))


def with_pickle(
    program: bytes, records: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED
) -> bytes:
    """A zip as torch.save writes it around this program, with a storage of 16 bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("archive/data.pkl", program)
        for name, content in ({"version": b"3\n", "data/0": bytes(16)} | (records or {})).items():
            archive.writestr(f"archive/{name}", content)
    return stream.getvalue()


def tensor_program(
    *, count: int = 4, offset: int = 0, shape: str = "(K\x04t", strides: str = "(K\x01t"
) -> bytes:
    """{"w": a tensor of 4 floats}, as a pickle whose numbers can lie."""
    number = lambda n: b"J" + n.to_bytes(4, "little")  # noqa: E731
    return b"".join(
        [
            b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(",
            b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000",
            b"X\x03\x00\x00\x00cpu" + number(count) + b"tQ" + number(offset),
            shape.encode("latin-1") + strides.encode("latin-1"),
            b"\x89ccollections\nOrderedDict\n)RtRs.",
        ]
    )


def safe_header(entries: dict[str, Any], data: bytes = b"", length: int | None = None) -> bytes:
    header = json.dumps(entries).encode()
    return (len(header) if length is None else length).to_bytes(8, "little") + header + data


def entry(dtype: str = "F32", shape: Any = (4,), offsets: Any = (0, 16)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return stream.getvalue()


def quantised() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to give them up
        return {"w": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)}


BILLION = "(J\x00\x00\x00\x40t"  # (2**30,)
DEEP = b"\x80\x02})" + b"\x85" * 100_000 + b"Ns."  # {(((…))): None}
ONES = torch.ones(4)
TOO_DEEP: dict[str, Any] = {"model": {"model": {"model": {"model": {"model": {"w": ONES}}}}}}
NAN = {"ok": ONES, "bad.weight": torch.tensor([1.0, float("nan")])}
INF = {"bad.weight": torch.tensor([[1.0], [-float("inf")]], dtype=torch.float16)}

HOSTILE: dict[str, tuple[str, Any, str]] = {
    "empty": ("w.pt", b"", "empty"),
    "noise": ("w.pt", b"\x17" * 999, "no weights"),
    "web page": ("w.bin", b"\n <!DOCTYPE html><html>404</html>", "web page"),
    "lfs pointer": (
        "model.safetensors",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        "Git LFS pointer",
    ),
    "json": ("w.bin", b'{"error": "Repository not found"}', "JSON"),
    "hdf5": ("g.h5", b"\x89HDF\r\n\x1a\n" + bytes(99), "Keras"),
    "keras zip": ("g.keras", with_pickle(b"", {"model.weights.h5": b""}), "Keras"),
    "tar": ("w.pt", tarred(), "tar archive"),
    "other zip": ("w.pt", with_pickle(b"").replace(b"data.pkl", b"data.txt"), "torch.save did not"),
    "torchscript": ("w.pt", with_pickle(b"", {"constants.pkl": b""}), "TorchScript"),
    "plain pickle": ("w.pkl", pickle.dumps({"w": [1.0]}), "torch.save did not write"),
    "protocol 4": ("w.pt", with_pickle(pickle.dumps({"w": 1}, 4)), "torch.save does not write"),
    "whole network": ("w.pt", zipped(network()), "whole pickled network"),
    "whole network, legacy": ("w.pt", legacy({"G": network()}), "whole pickled network"),
    "numpy": ("w.pt", zipped({"w": ONES.numpy()}), "no tensor"),
    "no dictionary": ("w.pt", zipped([ONES]), "list"),
    "one tensor": ("w.pt", zipped(ONES), "Tensor"),
    "no tensors": ("w.pt", zipped({}), "no tensors"),
    "other things": ("w.pt", zipped({"w": ONES, "epoch": 3}), "'epoch' is a int"),
    "number as name": ("w.pt", zipped({1: ONES}), "'1' is a Tensor"),
    "too deep": ("w.pt", zipped(TOO_DEEP), "more than 5 deep"),
    "long name": ("w.pt", zipped({"w" * 201: ONES}), "named tensors"),
    "complex": ("w.pt", zipped({"w": torch.ones(2, dtype=torch.complex64)}), "complex64"),
    "bool": ("w.pt", zipped({"w": torch.ones(1, dtype=torch.bool)}), "bool"),
    "integers": ("w.pt", zipped({"w": torch.ones(3, dtype=torch.int64)}), "int64"),
    "bytes": ("w.pt", zipped({"w": torch.ones(1, dtype=torch.uint8)}), "uint8"),
    "safe integers": ("w.safetensors", save({"w": torch.ones(3, dtype=torch.int32)}), "int32"),
    "float8": ("w.safetensors", save({"w": ONES.to(torch.float8_e5m2)}), "float8"),
    "quantised": ("w.pt", quantised, "quantised"),
    "sparse": ("w.pt", lambda: {"w": torch.eye(3).to_sparse()}, "sparse"),
    "meta": ("w.pt", lambda: {"w": torch.ones(3, device="meta")}, "meta"),
    "nan": ("w.pt", zipped(NAN), "'bad.weight'"),
    "infinite": ("w.pt", legacy(INF), "'bad.weight'"),
    "safe nan": ("w.safetensors", save(NAN), "'bad.weight'"),
    "expanded": ("w.pt", zipped({"w": torch.ones(1).expand(10**10)}), "10,000,000,000"),
    "expanded, legacy": ("w.pt", legacy({"w": torch.ones(1).expand(10**5, 10**5)}), "claims more"),
    "beyond its storage": ("w.pt", with_pickle(tensor_program(offset=2)), "claims more"),
    "beyond, by strides": ("w.pt", with_pickle(tensor_program(strides="(K\x02t")), "claims more"),
    "beyond, by shape": ("w.pt", with_pickle(tensor_program(shape=BILLION)), "claims more"),
    "negative offset": ("w.pt", with_pickle(tensor_program(offset=2**32 - 1)), "no sense"),
    "storage beyond its record": ("w.pt", with_pickle(tensor_program(count=2**30)), "lacks"),
    "shape and strides differ": ("w.pt", with_pickle(tensor_program(strides=")")), "no sense"),
    "lost record": (
        "w.pt",
        with_pickle(tensor_program()).replace(b"archive/data/0", b"archive/data/1"),
        "lacks",
    ),
    "compressed": (
        "w.pt",
        with_pickle(tensor_program(), {"data/1": bytes(10**6)}, zipfile.ZIP_DEFLATED),
        "compressed",
    ),
    "big-endian": ("w.pt", with_pickle(tensor_program(), {"byteorder": b"big"}), "big-endian"),
    "two of one name": (
        "w.pt",
        with_pickle(tensor_program(), {"DATA/0": b""}),
        "two of one name",
    ),
    "deep key": ("w.pt", with_pickle(DEEP), "no sense"),
    "endless steps": ("w.pt", with_pickle(b"\x80\x02" + b"N" * 4_000_001 + b"."), "steps"),
    "many calls": (
        "w.pt",
        with_pickle(b"\x80\x02ccollections\nOrderedDict\nq\x00" + b"h\x00)R" * 250_001 + b"."),
        "calls",
    ),
    "a gigabyte by a call": (
        "w.pt",
        with_pickle(b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R."),
        "bytearray",
    ),
    "empty stack": ("w.pt", with_pickle(b"\x80\x02R."), "no sense"),
    "no end": ("w.pt", with_pickle(b"\x80\x02}"), "no sense"),
    "itself": ("w.pt", with_pickle(b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s."), "deep"),
    "safe, huge header": ("w.safetensors", safe_header({}, length=2**40), "header of"),
    "safe, long header": ("w.safetensors", safe_header({}, length=9999), "truncated"),
    "safe, truncated": ("w.safetensors", safe_header({"w": entry()}, bytes(15)), "truncated"),
    "safe, surplus": ("w.safetensors", safe_header({"w": entry()}, bytes(17)), "no tensor"),
    "safe, huge shape": (
        "w.safetensors",
        safe_header({"w": entry(shape=[2**32, 2**32])}, bytes(16)),
        "no list of tensors",
    ),
    "safe, overlap": (
        "w.safetensors",
        safe_header({"a": entry(), "b": entry()}, bytes(16)),
        "whole safetensors",
    ),
    "safe, backwards": ("w.safetensors", safe_header({"w": entry(offsets=[16, 0])}), "no list"),
    "safe, strange type": ("w.safetensors", safe_header({"w": entry("F99")}, bytes(16)), "no list"),
    "safe, twins": (
        "w.safetensors",
        safe_header({"a": entry(), "b": entry()}, bytes(16)).replace(b'"b"', b'"a"'),
        "no list",
    ),
    "safe, deep": (
        "w.safetensors",
        (10**6).to_bytes(8, "little") + b'{"a":' + b"[" * (10**6 - 5),
        "no list",
    ),
    "safe, nothing": ("w.safetensors", safe_header({}), "no tensors"),
    "pickle named safetensors": ("w.safetensors", zipped(WEIGHTS), "no safetensors file"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_refuses(tmp_path: Path, case: str):
    name, content, word = HOSTILE[case]
    content = zipped(content()) if callable(content) else content
    assert word in refusal(tmp_path / name, content)


@pytest.mark.parametrize("written", [zipped, legacy])
@pytest.mark.parametrize("wrap", [lambda evil: evil, lambda evil: {"state_dict": {"w": evil}}])
def test_executes_nothing(
    tmp_path: Path, written: Callable[[Any], bytes], wrap: Callable[[Any], Any]
):
    target = tmp_path / "made"
    content = written(wrap(Evil(target)))
    assert "system" in refusal(tmp_path / "w.pt", content)
    assert not target.exists()


def test_executes_no_plain_pickle(tmp_path: Path):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        refusal(tmp_path / "w.bin", pickle.dumps(Evil(tmp_path / "made"), protocol))
        refusal(tmp_path / "w.pt", with_pickle(pickle.dumps(Evil(tmp_path / "made"), protocol)))
    assert not (tmp_path / "made").exists()


def test_refuses_what_is_no_file(tmp_path: Path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    os.mkfifo(tmp_path / "pipe")
    for path, word in {
        tmp_path: "folder",
        tmp_path / "saved": "SavedModel",
        tmp_path / "pipe": "ordinary",
        Path("/dev/zero"): "ordinary",
        tmp_path / "nowhere.pt": "no file",
        tmp_path / "nul\0.pt": "no file",
    }.items():
        with pytest.raises(ZooError, match=word):
            read_tensors(path)


def test_refuses_large_files_unread(tmp_path: Path):
    for name, head in (("w.safetensors", safe_header({})), ("w.pt", zipped({})[:99])):
        with (tmp_path / name).open("wb") as file:
            file.write(head)
            file.truncate(3 * 10**9)  # a sparse file
        with pytest.raises(ZooError, match="at most"):
            read_tensors(tmp_path / name)


def test_refuses_more_tensors_than_anything_has(tmp_path: Path):
    many = {f"w{i}": entry(shape=[0], offsets=[0, 0]) for i in range(100_001)}
    assert "100,001 tensors" in refusal(tmp_path / "w.safetensors", safe_header(many))


# Memory.

NASTY = """
import sys
from pathlib import Path
from wgan.zoo.architecture import ZooError
from wgan.zoo.formats.weights import read_tensors

def memory(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1000 for line in lines if line.startswith(field))

for path in sorted(Path(sys.argv[1]).iterdir()):
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = memory("VmRSS")
    try:
        read_tensors(path)
    except ZooError:
        print(path.name, memory("VmHWM") - before, flush=True)
"""


def test_memory_stays_bounded(tmp_path: Path):
    # A zip's last record: a list of records that is 10⁸ bytes long, at byte 4.
    end = b"PK\x05\x06" + bytes(4) + b"\x01\x00" * 2 + (10**8).to_bytes(4, "little") + bytes(6)
    nasty = {
        "expanded.pt": zipped({"w": torch.ones(1).expand(10**10)}),
        "claims.pt": with_pickle(tensor_program(count=2**30, shape=BILLION)),
        "lists.pt": with_pickle(b"\x80\x02" + b"(" * 4_000_001 + b"."),
        "word.pt": with_pickle(b"\x80\x02X\x00\x00\x00\x01" + b"a" * 2**24 + b"q\x00h\x00."),
        "long.pt": with_pickle(b"\x80\x02" + b"N" * 33_000_000 + b"."),
        "index.pt": b"PK\x03\x04" + bytes(10**8) + end,
        "bomb.pt": with_pickle(b"\0" * 3 * 10**8, {}, zipfile.ZIP_DEFLATED),
        "json.safetensors": (9 * 10**6).to_bytes(8, "little") + b'{"a":[' + b"[]," * 3_000_000,
    }
    for name, content in nasty.items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(NASTY), str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    used = {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines()}
    assert set(used) == set(nasty), done.stderr
    assert max(used.values()) < 600, used  # MB over what torch itself takes


# Broken bytes.

FILES = {
    "a.safetensors": save(WEIGHTS),
    "b.pt": zipped({"epoch": 1, "netG": WEIGHTS}),
    "c.pt": legacy({"state_dict": WEIGHTS}),
}
SLOW_FOLDER = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW_FOLDER)
@given(st.sampled_from(sorted(FILES)), st.floats(0, 1, exclude_max=True))
def test_truncated_files_are_refused(tmp_path: Path, name: str, part: float):
    content = FILES[name]
    refusal(tmp_path / name, content[: int(part * len(content))])


@settings(max_examples=400, deadline=None, suppress_health_check=SLOW_FOLDER)
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=4)), min_size=1),
)
def test_flipped_files_are_read_or_refused(
    tmp_path: Path, name: str, patches: list[tuple[int, bytes]]
):
    content = bytearray(FILES[name])
    for place, patch in patches:
        place %= len(content)
        content[place : place + len(patch)] = patch
    (tmp_path / name).write_bytes(content)
    try:
        found = read_tensors(tmp_path / name)
    except ZooError:
        return
    assert all(isinstance(tensor, Tensor) for tensor in found.values())


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW_FOLDER)
@given(
    st.lists(
        st.sampled_from(
            [
                *(b"}", b"]", b")", b"(", b"N", b"s", b"u", b"a", b"e", b"t", b"\x85", b"\x86"),
                *(b"q\x00", b"h\x00", b"R", b"b", b"Q", b"K\x01", b"X\x01\x00\x00\x00w", b"0"),
                *(b"ctorch\nFloatStorage\n", b"ccollections\nOrderedDict\n", b"ctorch\nSize\n"),
                b"ctorch._utils\n_rebuild_tensor_v2\n",
            ]
        ),
        max_size=30,
    )
)
def test_any_program_is_refused(tmp_path: Path, steps: list[bytes]):
    refusal(tmp_path / "w.pt", with_pickle(b"\x80\x02" + b"".join(steps) + b"."))
