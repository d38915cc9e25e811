"""The body the engine gets: every limit set, nothing but what was kept and what was granted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ds01.domain.dockerpolicy.case import Asker, Plan
from ds01.domain.dockerpolicy.create import judge_create
from ds01.domain.dockerpolicy.strictjson import parse_object
from ds01.domain.health import OFTEN_NS, Health
from ds01.domain.labels import TRUSTED, Label
from ds01.gateway.finish import Blueprint, Resolved, body
from ds01.gateway.ports import elsewhere
from ds01.wire.door import DoorGrant, GrantedDevice, GrantedRequest, StagedBind

GIB = 1024**3
IMAGE = Blueprint(id="sha256:1", ports=("8888/tcp",))


def plan(config: dict[str, Any] | None = None, /, **host: Any) -> Plan:
    sent = {"Image": "bb", **(config or {}), "HostConfig": host}
    return judge_create(parse_object(json.dumps(sent).encode()), "mine", Asker(uid=1002, gid=1002))


def grant(**changes: Any) -> DoorGrant:
    usual: dict[str, Any] = {
        "ticket": "t", "stored_name": "mine._.1002", "labels": {Label.OWNER: "1002", Label.NAME: "mine"},
        "cgroup_parent": "/ds01-u1002.slice", "network": "ds01-u1002", "cpus": 1.5, "memory_bytes": GIB,
        "swap_bytes": 0, "shm_bytes": GIB // 4, "pids": 100, "stop_grace_seconds": 60,
    }  # fmt: skip
    return DoorGrant(**{**usual, **changes})


def made(asked: Plan, given: DoorGrant, **ids: str) -> tuple[Any, Any]:
    found: Any = body(asked, given, IMAGE, Resolved(containers=ids, networks={"": "ds01-u1002", "app": "app._.1002"}))
    return found, found["HostConfig"]


def test_every_limit_is_set() -> None:
    _, host = made(plan(), grant())
    expected = {
        "Privileged": False, "CgroupParent": "/ds01-u1002.slice", "NanoCpus": 1_500_000_000, "Memory": GIB,
        "MemorySwap": GIB, "ShmSize": GIB // 4, "PidsLimit": 100, "OomScoreAdj": 500, "IpcMode": "private",
        "CgroupnsMode": "private", "CapDrop": ["MKNOD", "NET_RAW"], "NetworkMode": "ds01-u1002",
        "Devices": [], "SecurityOpt": [],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}, "DeviceRequests": [],
    }  # fmt: skip
    assert {key: host[key] for key in expected} == expected


def test_g3_g4_without_a_gpu_the_images_own_wish_is_void() -> None:
    config, _ = made(plan({"Env": ["A=1"]}), grant())
    assert config["Env"] == ["A=1", "NVIDIA_VISIBLE_DEVICES=void"]


def test_s5_every_label_ds01_reads_is_set_over_the_images() -> None:
    config, _ = made(plan({"Labels": {"a": "b", "ds01.lease": "x"}}), grant())
    assert set(TRUSTED) <= set(config["Labels"])
    assert config["Labels"][Label.OWNER] == "1002"
    assert config["Labels"][Label.LEASE] == ""
    assert config["Labels"]["a"] == "b"


def test_the_image_is_an_id() -> None:
    config, _ = made(plan(), grant())
    assert config["Image"] == "sha256:1"


def test_a_container_with_an_unsafe_folder_runs_as_its_owner() -> None:
    given = grant(force_user="1002:1002", binds=(StagedBind(staged="/run/b/0", target="/d", read_only=False),))
    asked = plan({"User": "0"}, CapAdd=["SYS_PTRACE"], GroupAdd=["27"], Binds=["/home/m/d:/d"])
    config, host = made(asked, given)
    assert config["User"] == "1002:1002"
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["CapDrop"] == ["ALL"]
    assert (host["CapAdd"], host["GroupAdd"]) == ([], [])
    assert "HOME=/tmp" in config["Env"]
    assert "HOME=/tmp" not in made(plan({"Env": ["HOME=/x"]}, Binds=["/home/m/d:/d"]), given)[0]["Env"]
    assert host["Binds"] == []
    assert host["Mounts"] == [
        {"Type": "bind", "Source": "/run/b/0", "Target": "/d", "ReadOnly": False,
         "BindOptions": {"Propagation": "rprivate"}, "Consistency": "consistent"}
    ]  # fmt: skip


def test_a_container_with_root_has_the_groups_it_asked_for() -> None:
    assert made(plan(GroupAdd=["1000", "video"]), grant())[1]["GroupAdd"] == ["1000", "video"]


def test_e13_the_users_own_no_new_privileges_stays() -> None:
    assert made(plan(SecurityOpt=["no-new-privileges"]), grant())[1]["SecurityOpt"] == ["no-new-privileges"]


def test_e30_g14_with_a_gpu_nothing_is_preloaded_and_nothing_restarts_by_itself() -> None:
    given = grant(
        devices=(GrantedDevice(host="/r/dev/nvidia0", inside="/dev/nvidia0"),),
        requests=(GrantedRequest(driver="nvidia", ids=("GPU-1",)),),
        environment={"NVIDIA_VISIBLE_DEVICES": "GPU-1"},
    )
    config, host = made(plan({"Env": ["LD_PRELOAD=/evil.so"]}, RestartPolicy={"Name": "always"}), given)
    assert host["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert host["Devices"][0]["PathOnHost"] == "/r/dev/nvidia0"
    assert host["DeviceRequests"] == [
        {"Driver": "nvidia", "Count": 0, "DeviceIDs": ["GPU-1"], "Capabilities": [["gpu"]]}
    ]
    assert config["Env"] == ["NVIDIA_VISIBLE_DEVICES=GPU-1", "LD_PRELOAD="]


def test_d4_memory_file_systems_have_a_size() -> None:
    mounts = [{"Type": "tmpfs", "Target": f"/{n}", "TmpfsOptions": {"SizeBytes": n}} for n in (0, 5, 900 << 30)]
    _, host = made(
        plan(Tmpfs={"/a": "", "/b": "size=10m,mode=4700,ro,uid=5", "/c": "size=900g"}, Mounts=mounts), grant()
    )
    assert {m["Target"]: m["TmpfsOptions"]["SizeBytes"] for m in host["Mounts"]} == {
        "/0": GIB // 2, "/5": 5, f"/{900 << 30}": GIB // 2,
    }  # fmt: skip
    assert host["Tmpfs"] == {
        "/a": f"size={GIB // 2}", "/b": "size=10m,mode=700,ro,uid=5", "/c": f"size={GIB // 2}",
    }  # fmt: skip


def test_the_own_network_knows_the_container_by_its_plain_name() -> None:
    config, _ = made(plan(), grant())
    assert config["NetworkingConfig"] == {"EndpointsConfig": {"ds01-u1002": {"Aliases": ["mine"]}}}
    offline, host = made(plan(NetworkMode="none"), grant())
    assert offline["NetworkingConfig"] == {"EndpointsConfig": {}}
    assert host["NetworkMode"] == "none"


def test_c17_other_containers_are_named_by_their_whole_id() -> None:
    asked = plan(NetworkMode="container:other", VolumesFrom=["other:ro"], Links=["db:base"])
    assert set(asked.references) == {"other", "db"}
    config, host = made(asked, grant(), other="a" * 64, db="b" * 64)
    assert host["NetworkMode"] == "container:" + "a" * 64
    assert host["VolumesFrom"] == ["a" * 64 + ":ro"]
    assert config["NetworkingConfig"] == {"EndpointsConfig": {}}


def test_o19_a_link_is_a_name_on_the_users_own_network() -> None:
    config, host = made(plan(Links=["db:base"]), grant(), db="b" * 64)
    end = {"Aliases": ["mine"], "Links": ["b" * 12 + ":base"]}
    assert config["NetworkingConfig"] == {"EndpointsConfig": {"ds01-u1002": end}}
    assert "Links" not in host


def test_d12_all_ports_are_published_on_loopback() -> None:
    _, host = made(plan({"ExposedPorts": {"80/tcp": {}}}, PublishAllPorts=True), grant())
    assert "PublishAllPorts" not in host
    assert host["PortBindings"] == {
        key: [{"HostIp": "127.0.0.1", "HostPort": ""}] for key in ("80/tcp", "8888/tcp")
    }  # fmt: skip


BOUND = {"80/tcp": [{"HostIp": "10.20.0.5", "HostPort": "8080"}, {"HostPort": "8081"}],
         "99/udp": [{"HostIp": "0.0.0.0", "HostPort": ""}]}  # fmt: skip
PLAIN, CAMPUS, EVERY = "127.0.0.1", "10.20.0.5", "0.0.0.0"


@pytest.mark.parametrize(
    ("given", "addresses", "told"),
    [
        ((), (PLAIN, PLAIN, PLAIN), (("80/tcp", CAMPUS, ""), ("99/udp", EVERY, ""))),
        (("10.20.1.5",), (PLAIN, PLAIN, PLAIN), (("80/tcp", CAMPUS, "10.20.1.5"), ("99/udp", EVERY, "10.20.1.5"))),
        (("10.20.1.5", CAMPUS), (CAMPUS, PLAIN, PLAIN), (("99/udp", EVERY, f"10.20.1.5 or {CAMPUS}"),)),
        (("any",), (CAMPUS, PLAIN, EVERY), ()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("moved", [(), (8080,), (8081,)])
def test_d12_an_address_is_named_and_granted_or_it_is_loopback(
    given: tuple[str, ...], addresses: tuple[str, ...], told: tuple[tuple[str, str, str], ...], moved: tuple[int, ...]
) -> None:
    asked, allowed = plan(PortBindings=BOUND), grant(publish=given, moved=moved)
    first, second = ("" if port in moved else str(port) for port in (8080, 8081))
    assert made(asked, allowed)[1]["PortBindings"] == {
        "80/tcp": [{"HostIp": addresses[0], "HostPort": first}, {"HostIp": addresses[1], "HostPort": second}],
        "99/udp": [{"HostIp": addresses[2], "HostPort": ""}],
    }
    sentences = tuple(
        f"port {port} is published on 127.0.0.1, not {address}{f': your group may name {others}' if others else ''}"
        for port, address, others in told
    )
    assert tuple(change.text for change in elsewhere(asked.case, allowed)) == sentences
    assert all(change.told for change in elsewhere(asked.case, allowed))


@pytest.mark.parametrize(
    "address", ["::", "[::]", "fd00::5", "127.0.0.2", "10.20.0.5 ", "10.020.0.5", "lab", "any", "*"]
)
def test_d12_what_is_no_address_is_loopback_whatever_is_granted(address: str) -> None:
    asked, allowed = plan(PortBindings={"80/tcp": [{"HostIp": address}]}), grant(publish=("any",))
    assert made(asked, allowed)[1]["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    (change,) = elsewhere(asked.case, allowed)
    assert change.text.endswith("your group may name any IPv4 address of this server, or 0.0.0.0 for all")


@pytest.mark.parametrize(
    ("api", "asked", "sent"),
    [
        ((1, 45), {}, {"Interval": OFTEN_NS, "StartInterval": OFTEN_NS}),
        ((1, 45), {"Interval": 2 * OFTEN_NS}, {"Interval": 2 * OFTEN_NS, "StartInterval": OFTEN_NS}),
        ((1, 41), {"StartPeriod": OFTEN_NS}, {"Interval": OFTEN_NS, "StartPeriod": 1_000_000}),
    ],
)
def test_d10_the_images_own_health_check_is_slowed(
    api: tuple[int, int], asked: dict[str, int], sent: dict[str, int]
) -> None:
    lively = replace(IMAGE, health=Health(interval_ns=1, starting_ns=1), api=api)
    config = body(plan({"Healthcheck": asked}), grant(), lively, Resolved(containers={}, networks={"": "ds01-u1002"}))
    assert config["Healthcheck"] == {"Test": [], **sent}


def test_nothing_is_in_the_body_that_nobody_put_there() -> None:
    config, host = made(plan({"Cmd": ["x"]}), grant())
    assert set(config) == {"Cmd", "Image", "Env", "Labels", "Volumes", "StopTimeout", "HostConfig", "NetworkingConfig"}
    assert len(host) == 19
