"""The second layer alone: every way out of a container through a gateway that checks nothing.

What runs inside is what counts. Where the engine itself cannot start something here (a privileged container needs a
capability this machine may lack), the guard's own record says that it was the guard who refused.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dev.engine import outside

from tests.engine.gateway.conftest import NEWER, Victim
from tests.engine.gateway.ground import IMAGE, Ground, User, wait
from tests.engine.gateway.permissive import Permissive

pytestmark = [pytest.mark.engine, pytest.mark.root]

INLINE = json.dumps({"defaultAction": "SCMP_ACT_ALLOW"})
CALLS = """
unshare mount setns clone clone3 read write openat execve brk mmap exit_group arch_prctl close fstat stat getuid
getgid set_tid_address set_robust_list rseq mprotect prlimit64 readlink getrandom uname rt_sigaction rt_sigprocmask
ioctl dup2 capget capset prctl setgid setuid setgroups chdir getdents64 futex epoll_ctl newfstatat lseek fcntl
getppid getpid gettid nanosleep clock_nanosleep poll epoll_pwait epoll_create1 pipe2 tgkill sigaltstack
sched_getaffinity munmap faccessat2 getcwd access wait4 vfork statfs fstatfs mknodat fchown dup3 setsid
rt_sigtimedwait rt_sigreturn rt_sigsuspend kill waitid setpgid
"""
ALLOWING = {"names": CALLS.split(), "action": "SCMP_ACT_ALLOW"}
WIDE = json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [ALLOWING]})


@pytest.fixture
def door(field: Ground, mallory: User) -> Iterator[Permissive]:
    """The way in, on an engine where nobody's containers do not pass."""
    with outside(field.engine, "refused"):
        yield Permissive(field=field, user=mallory)


NOT_STARTED: dict[str, tuple[dict[str, Any], str]] = {
    "e1_privileged": ({"Privileged": True}, "a writable /sys"),
    "e2_root": ({"Binds": ["/:/h"]}, "the host's /"),
    "e2_etc_read_only": ({"Binds": ["/etc:/e:ro"]}, "the host's /etc"),
    "e2_socket": ({"Binds": ["{engine}:/var/run/docker.sock"]}, "engine.sock"),
    "e3_mount": ({"Mounts": [{"Type": "bind", "Source": "/", "Target": "/h"}]}, "the host's /"),
    "e4_link": ({"Binds": ["{home}/link:/m"]}, "the host's"),
    "e5_own_folder_not_pinned": ({"Binds": ["{home}:/m"]}, "the host's"),
    "e7_dots": ({"Binds": ["{home}/../ds01-gw-alice:/m"]}, "the host's"),
    "e7_proc": ({"Binds": ["/proc/self/root:/h"]}, "the host's"),
    "e11_pid": ({"PidMode": "host"}, "host's pid"),
    "e11_ipc": ({"IpcMode": "host"}, "host's ipc"),
    "e11_uts": ({"UTSMode": "host"}, "host's uts"),
    "e11_network": ({"NetworkMode": "host"}, "the host's network" if NEWER else "the network namespace"),
    "e11_cgroup": ({"CgroupnsMode": "host"}, "host's cgroup"),
    "e12_sys_admin": ({"CapAdd": ["sys_admin"]}, "CAP_SYS_ADMIN"),
    "e12_dac_read_search": ({"CapAdd": ["CAP_DAC_READ_SEARCH"]}, "CAP_DAC_READ_SEARCH"),
    "e12_net_admin": ({"CapAdd": ["NET_ADMIN"]}, "CAP_NET_ADMIN"),
    "e12_sys_module": ({"CapAdd": ["SYS_MODULE"]}, "CAP_SYS_MODULE"),
    "e13_unconfined": ({"SecurityOpt": ["seccomp=unconfined"]}, "system call filter"),
    "e13_inline": ({"SecurityOpt": [f"seccomp={INLINE}"]}, "system call filter"),
    "e14_unmasked": ({"MaskedPaths": []}, "unmasked"),
    "e14_writable": ({"ReadonlyPaths": []}, "writable /proc"),
    "e15_kmsg": ({"Devices": [{"PathOnHost": "/dev/kmsg", "PathInContainer": "/k", "CgroupPermissions": "rwm"}]}, "/k"),
    "e16_all_devices": ({"DeviceCgroupRules": ["a *:* rwm"]}, "access to"),
    "e19_sysctl": ({"Sysctls": {"kernel.msgmax": "65536"}}, "kernel.msgmax"),
    "e20_oom_score": ({"OomScoreAdj": -999}, "OOM score"),
    "e20_oom_killer": ({"OomKillDisable": True}, "an exemption from being ended"),
    "e31_nowhere": ({"CgroupParent": "/"}, "belongs to no user"),
    "e31_system": ({"CgroupParent": "/system.slice"}, "belongs to no user"),
    "e31_others": ({"CgroupParent": "/ds01-u{alice}.slice"}, "not its owner's"),
    "e31_climbing": ({"CgroupParent": "/ds01-u{uid}.slice/../ds01-u{alice}.slice"}, "not its owner's"),
    "e31_deeper": ({"CgroupParent": "/ds01-u{uid}.slice/x"}, "cgroup"),
    "e31_as_a_build": ({"CgroupParent": "/ds01-u{uid}.slice/ds01-u{alice}-build.slice"}, "cgroup"),
    "e32_process": ({"Binds": ["/proc/1/fd:/m"]}, "the host's"),
    "e32_socket": ({"Binds": ["{home}/sock:/m"]}, "the host's"),
    "e32_shm": ({"Binds": ["/dev/shm:/m"]}, "the host's"),
    "o19_pid_of_alice": ({"PidMode": "container:{victim}"}, "somebody else"),
    "o19_network_of_alice": ({"NetworkMode": "container:{victim}"}, "somebody else"),
    "d8_real_time": ({"Ulimits": [{"Name": "rtprio", "Soft": 9, "Hard": 9}]}, "RTPRIO"),
    "g8_mount_that_asks": ({"Binds": ["/dev/null:/var/run/nvidia-container-devices/all"]}, "the host's /dev/null"),
    "g8_mount_that_asks_cdi": (
        {"Binds": ["/dev/null:/var/run/nvidia-container-devices/cdi/nvidia.com/gpu/all"]}, "the host's /dev/null"
    ),
    "g8_volume_that_asks": (
        {"Mounts": [{"Type": "volume", "Target": "/var/run/nvidia-container-devices/all"}]}, "a volume at /var/run"
    ),
    "a_volume_over_the_terminals": ({"Mounts": [{"Type": "volume", "Target": "/dev/pts"}]}, "a volume at /dev/pts"),
    "g9_rule": ({"DeviceCgroupRules": ["c 195:* rwm"]}, "access to c 195"),
}  # fmt: skip


