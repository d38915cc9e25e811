"""What a step of a build reaches from the engine's default bridge, judged by what arrives."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from dev import people

from tests.engine.gateway.ground import IMAGE, PATIENCE_SECONDS, Ground, User, wait
from tests.engine.gateway.test_build import folder

_OVER = "that is all"
STEP, BRIDGE, HOST = "a step of another's build", "this host by the bridge", "this host by another address"
EVERYTHING = {STEP, BRIDGE, HOST}


def reached(field: Ground, *client: str, patient: bool = False) -> set[str]:
    """Where what a step of mallory's says arrives, while a step of alice's listens. ``client`` is how they build; who
    is ``patient`` says it until it is taken, and waits until it is heard.
    """
    with _listening(field.alice, client) as (address, heard), address_of_the_host() as elsewhere:
        with _service() as (port, said):
            gateway = _gateway(field)
            targets = {STEP: f"{address} 99", BRIDGE: f"{gateway} {port}", HOST: f"{elsewhere} {port}"}
            lines = "; ".join(_says(name, target, patient=patient) for name, target in targets.items())
            with _building(field.mallory, "says", f"{lines}; true", client) as (building, _):
                assert building.wait(PATIENCE_SECONDS) == 0
        if patient:
            wait(lambda: f"it says: {STEP}" in heard.read_text())
        arrived = "".join(said) + heard.read_text()
    return {name for name in targets if f"it says: {name}" in arrived}


def _says(name: str, target: str, *, patient: bool) -> str:
    """The command of a step that says its name there. Who listens in a step listens anew each time."""
    times, seconds = (50, 20) if patient else (1, 2)
    said = f'echo "it says: {name}" | timeout {seconds} nc {target} && break'
    return f"for i in $(seq {times}); do {said}; sleep 0.2; done"


@contextlib.contextmanager
def opened(field: Ground) -> Iterator[None]:
    """The default bridge is meanwhile as the engine leaves it."""
    opened = (field.run / "limits.yaml").read_text().replace("docker: {", "docker: {default_bridge: open, ")
    with field.limited(opened):
        _wait(field, fenced=False)
        yield
    _wait(field, fenced=True)


def _wait(field: Ground, *, fenced: bool) -> None:
    bridge = (Path(field.engine.root) / "bridge").read_text()
    wait(lambda: (f"-i {bridge} -o {bridge} -j DROP" in rules(forward_chain(field))) is fenced)


@contextlib.contextmanager
def _listening(user: User, client: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """A step that says what it hears: its address, and the file with what it says. It never ends its own side of a
    connection: who is about to say something would take that for the end, and go.
    """
    run = (
        "ip -4 -o addr show dev eth0; mkfifo /tmp/nothing; exec 3<> /tmp/nothing; while true; do nc -l -p 99 <&3; done"
    )
    with _building(user, "hears", run, client) as (building, said):
        wait(lambda: _address(said) or building.poll() is not None)
        assert building.poll() is None, said.read_text()
        yield _address(said), said


def _address(said: Path) -> str:
    """What a step says its address is; empty when it has not said it yet."""
    found = re.search(r"inet ([0-9.]+)/", said.read_text())
    return found[1] if found else ""


@contextlib.contextmanager
def _building(user: User, name: str, run: str, client: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A build that goes on, and the file with what it says."""
    place = folder(user, f"step-{name}", f"FROM {IMAGE}\nRUN {run}\n")
    said = place.with_suffix(".log")
    person = people.person(user.person.login, DOCKER_HOST=f"unix://{user.gateway}", DOCKER_BUILDKIT="1")
    with said.open("w") as out:
        words = ("--progress", "plain", "--no-cache", str(place))
        building = person.start(*client, *words, out=out.fileno())
        try:
            yield building, said
        finally:
            building.kill()
            building.wait()


def _gateway(field: Ground) -> str:
    """The address of this host on the default bridge."""
    (config,) = field.root("GET", "/networks/bridge").json["IPAM"]["Config"]
    return str(config["Gateway"])


@contextlib.contextmanager
def _service() -> Iterator[tuple[int, list[str]]]:
    """A service of this host: its port, and afterwards everything that was said to it."""
    said: list[str] = []
    with socket.create_server(("0.0.0.0", 0)) as listening:
        hearing = threading.Thread(target=_hear, args=(listening, said))
        hearing.start()
        try:
            yield listening.getsockname()[1], said
        finally:
            with socket.create_connection(listening.getsockname()) as last:
                last.sendall(_OVER.encode())
            hearing.join()


def _hear(listening: socket.socket, said: list[str]) -> None:
    """What is said on one connection after the other, until the last one."""
    while _OVER not in said:
        connection, _ = listening.accept()
        with connection, connection.makefile() as words:
            said.append(words.read())


def forward_chain(field: Ground) -> str:
    """The fence's chain of what goes through the host."""
    return f"DS01-{zlib.crc32(str(field.run).encode()):08x}-FWD"


def rules(chain: str) -> str:
    """What the firewall says."""
    return subprocess.run(["iptables", "-w", "60", "-S", chain], capture_output=True, text=True, check=False).stdout


@contextlib.contextmanager
def address_of_the_host() -> Iterator[str]:
    """An address of this host that is not of a bridge."""
    address = "198.51.100.7"
    subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
    try:
        yield address
    finally:
        subprocess.run(["ip", "addr", "del", f"{address}/32", "dev", "lo"], check=True)
