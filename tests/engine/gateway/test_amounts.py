"""Section 6 of the attacks: no container takes more of the server than its owner may have."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ds01.client.daemon import Client
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, Reply, User, ask, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]
MEBI = 1 << 20


def made(user: User, field: Ground, **host: Any) -> dict[str, Any]:
    """What the engine has of a create with this configuration."""
    found = user.create(HostConfig=host)
    assert found.status == 201, found.body
    shown: dict[str, Any] = field.seen(found.json["Id"])["HostConfig"]
    return shown


def controls(pid: int, controller: str) -> Path:
    """Where a process's cgroup is."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(",") or not names:
            return Path("/sys/fs/cgroup", controller if names else "", path.lstrip("/"))
    raise AssertionError(f"no {controller}")


def test_d2_a_fork_bomb_ends_at_the_containers_limit(mallory: User, alice: User, field: Ground) -> None:
    container = mallory.runs("bomb")
    bomb = "i=0; while [ $i -lt 400 ]; do sleep 300 & i=$((i+1)); done; wait"
    mallory.docker("exec", "-d", container, "sh", "-c", bomb)
    said = mallory.docker("exec", container, "sh", "-c", "sleep 1; true")
    group = controls(field.seen(container)["State"]["Pid"], "pids")
    assert int((group / "pids.current").read_text()) <= 256 == int((group / "pids.max").read_text())
    assert alice.docker("run", "--rm", IMAGE, "echo", "works").out == "works\n", said
    assert mallory.call("DELETE", f"/v1.41/containers/{container}?force=1").status == 204


def test_d3_containers_below_their_limit_are_limited_together(mallory: User, field: Ground) -> None:
    """Each may have a gigabyte, all of them half of one."""
    before = (field.run / "limits.yaml").read_text()
    few = f"groups: {{few: {{members: [{mallory.person.login}]}}}}\naggregate: {{few: {{memory: 512M}}}}\n"
    with field.limited(before + few):
        assert Client(str(field.run / "ds01d.sock")).limits(user=mallory.person.login).group == "few"
        first, second = mallory.runs("first"), mallory.runs("second")
        assert _slice(field, first) == 512 * MEBI
        for container in (first, second):
            mallory.docker("exec", "-d", container, "sh", "-c", "head -c 300000000 /dev/zero | tail | sleep 1000")
        wait(lambda: _tails(field, first) + _tails(field, second) == 1)


def _slice(field: Ground, container: str) -> int:
    group = controls(field.seen(container)["State"]["Pid"], "memory").parent
    one, other = group / "memory.max", group / "memory.limit_in_bytes"
    return int((one if one.exists() else other).read_text())


def _tails(field: Ground, container: str) -> int:
    rows = field.root("GET", f"/containers/{container}/top").json["Processes"]
    return sum("tail" in row[-1] and "head" not in row[-1] for row in rows)


