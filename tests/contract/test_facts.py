"""What every view of the host promises, real or simulated."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from ds01.adapters.host import facts
from ds01.adapters.host.facts import SystemFacts
from ds01.domain.people import FIRST_PERSON
from ds01.ports.facts import DiskFacts, FileFacts, HostFacts, MountFacts, ProcessFacts
from ds01.sim.facts import SimFacts


class Place(Protocol):
    """A host on which a test may arrange things below ``base``."""

    facts: HostFacts
    base: str

    def put(self, path: str, mode: int, *, folder: bool = False) -> None: ...
    def listen(self) -> tuple[str, int]: ...
    def start(self) -> int: ...
    def serving(self, path: str) -> AbstractAsyncContextManager[None]: ...


class SimPlace:
    def __init__(self) -> None:
        self.sim = SimFacts()
        self.facts: HostFacts = self.sim
        self.base = "/srv/test"

    def put(self, path: str, mode: int, *, folder: bool = False) -> None:
        kind = "folder" if folder else "file"
        self.sim.files[path] = FileFacts(kind=kind, owner_uid=os.geteuid(), group="root", mode=mode)

    def start(self) -> int:
        user = pwd.getpwuid(os.geteuid()).pw_name
        self.sim.running[4711] = ProcessFacts(
            command="sleep",
            user=user,
            cgroup="0::/user.slice",
            started_at=datetime.now(UTC),
            program="/usr/bin/sleep" if os.geteuid() < FIRST_PERSON else "",
            uid=os.geteuid(),
        )
        return 4711

    def listen(self) -> tuple[str, int]:
        self.sim.ports.add(("127.0.0.1", 40123))
        return "127.0.0.1", 40123

    @asynccontextmanager
    async def serving(self, path: str) -> AsyncIterator[None]:
        self.sim.answers[path, "/_ping"] = {"ds01-gateway": "1", "content-type": "text/plain"}
        yield


class RealPlace:
    def __init__(self, base: Path) -> None:
        self.facts: HostFacts = SystemFacts()
        self.base = str(base)
        self._sockets: list[socket.socket] = []
        self._programs: list[subprocess.Popen[bytes]] = []

    def put(self, path: str, mode: int, *, folder: bool = False) -> None:
        Path(path).mkdir() if folder else Path(path).write_text("x")
        Path(path).chmod(mode)

    def start(self) -> int:
        self._programs.append(subprocess.Popen(["sleep", "1000"]))
        return self._programs[-1].pid

    def listen(self) -> tuple[str, int]:
        listening = socket.create_server(("127.0.0.1", 0))
        self._sockets.append(listening)
        host, port = listening.getsockname()
        return host, port

    @asynccontextmanager
    async def serving(self, path: str) -> AsyncIterator[None]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nDs01-Gateway: 1\r\nContent-Type: text/plain\r\n\r\nOK")
            writer.close()

        server = await asyncio.start_unix_server(answer, path)
        async with server:
            yield

    def close(self) -> None:
        for listening in self._sockets:
            listening.close()
        for program in self._programs:
            program.kill()
            program.wait()


@pytest.fixture(params=["sim", "real"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sim":
        yield SimPlace()
        return
    real = RealPlace(tmp_path)
    yield real
    real.close()


async def test_a_file_shows_its_kind_owner_and_mode(place: Place) -> None:
    place.put(f"{place.base}/closed", 0o600)
    place.put(f"{place.base}/open", 0o755, folder=True)
    closed = await place.facts.file(f"{place.base}/closed")
    opened = await place.facts.file(f"{place.base}/open")
    assert closed is not None
    assert (closed.kind, closed.owner_uid, closed.mode) == ("file", os.geteuid(), 0o600)
    assert opened is not None
    assert (opened.kind, opened.mode) == ("folder", 0o755)


async def test_an_address_is_the_hosts_or_not(place: Place) -> None:
    assert await place.facts.has_address("127.0.0.1")
    assert not await place.facts.has_address("192.0.2.1")


async def test_what_is_not_there_says_nothing(place: Place) -> None:
    assert await place.facts.text(f"{place.base}/none.json") is None
    assert await place.facts.version_of("no-such-program-of-ds01") == ""
    assert await place.facts.opens(f"{place.base}/nvidia9") is None
    assert await place.facts.crypto_sockets() in (True, False)


@pytest.mark.parametrize("path", ["/nowhere/at/all", "bad\0path"])
async def test_what_is_not_there_is_nothing_and_no_error(place: Place, path: str) -> None:
    assert await place.facts.file(path) is None
    assert await place.facts.headers("/nowhere/x.sock", "/_ping") is None
    assert await place.facts.sysctl("no.such.switch") is None
    assert await place.facts.members("no-such-group") == frozenset()


async def test_a_process_says_whose_it_is_and_since_when(place: Place) -> None:
    before = datetime.now(UTC)
    pid = place.start()
    found = await place.facts.processes([pid, 2**22 + 7])
    assert set(found) == {pid}
    assert found[pid].command == "sleep"
    assert found[pid].user == pwd.getpwuid(os.geteuid()).pw_name
    assert found[pid].uid == os.geteuid()
    assert found[pid].program == (os.path.realpath("/usr/bin/sleep") if os.geteuid() < FIRST_PERSON else "")
    assert found[pid].cgroup
    began = found[pid].started_at
    assert began is not None
    assert abs(began - before) < timedelta(minutes=2), "the kernel's own clocks differ by seconds, not by hours"


async def test_a_path_has_a_mount_and_a_disk(place: Place) -> None:
    mount = await place.facts.mount("/")
    disk = await place.facts.disk("/")
    assert isinstance(mount, MountFacts)
    assert mount.point == "/"
    assert "rw" in mount.options or "ro" in mount.options
    assert isinstance(disk, DiskFacts)
    assert 0 <= disk.free_bytes <= disk.total_bytes


@pytest.fixture
def disguised(tmp_path: Path) -> Iterator[int]:
    """A program of a user's own that calls itself what is no text, and its file as a display's is called."""
    program = tmp_path / "Xorg"
    shutil.copy("/bin/sh", program)
    program.chmod(0o777)
    script = r"printf '\377\033[' > /proc/$$/comm; echo; read never"
    command = [str(program), "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield running.pid
        running.kill()


async def test_a_process_hides_by_no_name(disguised: int) -> None:
    found = (await SystemFacts().processes([disguised]))[disguised]
    assert (found.command, found.program, found.uid) == ("\ufffd?[", "", os.geteuid())


async def test_a_process_the_kernel_says_little_of_is_there(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    found = await SystemFacts(tmp_path).processes([7, 8])
    assert found == {7: ProcessFacts(command="?", user=pwd.getpwuid(os.geteuid()).pw_name, cgroup="")}


async def test_a_carriage_return_in_a_name_begins_no_line(tmp_path: Path) -> None:
    """The kernel writes it as it is into the name of a process and of a cgroup; only a line feed it does not."""
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "status").write_bytes(b"Name:\t\rUid:\t0\t\nUid:\t1001\t1001\t1001\t1001\n")
    (folder / "cgroup").write_bytes(b"0::/user.slice/x\r0::/ds01-u1002.slice/c\n")
    found = (await SystemFacts(tmp_path).processes([7]))[7]
    assert (found.uid, found.cgroup.split("\n")) == (1001, ["0::/user.slice/x\r0::/ds01-u1002.slice/c"])


@pytest.mark.parametrize(("uid", "program"), [(0, "/bin/sh"), (120, "/bin/sh"), (1001, "")])
async def test_a_file_that_a_person_runs_is_not_looked_at(tmp_path: Path, uid: int, program: str) -> None:
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "status").write_text(f"Name:\tsh\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
    (folder / "exe").symlink_to("/bin/sh")
    assert (await SystemFacts(tmp_path).processes([7]))[7].program == program


async def test_a_process_that_ends_while_it_is_looked_at_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "1000"]) as ending:
        read = facts._text

        def until_then(path: Path) -> str | None:
            if path.name == "comm":
                ending.kill()
                ending.wait()
            return read(path)

        monkeypatch.setattr(facts, "_text", until_then)
        assert await SystemFacts().processes([ending.pid]) == {}


async def test_a_listening_port_is_seen_and_another_is_not(place: Place) -> None:
    address = place.listen()
    found = await place.facts.listeners()
    assert address in found
    assert ("127.0.0.1", 1) not in found


async def test_the_headers_of_an_answer_have_lower_case_names(place: Place) -> None:
    path = f"{place.base}/s"
    async with place.serving(path):
        assert (await place.facts.headers(path, "/_ping") or {})["ds01-gateway"] == "1"


async def test_the_machine_has_cores_and_memory_and_switches(place: Place) -> None:
    hardware = await place.facts.hardware()
    assert hardware.cpus >= 1
    assert hardware.memory_bytes > 64 * 1024**2
    assert (await place.facts.sysctl("kernel.yama.ptrace_scope") or "0").isdecimal()
    assert await place.facts.cgroup_version() in (0, 1, 2)
    assert await place.facts.clock_synchronised() in (True, False, None)


async def test_the_kernel_tables_are_read_for_both_families(tmp_path: Path) -> None:
    net = tmp_path / "net"
    net.mkdir()
    head = "  sl  local_address rem_address   st tx_queue rx_queue\n"
    (net / "tcp").write_text(
        head + "   0: 0100007F:0947 00000000:0000 0A 0 0\n   1: 0100007F:0016 0100007F:9999 01 0 0\n"
    )
    (net / "tcp6").write_text(head + "   0: 00000000000000000000000000000000:0948 00000000:0000 0A 0 0\n")
    assert await SystemFacts(proc=tmp_path).listeners() == {("127.0.0.1", 2375), ("::", 2376)}


async def test_a_server_that_accepts_and_says_nothing_is_nobody(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff" * 100)
        writer.close()

    server = await asyncio.start_unix_server(silent, tmp_path / "s")
    async with server:
        assert await SystemFacts().headers(str(tmp_path / "s"), "/_ping") is None


@pytest.mark.root
async def test_a_device_is_tried_as_somebody_without_rights(tmp_path: Path) -> None:
    """On a kernel with the old control groups, where sessions have no devices of their own."""
    facts = SystemFacts(cgroups=tmp_path)
    assert await facts.opens("/dev/null") is True
    closed = tmp_path / "closed"
    os.mknod(closed, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    assert await facts.opens(str(closed)) is False


async def test_a_program_is_asked_for_its_version() -> None:
    facts = SystemFacts()
    assert (await facts.version_of("python3")).startswith("3.")
    assert await facts.text("/etc/passwd") is not None
