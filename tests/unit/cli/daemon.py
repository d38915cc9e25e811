"""A ds01d that says what a test told it to say: a real server on a real socket, in the types of the wire.

It knows no rules. Tests that need ds01d's own judgement are in tests/engine and tests/e2e.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ds01.domain.errors import NO_BOOKING, NO_CONTAINER, Ds01Error
from ds01.wire.codec import plain
from ds01.wire.containers import ContainerView
from ds01.wire.errors import show

Answer = Any
"""A wire value, a Ds01Error, an iterator of lines (NDJSON), raw bytes, or a function of the request giving one."""


class Asked:
    """One request that came in."""

    def __init__(self, method: str, target: str, body: bytes, files: bytes = b"") -> None:
        parts = urlsplit(target)
        self.method, self.path = method, unquote(parts.path)
        self.query = dict(parse_qsl(parts.query))
        self.body = json.loads(body) if body else None
        self.files = files
        """A build's context, as it was sent."""


class Daemon:
    """The answers by method and path, and what was asked."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.answers: dict[tuple[str, str], Answer] = {("GET", "/v1/containers"): ()}
        self.asked: list[Asked] = []

    def have(self, *containers: ContainerView) -> None:
        """These containers exist."""
        self.answers["GET", "/v1/containers"] = containers
        for container in containers:
            self.answers["GET", f"/v1/containers/{container.name}"] = container

    def answer(self, asked: Asked) -> Answer:
        """What to say."""
        self.asked.append(asked)
        found = self.answers.get((asked.method, asked.path))
        if found is None:
            kind = NO_BOOKING if asked.path.startswith("/v1/classes/") else NO_CONTAINER
            return Ds01Error(kind, f"There is nothing at {asked.path}.")
        return found(asked) if callable(found) else found


@contextmanager
def serving(socket: Path) -> Iterator[Daemon]:
    """Serve on ``socket`` while the block runs."""
    daemon = Daemon(socket)
    server = _Server(str(socket), daemon.answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield daemon
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, socket: str, answer: Callable[[Asked], Answer]) -> None:
        super().__init__(socket, _Handler)
        self.answer = answer

    def handle_error(self, request: object, client_address: object) -> None:
        """An answer that raises is a ds01d that dies in the middle: the connection ends, nothing is said."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        files = b"".join(self._chunks()) if self.headers.get("Transfer-Encoding") == "chunked" else b""
        said = self.server.answer(Asked(self.command, self.path, body, files))
        if isinstance(said, Ds01Error):
            self._whole(said.kind.status, json.dumps(plain(show(said.problem))).encode())
        elif isinstance(said, bytes):
            self._whole(500, said)
        elif isinstance(said, Iterator):
            self._lines(said)
        else:
            self._whole(200, json.dumps(plain(said)).encode())

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def __getattr__(self, name: str) -> Callable[[], None]:
        """``do_GET`` and all its kind."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _whole(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _lines(self, values: Iterator[Any]) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for value in values:
            line = json.dumps(plain(value)).encode() + b"\n"
            self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the base class
        """The test looks at ``asked`` instead."""
