"""Section 2 of the attacks: being somebody else, or nobody's affair."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest
from dev import people

from tests import accounts
from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, Ground, User, ask, connected, ended, wait
from tests.engine.gateway.test_admin import told
from tests.engine.gateway.test_build import context

pytestmark = [pytest.mark.engine, pytest.mark.root]


_OF_ITS_OWN = 10_000_000
"""Uids that no other account gets: others are made meanwhile, by runs of these tests beside this one."""


def owner(field: Ground, container: str) -> str:
    return str(field.seen(container)["Config"]["Labels"]["ds01.owner.uid"])


def test_s1_labels_of_the_owner(mallory: User, field: Ground, alice: User) -> None:
    (mallory.home / "labels").write_text(f"ds01.owner.uid={alice.uid}\n")
    for flags in (["--label", "ds01.user=alice"], ["-l", f"ds01.owner.uid={alice.uid}"],
                  ["--label-file", str(mallory.home / "labels")]):  # fmt: skip
        made = mallory.docker("create", *flags, IMAGE)
        assert made.code == 0, made.err
        container = made.out.split()[-1]
        assert owner(field, container) == str(mallory.uid)
        assert "ds01.user" not in field.seen(container)["Config"]["Labels"]


def test_s2_labels_in_other_case_and_twice(mallory: User, field: Ground) -> None:
    made = mallory.call(
        "POST", "/v1.41/containers/create", {"Image": IMAGE, "labels": {"DS01.Owner.UID": "1", "Ds01.x": "y"}}
    )
    found = field.seen(made.json["Id"])["Config"]["Labels"]
    assert [key for key in found if key.lower().startswith("ds01.") and not key.startswith("ds01.")] == []
    twice = b'{"Image":"ds01/tiny","Labels":{"a":"b"},"labels":{"ds01.owner.uid":"1"}}'
    assert mallory.call("POST", "/v1.41/containers/create", twice).status == 400


def test_s3_a_devcontainers_label_makes_nobody_else(mallory: User, field: Ground, alice: User) -> None:
    made = mallory.create(Labels={"devcontainer.local_folder": f"{alice.home}/p"})
    assert owner(field, made.json["Id"]) == str(mallory.uid)
    assert field.seen(made.json["Id"])["Config"]["Labels"]["ds01.door"] == "devcontainer"


def test_s4_labels_that_ask_for_exceptions(mallory: User, field: Ground) -> None:
    made = mallory.create(Labels={"ds01.protected": "true", "ds01.monitoring": "true", "ds01.lease": "x"})
    found = field.seen(made.json["Id"])["Config"]["Labels"]
    assert "ds01.protected" not in found
    assert "ds01.monitoring" not in found
    assert found["ds01.lease"] == ""


def test_s5_labels_of_an_image(mallory: User, field: Ground, alice: User) -> None:
    context = mallory.folder("s5")
    (context / "Dockerfile").write_text(
        f"FROM {IMAGE}\nLABEL ds01.protected=true ds01.owner.uid={alice.uid} ds01.lease=all ds01.forced_user=0\n"
    )
    assert mallory.docker("build", "-q", "-t", "s5", "--label", f"ds01.owner.uid={alice.uid}", str(context)).code == 0
    assert field.root("GET", "/images/s5/json").json["Config"]["Labels"]["ds01.owner.uid"] == str(mallory.uid)
    made = mallory.create(Image="s5")
    assert owner(field, made.json["Id"]) == str(mallory.uid)
    assert field.seen(made.json["Id"])["Config"]["Labels"]["ds01.lease"] == ""
    assert alice.call("GET", "/v1.41/images/s5/json").status == 404


def test_s6_alices_compose_label(mallory: User, alice: User) -> None:
    made = mallory.create(Labels={"com.docker.compose.project": "alices"})
    assert made.json["Id"] not in alice.docker("ps", "-aq", "--no-trunc").out


def test_s7_a_door_of_ones_own_choosing(mallory: User, field: Ground) -> None:
    made = mallory.create(Labels={"ds01.interface": "atomic", "ds01.door": "job"},
                          HostConfig={"DeviceRequests": [{"Count": 1, "Capabilities": [["gpu"]]}]})  # fmt: skip
    found = field.seen(made.json["Id"])
    assert found["Config"]["Labels"]["ds01.door"] == "docker"
    assert found["Config"]["Labels"]["ds01.lease"].startswith("lease-")
    assert len(found["HostConfig"]["Devices"]) == 1


def test_s8_variables_that_weaken_nothing(mallory: User, victim: Victim) -> None:
    for name, value in (
        ("DS01_WRAPPER_BYPASS", "1"),
        ("DS01_ISOLATION_MODE", "disabled"),
        ("DS01_ISOLATION_MODE", "monitoring"),
    ):
        assert mallory.docker("rm", "-f", victim.id, **{name: value}).err != ""
        assert mallory.docker("run", "--rm", "--privileged", IMAGE, "true", **{name: value}).code != 0


def test_s9_a_group_that_only_looks_like_the_admins(mallory: User, field: Ground, victim: Victim) -> None:
    for group in (f"ds01-admin-{os.getpid()}", f"x{os.getpid()}ds01-admin", f"ds01-admins{os.getpid()}"):
        with accounts.group(group):
            people.account_tool("usermod", "-aG", group, mallory.person.login)
            assert mallory.call("GET", f"/v1.41/containers/{victim.id}/json").status == 404


def test_s10_root_is_nobody_at_the_gateway(field: Ground, victim: Victim) -> None:
    """Root in a container that reached the socket would be uid 0 here: it can see and make nothing."""
    for method, path, body in (
        ("GET", "/v1.41/containers/json", None), ("POST", "/v1.41/containers/create", {"Image": IMAGE}),
        ("GET", f"/v1.41/containers/{victim.id}/json", None),
        ("DELETE", f"/v1.41/containers/{victim.id}?force=1", None),
    ):  # fmt: skip
        assert ask(connected(field.gateway), method, path, body).status == 403


def test_s12_who_logged_in_is_recorded_beside_whose_account_asks(mallory: User, alice: User, field: Ground) -> None:
    """Alice in her own session, who became mallory there."""
    become = f"setpriv --reuid {mallory.uid} --regid {mallory.person.gid} --clear-groups"
    asks = f"docker -H unix://{field.gateway} swarm init"
    subprocess.run(["sh", "-c", f"echo {alice.uid} > /proc/self/loginuid && exec {become} {asks}"], capture_output=True)
    wait(lambda: any(each.get("login_uid") == str(alice.uid) for each in told(field, "door.denied")))
    (entry,) = [each for each in told(field, "door.denied") if "login_uid" in each]
    assert entry["path"] == "/swarm/init"


@pytest.mark.parametrize("source", ["/run", "/var/run", "/run/containerd",
                                    "/proc/1/root/run/docker.sock", "/proc/self/root/run", "GATEWAY"])  # fmt: skip
def test_s11_sockets_in_a_container(mallory: User, field: Ground, source: str) -> None:
    before = field.ids()
    path = field.gateway if source == "GATEWAY" else source
    assert mallory.create(HostConfig={"Binds": [f"{path}:/s"]}).status == 403
    mount = {"Type": "bind", "Source": path, "Target": "/s"}
    assert mallory.create(HostConfig={"Mounts": [mount]}).status == 403
    assert field.ids() == before


def test_s12_credentials_are_those_of_the_connect(mallory: User, alice: User, victim: Victim) -> None:
    """A connection made as mallory and used by somebody else stays mallory's, and the other way round."""
    hers, his = alice.connect(), mallory.connect()
    with people.acting_as(alice.person):
        assert ask(his, "GET", f"/v1.41/containers/{victim.id}/json").status == 404
    with people.acting_as(mallory.person):
        assert ask(hers, "GET", f"/v1.41/containers/{victim.id}/json").status == 200


