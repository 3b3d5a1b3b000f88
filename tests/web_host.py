"""A host on 127.0.0.1 that speaks HTTPS with a certificate of its own, and can be told to fail."""

from __future__ import annotations

import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


class WebHost:
    """`files` by path; `faults`: slow, stall, cut, silent, 404, 500, or `to ADDRESS`."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, str] = {}
        self.asked: list[tuple[str, str, str]] = []  # method, path, range
        self.closing = threading.Event()
        handler = type("BoundHandler", (_Handler,), {"host": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.netloc = f"localhost:{self._server.server_address[1]}"
        self.url = f"https://{self.netloc}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    host: WebHost

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.host.asked.append((self.command, self.path, asked))
        fault = self.host.faults.get(self.path, "")
        if fault == "silent":
            self.host.closing.wait(60)
            return
        if fault.startswith("to "):
            return self._head(302, {"Location": fault[3:], "Content-Length": "0"})
        if fault.isdigit() or self.path not in self.host.files:
            return self._head(int(fault or 404), {"Content-Length": "0"})
        content, status, headers = self.host.files[self.path], 200, {}
        if match := re.fullmatch(r"bytes=(\d+)-", asked):
            start = int(match[1])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content, status = content[start:], 206
        self._head(status, {**headers, "Content-Length": str(len(content))})
        if self.command == "HEAD":
            return
        if fault in ("cut", "stall"):
            self.wfile.write(content[: max(1, len(content) // 2)])
            self.wfile.flush()
            self.host.closing.wait(60 if fault == "stall" else 0)
        elif fault == "slow":
            for place in range(0, len(content), 2000):
                self.wfile.write(content[place : place + 2000])
                self.host.closing.wait(0.05)
        else:
            self.wfile.write(content)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()


@contextmanager
def web_host(folder: Path) -> Iterator[WebHost]:
    """A host whose certificate is in `folder`/certificate.pem."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key)]
    subprocess.run([*make, "-out", str(certificate)], check=True, capture_output=True)
    host = WebHost(certificate, key)
    try:
        yield host
    finally:
        host.stop()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WebHost]:
    """The host, trusted; what is fetched lies in the test's folder."""
    folder = tmp_path / "host"
    folder.mkdir()
    monkeypatch.setenv("WGAN_DATA", str(tmp_path / "data"))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with web_host(folder) as host:
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
        yield host
