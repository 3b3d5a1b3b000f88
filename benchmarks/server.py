"""A server of the app in a process of its own, and what can be seen of it from outside."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from benchmarks.command import app_command

ROOT = Path(__file__).parents[1]
START = 120.0  # seconds for the app to answer
LOOK = 0.2  # seconds between two looks at how far its runs are


@dataclass(frozen=True)
class Health:
    """The process at one moment. at: `time.time`; cpu: seconds of processor time so far."""

    at: float
    memory_mb: float
    threads: int
    cpu: float


class Progress(NamedTuple):
    """The generator steps of all runs in memory together, at one moment (`time.time`)."""

    at: float
    steps: int


class AppServer:
    """`with AppServer() as server:` starts the app on a free port and ends it.

    environment: variables for it. Saved runs go to a folder that is deleted in the end.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = Path(tempfile.mkdtemp(prefix="wgan-load-"))
        self._progress: list[Progress] = []
        self._ended = threading.Event()
        self._log = self._folder / "log"
        saved = {"WGAN_AUTOSAVE": str(self._folder / "runs")}
        self._environment = {**os.environ, **saved, **(environment or {})}

    def __enter__(self) -> AppServer:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                app_command(self.port), cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        try:
            wait_for(f"{self.url}/_stcore/health", START)
        except TimeoutError:
            self._stop()
            raise SystemExit(f"The server does not answer:\n{self.log()[-2000:]}") from None
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    def health(self) -> Health:
        """Memory, threads and processor time now (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        told = dict(line.split(":", 1) for line in status.splitlines())
        # After the name in brackets come the fields 3 and on; 14 and 15 are user and system time.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return Health(
            at=time.time(),
            memory_mb=int(told["VmRSS"].split()[0]) / 1024,
            threads=int(told["Threads"]),
            cpu=ticks / os.sysconf("SC_CLK_TCK"),
        )

    def progress(self) -> list[Progress]:
        """How its runs advanced since the start, five times a second."""
        return list(self._progress)

    def run(self, id: str) -> dict[str, Any]:
        """What is public of a run."""
        return self._ask(f"/runs/{id}.json")

    def status(self) -> dict[str, Any]:
        """How busy the server says that it is."""
        return self._ask("/status.json")

    def _ask(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK):
            with suppress(OSError):  # it is busy, or ends
                steps = self.status()["steps"]
                self._progress.append(Progress(time.time(), steps))

    def log(self) -> str:
        """What it printed so far."""
        return self._log.read_text(errors="replace")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(url: str, seconds: float) -> None:
    """Waits until an address answers. Raises `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} s.")
