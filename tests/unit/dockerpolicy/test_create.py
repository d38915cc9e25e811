"""``create``, field by field: every field of the policy's table, what passes and what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.case import (
    AskedBind,
    AskedDevice,
    AskedSocket,
    AskedTmpfs,
    AskedVolume,
    Asker,
    Case,
    Joined,
    Plan,
)
from ds01.domain.dockerpolicy.config import CONFIG
from ds01.domain.dockerpolicy.create import HOST, judge_create
from ds01.domain.dockerpolicy.network import ENDPOINT
from ds01.domain.dockerpolicy.strictjson import Json, parse_object
from ds01.domain.dockerpolicy.update import judge_update
from ds01.domain.dockerpolicy.verdict import AbsentError, RefusedError
from tests.effort import tries
from tests.unit.dockerpolicy.fields import (
    DROPPED_CONFIG,
    DROPPED_HOST,
    KEPT_CONFIG,
    KEPT_HOST,
    REFUSED_CONFIG,
    REFUSED_HOST,
)

MALLORY = Asker(uid=1002, gid=1002)


def judged(config: dict[str, Any] | None = None, /, **host: Any) -> Plan:
    body = {"Image": "bb", **(config or {}), "HostConfig": host}
    return judge_create(parse_object(json.dumps(body).encode()), "mine", MALLORY)


def case(config: dict[str, Any] | None = None, /, **host: Any) -> Case:
    return judged(config, **host).case


# What passes, and as what ---------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "value", "kept"), KEPT_CONFIG)
def test_a_field_of_config_passes_as_it_should(field: str, value: Json, kept: Json) -> None:
    assert judged({field: value}).config[field] == kept


@pytest.mark.parametrize(("field", "value", "kept"), KEPT_HOST)
def test_a_field_of_host_config_passes_as_it_should(field: str, value: Json, kept: Json) -> None:
    assert judged(**{field: value}).host[field] == kept


# What is left out, and what is collected ------------------------------------------------------------


@pytest.mark.parametrize(("field", "value"), DROPPED_CONFIG)
def test_a_field_of_config_is_left_out(field: str, value: Json) -> None:
    assert field not in judged({field: value}).config


@pytest.mark.parametrize(("field", "value"), DROPPED_HOST)
def test_e18_e31_a_field_of_host_config_is_left_out(field: str, value: Json) -> None:
    assert field not in judged(**{field: value}).host


def test_s1_s2_s4_labels_of_ds01_are_left_out_in_any_case() -> None:
    labels = {"ds01.owner.uid": "1001", "DS01.User": "alice", "d\u017f01.protected": "true", "app": "x"}
    found = case({"Labels": labels})
    assert found.labels == {"app": "x"}
    assert len(found.changes) == 3


def test_g3_g10_variables_that_ask_for_gpus_are_left_out() -> None:
    asked = ["A=1", "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_MIG_CONFIG_DEVICES=all", "NVIDIA_GDS=enabled", "B",
             "NVIDIA_DRIVER_CAPABILITIES=compute", "NVIDIA_IMEX_CHANNELS=0", "SWARM_RESOURCE_GPU=x"]  # fmt: skip
    assert case({"Env": asked}).environment == ["A=1", "B", "NVIDIA_DRIVER_CAPABILITIES=compute"]


def test_amounts_are_collected_for_the_grant() -> None:
    found = case(Memory=1, MemoryReservation=5, ShmSize=2, PidsLimit=3, CpuQuota=150_000, CpuPeriod=100_000)
    assert (found.memory_bytes, found.memory_reservation_bytes, found.shm_bytes, found.pids) == (1, 5, 2, 3)
    assert found.asked_cpus == 1.5
    assert case(NanoCpus=2_000_000_000, CpuQuota=1000).asked_cpus == 2.0


@pytest.mark.parametrize("value", [0, -1, None])
def test_d1_no_limit_is_no_answer(value: int | None) -> None:
    found = case(Memory=value, PidsLimit=value, NanoCpus=value, ShmSize=value)
    assert (found.memory_bytes, found.pids, found.asked_cpus, found.shm_bytes) == (None, None, None, None)


def test_no_new_privileges_is_kept() -> None:
    assert case(SecurityOpt=["no-new-privileges"]).no_new_privileges
    assert case(SecurityOpt=["no-new-privileges:true"]).no_new_privileges
    assert case(SecurityOpt=["no-new-privileges=true"]).no_new_privileges
    assert not case(SecurityOpt=["no-new-privileges:false"]).no_new_privileges


@pytest.mark.parametrize(
    ("requests", "gpus"),
    [
        ([{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}], "all"),
        ([{"Driver": "nvidia", "Count": 8}], "8"),
        ([{"Driver": "", "DeviceIDs": ["GPU-x", "GPU-y"], "Capabilities": [["gpu"]]}], "2"),
        ([{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}], "all"),
        ([{"Driver": "nvidia.cdi", "DeviceIDs": ["0"]}], "1"),
        ([{"Driver": "nvidia.runtime-hook", "Capabilities": [["gpu", "compute"]]}], "1"),
        ([{"Driver": "", "Count": 1, "Capabilities": [["gpu"]], "Options": {"x": "y"}}], "1"),
    ],
)
def test_g1_g2_g6_every_way_to_ask_for_gpus_is_one_ask(requests: Json, gpus: str) -> None:
    found = judged(DeviceRequests=requests)
    assert found.case.gpus == gpus
    assert "DeviceRequests" not in found.host


@pytest.mark.parametrize(
    ("asked", "device"),
    [
        ({"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"},
         AskedDevice(host="/dev/fuse", inside="/dev/fuse", permissions="rw")),
        ({"pathonhost": "/dev/fuse", "PATHINCONTAINER": "/dev/x/y", "cgrouppermissions": "wr"},
         AskedDevice(host="/dev/fuse", inside="/dev/x/y", permissions="rw")),
        ({"PathOnHost": "/dev/infiniband/uverbs0", "Unknown": 0},
         AskedDevice(host="/dev/infiniband/uverbs0", inside="/dev/infiniband/uverbs0", permissions="rw")),
        ({"PathOnHost": "/dev/ttyUSB0", "CgroupPermissions": "mr"},
         AskedDevice(host="/dev/ttyUSB0", inside="/dev/ttyUSB0", permissions="r")),
    ],
)  # fmt: skip
def test_devices_are_collected_for_ds01d_to_judge(asked: Json, device: AskedDevice) -> None:
    found = judged(Devices=[asked, {}, {"PathOnHost": ""}])
    assert found.case.devices == [device]
    assert "Devices" not in found.host


def test_a_container_with_devices_is_not_started_by_the_engine() -> None:
    device = {"PathOnHost": "/dev/fuse"}
    found = judged(RestartPolicy={"Name": "unless-stopped"}, Devices=[device])
    assert found.host["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert [(change.rule, change.told) for change in found.case.changes] == [("create.restart", True)]
    quiet = judged(RestartPolicy={"Name": "no"}, Devices=[device]), judged(Devices=[device])
    assert all(not each.case.changes for each in quiet)


CUT: list[tuple[str, Any, str]] = [
    ("RestartPolicy", {"Name": "on-failure", "MaximumRetryCount": 50}, "restarted at most 5 times after failures"),
    ("RestartPolicy", {"Name": "on-failure"}, "restarted at most 5 times after failures"),
    ("CpuShares", 4096, "CPU shares set to 1024"),
    ("CpuShares", 1, "CPU shares set to 2"),
    ("BlkioWeight", 900, "block I/O weight set to 500"),
]
"""Of ``HostConfig``, and of an update."""

CUT_LIMITS = [
    ({"Name": "nofile", "Soft": 10, "Hard": 10**9}, "ulimit nofile set to 10:1048576"),
    ({"Name": "nofile", "Soft": -1, "Hard": 1000}, "ulimit nofile set to 1000:1000"),
    ({"Name": "nofile", "Soft": 1024}, "ulimit nofile set to 0:0"),
    ({"Name": "stack", "Soft": 9, "Hard": 8}, "ulimit stack set to 8:8"),
    ({"Name": "core", "Soft": -1, "Hard": -1}, "ulimit core set to 0:0"),
]
UNCUT: list[tuple[str, Any]] = [
    ("RestartPolicy", {"Name": "on-failure", "MaximumRetryCount": 5}),
    ("RestartPolicy", {"Name": "unless-stopped"}), ("CpuShares", 1024), ("CpuShares", 0), ("BlkioWeight", 10),
    ("BlkioWeight", None), ("Ulimits", [{"Name": "nofile", "Soft": 10, "Hard": 1048576}]),
    ("Ulimits", [{"Name": "core"}]), ("Ulimits", [{"Name": "core", "Soft": 0, "Hard": None}]),
    ("Ulimits", [{"Name": "stack", "Soft": 8, "Hard": -1}]),
]  # fmt: skip


def told(made: Case) -> list[str]:
    assert all(change.told for change in made.changes)
    return [change.text for change in made.changes]


@pytest.mark.parametrize(("field", "value", "text"), CUT)
def test_what_is_cut_is_told(field: str, value: Any, text: str) -> None:
    assert told(case(**{field: value})) == [text]
    assert told(judge_update({field: value}, MALLORY).case) == [text]


@pytest.mark.parametrize(("limit", "text"), CUT_LIMITS)
def test_a_ulimit_that_is_cut_is_told_as_it_is(limit: Json, text: str) -> None:
    assert told(case(Ulimits=[limit])) == [text]


@pytest.mark.parametrize(("field", "value"), UNCUT)
def test_of_what_is_not_cut_nothing_is_told(field: str, value: Any) -> None:
    assert told(case(**{field: value})) == []


def test_a_request_for_gpus_may_say_their_memory() -> None:
    asked = {"Driver": "", "Count": 1, "Capabilities": [["gpu"]], "Options": {"memory": "20G"}}
    assert (case(DeviceRequests=[asked]).gpus, case(DeviceRequests=[asked]).gpu_memory_bytes) == ("1", 20 * 1024**3)
    assert case(DeviceRequests=[asked | {"Options": None}]).gpu_memory_bytes == 0


@pytest.mark.parametrize("profile", ["2g.20gb", "1g.10gb", "full"])
def test_a_request_for_gpus_may_name_the_part_of_one(profile: str) -> None:
    asked = {"Driver": "", "Count": 1, "Capabilities": [["gpu"]], "Options": {"profile": profile, "memory": "10G"}}
    assert (case(DeviceRequests=[asked]).gpus, case(DeviceRequests=[asked]).gpu_memory_bytes) == (profile, 10 * 1024**3)


def test_g5_the_nvidia_runtime_asks_for_one_gpu() -> None:
    assert case(Runtime="nvidia").gpus == "1"
    assert case(Runtime="nvidia", DeviceRequests=[{"Driver": "nvidia", "Count": 2}]).gpus == "2"


@pytest.mark.parametrize(
    ("config", "seconds"),
    [({}, 0), ({"Env": ["DS01_WAIT=10m"]}, 600), ({"Labels": {"ds01.wait": "1h30m"}}, 5400),
     ({"Env": ["DS01_WAIT=1m"], "Labels": {"ds01.wait": "2m"}}, 60), ({"Env": ["DS01_WAIT=0"]}, 0)],
)  # fmt: skip
def test_f5_a_create_says_how_long_it_waits(config: dict[str, Json], seconds: int) -> None:
    found = case(config)
    assert found.wait_seconds == seconds
    assert found.changes == []
    assert "ds01.wait" not in found.labels


@pytest.mark.parametrize("said", ["forever", "-1m", "25h"])
def test_a_wait_nobody_can_keep_is_refused(said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        judged({"Env": [f"DS01_WAIT={said}"]})
    assert caught.value.rule == "create.wait"


def test_mounts_of_every_spelling_are_one_model() -> None:
    found = case(
        {"Volumes": {"/cache": {}}},
        Binds=["data:/d:ro,nocopy", "/home/mallory/a:/a", "/home/mallory/./b/:/b:ro,z,rprivate"],
        Mounts=[
            {"Type": "bind", "Source": "/home/mallory/c", "Target": "/c", "ReadOnly": True},
            {"Type": "bind", "Source": "/home/mallory/d", "Target": "/d", "BindOptions": {"CreateMountpoint": True}},
            {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 5, "Mode": 0o700}},
            {"Type": "volume", "Target": "/v"},
        ],
        Tmpfs={"/run": "size=64m,noexec,mode=1777", "/dev/shm/x": ""},
    )
    assert found.binds == [
        AskedBind(source="/home/mallory/a", target="/a", create=True, mode=""),
        AskedBind(source="/home/mallory/b", target="/b", read_only=True, create=True, mode="ro"),
        AskedBind(source="/home/mallory/c", target="/c", read_only=True),
        AskedBind(source="/home/mallory/d", target="/d", create=True),
    ]
    assert found.tmpfs == [
        AskedTmpfs(target="/t", size_bytes=5, options=("mode=700",), mount=True),
        AskedTmpfs(target="/run", size_bytes=64 << 20, options=("noexec", "mode=1777"), size_text="64m"),
        AskedTmpfs(target="/dev/shm/x"),
    ]
    assert found.anonymous == ["/cache"]
    assert found.volumes == [
        AskedVolume(name="data", target="/d", read_only=True, copy=False, bind=True),
        AskedVolume(target="/v"),
    ]


@pytest.mark.parametrize("path", ["/var/run/docker.sock", "/run/docker.sock", "/./run//docker.sock"])
def test_s11_the_engines_socket_is_the_users_own_one(path: str) -> None:
    found = case(
        None, Binds=[f"{path}:/d"], Mounts=[{"Type": "bind", "Source": path, "Target": "/e", "ReadOnly": True}]
    )
    assert found.binds == []
    assert found.sockets == [AskedSocket(target="/d", mode=""), AskedSocket(target="/e", read_only=True)]


# What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "value"), REFUSED_CONFIG)
def test_a_field_of_config_is_refused(field: str, value: Json) -> None:
    with pytest.raises(RefusedError):
        judged({field: value})


@pytest.mark.parametrize(("field", "value", "rule"), REFUSED_HOST)
def test_a_field_of_host_config_is_refused_by_its_rule(field: str, value: Json, rule: str) -> None:
    with pytest.raises(RefusedError) as caught:
        judged(**{field: value})
    if field != "Privileged":
        assert caught.value.rule == rule
    assert caught.value.status in (400, 403, 404)
    assert field not in ("Privileged",) or caught.value.status == 403


def test_a_privileged_container_is_told_how_to_do_without_in_either_client() -> None:
    with pytest.raises(RefusedError) as caught:
        judged(Privileged=True)
    assert caught.value.advice == "Run it without --privileged (compose: remove `privileged: true`)."


def test_every_field_of_the_table_is_tried() -> None:
    """A field nobody tried here has a rule nobody has seen at work."""
    config = {name for name, *_ in (*KEPT_CONFIG, *DROPPED_CONFIG, *REFUSED_CONFIG)} | {"Env", "Labels", "Volumes"}
    host = {name for name, *_ in (*KEPT_HOST, *DROPPED_HOST, *REFUSED_HOST)} | {
        "Memory", "MemoryReservation", "NanoCpus", "CpuQuota", "PidsLimit", "ShmSize", "Mounts", "Tmpfs",
    }  # fmt: skip
    assert {field.name for field in CONFIG} <= config
    assert {field.name for field in HOST} <= host


# Keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"Image":"bb","hostconfig":{"PRIVILEGED":true}}', 403),
        (b'{"Image":"bb","HOSTCONFIG":{"\\u0050rivileged":true}}', 403),
        ('{"Image":"bb","Ho\u017ftConfig":{"Privileged":true}}'.encode(), 400),
        ('{"Image":"bb","HostConfig":{"Networ\u212aMode":"host"}}'.encode(), 400),
        ('{"Image":"bb","HostConfig":{"Bind\u017f":["/:/h"]}}'.encode(), 400),
        (b'{"Image":"bb","HostConfig":{"Privileged":true},"hostconfig":{}}', 400),
        (b'{"Image":"bb","Labels":{"a":"b"},"labels":{"c":"d"}}', 400),
        (b'{"Image":"bb","HostConfig":{"Binds":[],"binds":["/:/h"]}}', 400),
        (b'{"Image":"bb","Privileged":true,"Binds":["/:/h"]}', 400),
        (b'{"Image":"bb","PidMode":"host"}', 400),
        (b'{"Image":"bb","HostConfig":null,"Privileged":true}', 400),
        (b'{"Image":"bb","HostConfig":[]}', 400),
        (b'{"Image":"bb","HostConfig":"x"}', 400),
    ],
)
def test_c1_to_c5_p1_to_p4_keys_are_matched_as_the_engine_matches_them(body: bytes, status: int) -> None:
    with pytest.raises(RefusedError) as caught:
        judge_create(parse_object(body), "mine", MALLORY)
    assert caught.value.status == status


def test_keys_in_another_case_come_out_canonical() -> None:
    plan = judge_create(parse_object(b'{"image":"bb","CMD":["x"],"hostCONFIG":{"autoremove":true}}'), "m", MALLORY)
    assert plan.config == {"Cmd": ["x"]}
    assert plan.host == {"AutoRemove": True}


def test_what_newer_clients_send_empty_is_left_out() -> None:
    plan = judged({"FutureField": {"a": [0, ""], "b": None}}, AnotherOne=False)
    assert plan.config == {}
    assert plan.host == {}


def test_networking_config_keeps_aliases_of_the_own_network_only() -> None:
    def plan(endpoints: Any) -> Plan:
        body = {"Image": "bb", "NetworkingConfig": {"EndpointsConfig": endpoints}}
        return judge_create(parse_object(json.dumps(body).encode()), "m", MALLORY)

    kept = plan({"default": {"Aliases": ["db"], "Links": ["x"], "MacAddress": "02:00:00:00:00:01"}})
    assert kept.endpoints[""] == {"Aliases": ["db"], "Links": [Joined(prefix="", ref="x", suffix=":x")]}
    settings_of_default: list[Any] = [
        {"IPAMConfig": {"IPv4Address": "10.0.0"}}, {"IPAMConfig": {"IPv6Address": "::1"}},
        {"DriverOpts": {"a": "b"}}, {"Aliases": ["a b"]}, {"New": 1},
    ]  # fmt: skip
    others: list[Any] = [{"alice/net": {}}, {"host": {}}, {"default": {}, "bridge": {}}]
    for refused in (*others, *({"default": each} for each in settings_of_default)):
        with pytest.raises(RefusedError):
            plan(refused)


def test_every_endpoint_field_has_a_rule() -> None:
    assert {field.name for field in ENDPOINT} >= {"Aliases", "Links", "IPAMConfig", "DriverOpts", "MacAddress"}


def test_o19_foreign_and_missing_things_are_absent_alike() -> None:
    with pytest.raises(AbsentError) as caught:
        judged(NetworkMode="alice/net")
    assert caught.value.message == "network alice/net not found"


NAMES = st.sampled_from([field.name for field in HOST] + ["Nonsense", "privileged", "PRIVILEGED", "Bind\u017f"])
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "host", "container:x", "/:/h", "all", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Name", "Type", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=tries(500), deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_is_sent_is_judged_or_refused(host: dict[str, Json]) -> None:
    """No combination makes a rule fail, and nothing dangerous is ever kept."""
    try:
        plan = judged(**host)
    except RefusedError:
        return
    assert "Privileged" not in plan.host
    assert {"Binds", "Mounts", "Devices", "DeviceRequests", "CgroupParent", "Annotations"}.isdisjoint(plan.host)
    assert plan.host.get("PidMode") in (None, "private") or isinstance(plan.host["PidMode"], Joined)
