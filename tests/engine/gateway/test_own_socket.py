"""A container with the engine's socket has its owner's own one, and is she."""

from __future__ import annotations

import json
import signal
import socket

import pytest
from dev import people

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, Ground, User, ask, connected

pytestmark = [pytest.mark.engine, pytest.mark.root]
SOCKET = "/var/run/docker.sock"


@pytest.mark.parametrize("source", [SOCKET, "/run/docker.sock"])
def test_s10_s11_root_inside_is_the_user(
    mallory: User, alice: User, victim: Victim, field: Ground, source: str
) -> None:
    mine = mallory.runs("inner", HostConfig={"Binds": [f"{source}:{SOCKET}"]})
    own = field.run / "u" / str(mallory.uid) / "docker.sock"
    (mount,) = (each for each in field.seen(mine)["Mounts"] if each["Destination"] == SOCKET)
    assert mount["Source"] == str(own)
    shown = mallory.call("GET", f"/v1.41/containers/{mine}/json").json
    assert [each["Source"] for each in shown["Mounts"]] == [SOCKET]
    assert str(field.run) not in json.dumps(shown)
    with people.acting_as(alice.person), socket.socket(socket.AF_UNIX) as sock, pytest.raises(PermissionError):
        sock.connect(str(own))
    listed = ask(connected(str(own)), "GET", "/v1.41/containers/json?all=1")
    assert [row["Id"] for row in listed.json] == [mine]
    assert ask(connected(str(own)), "GET", f"/v1.41/containers/{victim.id}/json").status == 404
    made = ask(connected(str(own)), "POST", "/v1.41/containers/create?name=made-inside", {"Image": IMAGE})
    assert made.status == 201, made.body
    assert field.seen(made.json["Id"])["Config"]["Labels"]["ds01.owner.uid"] == str(mallory.uid)
    refused = ask(connected(str(own)), "POST", "/v1.41/containers/create",
                  {"Image": IMAGE, "HostConfig": {"Privileged": True}})  # fmt: skip
    assert refused.status == 403


def test_s11_other_sockets_are_refused(mallory: User, field: Ground, alice: User) -> None:
    before = field.ids()
    for path in ("/run", "/var/run", "/proc/1/root/run/docker.sock", "/run/containerd/containerd.sock",
                 field.engine.socket, str(field.run / "u"), str(field.run / "u" / str(alice.uid)),
                 str(field.run / "u" / str(alice.uid) / "docker.sock"), str(field.run / "ds01d.sock")):  # fmt: skip
        assert mallory.create(HostConfig={"Binds": [f"{path}:/x"]}).status in (400, 403), path
    assert field.ids() == before


def test_a_socket_is_served_again_after_a_restart(mallory: User, field: Ground) -> None:
    mine = mallory.runs("inner", HostConfig={"Binds": [f"{SOCKET}:{SOCKET}"]})
    field.stop("ds01-gateway", signal.SIGKILL)
    field.start_gateway()
    own = str(field.run / "u" / str(mallory.uid) / "docker.sock")
    assert ask(connected(own), "GET", "/v1.41/containers/json").json[0]["Id"] == mine
    assert mallory.call("POST", f"/v1.41/containers/{mine}/restart?t=0").status == 204
