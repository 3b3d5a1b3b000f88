"""Hundreds of malformed command lines and hostile files: each is refused in one line.

    python -m benchmarks.hostile [--json FILE]

Every case runs in a process of its own, forked from one that has imported everything, so that what
is measured is the case: processor seconds, and memory above that of a process that does nothing. A
canary tells whether anything in a file was executed; the same program under `pickle.load` is the
positive control that it would have told. The exit status is the number of failures.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import random
import shutil
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from wgan import cli
from wgan.config import FIELDS
from wgan.data.base import DataError
from wgan.data.uploads import store_upload
from wgan.zoo.bundled import FOLDER

SECONDS, MEGABYTES = {"words": 5.0, "files": 10.0}, {"words": 1000.0, "files": 500.0}
SOUND = FOLDER / "ring-wgan-gp"
WIDTHS = ("widths_g", "widths_d")  # empty: `depth` layers of `width`
Work = Callable[[], int]


@dataclass(frozen=True)
class Outcome:
    """What became of a case. megabytes: above a process that does nothing."""

    code: int
    said: str
    seconds: float
    megabytes: float


def alone(work: Work, folder: Path, base: float = 0.0) -> Outcome:
    """Runs it in a child, with its output in a file; 30 s at most."""
    said = folder / "said"
    child = os.fork()
    if child == 0:
        file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        code = 99
        try:
            import signal

            signal.alarm(30)
            code = work()
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    text = said.read_text(errors="replace")
    seconds = used.ru_utime + used.ru_stime
    return Outcome(os.waitstatus_to_exitcode(status), text, seconds, used.ru_maxrss / 1000 - base)


# Command lines.


def command_lines(folder: Path) -> Iterator[list[str]]:
    """More than 400, none of which is sound."""
    train = ["train", "ring-gan", "--steps", "1"]
    sound = {("points", "[]"), *((name, empty) for name in WIDTHS for empty in ("", "[]"))}
    for name in FIELDS:
        for value in ("", "[]", "{}", "1e999", "NaN", "\0"):
            if name != "folder" and (name, value) not in sound:
                yield [*train, "--set", f"{name}={value if name != 'faults' else 'x' + value}"]
    words = ["", " ", "\0", "x" * 300, "9" * 5000, "-1", "1e999", "{", "[", "~nosuchuser", "../..x"]
    for option in ("--steps", "--seconds", "--seed", "--device", "--limit", "--at", "--set"):
        for word in words:
            yield ["train", "ring-gan", option, word]
    for word in ("x:lr=1", "5:", "5:lr", "5:width=9", "5:update=both", "-5:lr=1", "5:lr=x", ":"):
        yield [*train, "--at", word]
    places = [*words[2:5], "/dev/zero", "/dev/random", str(folder / "pipe"), "/", "/proc/self/mem"]
    for place in places:
        for command in (["train"], ["replay"], ["figure"], ["fly"]):
            yield [*command, place]
        if place != "/":  # a sound folder, with all pictures of this machine
            yield [*train, "--folder", place]
        yield ["sample", place, "--out", str(folder / "x.png")]
        yield ["import", place, "--out", str(folder / "x")]
        yield ["export", place, "--csv", str(folder / "x.csv")]
        yield ["push", place, "owner/name"]
    for place in ("/dev/null/x", "\0", "x" * 300, "/proc/x/y"):
        yield [*train, "--out", place]
        yield ["modes", "--out", place]
        yield ["figure", "layers", "--out", place]
        yield ["export", "ring-gan", "--gif", place]
        yield ["sample", str(SOUND), "-n", "1", "--out", place]
        yield ["import", str(SOUND / "model.safetensors"), "--out", place]
    for name in ("modes", "figure", "info", "presets", "pull", "push", "sample", "export"):
        for word in ("--frobnicate", "--json=x", "--seeds", "--out"):
            yield [name, word]


# Files.


def program(canary: Path) -> bytes:
    """A pickle that makes a file when it is executed."""

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (f"touch {canary}",)

    return pickle.dumps({"w": Evil()}, protocol=2)


def torch_zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("archive/data.pkl", content)
    return out.getvalue()


def damaged(content: bytes, seed: int) -> bytes:
    """One of many ways to break a file; the same for the same seed."""
    draw = random.Random(seed)
    size, at = len(content), draw.randrange(len(content))
    return [
        lambda: content[: size * (1 + seed % 9) // 10],
        lambda: content[:at] + bytes(64) + content[at + 64 :],
        lambda: draw.randbytes(min(size, 4096)),
        lambda: content[:8] + draw.randbytes(40) + content[48:],
        lambda: content + draw.randbytes(50),
        lambda: struct.pack("<Q", draw.choice([2**63, 2**31, size, 0])) + content[8:],
        lambda: content[: size - 22] + draw.randbytes(22),
    ][seed % 7]()


def files(folder: Path, canary: Path) -> Iterator[tuple[str, Work]]:
    """More than 250 hostile files over all roads, as (what, work)."""
    weights = {"main.0.weight": torch.ones(3, 2)}
    plain, legacy = io.BytesIO(), io.BytesIO()
    torch.save(weights, plain)
    torch.save(weights, legacy, _use_new_zipfile_serialization=False)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in SOUND.iterdir():
            zipped.write(path, path.name)
    safe = (SOUND / "model.safetensors").read_bytes()
    evil = program(canary)
    sources = {
        "w.pt": plain.getvalue(), "l.pt": legacy.getvalue(), "w.safetensors": safe,
        "c.zip": whole.getvalue(),
    }  # fmt: skip
    for name, content in sources.items():
        for seed in range(35):
            yield f"{name} {seed}", sample(folder, name, damaged(content, seed))
    for name, content in (
        ("evil.pt", evil), ("evil.bin", torch_zip(evil)), ("evil.pth", legacy.getvalue() + evil),
        ("evil.ckpt", torch_zip(b"\x80\x02cposix\nsystem\nX\x05\x00\x00\x00touch\x85R.")),
        ("steps.pt", torch_zip(b"\x80\x02" + b"N0" * 1_500_000 + b".")),
    ):  # fmt: skip
        yield name, sample(folder, name, content)
        yield f"import {name}", imported(folder, name, content)
    for name in ("config.json", "events.json", "model.safetensors", "history.json"):
        content = (SOUND / name).read_bytes()
        for seed in range(14):
            for command in ("sample", "replay"):
                if command == "replay" and name == "history.json":
                    continue
                what = f"{command} {name} {seed}"
                yield what, in_folder(folder, command, name, damaged(content, seed))
    picture = (SOUND / "samples.png").read_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for number in range(16):
            zipped.writestr(f"{number}.png", picture)
    for seed in range(35):
        yield f"upload {seed}", uploaded(damaged(out.getvalue(), seed))
        yield f"folder {seed}", trained_on(folder, damaged(out.getvalue(), seed))


def sample(folder: Path, name: str, content: bytes) -> Work:
    def work() -> int:
        (folder / name).write_bytes(content)
        return cli.main(["sample", str(folder / name), "-n", "1", "--out", str(folder / "x.png")])

    return work


def imported(folder: Path, name: str, content: bytes) -> Work:
    def work() -> int:
        (folder / name).write_bytes(content)
        return cli.main(["import", str(folder / name), "--out", str(folder / "imported")])

    return work


def in_folder(folder: Path, command: str, name: str, content: bytes) -> Work:
    def work() -> int:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            copy = Path(shutil.copytree(SOUND, Path(place) / "run"))
            (copy / name).write_bytes(content)
            if command == "replay":  # of what is accepted, not ten thousand steps
                record = copy / "events.json"
                if name != "events.json":
                    record.write_text('{"steps": 1, "events": []}')
                return cli.main(["replay", str(copy)])
            return cli.main(["sample", str(copy), "-n", "1", "--out", str(folder / "x.png")])

    return work


def uploaded(content: bytes) -> Work:
    def work() -> int:
        try:
            store_upload(content)
        except DataError as error:
            print(f"wgan: {error}")
            return 2
        return 0

    return work


def trained_on(folder: Path, content: bytes) -> Work:
    def work() -> int:
        path = folder / "pictures.zip"
        path.write_bytes(content)
        words = ["--folder", str(path), "--steps", "1", "--set", "image_size=8"]
        return cli.main(["train", "digits-gan", *words])

    return work


# The verdict.


def wrong(outcome: Outcome, kind: str) -> str | None:
    """What a case did that it must not; None for a refusal in one line, or for no harm done."""
    if "Traceback" in outcome.said or outcome.code not in (0, 1, 2):
        return f"ended with {outcome.code}: {outcome.said[-300:]}"
    if kind == "words" and outcome.code != 2:
        return f"was not refused: {outcome.said[-300:]}"
    if outcome.code == 2 and len(outcome.said.splitlines()) != 1:
        return f"said more than a line: {outcome.said[-300:]}"
    if outcome.seconds > SECONDS[kind]:
        return f"took {outcome.seconds:.1f} s"
    if outcome.megabytes > MEGABYTES[kind]:
        return f"took {outcome.megabytes:.0f} MB"
    return None


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    kept = options.json.absolute() if options.json else None
    torch.set_num_threads(1)  # threads do not survive a fork
    failures: list[str] = []
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder, canary = Path(place), Path(place) / "canary"
        os.environ["WGAN_DATA"] = str(folder / "data")
        os.chdir(folder)
        os.mkfifo(folder / "pipe")
        alone(lambda: pickle.loads(program(canary)) and 0, folder)
        if not canary.exists():
            raise SystemExit("The positive control did not sing: the canary tells nothing.")
        canary.unlink()
        base = alone(lambda: 0, folder).megabytes
        cases: dict[str, Iterator[tuple[str, Work]]] = {
            "words": (
                (" ".join(words)[:80], lambda words=words: cli.main(words))
                for words in command_lines(folder)
            ),
            "files": files(folder, canary),
        }
        for kind, every in cases.items():
            outcomes = []
            for what, work in every:
                outcome = alone(work, folder, base)
                outcomes.append(outcome)
                if (why := wrong(outcome, kind)) is not None:
                    failures.append(f"{kind}: {what!r} {why}")
                    print(failures[-1], flush=True)
            found[kind] = {
                "cases": len(outcomes),
                "refused": sum(outcome.code == 2 for outcome in outcomes),
                "most_seconds": round(max(outcome.seconds for outcome in outcomes), 2),
                "most_megabytes": round(max(outcome.megabytes for outcome in outcomes)),
            }
        executed = canary.exists()
    result = found | {"executed": executed, "failures": failures}
    text = json.dumps(result, indent=2)
    print(text)
    if kept is not None:
        kept.write_text(text + "\n")
    return len(failures) + executed


if __name__ == "__main__":
    sys.exit(main())
