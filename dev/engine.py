"""A Docker engine of one's own: private data, private sockets, private bridge; stopped by pid, nothing else touched."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class OwnEngine:
    """A running dockerd. ``socket`` is the path of its unix socket."""

    socket: str
    pid: int
    root: str
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)
    """The child, when this process started it."""


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def answers(path: str) -> bool:
    """Whether an engine answers on this socket."""
    connection = _Unix(path)
    try:
        connection.request("GET", "/_ping")
        return connection.getresponse().read() == b"OK"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def available() -> bool:
    """Whether this process could start an engine: root, and dockerd is installed."""
    return os.geteuid() == 0 and shutil.which("dockerd") is not None


def start(root: Path, *, subnet: int | None = None, group: str = "root") -> OwnEngine:
    """Start dockerd under ``root`` on bridge network 10.201.<subnet>.0/24 and wait until it answers.

    ``subnet`` None takes the first that no interface uses. The exec root is short, because unix socket paths are.
    """
    root.mkdir(parents=True, exist_ok=True)
    chosen = subnet if subnet is not None else _free_subnet()
    bridge = f"ds01br{chosen}"
    _bridge(bridge, f"10.201.{chosen}.1/24")
    (root / "bridge").write_text(bridge)
    sock = root / "engine.sock"
    (root / "pid").unlink(missing_ok=True)
    with (root / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [
                "dockerd", "--data-root", str(root / "data"), "--exec-root", str(root / "exec"),
                "--pidfile", str(root / "pid"), "-H", f"unix://{sock}", "--group", group,
                "--bridge", bridge, "--default-address-pool", f"base=10.202.{chosen}.0/24,size=28",
            ],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 60
    while not answers(str(sock)):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"dockerd did not start; its log is {root / 'engine.log'}")
        time.sleep(0.1)
    return OwnEngine(socket=str(sock), pid=process.pid, root=str(root), process=process)


def stop(engine: OwnEngine, *, seconds: float = 30) -> None:
    """Stop this engine and its bridge. Only this pid is signalled."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(engine.pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while _alive(engine) and time.monotonic() < deadline:
        time.sleep(0.1)
    if _alive(engine):
        os.kill(engine.pid, signal.SIGKILL)
    if engine.process is not None:
        engine.process.wait()
    bridge = Path(engine.root, "bridge")
    if bridge.exists():
        subprocess.run(["ip", "link", "delete", bridge.read_text()], check=False, capture_output=True)


def _alive(engine: OwnEngine) -> bool:
    if engine.process is not None:
        return engine.process.poll() is None
    try:
        os.kill(engine.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free_subnet() -> int:
    shown = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return next(n for n in range(1, 250) if f"10.201.{n}." not in shown and f"ds01br{n}:" not in links)


def _bridge(name: str, address: str) -> None:
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True, capture_output=True)
    subprocess.run(["ip", "addr", "add", address, "dev", name], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
