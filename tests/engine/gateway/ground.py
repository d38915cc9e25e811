"""Where attacks are tried: a real engine, the real ds01d and gateway, and two ordinary users.

An attack is judged by what it did, seen by root on the engine's own socket, not by the status it got.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from dev import people, remains
from dev.engine import OwnEngine, answers, pool
from dev.registry import Registry

ROOT = Path(__file__).parents[3]
OLD_CLIENT = "/usr/bin/docker"
PATIENCE_SECONDS = 120
"""How long anything may take that is no promise: only what fails waits as long."""
IMAGE = "ds01/tiny"
LIMITS = """
defaults: {gpus: {max: 2, per_container: 2}, containers: 60, volumes: 30, networks: 10, memory: 1G,
           shm: 64M, cpus: 2, pids: 256}
gpus: {source: simulated, simulated: [a100-40gb, a100-40gb], attach: simulated}
images: {registries: ["REGISTRY"], protected: ["ds01/*", "guarded/*", "REGISTRY/guarded/*"],
         bases: {lab: {reference: "REGISTRY/bases/lab:1"}}}
"""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer: ``json`` is its body read as JSON, None when it is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def message(self) -> str:
        found = self.json
        return str(found.get("message", "")) if isinstance(found, dict) else ""


class _Unix(http.client.HTTPConnection):
    def __init__(self, connected: socket.socket) -> None:
        super().__init__("docker", timeout=PATIENCE_SECONDS)
        self.sock = connected


def ask(connected: socket.socket, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}) -> Reply:
    """One request on a connection of its own. ``body`` is sent as it is when it is bytes, else as JSON."""
    connection = _Unix(connected)
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} if data is not None else {}
    try:
        connection.request(method, path, data, {**kind, **headers})
        answer = connection.getresponse()
        return Reply(status=answer.status, headers=dict(answer.getheaders()), body=answer.read())
    finally:
        connection.close()


def connected(path: str) -> socket.socket:
    """A connection to a unix socket. It is made without a limit: with one, a full queue before the other side's door
    is an error at once.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    sock.settimeout(PATIENCE_SECONDS)
    return sock