def filled(value: Any, names: dict[str, Any]) -> Any:
    """The attack with names of this ground in it."""
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, str) and "{" in value and not value.startswith("seccomp="):
        return value.format(**names)
    return value


@pytest.mark.parametrize(("host", "word"), NOT_STARTED.values(), ids=NOT_STARTED.keys())
def test_nothing_of_it_runs(
    door: Permissive, field: Ground, alice: User, victim: Victim, host: dict[str, Any], word: str
) -> None:
    home = door.user.home
    if not (home / "link").is_symlink():
        (home / "link").symlink_to("/root")
    if not (home / "sock").exists():
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(home / "sock"))
    names = {"home": home, "uid": door.user.uid, "alice": alice.uid, "victim": victim.id, "engine": field.engine.socket}
    container, started = door.runs("attack", HostConfig=filled(host, names), **_without_network(host))
    assert started.status >= 400
    assert "DS01: this container may not start" in started.message
    assert word in started.message
    assert not field.seen(container)["State"]["Running"]


def _without_network(host: dict[str, Any]) -> dict[str, Any]:
    """The engine takes no endpoint beside another network mode."""
    return {"NetworkingConfig": None} if "NetworkMode" in host else {}


@pytest.mark.parametrize(
    "options", [{"type": "none", "o": "bind", "device": "/"}, {"type": "ext4", "device": "/dev/sda"}]
)
def test_e9_e10_volumes_that_are_binds(door: Permissive, field: Ground, options: dict[str, str]) -> None:
    assert field.root("POST", "/volumes/create", {"Name": "evil", "DriverOpts": options}).status == 201
    try:
        container, started = door.runs("volume", HostConfig={"Binds": ["evil:/v"]})
        assert started.status >= 400
        assert not field.seen(container)["State"]["Running"]
        assert field.root("DELETE", f"/containers/{container}?force=1").status == 204
    finally:
        field.root("DELETE", "/volumes/evil?force=1")


