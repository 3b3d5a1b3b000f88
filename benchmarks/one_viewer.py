"""What does a viewer cost the training? Steps a second headless, and with one viewer on the page.

    python -m benchmarks.one_viewer [--preset ring-wgan-gp] [--rounds 3] [--seconds 20]

Both train in a process of their own, by turns in the same minutes. The viewer speaks the
browser's protocol and asks for every redrawing in its time, but draws nothing: a browser on the
same machine costs more. The last line is one JSON object; `ratio` is with a viewer to headless.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import websocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from wgan.lab.registry import Lab
from wgan.presets import PRESETS

ROOT = Path(__file__).parents[1]
WARM_UP = 3.0  # seconds of training before it counts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--preset", default="ring-wgan-gp", choices=PRESETS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--headless", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.headless:
        print(headless(options.preset, options.seconds))
        return
    alone, viewed, ticks = [], [], 0
    for number in range(1, options.rounds + 1):
        alone.append(in_own_process(options.preset, options.seconds))
        found, ticks = with_viewer(options.preset, options.seconds)
        viewed.append(found)
        print(f"round {number}: headless {alone[-1]:.1f}, one viewer {found:.1f} steps/s")
    result = {
        "preset": options.preset,
        "headless": round(statistics.median(alone), 2),
        "one_viewer": round(statistics.median(viewed), 2),
        "ratio": round(statistics.median(viewed) / statistics.median(alone), 3),
        "updates_per_second": round(ticks / options.seconds, 2),
        "rounds": options.rounds,
        "cores": os.cpu_count(),
    }
    print(json.dumps(result))


def speed(step: Callable[[], int], wait: Callable[[float], None], seconds: float) -> float:
    """Steps a second over `seconds`, after the warm-up that begins with the first step."""
    deadline = time.monotonic() + 120
    while step() < 1:
        if time.monotonic() > deadline:
            raise SystemExit("The run does not begin.")
        wait(0.05)
    wait(WARM_UP)
    first, started = step(), time.monotonic()
    wait(seconds)
    return (step() - first) / (time.monotonic() - started)


# Headless -------------------------------------------------------------------------------------


def in_own_process(preset: str, seconds: float) -> float:
    command = [sys.executable, "-m", "benchmarks.one_viewer", "--headless", "--preset", preset]
    command += ["--seconds", str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def headless(preset: str, seconds: float) -> float:
    lab = Lab()
    run = lab.create(PRESETS[preset].config)

    def step() -> int:
        watched = lab.get(run.id)
        return watched.frame.step if watched else 0

    found = speed(step, time.sleep, seconds)
    lab.close(run.id)
    time.sleep(0.5)  # the thread ends
    return found


# With a viewer --------------------------------------------------------------------------------


def with_viewer(preset: str, seconds: float) -> tuple[float, int]:
    """Steps a second, and how often the page was redrawn meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    command += ["--server.headless=true", "--server.address=127.0.0.1"]
    command += ["--server.fileWatcherType=none"]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet)
    try:
        wait_for_server(f"http://127.0.0.1:{port}/_stcore/health")
        viewer = Viewer(f"ws://127.0.0.1:{port}/_stcore/stream", f"preset={preset}")
        found = speed(lambda: viewer.step, viewer.watch, seconds)
        return found, viewer.updates_of(seconds)
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for_server(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server does not answer.")


class Viewer:
    """Follows a page as a browser does: asks for each fragment again at the fragment's interval."""

    def __init__(self, url: str, query: str) -> None:
        self.step = 0
        self._query, self._page = query, ""
        self._due: dict[str, tuple[float, float]] = {}  # fragment -> (interval, when it is next)
        self._updates: list[float] = []
        self._socket = websocket.create_connection(url, subprotocols=["streamlit"])
        self._rerun("")

    def watch(self, seconds: float) -> None:
        """Goes on for `seconds`."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            for fragment, (interval, at) in list(self._due.items()):
                if at <= now:
                    self._due[fragment] = (interval, now + interval)
                    self._rerun(fragment)
            times = [at for _, at in self._due.values()]
            self._socket.settimeout(max(0.001, min([end, *times]) - time.monotonic()))
            with suppress(websocket.WebSocketTimeoutException):
                data = self._socket.recv()
                if isinstance(data, bytes):
                    self._take(ForwardMsg.FromString(data))

    def updates_of(self, seconds: float) -> int:
        """How many redrawings came in the last `seconds`."""
        return sum(at > time.monotonic() - seconds for at in self._updates)

    def _rerun(self, fragment: str) -> None:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        self._socket.send_binary(message.SerializeToString())

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page = message.new_session.page_script_hash
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            every = message.auto_rerun.interval
            self._due[message.auto_rerun.fragment_id] = (every, time.monotonic() + every)
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "html":
            found = re.search(r"step ([\d,]+)", message.delta.new_element.html.body)
            if found:
                self.step = int(found[1].replace(",", ""))
                self._updates.append(time.monotonic())


if __name__ == "__main__":
    main()
