"""Containers that are renamed, updated, pruned, exported: one's own, within one's limits."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any
from urllib.parse import quote

import pytest

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, User
from tests.engine.gateway.test_life import rows

pytestmark = [pytest.mark.engine, pytest.mark.root]
CLIENTS = ["docker", OLD_CLIENT]
GIB = 1 << 30


@pytest.mark.parametrize("client", CLIENTS)
def test_rename(mallory: User, alice: User, field: Ground, client: str) -> None:
    made = mallory.runs("before")
    assert mallory.docker("rename", "before", "after", client=client).code == 0
    assert field.seen(made)["Name"] == f"/after._.{mallory.uid}"
    assert mallory.docker("inspect", "-f", "{{.Name}}", "after", client=client).out == "/after\n"
    assert mallory.docker("inspect", "before", client=client).code != 0
    mallory.create("taken")
    refused = mallory.docker("rename", "after", "taken", client=client)
    assert 'The container name "/taken" is already in use' in refused.err
    assert mallory.docker("rename", "after", "deadbeef", client=client).code != 0
    assert mallory.docker("rename", "after", "after", client=client).code != 0
    assert rows(field, f"select name from containers where id = '{made}'") == [("after",)]
    assert mallory.docker("run", "-d", "--name", "before", IMAGE, "true", client=client).code == 0


def test_o11_o23_renaming_reaches_nobody_else(mallory: User, alice: User, victim: Victim, field: Ground) -> None:
    for ref in (victim.id, "victim", f"victim._.{alice.uid}"):
        assert mallory.call("POST", f"/v1.41/containers/{ref}/rename?name=x").status == 404
        assert mallory.call("POST", f"/v1.41/containers/{ref}/update", {"Memory": GIB}).status == 404
    mine = mallory.runs("mine")
    assert mallory.call("POST", "/v1.41/containers/mine/rename?name=victim").status == 204
    assert field.seen(mine)["Name"] == f"/victim._.{mallory.uid}"
    assert alice.call("GET", "/v1.41/containers/victim/json").json["Id"] == victim.id
    for name in (f"x._.{alice.uid}", "a/b", "", quote("a\nb"), "0123456789ab", "..", "a" * 200):
        assert mallory.call("POST", f"/v1.41/containers/{mine}/rename?name={name}").status == 400


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ({"Memory": 500 * GIB, "MemorySwap": -1}, {"Memory": GIB, "MemorySwap": GIB}),
        ({"Memory": 64 << 20}, {"Memory": 64 << 20, "MemorySwap": 64 << 20}),
        ({"MemorySwap": -1}, {"Memory": GIB, "MemorySwap": GIB}),
        ({"PidsLimit": -1}, {"PidsLimit": 256}),
        ({"PidsLimit": 0}, {"PidsLimit": 256}),
        ({"PidsLimit": 10}, {"PidsLimit": 10}),
        ({"NanoCpus": 10**12}, {}),
        ({"NanoCpus": 5 * 10**8}, {"NanoCpus": 5 * 10**8}),
        ({"CpuQuota": 50000, "CpuPeriod": 100000}, {"NanoCpus": 5 * 10**8}),
        ({"CpuShares": 99999}, {"CpuShares": 1024}),
        ({"RestartPolicy": {"Name": "always"}}, {"RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}}),
        ({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 999}},
         {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}}),
    ],
)  # fmt: skip
def test_d1_update_is_within_the_limits(
    mallory: User, field: Ground, asked: dict[str, Any], stored: dict[str, Any]
) -> None:
    made = mallory.create("amounts").json["Id"]
    done = mallory.call("POST", f"/v1.41/containers/{made}/update", asked)
    assert done.status == 200, done.body
    host = field.seen(made)["HostConfig"]
    assert {key: host[key] for key in stored} == stored
    assert 0 < host["NanoCpus"] <= 2 * 10**9
    assert 0 < host["Memory"] <= GIB
    assert 0 < host["PidsLimit"] <= 256


@pytest.mark.parametrize(
    "asked",
    [
        {"CgroupParent": "/"}, {"Devices": [{"PathOnHost": "/dev/sda"}]}, {"DeviceCgroupRules": ["a *:* rwm"]},
        {"DeviceRequests": [{"Count": -1}]}, {"KernelMemory": GIB}, {"CpuRealtimeRuntime": 1000},
        {"OomKillDisable": True}, {"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 1}]},
        {"BlkioDeviceWriteBps": [{"Path": "/dev/sda", "Rate": 1}]}, {"Privileged": True}, {"CapAdd": ["ALL"]},
        {"RestartPolicy": {"Name": "odd"}}, {"memory": 1, "Memory": 2}, {"Binds": ["/:/h"]},
    ],
)  # fmt: skip
def test_update_changes_amounts_only(mallory: User, field: Ground, asked: dict[str, Any]) -> None:
    made = mallory.create("walls").json["Id"]
    before = field.seen(made)["HostConfig"]
    assert mallory.call("POST", f"/v1.41/containers/{made}/update", asked).status in (400, 403)
    assert field.seen(made)["HostConfig"] == before


def test_d1_docker_update(mallory: User, field: Ground) -> None:
    made = mallory.runs("u")
    for client in CLIENTS:
        done = mallory.docker("update", "--memory", "500g", "--memory-swap", "-1", "--cpus", "99", "u", client=client)
        assert done.code == 0, done.err
        host = field.seen(made)["HostConfig"]
        assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (GIB, GIB, 256)


def test_g14_a_gpu_container_is_never_restarted(mallory: User, field: Ground) -> None:
    made = mallory.create("g", HostConfig={"DeviceRequests": [{"Count": 1, "Capabilities": [["gpu"]]}]}).json["Id"]
    body = {"RestartPolicy": {"Name": "always"}}
    assert mallory.call("POST", f"/v1.41/containers/{made}/update", body).status == 200
    assert field.seen(made)["HostConfig"]["RestartPolicy"]["Name"] == "no"


@pytest.mark.parametrize("client", CLIENTS)
def test_changes_and_export(mallory: User, client: str) -> None:
    mallory.docker("run", "--name", "wrote", IMAGE, "sh", "-c", "echo x > /tmp/y", client=client)
    assert "A /tmp/y" in mallory.docker("diff", "wrote", client=client).out
    archive = mallory.home / "out.tar"
    assert mallory.docker("export", "-o", str(archive), "wrote", client=client).code == 0
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as tar:
        assert "tmp/y" in tar.getnames()


@pytest.mark.parametrize("client", CLIENTS)
def test_d18_prune(mallory: User, alice: User, victim: Victim, field: Ground, client: str) -> None:
    hers = alice.create("stopped").json["Id"]
    mine = mallory.create("stopped", Labels={"x": "1"}).json["Id"]
    kept = mallory.create("kept", Labels={"keep": "1"}).json["Id"]
    runs = mallory.runs("running")
    assert mine in mallory.docker("container", "prune", "-f", "--filter", "label!=keep", client=client).out
    assert {hers, kept, runs, victim.id} <= field.ids()
    assert mine not in field.ids()
    assert rows(field, f"select state from containers where id = '{mine}'") == [("removed",)]
    filters = quote(json.dumps({"label": [f"ds01.owner.uid={alice.uid}"]}))
    assert mallory.call("POST", f"/v1.41/containers/prune?filters={filters}").json["ContainersDeleted"] is None
    assert {hers, kept, runs, victim.id} <= field.ids()
