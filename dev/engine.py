"""A Docker engine of one's own: private data, private sockets, private bridge; stopped by pid, nothing else touched."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dev import remains
from ds01.domain.settings import POOL
from ds01.runc import launcher

_PREFIX = "ds01br"
_STARTING = Path("/run/ds01-engines.lock")
_SELDOM_COLLECTED = {"GOGC": "400"}
"""For the engine's language: it starts itself again for each network and each layer, and a third of each such start is
collecting garbage."""


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
        super().__init__("engine", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def get(path: str, target: str) -> bytes:
    """The body that a program on this socket answers with. Raises OSError when there is no good answer."""
    connection = _Unix(path)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(f"{target} at {path}: status {answer.status}")
        return answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"{target} at {path}: {error}") from error
    finally:
        connection.close()


def answers(path: str, target: str = "/_ping") -> bool:
    """Whether an engine (or with its own ``target`` another program) answers on this socket."""
    try:
        get(path, target)
    except OSError:
        return False
    return True


def available() -> bool:
    """Whether this process could start an engine: root, and dockerd is installed."""
    return os.geteuid() == 0 and shutil.which("dockerd") is not None


def start(
    root: Path,
    *,
    group: str = "root",
    log: Path | None = None,
    programs: Path | None = None,
    options: Sequence[str] = (),
) -> OwnEngine:
    """Start dockerd under ``root`` on a bridge network of its own, behind the guard, and wait until it answers.
    ``programs`` is the folder of another engine's programs (``dev.engine26``), this machine's by default; ``options``
    are more of dockerd's.

    Started again on the same root it takes the same bridge, because its networks remember it. The exec root is
    short, because unix socket paths are. What developers start on its own socket passes the guard.
    """
    root.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join([*([str(programs)] if programs else []), os.environ.get("PATH", os.defpath)])
    runc = launcher.real_runc(root / "guard", path)
    guard = launcher.write(root / "guard", root / "data", runc, outside="passed")
    _end_orphan(root)
    sock = root / "engine.sock"
    (root / "pid").unlink(missing_ok=True)
    logged = log or root / "engine.log"
    with logged.open("ab") as out, _alone():
        number = _bridge(root / "bridge")
        process = subprocess.Popen(
            [*_command(root, group, number, programs, guard), *options],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd="/",
            env=os.environ | {"PATH": f"{guard.parent}{os.pathsep}{path}"} | _SELDOM_COLLECTED,
        )  # fmt: skip
        _wait(process, str(sock), logged)
    return OwnEngine(socket=str(sock), pid=process.pid, root=str(root), process=process)


def _wait(process: subprocess.Popen[bytes], sock: str, log: Path) -> None:
    """Until dockerd answers. Raises RuntimeError with its last words when it ended, or after two minutes."""
    deadline = time.monotonic() + 120
    while not answers(sock):
        if process.poll() is not None or time.monotonic() > deadline:
            last = log.read_text(errors="replace").splitlines()[-5:]
            raise RuntimeError("\n".join([f"dockerd did not start; its log, {log}, ends with:", *last]))
        time.sleep(0.1)


def _command(root: Path, group: str, number: int, programs: Path | None, guard: Path) -> list[str]:
    return [
        str(programs / "dockerd") if programs else "dockerd",
        "--data-root", str(root / "data"), "--exec-root", str(root / "exec"), "--pidfile", str(root / "pid"),
        "-H", f"unix://{root / 'engine.sock'}", "--group", group,
        "--bridge", _name(number), "--default-address-pool", f"base={_pool(number)},size=24",
        "--add-runtime", f"{launcher.RUNTIME}={guard}", "--default-runtime", launcher.RUNTIME,
    ]  # fmt: skip


@contextlib.contextmanager
def outside(engine: OwnEngine, what: str) -> Iterator[None]:
    """What becomes of containers in nobody's slice meanwhile: ``passed``, as usual here, or ``refused``."""
    facts = Path(engine.root) / "guard/server.json"
    before = json.loads(facts.read_text())
    launcher.write_facts(facts.parent, before | {"outside": what})
    try:
        yield
    finally:
        launcher.write_facts(facts.parent, json.loads(facts.read_text()) | {"outside": before["outside"]})


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
    remains.clear([Path(engine.root)], left(Path(engine.root)))


def _end_orphan(root: Path) -> None:
    """End the containerd of an engine that was killed. It would end by itself, but a new engine that still meets it
    takes it for its own and then waits for it in vain.
    """
    record = root / "exec/containerd/containerd.pid"
    if not record.exists():
        return
    orphan = OwnEngine(socket="", pid=int(record.read_text()), root=str(root))
    deadline = time.monotonic() + 10
    while remains.names(orphan.pid, str(root / "exec/containerd/containerd.toml")) and _alive(orphan):
        with contextlib.suppress(ProcessLookupError):
            os.kill(orphan.pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
        time.sleep(0.1)
    record.unlink()


def left(root: Path) -> tuple[str, ...]:
    """The address ranges of the engine that ended under ``root``; none when another engine has its bridge by now."""
    record = root / "bridge"
    return () if record.exists() and remains.in_use(record.read_text()) else subnets(root)


def subnets(root: Path) -> tuple[str, ...]:
    """The address ranges that only the engine under ``root`` uses."""
    record = root / "bridge"
    if not record.exists():
        return ()
    number = int(record.read_text().removeprefix(_PREFIX))
    return (f"10.201.{number}.0/24", _pool(number))


def _alive(engine: OwnEngine) -> bool:
    if engine.process is not None:
        return engine.process.poll() is None
    try:
        stat = Path(f"/proc/{engine.pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One engine at a time starts, until it answers: two must never take one bridge, and a second engine that makes
    the firewall's chains in the same moment ends with "Chain already exists".
    """
    with _STARTING.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _bridge(record: Path) -> int:
    """The number of this engine's bridge: the recorded one, else the first free; the link exists afterwards."""
    if record.exists() and not remains.in_use(record.read_text()):
        number = int(record.read_text().removeprefix(_PREFIX))
        _link(number)
        return number
    number = next(n for n in range(1, 250) if not remains.in_use(_name(n)) and not _seen(n) and _link(n))
    record.write_text(_name(number))
    return number


def _link(number: int) -> bool:
    """Make the bridge; False when somebody else just did."""
    made = subprocess.run(["ip", "link", "add", _name(number), "type", "bridge"], check=False, capture_output=True)
    if made.returncode != 0:
        return False
    subprocess.run(["ip", "addr", "add", f"10.201.{number}.1/24", "dev", _name(number)], check=True)
    subprocess.run(["ip", "link", "set", _name(number), "up"], check=True)
    return True


def _seen(number: int) -> bool:
    shown = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    return f"10.201.{number}." in shown


def _name(number: int) -> str:
    return f"{_PREFIX}{number}"


def pool(socket: str) -> str:
    """The addresses for the networks of an engine's users: its own where it is one of ours, or else the usual."""
    record = Path(socket).with_name("bridge")
    return _pool(int(record.read_text().removeprefix(_PREFIX))) if record.exists() else str(POOL)


def _pool(number: int) -> str:
    """Where the networks of the engine's users come from: 128 of 254 addresses each."""
    return f"10.{128 + number // 2 % 64}.{number % 2 * 128}.0/17"