def test_s13_a_uid_that_changed_hands(field: Ground) -> None:
    """The account is deleted and its uid given to somebody else: she finds nothing of the former's."""
    former, later = (f"ds01-gw-{name}-{os.getpid()}" for name in ("old", "new"))
    people.make(former, uid=_OF_ITS_OWN + os.getpid())
    old = User(person=people.person(former), gateway=field.gateway)
    binds = {"Binds": ["/var/run/docker.sock:/var/run/docker.sock"]}
    container = old.runs("left", HostConfig=binds)
    inside = f"/proc/{field.seen(container)['State']['Pid']}/root/var/run/docker.sock"
    assert ask(connected(inside), "GET", f"/v1.41/containers/{container}/json").status == 200
    shell = old.stream(container)
    shell.sendall(b"there\n")
    assert b"there" in shell.recv(100)
    people.remove(former)
    assert "Nobody here has the uid" in old.call("GET", "/v1.41/containers/json").message
    people.make(later, uid=old.uid)
    try:
        new = User(person=people.person(later), gateway=field.gateway)
        assert new.call("GET", "/v1.41/containers/json?all=1").json == []
        wait(lambda: ended(shell))
        shell.close()
        assert new.call("GET", f"/v1.41/containers/{container}/json").status == 404
        assert new.call("DELETE", f"/v1.41/containers/{container}?force=1").status == 404
        assert container not in new.create("left").message  # the engine still has the name
        made = new.create("other", HostConfig=binds)
        assert made.status == 201
        for path in ("/v1.41/containers/other/json", "/v1.41/containers/json?all=1"):
            refused = ask(connected(inside), "GET", path)
            assert (refused.status, "had the uid" in refused.message) == (403, True), refused.body
        sources = [mount["Source"] for each in (container, made.json["Id"]) for mount in field.seen(each)["Mounts"]]
        assert len(set(sources)) == 2
        assert field.seen(container)["State"]["Running"]
    finally:
        people.remove(later)