def test_e5_e21_a_granted_folder_makes_it_its_owners(door: Permissive, field: Ground) -> None:
    """Whatever was asked beside it: root, capabilities, privileges to come."""
    place = door.user.folder("granted")
    container, started = door.runs(
        "bound", binds=(str(place),), User="0:0", HostConfig={"CapAdd": ["CHOWN", "SYS_PTRACE"], "SecurityOpt": [],
                                                              "CapDrop": []},
    )  # fmt: skip
    assert started.status == 204, started.body
    status = Path(f"/proc/{field.seen(container)['State']['Pid']}/status").read_text()
    lines = dict(line.split(":\t", 1) for line in status.splitlines())
    assert lines["Uid"].split() == [str(door.user.uid)] * 4
    assert (lines["CapBnd"].strip("0"), lines["NoNewPrivs"], lines["Groups"].strip()) == ("", "1", "")
    assert str(door.user.uid) in door.exec(container, "id", User="0:0")


def test_e6_a_folder_swapped_before_each_start_is_the_one_that_was_granted(door: Permissive, field: Ground) -> None:
    above = door.user.folder("above")
    place = door.user.folder("above/place")
    (place / "mine").write_text("x")
    container, started = door.runs("swapped", binds=(str(place),))
    assert started.status == 204, started.body
    for swapped in (place, above):
        away = swapped.rename(swapped.with_name(f"{swapped.name}-away"))
        swapped.symlink_to("/root")
        assert field.root("POST", f"/containers/{container}/stop?t=0").status == 204
        assert door.start(container).status == 204
        assert door.exec(container, "ls", "/bound0").split() == ["mine"]
        swapped.unlink()
        away.rename(swapped)


def test_e8_a_mount_that_the_host_would_share(door: Permissive, field: Ground, tmp_path: Path) -> None:
    subprocess.run(["mount", "--bind", tmp_path, tmp_path], check=True)
    try:
        subprocess.run(["mount", "--make-shared", tmp_path], check=True)
        for kind in ("rshared", "rslave"):
            container, started = door.runs(f"sharing-{kind}", HostConfig={"Binds": [f"{tmp_path}:/t:{kind}"]})
            assert started.status >= 400
            assert "a mount at /t that the host shares" in started.message
            assert not field.seen(container)["State"]["Running"]
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)


def test_e22_a_hard_link_to_roots_file_is_still_roots(door: Permissive) -> None:
    """As it would be where the kernel lets users make such links."""
    secret = door.user.home / "secret-of-root"
    secret.write_text("secret-of-root")
    secret.chmod(0o600)
    os.chown(secret, 0, 0)
    place = door.user.folder("linked")
    (place / "link").hardlink_to(secret)
    container, started = door.runs("links", binds=(str(place),), User="0:0")
    assert started.status == 204, started.body
    assert "denied" in door.exec(container, "cat", "/bound0/link", User="0:0")


def test_e30_nothing_is_preloaded_beside_a_gpu(door: Permissive) -> None:
    container, started = door.runs("preloading", gpus="1", Env=["LD_PRELOAD=/evil.so"])
    assert started.status >= 400
    assert "LD_PRELOAD beside a GPU" in door.refusals(container)[0]


def test_g12_a_step_of_a_build_sees_no_gpu(door: Permissive, field: Ground) -> None:
    """The engine's own builder, as root asks it, from an image that wants them all."""
    context = door.user.folder("wants-gpus")
    (context / "Dockerfile").write_text(
        f"FROM {IMAGE}\nENV NVIDIA_VISIBLE_DEVICES=all\n"
        "RUN echo seen $NVIDIA_VISIBLE_DEVICES; ls /dev | grep nvidia; true\n"
    )
    uid = door.user.uid
    parent = f"/ds01-u{uid}.slice/ds01-u{uid}-build.slice"
    command = [
        "docker",
        "-H",
        f"unix://{field.engine.socket}",
        "build",
        "--no-cache",
        "--cgroup-parent",
        parent,
        str(context),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "DOCKER_BUILDKIT": "0"})
    assert "seen void\n" in done.stdout, done.stdout + done.stderr
    assert "nvidia" not in done.stdout.partition("seen void")[2]


def test_e13_a_wide_profile_opens_nothing(door: Permissive) -> None:
    container, started = door.runs("wide", HostConfig={"SecurityOpt": [f"seccomp={WIDE}"]})
    assert started.status == 204, started.body
    assert "Linux" in door.exec(container, "uname")
    assert "Linux" not in door.exec(container, "unshare", "-U", "uname")


@pytest.mark.parametrize("runtime", ["runc", "io.containerd.runc.v2", "io.containerd.runtime.v1.linux"])
def test_e17_no_runtime_goes_past_it(door: Permissive, runtime: str) -> None:
    container, started = door.runs("runtime", HostConfig={"Runtime": runtime})
    if started.status == 204:
        assert "4294967295" in door.exec(container, "cat", "/proc/self/uid_map")
        pid = door.field.seen(container)["State"]["Pid"]
        assert f"ds01-u{door.user.uid}.slice" in Path(f"/proc/{pid}/cgroup").read_text()
    other, refused = door.runs("runtime2", HostConfig={"Runtime": runtime, "Binds": ["/:/h"]})
    assert refused.status >= 400
    assert not door.field.seen(other)["State"]["Running"]


