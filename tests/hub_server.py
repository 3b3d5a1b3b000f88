"""A Hub of one's own on 127.0.0.1, which answers the real client.

Repositories are lists of commits whose names depend on their content, large files live on a
second address (as the Hub keeps them on another host), and a repository can be told to fail.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from tests.hub_handler import Handler
from tests.hub_state import LARGE, Fault, Repository, Request


class HubServer:
    """The server; `url` is what HF_ENDPOINT has to be."""

    TOKEN = "hf_test"  # the only token that may write, and see private repositories

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.large: dict[str, bytes] = {}  # sha256 -> content
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self._servers = [self._listen("hub"), self._listen("cdn")]
        hub, cdn = (server.server_address[1] for server in self._servers)
        # Another name for the same machine: the client trusts hosts by their names.
        self.url, self.cdn_url = f"http://127.0.0.1:{hub}", f"http://localhost:{cdn}"

    def _listen(self, host: str) -> ThreadingHTTPServer:
        kind = type("BoundHandler", (Handler,), {"hub": self, "host": host})
        server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    def stop(self) -> None:
        """Nobody listens at the two addresses from here on."""
        self.closing.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    # What there is.

    def add_model(self, repo_id: str, files: Mapping[str, bytes], **about: Any) -> str:
        """Makes or changes a model (a further commit); returns the commit's sha.

        about: tags, downloads, likes, licence, private.
        """
        return self._add("model", repo_id, files, about)

    def add_dataset(self, repo_id: str, files: Mapping[str, bytes], **about: Any) -> str:
        """The same for a data set."""
        return self._add("dataset", repo_id, files, about)

    def _add(
        self, kind: str, repo_id: str, files: Mapping[str, bytes], about: Mapping[str, Any]
    ) -> str:
        repo = self.repositories.setdefault((kind, repo_id), Repository(repo_id, kind))
        for name, value in about.items():
            setattr(repo, name, value)
        for name, content in files.items():
            if name.endswith(LARGE):
                self.large[hashlib.sha256(content).hexdigest()] = content
        return repo.commit(files)

    def fault(self, repo_id: str, fault: Fault | None, times: int | None = None) -> None:
        """Every repository of this name behaves like that: always, or for so many files."""
        for (_, name), repo in self.repositories.items():
            if name == repo_id:
                repo.fault, repo.faults_left = fault, times

    def files_of(self, repo_id: str, kind: str = "model") -> Mapping[str, bytes]:
        """The files of the newest commit."""
        return self.repositories[kind, repo_id].commits[-1].files

    def asked(self, method: str, part: str) -> list[Request]:
        """The requests so far with this method and this part in their path."""
        return [r for r in self.requests if r.method == method and part in r.path]

    def wait(self, seconds: float) -> None:
        """Sleeps, but not beyond the end of the server."""
        self.closing.wait(seconds)
