"""Volumes: everybody has her own, under the names she gives them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.gateway.conftest import NEWER, Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, User
from tests.engine.gateway.test_more_attacks import control

pytestmark = [pytest.mark.engine, pytest.mark.root]
CLIENTS = ["docker", OLD_CLIENT]


@pytest.fixture(autouse=True)
def nothing_left(field: Ground, untouched: None) -> Iterator[None]:
    """The volumes of a test go with it."""
    yield
    field.clear({row["Id"] for row in field.root("GET", "/containers/json").json if "victim" in row["Names"][0]})
    for volume in stored(field):
        field.root("DELETE", f"/volumes/{volume}")


def stored(field: Ground) -> set[str]:
    """What the engine has."""
    return {row["Name"] for row in field.root("GET", "/volumes").json["Volumes"]}


def names(user: User, **filters: list[str]) -> set[str]:
    """What a user sees."""
    query = f"?filters={json.dumps(filters)}".replace(" ", "").replace('"', "%22") if filters else ""
    query = query.replace("{", "%7B").replace("}", "%7D").replace("[", "%5B").replace("]", "%5D")
    return {row["Name"] for row in user.call("GET", f"/v1.41/volumes{query}").json["Volumes"]}


@pytest.mark.parametrize("client", CLIENTS)
def test_d21_two_users_have_a_volume_of_one_name(mallory: User, alice: User, field: Ground, client: str) -> None:
    for user, text in ((alice, "hers"), (mallory, "mine")):
        done = user.docker("run", "--rm", "-v", "vscode:/v", IMAGE, "sh", "-c", f"echo {text} > /v/x", client=client)
        assert done.code == 0, done.err
    assert stored(field) == {f"vscode._.{alice.uid}", f"vscode._.{mallory.uid}"}
    for user, text in ((alice, "hers"), (mallory, "mine")):
        assert user.docker("run", "--rm", "-v", "vscode:/v:ro", IMAGE, "cat", "/v/x", client=client).out == f"{text}\n"
        assert user.docker("volume", "ls", "-q", client=client).out == "vscode\n"
        (seen,) = json.loads(user.docker("volume", "inspect", "vscode", client=client).out)
        assert seen["Name"] == "vscode"
        assert "._." not in json.dumps(seen)
        assert user.docker("volume", "rm", "vscode", client=client).out == "vscode\n"
    assert stored(field) == set()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_life_of_a_volume(mallory: User, field: Ground, client: str) -> None:
    assert mallory.docker("volume", "create", "--label", "a=b", "data", client=client).out == "data\n"
    assert mallory.docker("volume", "create", "data", client=client).out == "data\n"
    assert mallory.docker("volume", "ls", "--filter", "label=a=b", "-q", client=client).out == "data\n"
    assert mallory.docker("volume", "ls", "--filter", "label=a=c", "-q", client=client).out == ""
    assert mallory.docker("volume", "ls", "--filter", "name=at", "-q", client=client).out == "data\n"
    mallory.docker("run", "-d", "--name", "user", "--mount", "src=data,dst=/d", IMAGE, "sleep", "99", client=client)
    refused = mallory.docker("volume", "rm", "data", client=client)
    assert refused.code != 0
    assert "volume is in use" in refused.err
    assert "._." not in refused.err
    shown = json.loads(mallory.docker("inspect", "user", client=client).out)[0]
    assert [mount["Name"] for mount in shown["Mounts"]] == ["data"]
    assert [mount["Source"] for mount in shown["HostConfig"]["Mounts"]] == ["data"]
    assert mallory.docker("ps", "-q", "--filter", "volume=data", client=client).out.strip() in shown["Id"]
    mallory.docker("rm", "-f", "user", client=client)
    assert mallory.docker("volume", "prune", "-f", "--filter", "label=no", client=client).code == 0
    assert names(mallory) == {"data"}
    named = ("-a",) if NEWER and client != OLD_CLIENT else ()  # from 1.42 on only when it is said
    assert "data" in mallory.docker("volume", "prune", "-f", *named, client=client).out
    assert names(mallory) == set() == stored(field)
    gone = mallory.docker("volume", "inspect", "data", client=client)
    assert "No such volume: data" in gone.err or "no such volume" in gone.err


def test_a_new_volume_is_its_owners_to_write(mallory: User) -> None:
    """Everything in a container runs as its user, and the engine makes and fills volumes as root."""
    context = mallory.folder("vol")
    (context / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN mkdir /filled && echo x > /filled/y\nVOLUME /declared\n")
    assert mallory.docker("build", "-q", "-t", "mallory/vol", str(context)).code == 0
    script = "touch /filled/z /declared/z /new/z && echo more >> /filled/y && cat /filled/y"
    done = mallory.docker("run", "-v", "app:/filled", "-v", "/new", "mallory/vol", "sh", "-c", script)
    assert (done.out, done.code) == ("x\nmore\n", 0), done.err
    assert len(names(mallory)) == 3
    assert "app" in names(mallory)


def test_d22_a_volume_of_hers_is_not_there(mallory: User, alice: User, field: Ground) -> None:
    made = alice.docker("run", "-v", "alice_data:/x", "-v", "/anonymous", IMAGE, "sh", "-c", "echo secret > /x/s")
    assert made.code == 0, made.err
    anonymous = next(name for name in names(alice) if len(name) == 64)
    for name in ("alice_data", f"alice_data._.{alice.uid}", anonymous):
        assert mallory.call("GET", f"/v1.41/volumes/{name}").status == 404
        absent = mallory.call("DELETE", "/v1.41/volumes/never-there?force=1").status
        assert mallory.call("DELETE", f"/v1.41/volumes/{name}?force=1").status == absent == 204
        assert mallory.call("DELETE", f"/v1.41/volumes/{name}").status == 404
    assert {"alice_data", anonymous} <= set(names(alice))
    assert mallory.docker("run", "--rm", "-v", "alice_data:/x", IMAGE, "ls", "/x").out == ""
    assert mallory.docker("run", "--rm", "-v", f"{anonymous}:/x", IMAGE, "ls", "/x").out == ""
    assert mallory.create(HostConfig={"Binds": [f"alice_data._.{alice.uid}:/x"]}).status == 400
    mounts = [{"Type": "volume", "Source": f"alice_data._.{alice.uid}", "Target": "/x"}]
    assert mallory.create(HostConfig={"Mounts": mounts}).status == 400
    assert mallory.call("POST", "/v1.41/volumes/create", {"Name": f"alice_data._.{alice.uid}"}).status == 400
    assert mallory.call("POST", "/v1.41/volumes/create", {"Name": anonymous}).status == 400
    assert f"{anonymous}._.{mallory.uid}" in stored(field)
    assert {f"alice_data._.{alice.uid}", anonymous} <= stored(field)
    assert alice.docker("run", "--rm", "-v", "alice_data:/x", IMAGE, "cat", "/x/s").out == "secret\n"


@pytest.mark.parametrize(
    "options",
    [
        {"type": "none", "o": "bind", "device": "/"},
        {"type": "none", "o": "rbind", "device": "/home"},
        {"type": "nfs", "o": "addr=10.0.0.1", "device": ":/"},
        {"type": "cifs", "device": "//10.0.0.1/x"},
        {"type": "ext4", "device": "/dev/sda1"},
        {"type": "overlay", "o": "lowerdir=/", "device": "overlay"},
        {"type": "tmpfs", "device": "/dev/sda"},
        {"type": "tmpfs", "device": "tmpfs", "o": "bind"},
        {"type": "tmpfs", "device": "tmpfs", "o": "suid"},
        {"TYPE": "none"},
        {"o": "bind", "device": "/"},
        {"mountpoint": "/"},
    ],
)
def test_e9_e10_nothing_of_the_host_is_a_volume(mallory: User, field: Ground, options: dict[str, str]) -> None:
    body = {"Name": "vol", "Driver": "local", "DriverOpts": options}
    assert mallory.call("POST", "/v1.41/volumes/create", body).status == 403
    mount = {"Type": "volume", "Target": "/x", "VolumeOptions": {"DriverConfig": {"Options": options}}}
    for source in ({}, {"Source": "vol"}):
        assert mallory.create(HostConfig={"Mounts": [{**mount, **source}]}).status == 403
    assert stored(field) == set()


def test_e9_other_drivers_and_odd_bodies(mallory: User, field: Ground) -> None:
    for driver in ({"Driver": "nfs"}, {"driver": "rexray"}):
        assert mallory.call("POST", "/v1.41/volumes/create", {"Name": "vol", **driver}).status == 404
    bodies: list[Any] = [
        {"Name": "../../etc"}, {"Name": "a/b"},
        {"Name": "vol", "ClusterVolumeSpec": {"Group": "x"}}, {"Name": "vol", "New": 1},
        {"Name": "vol", "DriverOpts": {"o": "bind"}, "driveropts": {}}, {"Name": "x"},
    ]  # fmt: skip
    for body in bodies:
        assert mallory.call("POST", "/v1.41/volumes/create", body).status in (400, 403), body
    assert mallory.docker("volume", "create", "-d", "local", "-o", "type=none", "-o", "o=bind", "-o", "device=/").code
    assert mallory.call("PUT", "/v1.42/volumes/vol", {}).status in (400, 403)
    assert stored(field) == set()


def test_a_volume_in_memory_has_a_size_and_an_owner(mallory: User, field: Ground) -> None:
    made = mallory.docker(
        "volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=8m,uid=0,mode=4777", "fast"
    )
    assert made.out == "fast\n", made.err
    (row,) = field.root("GET", "/volumes").json["Volumes"]
    assert row["Options"]["o"] == f"size=8388608,mode=0777,uid={mallory.uid},gid={mallory.person.gid},nosuid,nodev"
    done = mallory.docker("run", "--rm", "-v", "fast:/f", IMAGE, "sh", "-c", "touch /f/x && df -k /f | tail -1")
    assert "8192" in done.out, done


def test_d9_volumes_are_counted(mallory: User, field: Ground) -> None:
    for number in range(30):
        assert mallory.call("POST", "/v1.41/volumes/create", {"Name": f"v{number}"}).status == 201
    over = mallory.call("POST", "/v1.41/volumes/create", {"Name": "one-more"})
    assert (over.status, "30 of 30 volumes" in over.message) == (409, True)
    assert mallory.create(HostConfig={"Binds": ["one-more:/x"]}).status == 409
    field.root("DELETE", f"/volumes/v1._.{mallory.uid}")
    assert mallory.call("POST", "/v1.41/volumes/create", {"Name": "one-more"}).status == 201


def test_d9_volumes_that_nobody_names_are_counted(mallory: User, field: Ground) -> None:
    """The engine makes them for a container: those of the request, and those its image wants."""
    many = [{"Type": "volume", "Target": f"/v{number}"} for number in range(31)]
    for over in (
        mallory.create(HostConfig={"Mounts": many}), mallory.create(Volumes={each["Target"]: {} for each in many}),
    ):  # fmt: skip
        assert (over.status, "needs 31 more" in over.message) == (409, True), over.body
    assert stored(field) == set()
    assert mallory.create("many", HostConfig={"Mounts": many[:28]}).status == 201
    assert mallory.docker("commit", "-c", 'VOLUME ["/a", "/b/", "/c"]', "many", "wants:1").code == 0
    over = mallory.create(Image="wants:1")
    assert (over.status, "needs 3 more" in over.message) == (409, True), over.body
    made = mallory.create(Image="wants:1", HostConfig={"Mounts": [{"Type": "tmpfs", "Target": "/b"}]})
    assert made.status == 201, made.body
    assert len(stored(field)) == 30
    assert mallory.create(Volumes={"/one-more": {}}).status == 409
    assert mallory.create().status == 201
    for container in ("many", made.json["Id"]):
        assert mallory.call("DELETE", f"/v1.41/containers/{container}?v=1").status == 204
    assert stored(field) == set()
    assert mallory.create(Volumes={"/one-more": {}}).status == 201


def test_d9_volumes_of_a_launch_are_hers_and_counted(mallory: User, field: Ground) -> None:
    """They stay without -v, as with the engine."""
    context = mallory.folder("vol")
    (context / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN mkdir /filled && echo x > /filled/y\nVOLUME /filled\n")
    assert mallory.docker("build", "-q", "-t", "mallory/vol", str(context)).code == 0
    request = {
        "project": "kept", "workspace": str(mallory.folder("kept")), "image": "mallory/vol:latest", "gpus": "0",
    }  # fmt: skip
    launched = control(mallory, field, "POST", "/v1/launches", request)
    (volume,) = stored(field)
    assert names(mallory) == {volume}, launched.body
    folder = Path(field.root("GET", f"/volumes/{volume}").json["Mountpoint"])
    assert {path.stat().st_uid for path in (folder, folder / "y")} == {mallory.uid}
    assert mallory.call("DELETE", "/v1.41/containers/kept?force=1").status == 204
    assert names(mallory) == {volume}
    assert mallory.docker("volume", "rm", volume).code == 0
    assert (stored(field), names(mallory)) == (set(), set())


def test_d18_prune_takes_only_ones_own(mallory: User, alice: User, victim: Victim, field: Ground) -> None:
    alice.docker("volume", "create", "keep")
    mallory.docker("volume", "create", "mine")
    for query in ("", "?filters=%7B%22all%22%3A%7B%22true%22%3Atrue%7D%7D"):
        assert mallory.call("POST", f"/v1.41/volumes/prune{query}").status == 200
    assert stored(field) == {f"keep._.{alice.uid}"}


def test_o17_events_of_volumes_reach_their_owner_alone(mallory: User, alice: User, field: Ground) -> None:
    since = mallory.call("GET", "/v1.41/info").json["SystemTime"]
    alice.docker("volume", "create", "quiet")
    alice.docker("volume", "rm", "quiet")
    mallory.docker("volume", "create", "loud")
    mallory.docker("run", "--rm", "-v", "loud:/x", IMAGE, "true")
    mallory.docker("volume", "rm", "loud")
    shown = "{{.Type}} {{.Action}} {{.Actor.ID}}"
    told = mallory.docker("events", "--since", since, "--until", str(int(time.time()) + 1), "--format", shown)
    assert "quiet" not in told.out
    lines = [line for line in told.out.splitlines() if line.startswith("volume")]
    assert {"volume mount loud", "volume unmount loud", "volume destroy loud"} <= set(lines), told


@pytest.mark.parametrize("place", ["/dev/pts", "/x/../dev", "/sys/fs/cgroup", "/run/ds01"])
def test_no_image_mounts_a_volume_where_nobody_may(mallory: User, field: Ground, place: str) -> None:
    assert mallory.create("plain").status == 201
    assert mallory.docker("commit", "-c", f'VOLUME ["{place}", "/data"]', "plain", "covering:1").code == 0
    made = mallory.create(Image="covering:1")
    assert (made.status, "Take that VOLUME out of its Dockerfile" in made.message) == (403, True), made.body
    assert stored(field) == set()
