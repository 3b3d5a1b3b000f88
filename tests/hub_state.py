"""What the Hub on 127.0.0.1 holds, and the words in which it says so (see `tests.hub_server`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Fault = Literal[
    "not_found",  # 404, as for a repository that is not there
    "unauthorized",  # 401
    "gated",  # its page can be seen, its files cannot
    "error",  # 500
    "busy",  # 429
    "silent",  # accepts, and never answers
    "slow",  # a file's bytes trickle: 1 kB each 50 ms
    "stall",  # half of a file, then nothing
    "cut",  # Content-Length says more than is sent: half of it
    "corrupt",  # the right length, other bytes
    "no_upload",  # uploads are accepted and then not answered
]
LARGE = (".safetensors", ".bin", ".pt", ".pth", ".parquet", ".png", ".h5", ".zip")


@dataclass(frozen=True)
class Commit:
    """One state of a repository. sha: 40 hexadecimal digits."""

    sha: str
    files: Mapping[str, bytes]


@dataclass
class Repository:
    """A repository and how it behaves. commits: the oldest first."""

    id: str
    kind: str  # "model" or "dataset"
    commits: list[Commit] = field(default_factory=list)
    tags: tuple[str, ...] = ()
    downloads: int = 0
    likes: int = 0
    licence: str | None = None
    private: bool = False
    fault: Fault | None = None
    faults_left: int | None = None  # files that the fault still hits; None is all of them

    def commit(self, files: Mapping[str, bytes]) -> str:
        """Adds a commit with exactly these files; returns its sha."""
        digest = hashlib.sha1(self.commits[-1].sha.encode() if self.commits else b"")
        for name in sorted(files):
            digest.update(name.encode() + b"\0" + hashlib.sha1(files[name]).digest())
        self.commits.append(Commit(digest.hexdigest(), dict(files)))
        return self.commits[-1].sha

    def at(self, revision: str) -> Commit | None:
        """The commit of a branch ("main") or a sha."""
        if revision == "main":
            return self.commits[-1]
        return next((commit for commit in self.commits if commit.sha == revision), None)

    def hit(self) -> Fault | None:
        """The fault that the next file meets; counts it."""
        if self.fault is None or self.faults_left == 0:
            return None
        if self.faults_left is not None:
            self.faults_left -= 1
        return self.fault


@dataclass(frozen=True)
class Request:
    """What the server was asked. host: "hub", or "cdn" where large files are."""

    method: str
    path: str
    host: str
    headers: Mapping[str, str]


def etag_of(name: str, content: bytes) -> str:
    """The Hub's name for content: SHA-256 of large files, git's SHA-1 of the others."""
    if name.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def info(repo: Repository, commit: Commit) -> dict[str, Any]:
    """A repository as the Hub's API describes it."""
    listed = [{"rfilename": name, "size": len(data)} for name, data in commit.files.items()]
    licence = [f"license:{repo.licence}"] if repo.licence else []
    return {
        "_id": commit.sha[:24],
        "id": repo.id,
        "modelId": repo.id,
        "sha": commit.sha,
        "author": repo.id.split("/")[0],
        "lastModified": "2026-01-02T03:04:05.000Z",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "private": repo.private,
        "gated": "auto" if repo.fault == "gated" else False,
        "disabled": False,
        "downloads": repo.downloads,
        "likes": repo.likes,
        "tags": [*repo.tags, *licence],
        "siblings": listed,
        "cardData": {"license": repo.licence} if repo.licence else {},
    }


def ndjson(body: bytes) -> list[dict[str, Any]]:
    """The lines of a commit's request."""
    return [json.loads(line) for line in body.splitlines() if line]
