"""Section 5 of the attacks: GPUs come from a lease, whatever the request is called, and go to whoever asked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, Reply, User, wait
from tests.engine.gateway.ground import ask as ask_on

pytestmark = [pytest.mark.engine, pytest.mark.root]


def ask(**request: Any) -> dict[str, Any]:
    return {"HostConfig": {"DeviceRequests": [request]}}


ONE = ask(Count=1, Capabilities=[["gpu"]])
WAYS: dict[str, tuple[dict[str, Any], int]] = {
    "g1_all": (ask(Count=-1, Capabilities=[["gpu"]]), 2),
    "g1_of_ones_own_choosing": (ask(DeviceIDs=["GPU-00000000-0000-0000-0000-000000000000"], Capabilities=[["gpu"]]), 1),
    "g2_compose": (ask(Driver="nvidia", Count=1, Capabilities=[["gpu", "compute"]], Options={"x": "y"}), 1),
    "g5_runtime": ({"HostConfig": {"Runtime": "nvidia"}}, 1),
    "g6_cdi": (ask(Driver="cdi", DeviceIDs=["nvidia.com/gpu=all"]), 2),
    "g6_nvidia_cdi": (ask(Driver="nvidia.cdi", DeviceIDs=["nvidia.com/gpu=0"]), 1),
    "g6_hook": (ask(Driver="nvidia.runtime-hook", Count=2, Capabilities=[["gpu"]]), 2),
    "g6_no_driver": (ask(Driver="", Count=2, Capabilities=[["gpu"]]), 2),
}


@pytest.fixture(autouse=True)
def nothing_is_kept(field: Ground, victim: Victim) -> Iterator[None]:
    """What a test leased is free for the next one."""
    yield
    field.clear({victim.id})
    wait(lambda: not leases(field))


def leases(field: Ground) -> list[tuple[int, str]]:
    """Whose the open leases are, and of which container."""
    with sqlite3.connect(f"file:{field.state}/ledger.db?mode=ro", uri=True) as ledger:
        return ledger.execute("select uid, name from leases where ended_at is null").fetchall()


def has(field: Ground, made: Reply) -> tuple[int, str]:
    """How many GPUs a container really has, and which ones its programs are told of."""
    found = field.seen(made.json["Id"])
    told = next(e for e in found["Config"]["Env"] if e.startswith("NVIDIA_VISIBLE_DEVICES="))
    assert not found["HostConfig"]["DeviceRequests"]
    assert found["HostConfig"]["Runtime"] == "ds01"
    assert found["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")
    return len(found["HostConfig"]["Devices"] or ()), told.partition("=")[2]


@pytest.mark.parametrize(("asked", "number"), WAYS.values(), ids=WAYS.keys())
def test_g1_g2_g5_g6_the_lease_decides(mallory: User, field: Ground, asked: dict[str, Any], number: int) -> None:
    made = mallory.create("mine", **asked)
    assert made.status == 201, made.body
    devices, told = has(field, made)
    assert devices == number == len(told.split(","))
    assert "00000000" not in told
    assert "all" not in told
    assert leases(field) == [(mallory.uid, "mine")]


@pytest.mark.parametrize("asked", [
    ask(Count=8, Capabilities=[["gpu"]]), ask(Count=1, Capabilities=[["tpu"]]), ask(Driver="amd", Count=1),
    ask(Driver="cdi", DeviceIDs=["vendor.com/net=eth0"]), {"HostConfig": {"Runtime": "nvidia-legacy"}},
])  # fmt: skip
def test_g1_g6_what_no_lease_can_be_is_refused(mallory: User, field: Ground, asked: dict[str, Any]) -> None:
    before = field.ids()
    made = mallory.create(**asked)
    assert made.status in (400, 403, 409), made.body
    assert field.ids() == before
    assert leases(field) == []


@pytest.mark.parametrize("client", ["docker", OLD_CLIENT])
def test_g1_g3_g10_with_clients(mallory: User, client: str) -> None:
    """Every variable that asks for more is void."""
    words = ("-e", "NVIDIA_VISIBLE_DEVICES=all", "-e", "NVIDIA_MIG_CONFIG_DEVICES=all", "-e",
             "NVIDIA_MIG_MONITOR_DEVICES=all", "-e", "NVIDIA_IMEX_CHANNELS=0", "-e", "NVIDIA_GDS=enabled")  # fmt: skip
    show = ("sh", "-c", "env | grep ^NVIDIA_ | sort; ls /dev | grep -c nvidia")
    none = mallory.docker("run", "--rm", *words, IMAGE, *show, client=client)
    assert none.out.split() == ["NVIDIA_VISIBLE_DEVICES=void", "0"]
    one = mallory.docker("run", "--rm", "--gpus", "1", *words, IMAGE, *show, client=client)
    assert one.out.startswith("NVIDIA_VISIBLE_DEVICES=GPU-"), one
    assert one.out.split()[1:] == ["1"]
    exec_ = mallory.runs("mine")
    inside = mallory.docker("exec", "-e", "NVIDIA_VISIBLE_DEVICES=all", exec_, "sh", "-c", "env | grep NVIDIA_V")
    assert inside.out == "NVIDIA_VISIBLE_DEVICES=void\n"


def test_g4_g12_what_an_image_wishes_is_void(mallory: User, field: Ground) -> None:
    context = mallory.folder("cuda")
    (context / "Dockerfile").write_text(
        f"FROM {IMAGE}\nENV NVIDIA_VISIBLE_DEVICES=all CUDA_VERSION=12.4\n"
        "RUN ls /dev | grep -c nvidia > /seen; echo $NVIDIA_VISIBLE_DEVICES >> /seen; true\n"
    )
    built = mallory.docker("build", "-q", "-t", "mallory/cuda", str(context))
    assert built.code == 0, built.err
    show = ("sh", "-c", "cat /seen; echo $NVIDIA_VISIBLE_DEVICES; ls /dev | grep -c nvidia")
    done = mallory.docker("run", "--rm", "mallory/cuda", *show)
    assert done.out.split() == ["0", "void", "void", "0"]
    field.clear_images(mallory.uid)


def test_g7_annotations_are_no_switches(mallory: User, field: Ground) -> None:
    asked = {"cdi.k8s.io/x": "nvidia.com/gpu=all"}
    made = mallory.create(HostConfig={"Annotations": asked})
    assert made.status == 201
    assert not field.seen(made.json["Id"])["HostConfig"].get("Annotations")
    assert has(field, made) == (0, "void")
    assert mallory.create(Annotations=asked).status == 400


@pytest.mark.parametrize("target", [
    "/var/run/nvidia-container-devices/all", "/run/nvidia-container-devices/GPU-x",
    "/var/run/nvidia-container-devices/cdi/nvidia.com/gpu/all", "/var/run/../run/nvidia-container-devices/all",
])  # fmt: skip
def test_g8_no_mount_asks_for_a_gpu(mallory: User, field: Ground, target: str) -> None:
    own = mallory.folder("nothing") / "file"
    own.touch()
    before = field.ids()
    for host in ({"Binds": [f"/dev/null:{target}"]}, {"Binds": [f"{own}:{target}"]}, {"Tmpfs": {target: ""}},
                 {"Mounts": [{"Type": "volume", "Target": target}]}):  # fmt: skip
        assert mallory.create(HostConfig=host).status in (400, 403), host
    assert mallory.create(Volumes={target: {}}).status in (400, 403)
    assert field.ids() == before


@pytest.mark.parametrize("host", [
    {"Devices": [{"PathOnHost": "/dev/nvidia1", "PathInContainer": "/dev/nvidia0", "CgroupPermissions": "rwm"}]},
    {"Devices": [{"PathOnHost": "{run}/dev/nvidia1", "PathInContainer": "/dev/x", "CgroupPermissions": "r"}]},
    {"DeviceCgroupRules": ["c 195:* rwm"]}, {"DeviceCgroupRules": ["a *:* rwm"]},
])  # fmt: skip
def test_g9_no_node_beside_the_lease(mallory: User, field: Ground, host: dict[str, Any]) -> None:
    before = field.ids()
    for device in host.get("Devices", ()):
        device["PathOnHost"] = device["PathOnHost"].format(run=field.run)
    made = mallory.create(HostConfig={**host, **ONE["HostConfig"]})
    assert made.status == 403, made.body
    assert field.ids() == before
    assert leases(field) == []


def test_g9_nodes_made_inside_open_nothing(mallory: User) -> None:
    container = mallory.runs("mine")
    done = mallory.docker("exec", container, "sh", "-c", "mknod /gpu c 195 0 || echo refused")
    assert "refused" in done.out


def test_g13_g14_a_gpu_that_went_to_another_is_not_there_at_the_next_start(
    mallory: User, alice: User, field: Ground
) -> None:
    before = (field.run / "limits.yaml").read_text()
    with field.limited(before.replace("memory: 1G,", "memory: 1G, gpu_hold: 0s,")):
        both = ask(Count=2, Capabilities=[["gpu"]])
        made = mallory.create("mine", Cmd=["sleep", "1000"], **both)
        assert mallory.call("POST", f"/v1.41/containers/{made.json['Id']}/start").status == 204
        assert mallory.call("POST", f"/v1.41/containers/{made.json['Id']}/stop?t=0").status == 204
        wait(lambda: not leases(field))
        alice.runs("hers", **both)
        again = mallory.call("POST", f"/v1.41/containers/{made.json['Id']}/start")
        assert again.status == 409, again.body
        assert not field.seen(made.json["Id"])["State"]["Running"]
        assert leases(field) == [(alice.uid, "hers")]
        asked = mallory.call(
            "POST", f"/v1.41/containers/{made.json['Id']}/update", {"RestartPolicy": {"Name": "always"}}
        )
        assert field.seen(made.json["Id"])["HostConfig"]["RestartPolicy"]["Name"] in ("", "no"), asked.body


def test_g13_a_restart_and_a_start_of_what_runs_leave_no_grant_to_start_by(mallory: User, field: Ground) -> None:
    """Of one with ``--rm``, too, which a restart keeps. Else whatever starts it later, in the engine, has the GPU."""
    made = mallory.create("mine", Cmd=["sleep", "1000"], HostConfig={**ONE["HostConfig"], "AutoRemove": True})
    path = f"/v1.41/containers/{made.json['Id']}"
    grant = Path(field.engine.root, f"guard/grants/{made.json['Id']}.json")
    assert mallory.call("POST", f"{path}/start").status == 204
    begun = field.seen(made.json["Id"])["State"]["StartedAt"]
    for what, status in (("restart?t=0", 204), ("start", 304), ("restart?t=1", 204)):
        assert mallory.call("POST", f"{path}/{what}").status == status
        assert json.loads(grant.read_text())["used"], what
        assert field.seen(made.json["Id"])["State"]["Running"]
    assert field.seen(made.json["Id"])["State"]["StartedAt"] > begun
    assert leases(field) == [(mallory.uid, "mine")]


def test_g18_the_last_gpu_goes_to_one_of_many(mallory: User, alice: User, field: Ground) -> None:
    """Connections are made one after the other, because the whole process is somebody else then; asked is at once."""
    mallory.runs("first", **ONE)
    asking = [(user, user.connect()) for user in (alice, mallory, alice, mallory)]
    with ThreadPoolExecutor(len(asking)) as pool:
        asked = [
            pool.submit(ask_on, sock, "POST", f"/v1.41/containers/create?name=last{number}", {"Image": IMAGE, **ONE})
            for number, (_, sock) in enumerate(asking)
        ]
    assert sorted(each.result().status for each in asked) == [201, 409, 409, 409]
    assert len(leases(field)) == 2


@pytest.mark.parametrize("labels", [
    {"ds01.owner.uid": "{alice}"}, {"DS01.Owner.uid": "{alice}"}, {"ds01.user": "alice", "aime.mlc.USER": "alice"},
])  # fmt: skip
def test_g19_who_asks_is_charged(mallory: User, alice: User, field: Ground, labels: dict[str, str]) -> None:
    told = {name: value.format(alice=alice.uid) for name, value in labels.items()}
    made = mallory.create("mine", Labels=told, **ONE)
    assert made.status == 201, made.body
    assert leases(field) == [(mallory.uid, "mine")]
    assert field.seen(made.json["Id"])["Config"]["Labels"]["ds01.owner.uid"] == str(mallory.uid)


def test_g20_a_neighbours_gpu_is_not_reached_by_her_processes(mallory: User, alice: User, field: Ground) -> None:
    hers = alice.runs("training", **ONE)
    before = field.ids()
    for host in ({"PidMode": f"container:{hers}"}, {"IpcMode": f"container:{hers}"}, {"PidMode": "container:training"},
                 {"NetworkMode": f"container:{hers[:12]}"}, {"VolumesFrom": [hers]}):  # fmt: skip
        assert mallory.create(HostConfig={**host, "CapAdd": ["SYS_PTRACE"]}).status == 404
    assert field.ids() == before
    node = Path(field.seen(hers)["HostConfig"]["Devices"][0]["PathOnHost"])
    assert node.is_relative_to(field.run)
