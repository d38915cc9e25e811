"""Ports on an address of the campus: a group that has one is reached there, nobody else is, and an admin takes it back.

A network namespace behind a cable of its own is the campus.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from dev import people

from tests.engine.gateway.ground import IMAGE, PATIENCE_SECONDS, Ground, User, wait
from tests.engine.gateway.test_admin import told

pytestmark = [pytest.mark.engine, pytest.mark.root]

ADDRESS, OTHERS = "198.18.77.1", "198.18.77.2"
SERVE = ("sh", "-c", "busybox httpd -f -p 99")
ASK = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()"


@dataclass(frozen=True, kw_only=True)
class Campus:
    """Another machine, which meets this one as ``ADDRESS``."""

    namespace: str

    def reaches(self, address: str, port: int, seconds: float = 2) -> bool:
        """Whether somebody there is answered."""
        words = ["ip", "netns", "exec", self.namespace, "/usr/bin/python3", "-c", ASK, address, str(port)]
        return subprocess.run([*words, str(seconds)], capture_output=True, check=False).returncode == 0

    def sends_by(self, network: str) -> None:
        """Its way to these addresses leads through this server."""
        ip("-n", self.namespace, "route", "replace", network, "via", ADDRESS)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@pytest.fixture(scope="module")
def campus() -> Iterator[Campus]:
    name, here, there = f"ds01-campus-{os.getpid()}", f"dsc{os.getpid()}"[:15], "eth0"
    ip("netns", "add", name)
    try:
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        ip("addr", "add", f"{ADDRESS}/30", "dev", here)
        ip("link", "set", here, "up")
        ip("-n", name, "addr", "add", f"{OTHERS}/30", "dev", there)
        ip("-n", name, "link", "set", there, "up")
        yield Campus(namespace=name)
    finally:
        ip("netns", "del", name)


@contextlib.contextmanager
def given(field: Ground, user: User, addresses: str) -> Iterator[None]:
    """This user is in a group that may publish there."""
    group = f'{{members: ["{user.person.login}"], publish: "{addresses}"}}'
    with field.limited(f"{(field.run / 'limits.yaml').read_text()}groups: {{lab: {group}}}\n"):
        yield


def serves(user: User, name: str, *ports: str) -> str:
    """What was said when a container of hers began to serve with its ports published so."""
    done = user.docker("run", "-d", "--name", name, *(word for each in ports for word in ("-p", each)), IMAGE, *SERVE)
    assert done.code == 0, done.err
    wait(lambda: user.docker("exec", name, "nc", "-w", "2", "127.0.0.1", "99").code == 0)
    return done.err


def published(user: User, name: str) -> set[str]:
    """What ``docker port`` says."""
    return {line.rpartition(" ")[2] for line in user.docker("port", name).out.splitlines()}


def test_d12_a_group_is_reached_where_it_may_publish_and_nowhere_else(
    alice: User, mallory: User, field: Ground, campus: Campus
) -> None:
    with given(field, alice, ADDRESS):
        assert "DS01" not in serves(alice, "open", f"{ADDRESS}:18310:99")
        assert published(alice, "open") == {f"{ADDRESS}:18310"}
        wait(lambda: campus.reaches(ADDRESS, 18310))
        assert "DS01" not in serves(alice, "plain", "18311:99")
        assert published(alice, "plain") == {"127.0.0.1:18311"}
        assert not campus.reaches(ADDRESS, 18311)
        said = serves(alice, "wide", "0.0.0.0:18312:99")
        assert f"on 127.0.0.1, not 0.0.0.0: your group may name {ADDRESS}" in said
        assert published(alice, "wide") == {"127.0.0.1:18312"}
        assert "on 127.0.0.1, not" in serves(mallory, "hers", f"{ADDRESS}:18313:99")
        assert published(mallory, "hers") == {"127.0.0.1:18313"}
        assert not campus.reaches(ADDRESS, 18313)
        assert "is in use" in serves(mallory, "second", "18310:99")
        for port in (18310, 18313):
            asked = ("nc", "-w", "2", ADDRESS, str(port))
            assert mallory.docker("exec", "second", *asked, given="").code != 0
            assert alice.docker("exec", "plain", *asked, given="").code != 0


def test_d12_a_neighbour_who_knows_the_way_meets_what_is_published_there_alone(
    alice: User, field: Ground, campus: Campus
) -> None:
    """Engines before 28 let in whoever sends to a container's own address."""
    with given(field, alice, ADDRESS):
        serves(alice, "both", f"{ADDRESS}:18314:99", "18315:99")
        (end,) = field.seen(f"both._.{alice.uid}")["NetworkSettings"]["Networks"].values()
        campus.sends_by(f"{end['IPAddress']}/32")
        assert not campus.reaches(end["IPAddress"], 99)
        assert campus.reaches(ADDRESS, 18314, PATIENCE_SECONDS)


def test_d12_any_address(alice: User, field: Ground, campus: Campus) -> None:
    with given(field, alice, "any"):
        assert "DS01" not in serves(alice, "any", "0.0.0.0:18316:99", f"{ADDRESS}:18317:99")
        assert published(alice, "any") == {"0.0.0.0:18316", f"{ADDRESS}:18317"}
        wait(lambda: campus.reaches(ADDRESS, 18316) and campus.reaches(ADDRESS, 18317))


COMPOSED = f"""
version: "3.8"
services:
  web:
    image: {IMAGE}
    command: [{", ".join(f"'{word}'" for word in SERVE)}]
    ports: ["{ADDRESS}:18320:99", "18321:99"]
    stop_grace_period: 0s
"""


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="left out: needs docker-compose")
def test_d12_a_compose_file_names_an_address_as_well(alice: User, field: Ground, campus: Campus) -> None:
    file = alice.folder("composed") / "docker-compose.yml"
    file.write_text(COMPOSED)
    with given(field, alice, ADDRESS):
        person = people.person(alice.person.login, DOCKER_HOST=f"unix://{alice.gateway}")
        done = person.run("docker-compose", "-f", str(file), "up", "-d", seconds=600)
        assert done.code == 0, done.err
        (name,) = alice.docker("ps", "--format", "{{.Names}}", "--filter", "name=composed").out.split()
        assert published(alice, name) == {f"{ADDRESS}:18320", "127.0.0.1:18321"}
        wait(lambda: campus.reaches(ADDRESS, 18320))
        alice.docker("rm", "-f", name)
        assert alice.docker("network", "rm", "composed_default").code == 0


def test_d12_an_address_that_was_taken_away_is_left(alice: User, field: Ground, campus: Campus) -> None:
    with given(field, alice, ADDRESS):
        serves(alice, "runs", f"{ADDRESS}:18318:99")
        serves(alice, "rests", f"{ADDRESS}:18319:99")
        assert alice.docker("restart", "-t", "0", "rests").code == 0
        wait(lambda: campus.reaches(ADDRESS, 18319))
        assert alice.docker("stop", "-t", "0", "rests").code == 0
    container = alice.call("GET", "/v1.41/containers/runs/json").json["Id"]
    wait(lambda: not field.seen(container)["State"]["Running"])
    assert not campus.reaches(ADDRESS, 18318)
    why = f"publishes ports on {ADDRESS}"
    wait(lambda: any(why in each.get("reason", "") for each in told(field, "container.quarantined")))
    again = alice.docker("start", "rests")
    assert again.code != 0
    assert "where it may not any more" in again.err
