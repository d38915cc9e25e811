"""A server with Docker, people, and a container of root's, first without DS01 and then with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from dev import server as whole
from dev.engine import OwnEngine
from dev.people import Done
from dev.server import Server

DAEMON_JSON = '{\n    "exec-opts": ["native.cgroupdriver=systemd"],\n    "log-opts": {"max-size": "10m"}\n}\n'
"""Of the admin's own: cgroups by systemd, as newer engines have them without being told."""
MARIA, TOM = "maria", "tom"
"""Maria is in the group docker, Tom is not."""
SLEEPS = ("/busybox", "sh", "-c", "trap exit TERM; while :; do /busybox sleep 1; done")
_LOOK = """\
import hashlib, json, os, stat
seen = {}
for top in ("/etc", "/usr/local"):
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            link = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
            text = "" if link or stat.S_ISDIR(status.st_mode) else hashlib.sha256(open(path, "rb").read()).hexdigest()
            seen[path] = [oct(status.st_mode), link or text]
print(json.dumps(seen))
"""
_BESIDE = {f"/etc/{name}-" for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")}
"""What the programs that make accounts keep of their files."""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """The server and what its people do."""

    server: Server
    before: dict[str, Any]
    """Every file of ``/etc`` and ``/usr/local`` when DS01 was not there."""

    def root(self, *command: str, code: int | None = 0) -> Done:
        """A command of root's that ends as expected."""
        return _ended(self.server.run(*command), code, command)

    def by(self, login: str, *command: str, code: int | None = 0) -> Done:
        """A command of somebody's, with nothing set."""
        return _ended(self.server.run(*command, user=login), code, command)

    def install(self, *options: str, code: int | None = 0) -> Done:
        """``ds01 install`` from where the package is."""
        return self.root("/opt/ds01/bin/ds01", "install", *options, code=code)

    def files(self) -> dict[str, Any]:
        """Every file, folder and link of ``/etc`` and ``/usr/local``, with what tells it from another."""
        found: dict[str, Any] = json.loads(self.root("python3", "-c", _LOOK).out)
        return {path: seen for path, seen in found.items() if path not in _BESIDE}

    def pids(self) -> dict[str, str]:
        """The main process of each unit."""
        units = ("docker.service", "containerd.service", "ds01d.service", "ds01-gateway.service")
        return {unit: self.root("systemctl", "show", "-P", "MainPID", unit).out.strip() for unit in units}

    def engine(self, *command: str) -> Done:
        """Root's docker, past the gateway."""
        return self.root("docker", "-H", "unix:///run/ds01/engine/docker.sock", *command)


def _ended(done: Done, code: int | None, command: tuple[str, ...]) -> Done:
    assert code is None or done.code == code, f"{' '.join(command)}: {done.code}\n{done.out}\n{done.err}"
    return done


@pytest.fixture(scope="package")
def bare(engine: OwnEngine) -> Iterator[Lab]:
    """The server with DS01's package on it, installed as the how-to says, and nothing of it in place."""
    if not whole.available():
        pytest.skip("left out: the server needs mmdebstrap")
    server = whole.start(engine.socket)
    try:
        yield _furnished(server)
    finally:
        whole.stop(server)


def _furnished(server: Server) -> Lab:
    lab = Lab(server=server, before={})
    lab.root("python3", "-m", "venv", "/opt/ds01")
    lab.root("/opt/ds01/bin/pip", "install", "--quiet", "--no-index", "--find-links", "/srv/wheels",
             "--find-links", "/srv/ds01", "ds01")  # fmt: skip
    lab.root("sh", "-c", f"echo '{DAEMON_JSON.strip()}' > /etc/docker/daemon.json; systemctl restart docker")
    for login in (MARIA, TOM):
        lab.root("useradd", "--create-home", "--shell", "/bin/bash", login)
    lab.root("gpasswd", "--add", MARIA, "docker")
    lab.root("sh", "-c", "tar -C /bin -c busybox | docker import - base && docker run -d --restart always"
             " --name grafana base /busybox sh -c 'trap exit TERM; while :; do /busybox sleep 1; done'")  # fmt: skip
    return Lab(server=server, before=lab.files())


@pytest.fixture(scope="package")
def lab(bare: Lab) -> Lab:
    """The server with DS01 on it, as an admin gets it who says nothing else: people use Docker, so it only watches."""
    bare.install("--yes")
    bare.by(MARIA, "sh", "-c", "tar -C /bin -c busybox | docker import - mine")
    return bare


@pytest.fixture(scope="package")
def monday(lab: Lab) -> Lab:
    """DS01 is put in force: the gateway hears of it within twenty seconds."""
    lab.root("sed", "--in-place", "/observe_until/d", "/etc/ds01/limits.yaml")
    passes = "docker run --rm -v /:/host mine /busybox true"
    lab.by(MARIA, "sh", "-c", f"while {passes} 2>/dev/null; do sleep 0.5; done")
    return lab


@pytest.fixture(scope="package")
def agent(monday: Lab) -> Lab:
    """Maria has a container, ``agent``, with the Docker socket in it."""
    monday.by(MARIA, "docker", "run", "--detach", "--name", "agent", "--volume",
              "/var/run/docker.sock:/var/run/docker.sock", "mine", *SLEEPS)  # fmt: skip
    return monday
