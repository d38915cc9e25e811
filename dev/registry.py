"""A registry for tests: the part of the distribution protocol that engines use to pull and push, over plain HTTP.

It keeps blobs in a folder and checks every digest. Repositories below ``private/`` want a token that is given for a
password, as with the large registries. An engine talks to ``127.0.0.1`` without TLS, so it needs no setting.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

LOGIN, PASSWORD = "somebody", "let me in"
_PATH = re.compile(r"/v2/(?P<name>[a-z0-9/._-]+)/(?P<kind>manifests|blobs|tags)/(?P<what>[A-Za-z0-9:._/-]*)")
_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(kw_only=True)
class Registry:
    """A running registry. ``delay`` is called before a blob is sent; tests slow it down with that."""

    folder: Path
    port: int = 0
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    delay: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        """As images are named in it."""
        return f"127.0.0.1:{self.port}"

    def blob(self, digest: str) -> Path:
        """The file of a blob."""
        return self.folder / digest.replace(":", "-")

    def put_blob(self, content: bytes) -> str:
        """Keep a blob; its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.blob(digest).write_bytes(content)
        return digest

    def put(self, name: str, tag: str, config: dict[str, Any], layers: list[bytes], *, sizes: int = 0) -> str:
        """An image of tar layers, without an engine; its digest. ``sizes`` lies about how large each layer is."""
        rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]}
        written = {"architecture": "amd64", "os": "linux", "config": config, "rootfs": rootfs,
                   "history": [{"created_by": "test"} for _ in layers]}  # fmt: skip
        raw = json.dumps(written).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(raw),
                       "digest": self.put_blob(raw)},
            "layers": [
                {"mediaType": "application/vnd.docker.image.rootfs.diff.tar", "size": sizes or len(layer),
                 "digest": self.put_blob(layer)}
                for layer in layers
            ],
        }  # fmt: skip
        return self.put_manifest(name, tag, _MANIFEST, json.dumps(manifest).encode())

    def put_manifest(self, name: str, tag: str, kind: str, content: bytes) -> str:
        """Keep a manifest under a tag and its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.manifests[(name, tag)] = self.manifests[(name, digest)] = (kind, content)
        return digest


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry
    uploads: dict[str, bytearray]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class has it so
        self.registry.asked.append(self.requestline)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        match = _PATH.fullmatch(url.path)
        if url.path == "/token":
            self._token()
            return
        if url.path == "/v1/_ping":
            self._answer(200, b'{"standalone": true}')
            return
        if url.path == "/v1/search":
            self._search(parse_qs(url.query).get("q", [""])[0])
            return
        if not self._known(url.path):
            return
        if url.path == "/v2/":
            self._answer(200, b"{}")
        elif match is None:
            self._answer(404, b"{}")
        elif match["kind"] == "manifests":
            self._manifest(match["name"], match["what"])
        elif match["kind"] == "tags":
            tags = [tag for name, tag in self.registry.manifests if name == match["name"] and ":" not in tag]
            self._answer(200, json.dumps({"name": match["name"], "tags": tags}).encode())
        else:
            self._blob(match["what"])

    do_HEAD = do_GET  # noqa: N815  the base class looks for this name

    def do_POST(self) -> None:
        self._body()
        if not self._known(self.path):
            return
        upload = secrets.token_hex(8)
        self.uploads[upload] = bytearray()
        self._answer(202, b"", Location=f"{urlsplit(self.path).path.rstrip('/')}/{upload}", Docker_Upload_UUID=upload)

    def do_PATCH(self) -> None:
        content = self._body()
        if self._known(self.path):
            upload = urlsplit(self.path).path.rpartition("/")[2]
            self.uploads[upload] += content
            self._answer(202, b"", Location=self.path, Range=f"0-{len(self.uploads[upload]) - 1}")

    def do_PUT(self) -> None:
        url = urlsplit(self.path)
        match = _PATH.fullmatch(url.path)
        content = self._body()
        if not self._known(url.path) or match is None:
            return
        if match["kind"] == "manifests":
            kind = self.headers.get("Content-Type", _MANIFEST)
            digest = self.registry.put_manifest(match["name"], match["what"], kind, content)
        else:
            whole = bytes(self.uploads.pop(url.path.rpartition("/")[2])) + content
            digest = self.registry.put_blob(whole)
            if digest != parse_qs(url.query)["digest"][0]:
                self._answer(400, b"{}")
                return
        self._answer(201, b"", Docker_Content_Digest=digest, Location=url.path)

    def _known(self, path: str) -> bool:
        given = self.headers.get("Authorization", "")
        if given == f"Bearer {LOGIN}" or (given == "Bearer nobody" and not path.startswith("/v2/private/")):
            return True
        challenge = f'Bearer realm="http://{self.registry.host}/token",service="test"'
        self._answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', WWW_Authenticate=challenge)
        return False

    def _token(self) -> None:
        """Who asks with the password gets the token that opens everything; who asks without one, another."""
        wanted = "Basic " + base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()
        given = self.headers.get("Authorization", "")
        if given in ("", wanted):
            self._answer(200, json.dumps({"token": LOGIN if given else "nobody"}).encode())
        else:
            self._answer(401, b'{"details":"incorrect username or password"}')

    def _manifest(self, name: str, what: str) -> None:
        found = self.registry.manifests.get((name, what))
        if found is None:
            self._answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
            return
        kind, content = found
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._answer(200, content, Content_Type=kind, Docker_Content_Digest=digest)

    def _blob(self, digest: str) -> None:
        path = self.registry.blob(digest)
        if not path.exists():
            self._answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
            return
        if self.command == "GET":
            self.registry.delay()
        self._answer(200, path.read_bytes(), Content_Type="application/octet-stream", Docker_Content_Digest=digest)

    def _search(self, term: str) -> None:
        """As old registries answer, which is the way engines still ask."""
        names = sorted({name for name, _ in self.registry.manifests if term in name})
        found = [{"name": name, "description": "", "star_count": 0, "is_official": False} for name in names]
        self._answer(200, json.dumps({"results": found, "num_results": len(found), "query": term}).encode(),
                     Content_Type="application/json")  # fmt: skip

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Docker-Distribution-API-Version", "registry/2.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving(folder: Path) -> Iterator[Registry]:
    """A registry that serves while this goes on."""
    registry = Registry(folder=folder)
    handler = type("Handler", (_Handler,), {"registry": registry, "uploads": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    registry.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
