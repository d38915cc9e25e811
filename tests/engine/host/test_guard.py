"""The guard on real engines, old and new: what is granted runs as it should, and what is not does not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dev import tiny
from dev.engine import OwnEngine

from ds01.adapters.host.guard import GuardFolder
from ds01.domain.container import ContainerId
from ds01.domain.guard import StartGrant
from ds01.runc.grants import BOOT_ID
from tests.engine.gateway.test_networks import PING, RAW

pytestmark = [pytest.mark.engine, pytest.mark.root]

UID, GID = 61240, 61241
EVERYBODY = "4294967295"


class Engine:
    """An engine behind the guard, and containers in a user's slice on it."""

    def __init__(self, engine: OwnEngine) -> None:
        self._engine = engine
        self.guard = GuardFolder(Path(engine.root) / "guard")

    def docker(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "-H", f"unix://{self._engine.socket}", *words]
        return subprocess.run(command, capture_output=True, text=True)

    def create(self, *words: str) -> ContainerId:
        made = self.docker("create", "--cgroup-parent", f"/ds01-u{UID}.slice", "--cgroupns", "private", *words)
        assert made.returncode == 0, made.stderr
        return ContainerId(made.stdout.strip())

    def grant(self, container: ContainerId, *, as_owner: bool = False, **more: Any) -> None:
        grant = StartGrant(container=container, uid=UID, gid=GID, as_owner=as_owner, **more)
        self.guard.grant(grant, Path(BOOT_ID).read_text().strip())

    def runs(self, *words: str, as_owner: bool = False, **more: Any) -> ContainerId:
        container = self.create(*words, tiny.REFERENCE, "sleep", "1000")
        self.grant(container, as_owner=as_owner, volumes=self.volumes(container), **more)
        started = self.docker("start", container)
        assert started.returncode == 0, started.stderr
        return container

    def volumes(self, container: str) -> tuple[str, ...]:
        shown = self.docker("inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", container)
        return tuple(shown.stdout.split())

    def exec(self, container: str, command: str, *words: str) -> str:
        done = self.docker("exec", *words, container, "sh", "-c", command)
        return done.stdout + done.stderr

    def clear(self) -> None:
        for container in self.docker("ps", "-aq", "--no-trunc").stdout.split():
            self.docker("rm", "-f", "-v", container)
            self.guard.withdraw(ContainerId(container))


@pytest.fixture(params=["engine", "engine26"])
def there(request: pytest.FixtureRequest) -> Iterator[Engine]:
    own: OwnEngine = request.getfixturevalue(request.param)
    tiny.install(own.socket)
    engine = Engine(own)
    yield engine
    engine.clear()


def test_what_was_not_granted_does_not_start(there: Engine) -> None:
    container = there.create(tiny.REFERENCE, "true")
    there.guard.refused()
    there.guard.told()
    started = there.docker("start", container)
    assert started.returncode != 0
    assert "DS01 did not grant" in started.stderr
    assert container in [refusal.container for refusal in there.guard.refused()]


def test_with_root_every_uid_is_itself(there: Engine) -> None:
    container = there.runs("--init", "-p", "127.0.0.1::80", "-e", "NVIDIA_VISIBLE_DEVICES=all")
    assert EVERYBODY in there.exec(container, "cat /proc/self/uid_map")
    assert there.exec(container, "touch /x; chown 1001:7 /x; stat -c %u:%g /x").strip() == "1001:7"
    assert there.exec(container, "id -u", "-u", "1001").strip() == "1001"
    assert "NVIDIA_VISIBLE_DEVICES=void" in there.exec(container, "tr '\\0' '\\n' < /proc/1/environ")
    assert there.docker("restart", "-t", "0", container).returncode == 0
    assert there.docker("cp", container + ":/x", "/dev/null").returncode in (0, 1)


@pytest.mark.gcc
def test_d13_ping_works_and_raw_packets_do_not(there: Engine, tmp_path: Path) -> None:
    """By the kernel's sockets for it, which the engine opens to everybody in a container."""
    container = there.runs()
    for name, source in {"ping": PING, "raw": RAW}.items():
        (tmp_path / f"{name}.c").write_text(source)
        subprocess.run(["gcc", "-static", "-o", tmp_path / name, tmp_path / f"{name}.c"], check=True)
        assert there.docker("cp", str(tmp_path / name), f"{container}:/{name}").returncode == 0
    for user in ("0", "1001"):
        assert "ok" in there.exec(container, "/ping 127.0.0.1 && echo ok", "-u", user)
        assert "not permitted" in there.exec(container, "echo | /raw", "-u", user)


@pytest.mark.parametrize("user", ["0", "1001"])
def test_where_there_is_nothing_to_read_a_program_reads_nothing_and_may_wait(there: Engine, user: str) -> None:
    program = "cat; cat /dev/stdin; exec 3<&0; (tail -f <&3; echo ended) & sleep 1; echo waits"
    container = there.create("-u", user, tiny.REFERENCE, "sh", "-c", program)
    there.grant(container)
    assert there.docker("start", container).returncode == 0
    assert there.docker("wait", container).stdout.strip() == "0"
    said = there.docker("logs", container)
    assert (said.stdout, said.stderr) == ("waits\n", "")


def test_an_owners_container(there: Engine, tmp_path: Path) -> None:
    container = there.runs("-v", f"{tmp_path}:/m", as_owner=True, binds=(str(tmp_path),))
    assert there.exec(container, "id -u; id -g; id -G", "-u", "0").split() == [str(UID), str(GID), str(GID)]
    assert EVERYBODY in there.exec(container, "cat /proc/self/uid_map")
    assert "denied" in there.exec(container, "touch /m/x")


def test_namespaces_and_volumes_are_shared_with_ones_own(there: Engine) -> None:
    first = there.runs("--ipc", "shareable", "-v", "/data")
    there.docker("exec", first, "sh", "-c", "echo kept > /data/x")
    joined = ("--network", "--pid", "--ipc")
    sharing = [word for option in joined for word in (option, f"container:{first}")]
    second = there.runs(*sharing, "--volumes-from", first)
    assert there.exec(second, "cat /data/x").strip() == "kept"
    assert (
        there.exec(second, "ls -l /proc/1/ns/net /proc/self/ns/net | grep -o 'net:.*' | sort -u | wc -l").strip() == "1"
    )


def test_o19_another_kind_is_not_joined(there: Engine) -> None:
    bound = there.runs(as_owner=True)
    container = there.create("--network", f"container:{bound}", tiny.REFERENCE, "true")
    there.grant(container)
    assert "bound to its owner" in there.docker("start", container).stderr


def test_a_health_check_and_a_terminal(there: Engine) -> None:
    container = there.runs("-t", "--health-cmd", "id", "--health-interval", "1s", "--read-only", "--tmpfs", "/t")
    assert there.exec(container, "touch /t/x && echo made").strip() == "made"
    assert there.docker("top", container).returncode == 0
    assert there.docker("pause", container).returncode == 0
    assert there.docker("unpause", container).returncode == 0
    assert there.docker("update", "--memory", "64m", "--memory-swap", "64m", container).returncode == 0
