"""Each way out of a container, as runc would see it. ``config.json`` is what engine 20.10 wrote for one of DS01."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ds01.domain.dockerpolicy.mounts import check_places
from ds01.domain.dockerpolicy.verdict import RefusedError as Refused
from ds01.runc.grants import Grant, Server, owner_of, step_grant
from ds01.runc.launcher import first_facts
from ds01.runc.refusal import RefusedError
from ds01.runc.rules import process_refusals, refusals

PLAIN: dict[str, Any] = json.loads(Path(__file__).with_name("config.json").read_text())
ID, OTHER, OWNERS, HERS = ("c" * 64, "d" * 64, "e" * 64, "f" * 64)
JOINED = {7: (1001, OTHER, False), 8: (1002, HERS, False), 9: (1001, OWNERS, True)}
SERVER = Server(first_facts(Path("/var/lib/docker"), outside="refused"))
BIND = "/run/ds01/binds/1001/thesis/0"
GIVEN: dict[str, Any] = {
    "uid": 1001, "gid": 1001, "as_owner": False, "binds": ["/run/ds01/lib/session"], "volumes": ["mine"],
    "devices": [("c", 195, 0)], "gpus": ["GPU-a"],
}  # fmt: skip
WITH_ROOT, AS_OWNER = Grant(GIVEN), Grant(GIVEN | {"as_owner": True, "binds": [BIND]})
Edit = Callable[[dict[str, Any]], object]


def judged(edit: Edit, grant: Grant = AS_OWNER) -> list[str]:
    config = deepcopy(PLAIN)
    edit(config)
    return list(refusals(config, grant, SERVER, ID, JOINED.get))


def bind(source: str, *options: str) -> dict[str, Any]:
    return {"destination": "/x", "type": "bind", "source": source, "options": ["rbind", *options]}


def mount(source: str, *options: str) -> Edit:
    return lambda config: config["mounts"].append(bind(source, *options))


def without_namespace(kind: str) -> Edit:
    def edit(config: dict[str, Any]) -> None:
        spaces = config["linux"]["namespaces"]
        config["linux"]["namespaces"] = [space for space in spaces if space["type"] != kind]

    return edit


def with_namespace(kind: str, path: str) -> Edit:
    def edit(config: dict[str, Any]) -> None:
        without_namespace(kind)(config)
        config["linux"]["namespaces"].append({"type": kind, "path": path})

    return edit


def device(**rule: Any) -> Edit:
    return lambda config: config["linux"]["resources"]["devices"].append({"allow": True, **rule})


@pytest.mark.parametrize("grant", [WITH_ROOT, AS_OWNER])
def test_a_plain_container_is_let_through(grant: Grant) -> None:
    assert judged(lambda _: None, grant) == []


def test_what_was_granted_is_let_through() -> None:
    def granted(config: dict[str, Any]) -> None:
        config["mounts"] += [bind(BIND, "rprivate"), bind("/usr/bin/docker-init", "ro")]
        config["mounts"] += [bind("/var/lib/docker/volumes/mine/_data"), bind("/usr/lib/libcuda.so.1", "ro")]
        config["linux"]["devices"] = [{"path": "/dev/nvidia0", "type": "c", "major": 195, "minor": 0}]
        config["linux"]["resources"]["devices"].append({"allow": True, "type": "c", "major": 195, "minor": 0})
        config["hooks"]["prestart"].append({"path": "/usr/bin/nvidia-ctk", "args": ["nvidia-ctk", "hook"]})
        with_namespace("network", "/proc/9/ns/net")(config)
        config["mounts"].append(bind(f"/var/lib/docker/containers/{OWNERS}/hosts"))

    assert judged(granted) == []


REFUSED: dict[str, tuple[Edit, str]] = {
    "e1_capability": (lambda c: c["process"]["capabilities"]["bounding"].append("CAP_SYS_ADMIN"), "CAP_SYS_ADMIN"),
    "e1_writable_sys": (lambda c: c["mounts"][3]["options"].remove("ro"), "writable /sys"),
    "e2_root": (mount("/"), "the host's /"),
    "e2_socket": (mount("/run/docker.sock"), "docker.sock"),
    "e2_init_writable": (mount("/usr/bin/docker-init"), "docker-init"),
    "e4_beside_a_grant": (mount(f"{BIND}/../.."), "the host's"),
    "e5_others_bind": (mount("/run/ds01/binds/1002/thesis/0"), "the host's"),
    "e8_shared": (mount(BIND, "rshared"), "the host shares"),
    "e8_slave": (mount(BIND, "rslave"), "the host shares"),
    "e8_root_shared": (lambda c: c["linux"].update(rootfsPropagation="shared"), "the host shares"),
    "e8_bind_in_disguise": (lambda c: c["mounts"].append({**bind("/etc"), "type": "tmpfs"}), "the host's /etc"),
    "e9_device_mount": (lambda c: c["mounts"].append({**bind("/dev/sda"), "type": "ext4"}), "type ext4"),
    "e10_others_volume": (mount("/var/lib/docker/volumes/hers/_data"), "volumes/hers"),
    "e10_all_volumes": (mount("/var/lib/docker/volumes"), "volumes"),
    "e11_pid": (without_namespace("pid"), "host's pid"),
    "e11_ipc": (without_namespace("ipc"), "host's ipc"),
    "e11_network": (without_namespace("network"), "host's network"),
    "e11_uts": (without_namespace("uts"), "host's uts"),
    "e11_mount": (without_namespace("mount"), "host's mount"),
    "e11_cgroup": (without_namespace("cgroup"), "host's cgroup"),
    "e11_user": (lambda c: c["linux"]["namespaces"].append({"type": "user", "path": "/proc/1/ns/user"}), "user"),
    "o19_others_pid": (with_namespace("pid", "/proc/8/ns/pid"), "somebody else"),
    "o19_hosts_network": (with_namespace("network", "/proc/1/ns/net"), "somebody else"),
    "o19_path_in_disguise": (with_namespace("network", "/proc/9/root/proc/1/ns/net"), "somebody else"),
    "o19_mounts": (with_namespace("mount", "/proc/9/ns/mnt"), "somebody else"),
    "o19_of_another_kind": (with_namespace("ipc", "/proc/7/ns/ipc"), "not bound to its owner"),
    "o19_others_files": (mount(f"/var/lib/docker/containers/{HERS}/hosts"), "the host's"),
    "e13_apparmor": (lambda c: c["process"].update(apparmorProfile="unconfined"), "AppArmor"),
    "e14_unmasked": (lambda c: c["linux"].update(maskedPaths=[]), "unmasked"),
    "e14_writable_proc": (lambda c: c["linux"].pop("readonlyPaths"), "/proc/sys"),
    "e15_device": (
        lambda c: c["linux"].update(devices=[{"path": "/dev/sda", "type": "b", "major": 8, "minor": 0}]),
        "/dev/sda",
    ),
    "e16_all_devices": (device(access="rwm"), "access to"),
    "e16_all_of_a_kind": (device(type="c", access="rwm"), "access to"),
    "e18_annotation": (lambda c: c.update(annotations={"cdi.k8s.io/x": "nvidia.com/gpu=all"}), "annotations"),
    "e19_sysctl": (lambda c: c["linux"]["sysctl"].update({"kernel.core_pattern": "|/x"}), "core_pattern"),
    "e20_oom": (lambda c: c["process"].update(oomScoreAdj=-1000), "OOM"),
    "e20_oom_killer": (lambda c: c["linux"]["resources"]["memory"].update(disableOOMKiller=True), "an exemption from"),
    "e24_image": (mount("/var/lib/docker/overlay2/abc/merged"), "overlay2"),
    "e30_preload": (lambda c: c["process"]["env"].append("LD_PRELOAD=/x.so"), "LD_PRELOAD"),
    "e32_process_folder": (lambda c: c["process"].update(cwd="/proc/self/fd/7"), "a start in"),
    "e32_slashes": (lambda c: c["process"].update(cwd="//proc/self/fd/7"), "a start in"),
    "e32_more_slashes": (lambda c: c["process"].update(cwd="///proc"), "a start in"),
    "e32_a_dot": (lambda c: c["process"].update(cwd="/./proc/self/fd/7"), "a start in"),
    "e32_two_dots": (lambda c: c["process"].update(cwd="/../x/../proc"), "a start in"),
    "e32_no_slash": (lambda c: c["process"].update(cwd="proc/self/fd/7"), "a start in"),
    "d8_real_time": (
        lambda c: c["process"].update(rlimits=[{"type": "RLIMIT_RTPRIO", "hard": 9, "soft": 9}]), "RTPRIO"
    ),
    "d8_files": (
        lambda c: c["process"].update(rlimits=[{"type": "RLIMIT_NOFILE", "hard": 10**9, "soft": 1}]), "open files"
    ),
    "g9_more_gpus": (device(type="c", major=195, minor=1, access="rw"), "access to c 195:1"),
    "hook": (lambda c: c["hooks"]["prestart"].append({"path": "/tmp/x", "args": ["x"]}), "the hook /tmp/x"),
    "root": (lambda c: c["root"].update(path="/"), "root file system"),
    "root_climbing": (lambda c: c["root"].update(path="/var/lib/docker/../../etc"), "root file system"),
    "unified": (lambda c: c["linux"]["resources"].update(unified={"memory.max": "max"}), "unified"),
    "news": (lambda c: c["linux"].update(somethingNew={"x": 1}), "somethingNew"),
    "news_of_a_mount": (lambda c: c["mounts"][0].update(uidMappings=[{}]), "uidMappings"),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "word"), REFUSED.values(), ids=REFUSED.keys())
def test_what_was_not_granted_is_refused(edit: Edit, word: str) -> None:
    said = judged(edit)
    assert any(word in sentence for sentence in said), said
    assert not any(sentence.startswith(("to ", "never ")) for sentence in said), "it follows: it asks for"


MINE = "/var/lib/docker/volumes/mine/_data"
PLACES = ["/", "/proc", "/proc/", "//proc/sys", "/sys/fs/cgroup", "sys", "/dev", "/dev/pts", "/x/../dev/mqueue",
          "/dev/shm/../pts", "/run/ds01", "/var/run/ds01/x", "/run/nvidia-container-devices/all",
          "/var/run/nvidia-container-devices"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_no_volume_is_where_nobody_may_mount(place: str) -> None:
    """Nor is one that an image wants there: the engine mounts it past the gateway."""
    at = {**bind(MINE), "destination": place}
    assert judged(lambda c: c["mounts"].append(at)) == [f"a volume at {place}"]
    assert judged(lambda c: c["mounts"].append(at), WITH_ROOT) == [f"a volume at {place}"]
    with pytest.raises(Refused):
        check_places([place])


@pytest.mark.parametrize("place", ["/data", "/dev/shm", "/dev/shm/x", "/device", "/run/postgresql", "/etc/hosts"])
def test_a_volume_is_anywhere_else(place: str) -> None:
    assert judged(lambda c: c["mounts"].append({**bind(MINE), "destination": place})) == []
    check_places([place])


def test_e21_a_folder_of_the_host_is_never_beside_root() -> None:
    """Even if ds01d granted both by mistake."""
    both = Grant(GIVEN | {"binds": [BIND]})
    assert judged(mount(BIND), both) == ["a folder of the host in a container that may run as root"]


def test_e11_a_step_of_a_build_may_be_in_the_hosts_cgroup_namespace() -> None:
    """No engine gives it another one under cgroup v1."""
    assert judged(without_namespace("cgroup"), step_grant(1001)) == []
    assert judged(without_namespace("pid"), step_grant(1001)) == ["the host's pid namespace"]


def test_o19_kinds_do_not_meet() -> None:
    assert judged(with_namespace("ipc", "/proc/7/ns/ipc"), WITH_ROOT) == []
    assert "bound to its owner's uid" in judged(with_namespace("ipc", "/proc/9/ns/ipc"), WITH_ROOT)[0]


def test_e23_a_privileged_exec_is_refused() -> None:
    assert list(process_refusals({"capabilities": {"effective": ["CAP_SYS_ADMIN"]}})) != []


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        (f"/ds01-u1001.slice/{ID}", (1001, False)), (f"ds01-u1001.slice:docker:{ID}", (1001, False)),
        (f"/ds01-u1001.slice/ds01-u1001-build.slice/{ID}", (1001, True)),
        (f"ds01-u1001-build.slice:docker:{ID}", (1001, True)), (f"/docker/{ID}", None),
        (f"system.slice:docker:{ID}", None),
    ],
)  # fmt: skip
def test_a_cgroup_names_its_owner(path: str, owner: tuple[int, bool] | None) -> None:
    assert owner_of(path, ID) == owner


@pytest.mark.parametrize(
    "path",
    [f"/ds01-u1001.slice/../{ID}", f"/ds01-u1001.slice/x/{ID}", f"/ds01-u1001.slice/ds01-u1002-build.slice/{ID}",
     f"/x/ds01-u1001.slice/{ID}", f"/ds01-u1001.slice/{OTHER}", f"ds01-u1001.slice:x:{ID}"],
)  # fmt: skip
def test_e31_a_cgroup_written_in_another_way_is_refused(path: str) -> None:
    with pytest.raises(RefusedError):
        owner_of(path, ID)
