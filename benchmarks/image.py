"""The image that the Dockerfile describes, as folders below another folder instead of a root's."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from benchmarks.dockerfile import Instruction, context, read_dockerfile

ROOT = Path(__file__).resolve().parents[1]
PORT = "8501"
USER = 1000


class Rehearsal:
    """The image's state as the instructions go on: folders, variables, the folder of work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = folder / "base"  # the image's own Python
        self.environment = {
            "PATH": f"{self.base / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder / "root"),
        }
        # The network's and the package index's settings are the machine's, not the image's.
        ours = ("PIP_", "UV_", "SSL_", "HTTP_", "HTTPS_", "NO_", "http", "no_proxy", "LANG")
        self.environment |= {k: v for k, v in os.environ.items() if k.startswith(ours)}
        self.arguments: dict[str, str] = {}
        self.work = folder
        self.notes: list[str] = []
        self.command: list[str] = []
        self.health = ""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])

    def here(self, text: str) -> str:
        """A text with the image's paths and port as they are here."""
        moved = re.sub(r"(?<![\w/])/(?=(?:opt|home)/)", f"{self.folder}/", text)
        return moved.replace(PORT, self.port)

    def build(self) -> None:
        """All instructions but the last, which is kept. Raises `CalledProcessError`."""
        subprocess.run([sys.executable, "-m", "venv", self.base], check=True)
        for instruction in read_dockerfile(ROOT / "Dockerfile"):
            self._follow(instruction)

    def _follow(self, instruction: Instruction) -> None:
        name, text = instruction.name, instruction.text
        if name == "ARG":
            self.arguments |= instruction.settings({})
        elif name == "ENV":
            known = self.environment | self.arguments
            self.environment |= Instruction(name, self.here(text)).settings(known)
        elif name == "WORKDIR":
            self.work = Path(self.here(text))
            self.work.mkdir(parents=True)
        elif name == "COPY":
            self._copy(*instruction.words())
        elif name == "RUN":
            self._run(text)
        elif name == "HEALTHCHECK":
            self.health = self.here(text.partition("CMD ")[2])
        elif name == "CMD":
            self.command = [self.here(word) for word in instruction.words()]

    def _copy(self, source: str, target: str) -> None:
        names = context(ROOT) if source == "." else [Path(source)]
        for name in names:
            place = self.work / target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place)

    def _run(self, text: str) -> None:
        if text.startswith("useradd"):
            words = shlex.split(self.here(text))
            home = Path(words[words.index("--home-dir") + 1])
            home.mkdir(parents=True)
            if os.geteuid() == 0:
                os.chown(home, USER, USER)
            self.notes.append("useradd was left out: user 1000 needs no entry here")
            return
        command = self.here(text)
        try:
            self._shell(command)
        except subprocess.CalledProcessError:
            option = "--torch-backend=${TORCH} "
            if option not in command:
                raise
            self.notes.append(
                "CPU builds of torch cannot be had here: the requirements as they are, which "
                "is the index's own build of torch"
            )
            self._shell(command.replace(option, ""))

    def _shell(self, command: str) -> None:
        print(f"+ {command[:150]}", flush=True)
        environment = self.environment | self.arguments
        # `uv` finds an environment that is there already when the command is tried again.
        environment["UV_VENV_CLEAR"] = "1"
        subprocess.run(["sh", "-ec", command], cwd=self.work, env=environment, check=True)

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Starts the app as the image would."""
        with log.open("wb") as out:
            return subprocess.Popen(
                self.as_user(self.command),
                cwd=self.work,
                env=self.environment,
                stdout=out,
                stderr=out,
            )

    def as_user(self, command: list[str]) -> list[str]:
        """The command as user 1000; as the user at hand who is not root."""
        if os.geteuid() != 0:
            return command
        ids = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"]
        return ["setpriv", *ids, "--", *command]