@pytest.mark.parametrize("way", ["build?t=left", "build?version=2&t=left", "images/load?quiet=1"])
def test_s13_an_account_that_ends_while_its_archive_comes(mallory: User, field: Ground, way: str) -> None:
    """Nothing becomes of it, and the name it was to have is anybody's again."""
    login = f"ds01-gw-sends-{os.getpid()}"
    people.make(login, uid=2 * _OF_ITS_OWN + os.getpid())
    try:
        former = User(person=people.person(login), gateway=field.gateway)
        before = _images(field)
        head = f"POST /v1.41/{way} HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\nExpect: 100-continue\r\n"
        archive = context(Dockerfile=f"FROM {IMAGE}\nCOPY x /x\n", x="x" * 100_000)
        sending = former.connect()
        sending.sendall(f"{head}Content-Length: {len(archive)}\r\n\r\n".encode())
        assert b"100 Continue" in sending.recv(100)
        sending.sendall(archive[:50_000])
        people.remove(login)
        wait(lambda: ended(sending))
        with contextlib.suppress(ConnectionError):
            sending.sendall(archive[50_000:])
        sending.close()
        assert _images(field) == before
        assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=left").status == 201
        assert field.root("GET", "/images/left/json").status == 200
        assert mallory.call("DELETE", "/v1.41/images/left").status == 200
    finally:
        people.remove(login)


def _images(field: Ground) -> set[str]:
    return {row["Id"] for row in field.root("GET", "/images/json?all=1").json}


def test_the_gateway_is_not_root(field: Ground) -> None:
    status = Path(f"/proc/{field.programs['ds01-gateway'].pid}/status").read_text()
    uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    assert set(uids) == {str(people.gateway().uid)}
    groups = next(line for line in status.splitlines() if line.startswith("Groups:")).split()[1:]
    assert groups == [str(os.stat(field.engine.socket).st_gid)]
