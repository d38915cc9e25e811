"""A ds01d of the tests' own on a real engine, and two ordinary people who use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from dev import people, tiny
from dev.engine import OwnEngine, pool
from dev.people import Person, acting_as

from ds01.client.daemon import Client
from ds01.domain.errors import Ds01Error
from ds01.wire.containers import ContainerView
from ds01.wire.launches import LaunchEvent, LaunchRequest

T = TypeVar("T")

LIMITS = """\
defaults: {{cpus: 1, memory: 256M, shm: 16M, pids: 256, containers: 80, stop_grace: 5s, gpu_hold: {hold}}}
groups:
  student: {{members: ["*"], gpus: {{max: 4, per_container: 4}}}}
gpus: {{source: simulated, simulated: [a100-40gb, a100-40gb, a100-40gb, a100-40gb]}}
docker: {{networks: {pool}}}
"""


@dataclass(kw_only=True)
class Daemon:
    """One ds01d: started, killed and started again as a test wants."""

    folder: Path
    engine: str
    hold: str = "15m"
    extra: tuple[str, ...] = ()
    state: Path | None = None
    limits: str = LIMITS
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "ds01d.sock"

    @property
    def ledger(self) -> Path:
        return (self.state or self.folder / "state") / "ledger.db"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def command(self) -> list[str]:
        return [
            str(Path(sys.executable).with_name("ds01d")), "--state", str(self.state or self.folder / "state"),
            "--run", str(self.folder / "run"), "--engine", f"unix://{self.engine}",
            "--limits", str(self.folder / "limits.yaml"), *self.extra,
        ]  # fmt: skip

    def start(self, seconds: float = 120) -> Daemon:
        self.write_limits()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + seconds
        while not self.answers():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        return self

    def write_limits(self) -> None:
        (self.folder / "limits.yaml").write_text(self.limits.format(hold=self.hold, pool=pool(self.engine)))

    @contextmanager
    def limited(self, text: str) -> Iterator[None]:
        """Another limits file is in force meanwhile, and the one before again afterwards."""
        before = (self.folder / "limits.yaml").read_text()
        self.limit(text)
        try:
            yield
        finally:
            if self.running:
                self.limit(before)

    def limit(self, text: str) -> None:
        """Write the limits file; it is in force when this returns."""
        file, before = self.folder / "limits.yaml", self._reloads()
        if file.read_text() == text:
            return
        part = file.with_suffix(".part")
        part.write_text(text)
        part.replace(file)
        eventually(lambda: self._reloads() > before)

    def _reloads(self) -> int:
        return len(self.root().events(kind="policy.reloaded", everybody=True))

    def answers(self) -> bool:
        try:
            return bool(Client(str(self.socket)).ping())
        except Ds01Error:
            return False

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """As the kernel does it: no goodbye."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def root(self) -> Client:
        return Client(str(self.socket))


@dataclass(frozen=True, kw_only=True)
class User:
    """A person with her own rights to one ds01d."""

    person: Person
    daemon: Daemon

    @property
    def uid(self) -> int:
        return self.person.uid

    def workspace(self, project: str = "thesis") -> Path:
        folder = self.person.home / "workspace" / project
        self.person.run("mkdir", "-p", str(folder))
        return folder

    def request(self, name: str = "thesis", **changes: object) -> LaunchRequest:
        values: dict[str, object] = {
            "project": "thesis", "name": name, "workspace": str(self.workspace()), "image": tiny.REFERENCE,
            "gpus": "1",
        }  # fmt: skip
        return LaunchRequest(**{**values, **changes})  # type: ignore[arg-type]

    def launch(self, name: str = "thesis", **changes: object) -> ContainerView:
        events = self.events(name, **changes)
        assert events[-1].container is not None
        return events[-1].container

    def events(self, name: str = "thesis", **changes: object) -> list[LaunchEvent]:
        request = self.request(name, **changes)
        with acting_as(self.person):
            return list(Client(str(self.daemon.socket)).launch(request))

    def ask(self, method: str, *arguments: object, **options: object) -> object:
        """Call one method of the client as this person."""
        with acting_as(self.person):
            return getattr(Client(str(self.daemon.socket)), method)(*arguments, **options)

    def containers(self) -> tuple[ContainerView, ...]:
        with acting_as(self.person):
            return Client(str(self.daemon.socket)).containers()

    def container(self, name: str = "thesis") -> ContainerView:
        with acting_as(self.person):
            return Client(str(self.daemon.socket)).container(name)

    def __call__(self, daemon: Daemon) -> User:
        return User(person=self.person, daemon=daemon)


@dataclass(frozen=True, kw_only=True)
class Docker:
    """The engine by its command line, as root: what is really there."""

    socket: str

    def __call__(self, *words: str, fails: bool = False) -> str:
        command = ["docker", "-H", f"unix://{self.socket}", *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ran.returncode != 0) == fails, ran.stderr
        return ran.stdout.strip()

    def inspect(self, container: str) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = json.loads(self("inspect", container))[0]
        return found

    def clear(self) -> None:
        """Remove every container of DS01, as a test's last act. One that ds01d is removing at that moment goes, too."""

        def gone() -> bool:
            left = self("ps", "-aq", "--filter", "label=ds01.owner.uid").split()
            if left:
                subprocess.run(
                    ["docker", "-H", f"unix://{self.socket}", "rm", "-f", *left], capture_output=True, check=False
                )
            return not left

        eventually(gone)


@pytest.fixture(scope="module")
def docker(engine: OwnEngine) -> Docker:
    tiny.install(engine.socket)
    return Docker(socket=engine.socket)


@pytest.fixture(scope="session")
def persons() -> Iterator[tuple[Person, Person]]:
    """Two ordinary accounts with homes of their own."""
    logins = [f"ds01t{os.getpid()}{letter}" for letter in "ab"]
    for login in logins:
        people.make(login)
    yield people.person(logins[0]), people.person(logins[1])
    for login in logins:
        people.remove(login)


@contextmanager
def short_folder() -> Iterator[Path]:
    """Short: unix sockets allow 107 bytes. Pins below it are undone before it goes."""
    with tempfile.TemporaryDirectory(prefix="ds01d", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)
        undo_pins(Path(name))


def undo_pins(folder: Path) -> None:
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((p for p in mounted if p.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", point], check=False, capture_output=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as found:
        yield found


@pytest.fixture(scope="module")
def one_daemon(docker: Docker) -> Iterator[Daemon]:
    """One for all tests of a file; a test that ends it starts it again."""
    with short_folder() as found:
        started = Daemon(folder=found, engine=docker.socket).start()
        yield started
        if started.running:
            started.kill()
        docker.clear()


@pytest.fixture
def daemon(one_daemon: Daemon, docker: Docker) -> Iterator[Daemon]:
    """It, with nothing in it."""
    if not one_daemon.running:
        one_daemon.start()
    yield one_daemon
    docker.clear()
    if one_daemon.running:
        eventually(lambda: not one_daemon.root().leases(everybody=True))


@pytest.fixture
def alice(persons: tuple[Person, Person], daemon: Daemon) -> User:
    return User(person=persons[0], daemon=daemon)


@pytest.fixture
def bob(persons: tuple[Person, Person], daemon: Daemon) -> User:
    return User(person=persons[1], daemon=daemon)


def eventually(true: object, seconds: float = 60) -> None:
    """Wait until a callable says yes; only what fails waits as long."""
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