@pytest.mark.parametrize("host", [
    {"ShmSize": 900 << 30}, {"ShmSize": -1}, {"Tmpfs": {"/x": ""}}, {"Tmpfs": {"/x": "size=900g"}},
    {"Mounts": [{"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"SizeBytes": 1 << 50}}]},
    {"Mounts": [{"Type": "tmpfs", "Target": "/x"}]},
])  # fmt: skip
def test_d4_memory_file_systems_are_bounded(mallory: User, field: Ground, host: dict[str, Any]) -> None:
    found = made(mallory, field, **host)
    assert 0 < found["ShmSize"] <= 64 * MEBI
    for options in (found.get("Tmpfs") or {}).values():
        assert 0 < int(options.removeprefix("size=")) <= 512 * MEBI
    for mount in found.get("Mounts") or ():
        assert 0 < mount["TmpfsOptions"]["SizeBytes"] <= 512 * MEBI


def test_d5_a_flood_of_words_is_rotated(mallory: User, field: Ground) -> None:
    container = mallory.runs("flood", Tty=False)
    line = "$(head -c 9000 /dev/zero | tr '\\0' x)"
    mallory.docker("exec", container, "sh", "-c", f"yes {line} | head -c 24000000 > /proc/1/fd/1")
    log = Path(field.seen(container)["LogPath"])
    sizes = [each.stat().st_size for each in log.parent.glob(f"{log.name}*")]
    assert len(sizes) == 3
    assert max(sizes) < 11_000_000


def test_d6_no_logs_go_elsewhere(mallory: User, field: Ground) -> None:
    before = field.ids()
    for kind in ("syslog", "fluentd", "gelf", "splunk", "awslogs", "journald", "etwlogs", "x"):
        refused = mallory.create(HostConfig={"LogConfig": {"Type": kind, "Config": {}}})
        assert refused.status in (400, 403), kind
    assert field.ids() == before


@pytest.mark.parametrize("options", [
    {"max-size": "-1"}, {"max-file": "100000"}, {"max-size": "900g", "max-file": "1"}, {"labels": "x"}, {},
])  # fmt: skip
def test_d6_logs_have_an_end(mallory: User, field: Ground, options: dict[str, str]) -> None:
    found = made(mallory, field, LogConfig={"Type": "json-file", "Config": options})
    assert found["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    none = mallory.create(HostConfig={"LogConfig": {"Type": "none", "Config": {}}})
    assert none.status == 201, none.body
    assert field.seen(none.json["Id"])["HostConfig"]["LogConfig"] == found["LogConfig"]


@pytest.mark.parametrize("client", ["docker", OLD_CLIENT])
def test_d8_ulimits_are_bounded(mallory: User, field: Ground, client: str) -> None:
    """The kernel the tests run on may have fewer files than the most of a container: that one is made, and not run."""
    words = ("--ulimit", "nofile=1000000000:1000000000", "--ulimit", "core=-1")
    made = mallory.docker("create", *words, IMAGE, "true", client=client)
    assert made.code == 0, made.err
    stored = field.seen(made.out.strip())["HostConfig"]["Ulimits"]
    limits = sorted((each["Name"], each["Soft"], each["Hard"]) for each in stored)
    assert limits == [("core", 0, 0), ("nofile", 1 << 20, 1 << 20)]
    words = ("--ulimit", "nofile=99:99", "--ulimit", "core=-1")
    done = mallory.docker("run", "--rm", *words, IMAGE, "sh", "-c", "ulimit -Hn; ulimit -Hc", client=client)
    assert done.code == 0, done.err
    assert done.out.split() == ["99", "0"]
    assert mallory.docker("run", "--rm", "--ulimit", "rtprio=99", IMAGE, "true", client=client).code == 125


@pytest.mark.parametrize(("check", "kept"), [
    ({"Interval": 1_000_000}, {"Interval": 5 * 10**9}), ({"Interval": 1}, {"Interval": 5 * 10**9}),
    ({"StartInterval": 1_000_000}, {}),
])  # fmt: skip
def test_d10_health_is_not_checked_every_millisecond(
    mallory: User, field: Ground, check: dict[str, int], kept: dict[str, int]
) -> None:
    """An engine that is spoken to in an older API knows no ``StartInterval``."""
    found = mallory.create(Healthcheck={"Test": ["CMD", "true"], **check})
    assert found.status == 201, found.body
    assert field.seen(found.json["Id"])["Config"]["Healthcheck"] == {"Test": ["CMD", "true"], **kept}


@pytest.mark.parametrize("asked", [
    ("0.0.0.0", "22"), ("", "3000"), ("::", "443"), ("127.0.0.1", "40000"),
])  # fmt: skip
def test_d12_ports_of_the_server_stay_its_own(mallory: User, field: Ground, asked: tuple[str, str]) -> None:
    address, port = asked
    found = mallory.create(
        "web", Cmd=["sleep", "60"], ExposedPorts={"80/tcp": {}},
        HostConfig={"PortBindings": {"80/tcp": [{"HostIp": address, "HostPort": port}]}},
    )  # fmt: skip
    assert found.status == 201, found.body
    assert mallory.call("POST", f"/v1.41/containers/{found.json['Id']}/start").status == 204
    (bound,) = field.seen(found.json["Id"])["NetworkSettings"]["Ports"]["80/tcp"]
    assert bound["HostIp"] == "127.0.0.1"
    assert bound["HostPort"] != port
    assert int(bound["HostPort"]) > 1024


def test_d12_a_range_and_every_port(mallory: User, field: Ground) -> None:
    done = mallory.docker("run", "-d", "-p", "20-23:20-23", "-P", IMAGE, "sleep", "60")
    assert done.code == 0, done.err
    ports = field.seen(done.out.strip())["NetworkSettings"]["Ports"]
    bound = [each for found in ports.values() for each in found or ()]
    assert len(bound) == 4
    assert {each["HostIp"] for each in bound} == {"127.0.0.1"}
    assert not {each["HostPort"] for each in bound} & {"20", "21", "22", "23"}


def test_d12_ports_are_counted(mallory: User, alice: User, field: Ground) -> None:
    """Those that are named, those that are any, and those that an image exposes."""
    bound = {f"{port}/tcp": [{"HostPort": str(port)}] for port in range(18400, 18465)}
    over = mallory.create(HostConfig={"PortBindings": bound})
    assert (over.status, "publishes 65 ports, and may publish 64" in over.message) == (400, True), over.body
    assert mallory.create("exposes", ExposedPorts={f"{port}/tcp": {} for port in range(1, 66)}).status == 201
    assert mallory.docker("commit", "exposes", "exposes:1").code == 0
    assert mallory.create(Image="exposes:1", HostConfig={"PublishAllPorts": True}).status == 400
    del bound["18464/tcp"]
    for _ in range(4):
        assert mallory.create(HostConfig={"PortBindings": bound}).status == 201
    for over in (
        mallory.create(HostConfig={"PortBindings": {"80/tcp": [{}]}}),
        mallory.create(ExposedPorts={"80/tcp": {}}, HostConfig={"PublishAllPorts": True}),
    ):
        assert (over.status, "256 of 256 ports" in over.message) == (409, True), over.body
    assert alice.create("", HostConfig={"PortBindings": {"80/tcp": [{}]}}).status == 201


def test_d9_containers_are_counted(mallory: User, alice: User, field: Ground) -> None:
    """One after the other, and many at once."""
    wait(lambda: field.containers_of(mallory) == 0)
    with field.limited((field.run / "limits.yaml").read_text().replace("containers: 60", "containers: 3")):
        assert "3 of 3" in [mallory.create("") for _ in range(4)][-1].message
        mine = [row["Id"] for row in mallory.call("GET", "/v1.41/containers/json?all=1").json]
        assert len(mine) == 3
        assert mallory.docker("run", "--rm", IMAGE, "true").code == 125
        assert alice.create("hers").status == 201
        for container in mine:
            assert mallory.call("DELETE", f"/v1.41/containers/{container}").status == 204
        hers = [mallory.connect() for _ in range(12)]
        with ThreadPoolExecutor(len(hers)) as pool:
            replies = list(pool.map(_creates, hers))
        assert sorted(reply.status for reply in replies) == [201] * 3 + [409] * 9


def _creates(connection: socket.socket) -> Reply:
    return ask(connection, "POST", "/v1.41/containers/create", {"Image": IMAGE})