def wait(true: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Until it is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def ended(stream: socket.socket) -> bool:
    """Whether the other side has closed a stream."""
    stream.settimeout(0.5)
    try:
        return stream.recv(4096) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@dataclass(frozen=True, kw_only=True)
class User:
    """An ordinary user at the gateway."""

    person: people.Person
    gateway: str

    @property
    def uid(self) -> int:
        return self.person.uid

    @property
    def home(self) -> Path:
        return self.person.home

    def connect(self) -> socket.socket:
        """A connection the kernel says is hers."""
        with people.acting_as(self.person):
            return connected(self.gateway)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request; header names are written with ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.connect(), method, path, body, named)

    def raw(self, data: bytes, *, seconds: float = 3, said: Callable[[bytes], bool] = bool) -> bytes:
        """Send bytes and read until the other side closes, or says nothing for a while after everything was ``said``
        that is waited for. An answer may come before all was sent, and sending fail for that.
        """
        with self.connect() as sock:
            with contextlib.suppress(ConnectionError):
                sock.sendall(data)
            found = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                while chunk := sock.recv(65536):
                    found += chunk
                    sock.settimeout(seconds if said(found) else PATIENCE_SECONDS)
            return found

    def docker(self, *arguments: str, client: str = "docker", given: str = "", **extra: str) -> people.Done:
        """A docker command as this user types it."""
        person = people.person(self.person.login, DOCKER_HOST=f"unix://{self.gateway}", DOCKER_BUILDKIT="0", **extra)
        return person.run(client, *arguments, given=given, seconds=600)

    def create(self, name: str = "", /, version: str = "v1.41", **body: Any) -> Reply:
        """``create`` of the small image."""
        query = f"?name={name}" if name else ""
        return self.call("POST", f"/{version}/containers/create{query}", {"Image": IMAGE, **body})

    def runs(self, name: str, /, **body: Any) -> str:
        """A container of hers that runs; returns its id."""
        made = self.create(name, Cmd=["sleep", "10000"], **body)
        assert made.status == 201, made.body
        container = str(made.json["Id"])
        started = self.call("POST", f"/v1.41/containers/{container}/start")
        assert started.status == 204, started.body
        return container

    def stream(self, container: str) -> socket.socket:
        """The stream of an exec that gives back what it gets."""
        asked = {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True}
        made = self.call("POST", f"/v1.41/containers/{container}/exec", asked)
        assert made.status == 201, made.body
        sock = self.connect()
        body = b'{"Detach":false,"Tty":true}'
        head = f"POST /v1.41/exec/{made.json['Id']}/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        more = f"Content-Length: {len(body)}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        sock.sendall(head.encode() + more.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += sock.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101"), answer
        return sock

    def folder(self, name: str) -> Path:
        """A folder of hers."""
        path = self.home / name
        path.mkdir(exist_ok=True)
        os.chown(path, self.person.uid, self.person.gid)
        return path


@dataclass(kw_only=True)
class Ground:
    """The server under attack."""

    engine: OwnEngine
    run: Path
    state: Path
    alice: User
    mallory: User
    registry: Registry
    programs: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def gateway(self) -> str:
        return str(self.run / "docker.sock")

    def root(self, method: str, path: str, body: Any = None) -> Reply:
        """The engine itself, as root."""
        return ask(connected(self.engine.socket), method, path, body)

    def ids(self) -> set[str]:
        """Every container there is."""
        return {row["Id"] for row in self.root("GET", "/containers/json?all=1").json}

    def seen(self, container: str) -> dict[str, Any]:
        """A container as root sees it."""
        found: dict[str, Any] = self.root("GET", f"/containers/{container}/json").json
        return found

    def clear(self, keep: set[str]) -> None:
        """Remove every container but those to keep, behind the gateway's back."""
        for container in self.ids() - keep:
            self.root("DELETE", f"/containers/{container}?force=1&v=1")

    def clear_images(self, uid: int) -> None:
        """Remove every image this user built."""
        filters = urlencode({"filters": json.dumps({"label": [f"ds01.owner.uid={uid}"]})})
        for image in self.root("GET", f"/images/json?all=1&{filters}").json:
            self.root("DELETE", f"/images/{image['Id']}?force=1")

    @contextlib.contextmanager
    def limited(self, text: str) -> Iterator[None]:
        """Another limits file is in force meanwhile, and the usual one again afterwards."""
        before = (self.run / "limits.yaml").read_text()
        self._limit(text)
        try:
            yield
        finally:
            self._limit(before)

    def _limit(self, text: str) -> None:
        """Returns when ds01d has read it: what is asked next is judged by it."""
        before, file = self._reloads(), self.run / "limits.yaml"
        part = file.with_suffix(".part")
        part.write_text(text)
        part.replace(file)
        wait(lambda: self._reloads() > before)

    def _reloads(self) -> int:
        return self._counted("select count(*) from events where type = 'policy.reloaded'")

    def containers_of(self, user: User) -> int:
        """How many ds01d counts as hers; what went behind its back counts until it has noticed."""
        uid = user.person.uid
        return self._counted(f"select count(*) from containers where uid = {uid} and removed_at is null")

    def _counted(self, query: str) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{self.state}/ledger.db?mode=ro", uri=True)) as ledger:
            (found,) = ledger.execute(query).fetchone()
        return int(found)

    def start(self) -> None:
        """Start ds01d and the gateway, each with its socket answering."""
        self.start_ds01d()
        self.start_gateway()

    def start_ds01d(self) -> None:
        """Start ds01d and wait until it answers."""
        self._start("ds01d", "--state", str(self.state), "--limits", str(self.run / "limits.yaml"),
                    "--gateway-uid", str(people.gateway().uid))  # fmt: skip
        self._wait(str(self.run / "ds01d.sock"), "/v1/ping")

    def start_gateway(self, *before: str, passed: Sequence[int] = (), **environment: str) -> None:
        """Start the gateway and wait until it answers and knows who owns what. ``before`` are the words of a program
        that starts it, with descriptors and an environment.
        """
        self._start("ds01-gateway", "--user", people.GATEWAY, before=before, passed=passed, environment=environment)
        self._wait(self.gateway, "/_ping")
        wait(lambda: self.alice.call("GET", "/v1.41/containers/json").status == 200)

    def _start(
        self, name: str, *options: str, before: Sequence[str] = (), passed: Sequence[int] = (),
        environment: Mapping[str, str] = {},
    ) -> None:  # fmt: skip
        program = Path(sys.executable).with_name(name)
        with (self.run / f"{name}.log").open("ab") as log:
            self.programs[name] = subprocess.Popen(
                [*before, program, "--run", str(self.run), "--engine", f"unix://{self.engine.socket}", *options],
                stdout=log, stderr=log, cwd=ROOT, start_new_session=True, pass_fds=passed,
                env={**os.environ, **environment},
            )  # fmt: skip

    def _wait(self, path: str, target: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not answers(path, target):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{path} does not answer; logs are in {self.run}")
            time.sleep(0.1)

    def stop(self, name: str, number: int = signal.SIGTERM) -> None:
        """End one of the two programs."""
        program = self.programs.pop(name)
        program.send_signal(number)
        program.wait(PATIENCE_SECONDS)

    def log(self, name: str) -> str:
        """What a program wrote."""
        return (self.run / f"{name}.log").read_text()


@contextlib.contextmanager
def ground(
    engine: OwnEngine, folder: Path, registry: Registry, mark: str = "gw", limits: str = LIMITS
) -> Iterator[Ground]:
    """A ground on this engine, with everything it made taken away at the end. ``mark`` is in its users' names."""
    run = folder / "run"
    run.mkdir(mode=0o755)
    addresses = f"docker: {{networks: {pool(engine.socket)}}}\n"
    (run / "limits.yaml").write_text(limits.replace("REGISTRY", registry.host) + addresses)
    os.chown(engine.socket, 0, people.gateway().gid)
    Path(engine.root).chmod(0o711)
    logins = tuple(f"ds01-{mark}-{name}-{os.getpid()}" for name in ("alice", "mallory"))  # several runs at once
    for login in logins:
        people.make(login)
    alice, mallory = (User(person=people.person(login), gateway=str(run / "docker.sock")) for login in logins)
    made = Ground(
        engine=engine, run=run, state=folder / "state", alice=alice, mallory=mallory, registry=registry
    )  # fmt: skip
    try:
        made.start()
        yield made
    finally:
        made.clear(set())
        for name in list(made.programs):
            made.stop(name)
        remains.unfence(run)
        for login in logins:
            people.remove(login)
        _unmount(run)


def _unmount(run: Path) -> None:
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((m for m in mounted if m.startswith(f"{run}/")), reverse=True):
        subprocess.run(["umount", "-l", place], check=False)
