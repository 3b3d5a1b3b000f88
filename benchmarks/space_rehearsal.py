"""The Space without Docker: carries out the Dockerfile's own instructions in a fresh folder.

    python3.11 benchmarks/space_rehearsal.py [--keep FOLDER]

The image's paths (`/opt/app`, `/opt/venv`, `/home/user`) become folders of a temporary one, and its
Python is a fresh virtual environment of the Python that runs this. Everything else is the
Dockerfile's: what is copied, how it is installed, the variables, the command. The app then runs as
user 1000 on a project that it cannot write, and has to train a run and show the gallery through a
page's connection. Needs no package; as root it changes the user, otherwise it stays the one it is.

Exit code 0 when everything held.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # also when it is run as a file

from benchmarks.image import USER, Rehearsal  # noqa: E402

START = 180.0  # seconds for the app to answer
FOLLOW = 15.0  # seconds in which a run has to advance

# Checks ---------------------------------------------------------------------------------------


def rehearse(folder: Path) -> bool:
    """Builds, starts, looks. Returns whether everything held."""
    folder.chmod(0o755)  # user 1000 has to get in
    rehearsal = Rehearsal(folder)
    started = time.monotonic()
    rehearsal.build()
    if os.geteuid() != 0:
        rehearsal.notes.append("not root: the app ran as the user at hand, who owns the project")
        subprocess.run(["chmod", "-R", "a-w", rehearsal.work], check=True)
    built = time.monotonic() - started
    before = _snapshot(rehearsal.work)
    server, started = rehearsal.start(folder / "log"), time.monotonic()
    held: dict[str, str] = {}

    def check(name: str, look: Callable[[], str]) -> None:
        try:
            held[name] = look()
        except Exception as error:
            held[name] = f"FAILED: {str(error) or repr(error)}"
        print(f"{name:>24}  {held[name]}", flush=True)

    try:
        check("built", lambda: f"in {built:.0f} s, {_megabytes(folder / 'opt'):,} MB")
        check("answers", lambda: _answers(rehearsal, server, started))
        check("health check", lambda: _healthy(rehearsal))
        check("front page", lambda: _page(rehearsal))
        check("a run trains", lambda: _follows(rehearsal, "", trains=True))
        check("the gallery opens", lambda: _follows(rehearsal, "gallery", trains=False))
        check("upload without cookie", lambda: _upload(rehearsal))
        check("user", lambda: _user(server.pid))
        check("folders can be written", lambda: _folders(rehearsal))
        check("command line", lambda: _command_line(rehearsal))
    finally:
        server.terminate()
        server.wait(timeout=60)
    check("ends when it is told to", lambda: f"exit code {server.returncode}")
    check("its run is saved", lambda: _saved(rehearsal))
    check("project untouched", lambda: _same(before, _snapshot(rehearsal.work)))
    check("log", lambda: _log(folder / "log"))
    for note in rehearsal.notes:
        print(f"{'note':>24}  {note}")
    return not any(text.startswith("FAILED") for text in held.values())


def _answers(rehearsal: Rehearsal, server: subprocess.Popen[bytes], started: float) -> str:
    while time.monotonic() - started < START:
        try:
            _get(rehearsal, "/_stcore/health")
            return f"after {time.monotonic() - started:.1f} s"
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.2)
    raise RuntimeError((rehearsal.folder / "log").read_text()[-2000:] or "It does not answer.")


def _get(rehearsal: Rehearsal, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{rehearsal.port}{path}", timeout=20) as answer:
        return answer.read()


def _healthy(rehearsal: Rehearsal) -> str:
    command = rehearsal.as_user(["sh", "-c", rehearsal.health])
    subprocess.run(command, env=rehearsal.environment, check=True)
    return "passes"


def _page(rehearsal: Rehearsal) -> str:
    page = _get(rehearsal, "/")
    if b"<title>" not in page:
        raise RuntimeError("What came is no page.")
    return f"{len(page):,} bytes"


def _follows(rehearsal: Rehearsal, page: str, trains: bool) -> str:
    """One viewer for a while, with the image's own Python, as that has what it needs."""
    command = ["python", "-m", "benchmarks.classroom", "--viewers", "1", "--join-within", "0"]
    command += ["--url", f"http://127.0.0.1:{rehearsal.port}", "--seconds", str(FOLLOW)]
    command += ["--page", page]
    environment = rehearsal.environment | {"PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if told.returncode:
        raise RuntimeError(told.stderr[-500:])
    found = json.loads(told.stdout.splitlines()[-1])
    if found["errors"] or (trains and found["steps_seen"] < 1) or not found["page_s"]:
        raise RuntimeError(f"What the viewer saw: {found}")
    first = f"first page after {found['page_s']['max']} s"
    return f"{first}, {found['steps_seen']:,} steps" if trains else first


def _upload(rehearsal: Rehearsal) -> str:
    """An upload from inside another site's page: no cookie comes with it."""
    address = f"http://127.0.0.1:{rehearsal.port}/_stcore/upload_file/nobody/nothing"
    try:
        urllib.request.urlopen(urllib.request.Request(address, b"x", method="PUT"), timeout=20)
    except urllib.error.HTTPError as error:
        if error.code == 403:
            raise RuntimeError("The server asks for the cookie of the XSRF check.") from None
        return f"is judged by its session (HTTP {error.code} for one that does not exist)"
    raise RuntimeError("An upload to a session that does not exist was taken.")


def _user(pid: int) -> str:
    uid = Path(f"/proc/{pid}").stat().st_uid
    if os.geteuid() == 0 and uid != USER:
        raise RuntimeError(f"The app runs as user {uid}.")
    return str(uid)


def _folders(rehearsal: Rehearsal) -> str:
    names = ("HOME", "WGAN_DATA", "WGAN_AUTOSAVE", "HF_HOME")
    for name in names:
        place = rehearsal.environment[name]
        probe = f'mkdir -p "{place}" && touch "{place}/.probe" && rm "{place}/.probe"'
        subprocess.run(rehearsal.as_user(["sh", "-ec", probe]), check=True)
    return ", ".join(names)


def _command_line(rehearsal: Rehearsal) -> str:
    command = rehearsal.as_user(["python", "-m", "wgan", "info", "--json"])
    told = subprocess.run(
        command, cwd=rehearsal.work, env=rehearsal.environment, capture_output=True, text=True
    )
    if told.returncode:
        raise RuntimeError(told.stderr[-500:])
    return f"`info` knows {len(json.loads(told.stdout))} things"


def _saved(rehearsal: Rehearsal) -> str:
    files = list(Path(rehearsal.environment["WGAN_AUTOSAVE"]).rglob("*"))
    if not files:
        raise RuntimeError("The folder of saved runs is empty.")
    return f"{len(files)} files"


def _snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def _same(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> str:
    changed = sorted(name for name in before | after if before.get(name) != after.get(name))
    if changed:
        raise RuntimeError(f"Written: {', '.join(changed[:5])}")
    return f"{len(after):,} files and folders"


def _log(path: Path) -> str:
    log = path.read_text(errors="replace")
    if "Traceback" in log:
        raise RuntimeError(log[log.index("Traceback") :][:2000])
    return "no traceback"


def _megabytes(folder: Path) -> int:
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file()) // 10**6


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="build there and keep it")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True)
        held = rehearse(options.keep.resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="wgan-space-") as folder:
            held = rehearse(Path(folder))
    print("The rehearsal held." if held else "The rehearsal FAILED.")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