def test_e23_a_privileged_exec(door: Permissive) -> None:
    container, _ = door.runs("mine")
    said = door.exec(container, "cat", "/proc/self/status", Privileged=True)
    assert "CapEff" not in said
    assert "the capability CAP_AUDIT_CONTROL" in door.refusals(container)[0]


@pytest.mark.parametrize("words", [
    ("mount", "-t", "tmpfs", "x", "/mnt"), ("unshare", "-U", "true"), ("nsenter", "-t", "1", "-m", "true"),
    ("mknod", "/x", "b", "8", "0"), ("sh", "-c", "echo x > /proc/sys/kernel/core_pattern"), ("umount", "/proc/kcore"),
    ("sh", "-c", "echo b > /proc/sysrq-trigger"), ("chroot", "/proc/1/root", "ls", "/home"), ("hostname", "x"),
])  # fmt: skip
def test_e33_from_inside_as_root(door: Permissive, words: tuple[str, ...]) -> None:
    container, _ = door.runs("inside")
    said = door.exec(container, "sh", "-c", f"id -u; {' '.join(words) if words[0] != 'sh' else words[2]} || echo NO")
    assert said.split()[0] == "0"
    assert "NO" in said or "No such file" in said, said


def test_e34_another_containers_cgroup(door: Permissive, victim: Victim) -> None:
    made = door.create("cgroup", Cmd=["sleep", "9"], HostConfig={"Cgroup": f"container:{victim.id}"})
    if made.status == 201 and door.start(made.json["Id"]).status == 204:
        assert victim.id not in door.exec(made.json["Id"], "cat", "/proc/self/cgroup")


def test_g3_g4_g10_no_variable_gives_a_gpu(door: Permissive, field: Ground) -> None:
    container, started = door.runs("env", Env=["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_MIG_CONFIG_DEVICES=all"])
    assert started.status == 204, started.body
    environment = Path(f"/proc/{field.seen(container)['State']['Pid']}/environ").read_text().split("\0")
    assert [each for each in environment if each.startswith("NVIDIA")] == ["NVIDIA_VISIBLE_DEVICES=void"]


def test_g9_a_node_beside_the_lease(door: Permissive) -> None:
    device = {"PathOnHost": "/dev/loop-control", "PathInContainer": "/dev/nvidia3", "CgroupPermissions": "rwm"}
    if not os.path.exists("/dev/loop-control"):
        device["PathOnHost"] = "/dev/kmsg"
    container, started = door.runs("node", gpus="1", HostConfig={"Devices": [device]})
    assert started.status >= 400
    assert "nvidia3" in door.refusals(container)[0]


def test_g13_a_start_past_ds01d(door: Permissive, field: Ground) -> None:
    """Its lease was good for one start; the engine cannot start it again by itself, nor can anybody at its socket."""
    container, started = door.runs("leased", gpus="1")
    assert started.status == 204, started.body
    assert field.root("POST", f"/containers/{container}/stop?t=0").status == 204
    again = field.root("POST", f"/containers/{container}/start")
    assert again.status >= 400
    assert "whose lease is over" in again.message
    assert door.start(container).status == 204


def test_g14_the_engine_starts_it_again(door: Permissive, field: Ground) -> None:
    policy = {"RestartPolicy": {"Name": "always"}}
    container, started = door.runs("always", gpus="1", Cmd=["sleep", "1"], HostConfig=policy)
    assert started.status == 204, started.body
    wait(lambda: door.refusals(container))
    assert "whose lease is over" in door.refusals(container)[0]
    assert not field.seen(container)["State"]["Pid"]
    # The engine calls it running until it has heard of the refusal.
    wait(lambda: not field.seen(container)["State"]["Running"])


def test_f3_a_container_nobody_granted(door: Permissive, field: Ground, mallory: User) -> None:
    """Made at the engine itself, with all the marks of one of hers."""
    host = {"CgroupParent": f"/ds01-u{mallory.uid}.slice"}
    labels = {"ds01.owner.uid": str(mallory.uid), "ds01.owner.epoch": "1"}
    made = field.root("POST", "/containers/create", {"Image": "ds01/tiny", "Labels": labels, "HostConfig": host})
    started = field.root("POST", f"/containers/{made.json['Id']}/start")
    assert started.status >= 400
    assert "DS01 did not grant" in started.message
