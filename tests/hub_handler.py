"""The answers of the Hub on 127.0.0.1 (see `tests.hub_server`)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub_state import LARGE, Commit, Repository, Request, etag_of, info, ndjson

if TYPE_CHECKING:
    from tests.hub_server import HubServer

ID = r"(?P<id>[^/]+/[^/]+)"
PLURAL = r"(?P<kind>model|dataset)s"
ROUTES = [
    ("GET", rf"/api/{PLURAL}", "listing"),
    ("GET", rf"/api/{PLURAL}/{ID}", "describe"),
    ("GET", rf"/api/{PLURAL}/{ID}/revision/(?P<revision>.+)", "describe"),
    ("GET", rf"/api/{PLURAL}/{ID}/tree/(?P<revision>[^/]+)", "tree"),
    ("HEAD", rf"(/(?P<prefix>datasets))?/{ID}/resolve/(?P<revision>[^/]+)/(?P<file>.+)", "resolve"),
    ("GET", rf"(/(?P<prefix>datasets))?/{ID}/resolve/(?P<revision>[^/]+)/(?P<file>.+)", "resolve"),
    ("GET", rf"/large/{ID}/(?P<oid>[0-9a-f]+)", "large"),
    ("POST", r"/api/validate-yaml", "validate"),
    ("POST", r"/api/repos/create", "create"),
    ("POST", rf"/api/{PLURAL}/{ID}/preupload/main", "preupload"),
    ("POST", rf"/{ID}\.git/info/lfs/objects/batch", "batch"),
    ("PUT", rf"/upload/{ID}/(?P<oid>[0-9a-f]+)", "put"),
    ("POST", rf"/verify/{ID}", "verify"),
    ("POST", rf"/api/{PLURAL}/{ID}/commit/main", "commit"),
]


class Handler(BaseHTTPRequestHandler):
    """One request; every connection carries one, so that a stopped server is really silent."""

    protocol_version = "HTTP/1.1"
    hub: HubServer
    host: str

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._route()

    do_HEAD = do_POST = do_PUT = do_GET

    def _route(self) -> None:
        self.close_connection = True
        self.hub.requests.append(
            Request(self.command, self.path, self.host, dict(self.headers.items()))
        )
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        try:
            for method, pattern, name in ROUTES:
                match = re.fullmatch(pattern, url.path)
                if match and method == self.command:
                    getattr(self, f"_{name}")(**self._meant(match.groupdict()))
                    return
            self._refuse(404)
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever asked went away

    def _meant(self, found: dict[str, str | None]) -> dict[str, Any]:
        """The parts of a path as the arguments of its answer."""
        meant: dict[str, Any] = {k: unquote(v) for k, v in found.items() if v is not None}
        if "prefix" in found:
            meant.pop("prefix", None)
            meant["kind"] = "dataset" if found["prefix"] else "model"
        if "id" in meant:
            meant["repo_id"] = meant.pop("id")
        return meant

    # Reading.

    def _listing(self, kind: str) -> None:
        text = (self.query.get("search") or [""])[0].lower()
        tags = set(self.query.get("filter") or ())
        limit = int((self.query.get("limit") or ["1000"])[0])
        repos = [
            repo
            for (of, name), repo in self.hub.repositories.items()
            if of == kind and text in name.lower() and tags <= set(repo.tags) and not repo.private
        ]
        if any(repo.fault in ("error", "busy", "silent") and self._fails(repo) for repo in repos):
            return
        repos.sort(key=lambda repo: -repo.downloads)
        self._json([info(repo, repo.commits[-1]) for repo in repos[:limit]])

    def _describe(self, kind: str, repo_id: str, revision: str = "main") -> None:
        if found := self._commit_at(kind, repo_id, revision):
            self._json(info(*found))

    def _tree(self, kind: str, repo_id: str, revision: str) -> None:
        if found := self._commit_at(kind, repo_id, revision):
            self._json(
                [
                    {"type": "file", "path": name, "size": len(data), "oid": etag_of(name, data)}
                    for name, data in found[1].files.items()
                ]
            )

    def _resolve(self, kind: str, repo_id: str, revision: str, file: str) -> None:
        found = self._commit_at(kind, repo_id, revision)
        if found is None:
            return
        repo, commit = found
        headers = {"X-Repo-Commit": commit.sha}
        if repo.fault == "gated":
            return self._refuse(403, "GatedRepo", headers)
        if file not in commit.files:
            return self._refuse(404, "EntryNotFound", headers)
        content = commit.files[file]
        etag = etag_of(file, content)
        if file.endswith(LARGE):
            headers |= {
                "X-Linked-Etag": f'"{etag}"',
                "X-Linked-Size": str(len(content)),
                "Location": f"{self.hub.cdn_url}/large/{repo_id}/{etag}",
            }
            return self._send(302, b"", headers)
        self._content(repo, content, headers | {"ETag": f'"{etag}"'})

    def _large(self, repo_id: str, oid: str) -> None:
        repo = next(repo for (_, name), repo in self.hub.repositories.items() if name == repo_id)
        self._content(repo, self.hub.large[oid], {})

    def _content(self, repo: Repository, content: bytes, headers: dict[str, str]) -> None:
        """A file, or the part of it that was asked for; where the faults of files happen."""
        status = 200
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content, status = content[start:], 206
        if self.command == "HEAD":
            return self._send(status, content, headers)
        fault = repo.hit()
        if fault == "corrupt":
            content = bytes(byte ^ 1 for byte in content)
        elif fault == "slow":
            self._send(status, b"", headers | {"Content-Length": str(len(content))})
            for start in range(0, len(content), 1000):
                self.wfile.write(content[start : start + 1000])
                self.hub.wait(0.05)
            return
        elif fault in ("cut", "stall"):
            half = content[: max(1, len(content) // 2)]
            self._send(status, half, headers | {"Content-Length": str(len(content))})
            self.wfile.flush()
            if fault == "stall":
                self.hub.wait(60)
            return
        self._send(status, content, headers)

    # Writing.

    def _validate(self) -> None:
        self._json({"errors": [], "warnings": []})

    def _create(self) -> None:
        if not self._may_write():
            return
        asked = json.loads(self.body)
        repo_id = f"{asked['organization']}/{asked['name']}"
        kind = asked.get("type") or "model"
        known = (kind, repo_id) in self.hub.repositories
        if not known:
            private = asked.get("visibility") == "private" or bool(asked.get("private"))
            self.hub.add_model(repo_id, {}, private=private)
        address = {"url": f"{self.hub.url}/{repo_id}", "id": repo_id, "name": repo_id}
        self._json(address, 409 if known else 200)

    def _preupload(self, kind: str, repo_id: str) -> None:
        found = self._commit_at(kind, repo_id, "main")
        if found is None or not self._may_write():
            return
        files = []
        for asked in json.loads(self.body)["files"]:
            name = asked["path"]
            mode = "lfs" if name.endswith(LARGE) else "regular"
            known = found[1].files.get(name)
            oid = etag_of(name, known) if known is not None else None
            files.append({"path": name, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self._json({"files": files})

    def _batch(self, repo_id: str) -> None:
        if not self._may_write():
            return
        objects = []
        for asked in json.loads(self.body)["objects"]:
            oid = asked["oid"]
            put = {"href": f"{self.hub.cdn_url}/upload/{repo_id}/{oid}", "header": {}}
            verify = {"href": f"{self.hub.url}/verify/{repo_id}", "header": {}}
            actions = {} if oid in self.hub.large else {"upload": put, "verify": verify}
            objects.append({"oid": oid, "size": asked["size"], "actions": actions or None})
            if not actions:
                del objects[-1]["actions"]
        self._json({"transfer": "basic", "objects": objects})

    def _put(self, repo_id: str, oid: str) -> None:
        if self.hub.repositories["model", repo_id].fault == "no_upload":
            self.hub.wait(60)
            return
        if hashlib.sha256(self.body).hexdigest() != oid:
            return self._refuse(400)
        self.hub.large[oid] = self.body
        self._send(200, b"", {})

    def _verify(self, repo_id: str) -> None:
        asked = json.loads(self.body)
        known = self.hub.large.get(asked["oid"])
        self._json({}, 200 if known is not None and len(known) == asked["size"] else 404)

    def _commit(self, kind: str, repo_id: str) -> None:
        found = self._commit_at(kind, repo_id, "main")
        if found is None or not self._may_write():
            return
        repo, commit = found
        files = dict(commit.files)
        for line in ndjson(self.body):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
        sha = repo.commit(files)
        url = f"{self.hub.url}/{repo_id}/commit/{sha}"
        self._json({"success": True, "commitOid": sha, "commitUrl": url})

    # Refusing, and the plain parts.

    def _commit_at(
        self, kind: str, repo_id: str, revision: str
    ) -> tuple[Repository, Commit] | None:
        """The repository and its commit; None once the request has been refused."""
        repo = self.hub.repositories.get((kind, repo_id))
        if repo is None or (repo.private and not self._has_token()):
            self._refuse(404, "RepoNotFound")
            return None
        if self._fails(repo):
            return None
        commit = repo.at(revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound")
            return None
        return repo, commit

    def _fails(self, repo: Repository) -> bool:
        """Whether the repository's fault is one of every request; it is answered here."""
        if repo.fault == "silent":
            self.hub.wait(60)
        elif repo.fault == "busy":
            self._refuse(429, headers={"Retry-After": "42"})
        elif repo.fault == "unauthorized":
            self._refuse(401)
        elif repo.fault == "not_found":
            self._refuse(404, "RepoNotFound")
        elif repo.fault == "error":
            self._refuse(500)
        else:
            return False
        return True

    def _has_token(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {self.hub.TOKEN}"

    def _may_write(self) -> bool:
        if not self._has_token():
            self._refuse(401, headers={"X-Error-Message": "Invalid username or password."})
        return self._has_token()

    def _refuse(
        self, status: int, code: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        named = {"X-Error-Code": code} if code else {}
        self._send(status, b"", {**named, **(headers or {})})

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
