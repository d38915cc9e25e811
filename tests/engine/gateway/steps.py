"""What a step of a build reaches from the engine's default bridge, judged by what arrives."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from dev import people

from tests.engine.gateway.ground import IMAGE, Ground, User
from tests.engine.gateway.test_build import folder

STEP, BRIDGE, HOST = "a step of another's build", "this host by the bridge", "this host by another address"
EVERYTHING = {STEP, BRIDGE, HOST}
_SECONDS = 60


def reached(field: Ground, *client: str) -> set[str]:
    """Where what a step of mallory's says arrives, while a step of alice's listens. ``client`` is how they build."""
    with _listening(field.alice, client) as (address, heard), socket.create_server(("0.0.0.0", 0)) as service:
        with address_of_the_host() as elsewhere:
            port, gateway = service.getsockname()[1], _gateway(field)
            targets = {STEP: f"{address} 99", BRIDGE: f"{gateway} {port}", HOST: f"{elsewhere} {port}"}
            lines = "; ".join(f'echo "it says: {name}" | timeout 2 nc {target}' for name, target in targets.items())
            with _building(field.mallory, "says", f"{lines}; true", client) as (building, _):
                assert building.wait(_SECONDS) == 0
        arrived = _arrived(service) + heard.read_text()
    return {name for name in targets if f"it says: {name}" in arrived}


@contextlib.contextmanager
def opened(field: Ground) -> Iterator[None]:
    """The default bridge is meanwhile as the engine leaves it."""
    limits = field.run / "limits.yaml"
    before = limits.read_text()
    limits.write_text(before.replace("docker: {", "docker: {default_bridge: open, "))
    try:
        _wait(field, fenced=False)
        yield
    finally:
        limits.write_text(before)
        _wait(field, fenced=True)


def _wait(field: Ground, *, fenced: bool) -> None:
    bridge = (Path(field.engine.root) / "bridge").read_text()
    deadline = time.monotonic() + _SECONDS
    while (f"-i {bridge} -o {bridge} -j DROP" in rules(forward_chain(field))) is not fenced:
        assert time.monotonic() < deadline, "the fence did not change in time"
        time.sleep(0.2)


@contextlib.contextmanager
def _listening(user: User, client: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """A step that says what it hears: its address, and the file with what it says."""
    run = "ip -4 -o addr show dev eth0; while true; do nc -l -p 99 < /dev/null; done"
    with _building(user, "hears", run, client) as (building, said):
        deadline = time.monotonic() + _SECONDS
        while not (found := re.search(r"inet ([0-9.]+)", said.read_text())):
            assert building.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.05)
        yield found[1], said


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


def _arrived(service: socket.socket) -> str:
    """Everything that was said to a service."""
    service.settimeout(0.5)
    found = ""
    with contextlib.suppress(TimeoutError):
        while True:
            connection, _ = service.accept()
            with connection:
                connection.settimeout(2)
                found += connection.recv(1000).decode()
    return found


def forward_chain(field: Ground) -> str:
    """The fence's chain of what goes through the host."""
    return f"DS01-{zlib.crc32(str(field.run).encode()):08x}-FWD"


def rules(chain: str) -> str:
    """What the firewall says."""
    return subprocess.run(["iptables", "-w", "5", "-S", chain], capture_output=True, text=True, check=False).stdout


@contextlib.contextmanager
def address_of_the_host() -> Iterator[str]:
    """An address of this host that is not of a bridge."""
    address = "198.51.100.7"
    subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
    try:
        yield address
    finally:
        subprocess.run(["ip", "addr", "del", f"{address}/32", "dev", "lo"], check=True)
