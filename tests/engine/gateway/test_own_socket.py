"""A container with the engine's socket has its owner's own one, and is she."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest
from dev import people

from ds01.client.daemon import Client
from ds01.domain.names import own_door
from ds01.wire.status import CheckView
from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, PATIENCE_SECONDS, Ground, User, ask, connected, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]
SOCKET = "/var/run/docker.sock"
PASS = """
import os, sys
end = sys.argv.index("--")
for place, descriptor in enumerate(sys.argv[1:end], 3):
    if place != int(descriptor):
        os.dup2(int(descriptor), place)
    os.set_inheritable(place, True)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[end + 1], sys.argv[end + 1:])
"""
"""Starts a program with sockets as systemd does."""


@pytest.mark.parametrize("source", [SOCKET, "/run/docker.sock"])
def test_s10_s11_root_inside_is_the_user(
    mallory: User, alice: User, victim: Victim, field: Ground, source: str
) -> None:
    mine = mallory.runs("inner", HostConfig={"Binds": [f"{source}:{SOCKET}"]})
    own = field.run / "u" / own_door(mallory.uid, 1)
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
                 field.engine.socket, str(field.run / "u"), str((field.run / "u" / own_door(alice.uid, 1)).parent),
                 str(field.run / "u" / own_door(alice.uid, 1)), str(field.run / "ds01d.sock")):  # fmt: skip
        assert mallory.create(HostConfig={"Binds": [f"{path}:/x"]}).status in (400, 403), path
    assert field.ids() == before


def test_a_running_container_keeps_its_socket_over_a_restart(mallory: User, alice: User, field: Ground) -> None:
    """With systemd, which keeps sockets; here this test does."""
    field.stop("ds01-gateway")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as keeper:
        notify = str(field.run / "notify")
        keeper.bind(notify)
        Path(notify).chmod(0o666)
        keeper.settimeout(PATIENCE_SECONDS)
        shutil.rmtree((field.run / "u" / own_door(mallory.uid, 1)).parent, ignore_errors=True)
        field.start_gateway(NOTIFY_SOCKET=notify)
        mine = mallory.runs("inner", HostConfig={"Binds": [f"{SOCKET}:{SOCKET}"]})
        inside = f"/proc/{field.seen(mine)['State']['Pid']}/root{SOCKET}"
        kept = stored(keeper)
        for number in (signal.SIGKILL, signal.SIGTERM):
            field.stop("ds01-gateway", number)
            with connected(inside) as waiting:
                descriptors = [str(each) for each in kept.values()]
                names = ":".join(kept)
                field.start_gateway(
                    sys.executable, "-IS", "-c", PASS, *descriptors, "--", passed=tuple(kept.values()),
                    LISTEN_FDS=str(len(kept)), LISTEN_FDNAMES=names, NOTIFY_SOCKET=notify,
                )  # fmt: skip
                assert [row["Id"] for row in ask(waiting, "GET", "/v1.41/containers/json").json] == [mine]
        assert ask(connected(inside), "GET", "/v1.41/containers/json").status == 200
        again = mallory.runs("again", HostConfig={"Binds": [f"{SOCKET}:{SOCKET}"]})
        other = f"/proc/{field.seen(again)['State']['Pid']}/root{SOCKET}"
        assert len(ask(connected(other), "GET", "/v1.41/containers/json").json) == 2
        assert ask(connected(other), "GET", f"/v1.41/containers/{mine}/json").status == 200
        field.stop("ds01-gateway")
        Path(notify).unlink()
    for descriptor in kept.values():
        os.close(descriptor)
    field.start_gateway()


def stored(keeper: socket.socket) -> dict[str, int]:
    """What the gateway gave away to keep, by name."""
    found: dict[str, int] = {}
    while not any(name.startswith("ds01-door-") for name in found):
        said, descriptors, *_ = socket.recv_fds(keeper, 4096, 4)
        if b"FDSTORE=1" in said:
            found[said.decode().partition("FDNAME=")[2].split("\n")[0]] = descriptors[0]
    return found


def test_a_socket_is_served_again_after_a_restart(mallory: User, field: Ground) -> None:
    mine = mallory.runs("inner", HostConfig={"Binds": [f"{SOCKET}:{SOCKET}"]})
    field.stop("ds01-gateway", signal.SIGKILL)
    field.start_gateway()
    own = str(field.run / "u" / own_door(mallory.uid, 1))
    assert ask(connected(own), "GET", "/v1.41/containers/json").json[0]["Id"] == mine
    assert mallory.call("POST", f"/v1.41/containers/{mine}/restart?t=0").status == 204


def test_the_gateway_starts_without_a_place_for_one_users_socket(mallory: User, alice: User, field: Ground) -> None:
    places = {user.uid: (field.run / "u" / own_door(user.uid, 1)).parent for user in (mallory, alice)}
    field.stop("ds01-gateway")
    for place in places.values():
        shutil.rmtree(place, ignore_errors=True)
    places[alice.uid].write_text("in the way")
    field.start_gateway()
    binds = {"Binds": [f"{SOCKET}:{SOCKET}"]}
    assert mallory.create(HostConfig=binds).status == 201
    refused = alice.create(HostConfig=binds)
    assert (refused.status, "ds01 doctor" in refused.message) == (503, True)
    told = Client(str(field.run / "ds01d.sock"))
    wait(lambda: str(places[alice.uid]) in own_sockets(told).text)
    assert own_sockets(told).state == "warning"
    places[alice.uid].unlink()
    assert alice.create(HostConfig=binds).status == 201
    wait(lambda: own_sockets(told).state == "ok")


def own_sockets(api: Client) -> CheckView:
    return next(check for check in api.doctor().checks if check.name == "own-sockets")
