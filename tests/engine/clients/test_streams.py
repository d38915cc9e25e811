"""Many streams, large ones, quiet ones, and a gateway that dies in the middle: bounded, and only streams are lost."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.engine.gateway.ground import IMAGE, PATIENCE_SECONDS, Ground, User, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]
STREAMS, EACH = 500, 50
MEGABYTE = 1 << 20
ESTABLISHED = "01"
ONE_ENGINE = pytest.mark.parametrize("place", ["engine26"], indirect=True)
"""The gateway's own matter: which engine is behind it makes no difference."""


def memory(place: Ground) -> int:
    """The most the gateway has ever held, in bytes."""
    status = Path(f"/proc/{place.programs['ds01-gateway'].pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def echoed(sock: socket.socket, word: str) -> bool:
    """Whether what is typed comes back. False where the engine says that it could not even begin."""
    sock.sendall(f"{word}\n".encode())
    heard = b""
    while word.encode() not in heard:
        chunk = sock.recv(4096)
        if not chunk and b"OCI runtime exec failed" in heard:
            return False
        assert chunk, (word, heard)
        heard += chunk
    return True


def begun(user: User, container: str) -> socket.socket:
    """A stream that answers. On a busy machine the engine cannot begin every exec."""
    for _ in range(10):
        sock = user.stream(container)
        if echoed(sock, "begun"):
            return sock
        sock.close()
    raise AssertionError("the engine could begin no exec")


@ONE_ENGINE
def test_five_hundred_idle_streams_are_all_alive_and_cost_little(place: Ground, user: User) -> None:
    containers = [user.runs(f"many{number}") for number in range(-(-STREAMS // EACH))]
    streams = [begun(user, containers[number // EACH]) for number in range(STREAMS)]
    assert memory(place) < 150 * MEGABYTE
    assert place.alice.call("GET", "/v1.41/containers/json").status == 200, "others notice nothing"
    assert all(echoed(sock, f"alive{number}") for number, sock in enumerate(streams))
    assert memory(place) < 150 * MEGABYTE
    for sock in streams:
        sock.close()


@ONE_ENGINE
def test_a_build_context_of_two_gigabytes_passes_and_is_not_held(place: Ground, user: User) -> None:
    folder = user.folder("large")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY small /\n")
    (folder / "small").write_text("x")
    with (folder / "zeros").open("wb") as file:
        file.truncate(2048 * MEGABYTE)
    before = memory(place)
    try:
        done = user.docker("build", "-q", "-t", "large", str(folder))
    finally:
        (folder / "zeros").unlink()
    assert done.code == 0, done.err
    assert memory(place) - before < 64 * MEGABYTE
    assert user.docker("rmi", "large").code == 0


@ONE_ENGINE
def test_a_gateway_that_is_killed_ends_streams_and_nothing_else(place: Ground, user: User) -> None:
    container = user.runs("lives")
    following = user.person.start(
        "docker", "-H", f"unix://{user.gateway}", "logs", "-f", "lives", out=subprocess.DEVNULL
    )
    with user.stream(container) as stream:
        place.stop("ds01-gateway", signal.SIGKILL)
        assert stream.recv(4096) == b""
    assert following.wait(PATIENCE_SECONDS) is not None
    place.start_gateway()
    assert place.seen(container)["State"]["Running"] is True
    with user.stream(container) as again:
        again.sendall(b"here\n")
        assert b"here" in again.recv(4096)


def test_logs_are_followed_through_quiet_times(user: User) -> None:
    """No clock of the gateway's runs on a stream: what is quiet for long is quiet, not over."""
    user.docker(
        "run", "-d", "--name", "quiet", IMAGE, "sh", "-c", "echo one; read x < /tmp/never 2>&1; sleep 6; echo two"
    )
    assert user.docker("logs", "-f", "quiet").out.split() == ["one", "two"]


def asks(port: int) -> bool:
    """Whether anybody is connected to what listens on this port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == ESTABLISHED for row in rows)


def hung_up(place: Ground) -> bool:
    """Whether the gateway has left a pull to the engine, as its client left it."""
    lines = (place.run / "ds01-gateway.log").read_text().splitlines()
    return any("the connection ended before the answer" in line and '"images.create"' in line for line in lines)


def test_a_registry_that_stalls_holds_up_nobody(place: Ground, user: User) -> None:
    """The pull waits, as long as its client does; everything else goes on, and hanging up ends it."""
    stalled, goes_on = threading.Event(), threading.Event()

    def stall() -> None:
        stalled.set()
        goes_on.wait(PATIENCE_SECONDS)

    place.registry.put("lab/stalls", "1", {"Cmd": ["/bin/sh"]}, [bytes(10240)])
    place.registry.delay = stall
    try:
        sock = user.connect()
        name = f"{place.registry.host}/lab/stalls"
        sock.sendall(f"POST /v1.41/images/create?fromImage={name}&tag=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert stalled.wait(PATIENCE_SECONDS)
        assert user.docker("run", "--rm", IMAGE, "echo", "on").out == "on\n"
        sock.close()
        wait(lambda: hung_up(place))
        goes_on.set()
        wait(lambda: not asks(int(place.registry.host.rpartition(":")[2])))
    finally:
        goes_on.set()
        place.registry.delay = lambda: None
    assert user.docker("image", "inspect", f"{name}:1").code != 0
