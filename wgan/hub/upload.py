"""Sends a checkpoint to the Hub: the files of its format, in one commit."""

from __future__ import annotations

import io
import time
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi, get_token

from wgan.hub.download import Bytes, silent
from wgan.hub.errors import Cancelled, HubError
from wgan.hub.network import Asked, asking, call_with_timeout, check_connection, endpoint, never
from wgan.hub.repos import check_repo_id

NEEDED = ("config.json", "model.safetensors")
FILES = (*NEEDED, "history.json", "events.json", "samples.png", "README.md")
SILENCE = 60.0  # seconds: a commit takes the Hub longer than a look


def push(
    folder: Path,
    repo_id: str,
    private: bool = False,
    token: str | None = None,
    progress: Bytes = silent,
    cancelled: Asked = never,
) -> str:
    """Makes the repository if there is none, commits the folder's `FILES`, returns its address.

    Other files in the folder stay here. token: None is the one that this machine is logged in
    with. `progress` is called in a thread of its own; what it raises ends the upload. Raises
    `HubError` and `Cancelled`.
    """
    repo_id = check_repo_id(repo_id)
    folder = Path(folder)
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise HubError(f"{folder} holds no checkpoint ({' and '.join(missing)} is missing).")
    if token is None and get_token() is None:
        raise HubError(
            "Pushing needs a token with write access; log in with `hf auth login`, or set HF_TOKEN."
        )
    check_connection()
    names = [name for name in FILES if (folder / name).is_file()]
    about = f"the model {repo_id}"
    sent = _Sent(sum((folder / name).stat().st_size for name in names), progress, cancelled)
    files: list[io.BufferedReader] = []

    def upload() -> str:
        api = HfApi(endpoint=endpoint(), token=token)
        try:
            operations = []
            for name in names:
                files.append(_File(folder / name, name, sent))
                operations.append(CommitOperationAdd(name, files[-1]))
            sent.begin()  # until here they were read for their fingerprints only
            api.create_repo(repo_id, private=private, exist_ok=True)
            for operation in operations:
                # One at a time: the client sends several in threads that keep a process alive.
                api.preupload_lfs_files(repo_id, [operation], free_memory=False)
            commit = api.create_commit(
                repo_id, operations, commit_message="Add a generator made with WGAN Lab"
            )
            sent.finish()
            return commit.commit_url
        finally:
            for file in files:
                file.close()

    with asking(about):
        try:
            return call_with_timeout(upload, SILENCE, cancelled, lambda: sent.last)
        finally:
            sent.stop()


class _Sent:
    """How far each file of an upload has been read, and when it was last read."""

    def __init__(self, total: int, progress: Bytes, cancelled: Asked) -> None:
        self.last = time.monotonic()
        self._total = total
        self._progress = progress
        self._cancelled = cancelled
        self._done: dict[str, int] = {}
        self._begun = self._stopped = False

    def begin(self) -> None:
        self._begun = True

    def finish(self) -> None:
        """All is there, also what the Hub had already and did not ask for."""
        self._progress(self._total, self._total)

    def stop(self) -> None:
        """Ends an upload that was left behind, at its next read."""
        self._stopped = True

    def check(self) -> None:
        """Raises `Cancelled` when the upload is no longer wanted."""
        if self._stopped or self._cancelled():
            raise Cancelled

    def read(self, name: str, position: int) -> None:
        """A file was read up to `position` (bytes)."""
        self.check()
        self.last = time.monotonic()
        if self._begun and position > self._done.get(name, 0):
            self._done[name] = position
            self._progress(sum(self._done.values()), self._total)


class _File(io.BufferedReader):
    """A file that tells how far it was read.

    The client sends a file object by plain LFS, where a path would go by Xet: one way for every
    server, and one that can be watched and stopped.
    """

    def __init__(self, path: Path, name: str, sent: _Sent) -> None:
        super().__init__(io.FileIO(path))
        self._name = name
        self._sent = sent

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._sent.read(self._name, self.tell())
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._sent.check()  # the client winds back before it tries again
        return super().seek(offset, whence)
