"""Section 3 of the attacks: out of the container. Each is tried in every version clients speak, and judged by root."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, User

pytestmark = [pytest.mark.engine, pytest.mark.root]
VERSIONS = ["v1.24", "v1.30", "v1.39", "v1.40", "v1.41"]


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """What the client says it speaks."""
    return str(request.param)


@pytest.fixture(autouse=True)
def nothing_escapes(field: Ground, victim: Victim) -> Any:
    """Whatever exists after a test, none of it can reach the host."""
    yield
    for container in field.ids() - {victim.id}:
        found = field.seen(container)
        host = found["HostConfig"]
        assert not host["Privileged"]
        assert "host" not in (
            host["PidMode"],
            host["IpcMode"],
            host["UTSMode"],
            host["NetworkMode"],
            host["UsernsMode"],
        )
        assert host["CgroupParent"].strip("/").startswith("ds01-u")
        assert not host["Binds"]
        assert set(host["CapAdd"] or ()) <= {"SYS_PTRACE", "CHOWN"}
        assert not host["DeviceCgroupRules"]
        assert (host["Runtime"], host["OomScoreAdj"]) == ("ds01", 500)
        assert host["MaskedPaths"]
        for mount in found["Mounts"]:
            if mount["Type"] == "bind":
                assert mount["Source"].startswith(str(field.run)), mount
                assert mount["Propagation"] == "rprivate"


def refused(
    user: User, field: Ground, version: str = "v1.41", statuses: tuple[int, ...] = (400, 403), **body: Any
) -> None:
    """Nothing is created, and the answer is a sentence."""
    before = field.ids()
    made = user.create("", version, **body)
    assert made.status in statuses, made.body
    assert made.message
    assert field.ids() == before


def host(user: User, field: Ground, version: str = "v1.41", **fields: Any) -> None:
    refused(user, field, version, HostConfig=fields)


def test_e1_privileged(mallory: User, field: Ground, version: str) -> None:
    host(mallory, field, version, Privileged=True)
    assert mallory.docker("run", "--rm", "--privileged", IMAGE, "true").code == 125


@pytest.mark.parametrize("source", ["/", "/etc", "/root", "/var/lib", "/usr", "//", "/./"])
def test_e2_e3_folders_of_the_host(mallory: User, field: Ground, version: str, source: str) -> None:
    host(mallory, field, version, Binds=[f"{source}:/h"])
    host(mallory, field, version, Mounts=[{"Type": "bind", "Source": source, "Target": "/h"}])


@pytest.mark.parametrize("client", ["docker", OLD_CLIENT])
def test_e2_e3_with_clients(mallory: User, client: str) -> None:
    assert mallory.docker("run", "--rm", "-v", "/:/h", IMAGE, "ls", client=client).code == 125
    assert mallory.docker("run", "--rm", "--mount", "type=bind,src=/,dst=/h", IMAGE, "ls", client=client).code == 125


def test_e4_a_link_to_somewhere_else(mallory: User, alice: User, field: Ground) -> None:
    for number, goal in enumerate(("/root", "/etc", "/", str(alice.home), "/proc/self/root")):
        link = mallory.home / f"link{number}"
        link.symlink_to(goal)
        host(mallory, field, Binds=[f"{link}:/m"])
        host(mallory, field, Binds=[f"{link}/..:/m"])


def held(field: Ground, container: str, path: str) -> str:
    """What a running container sees at a path, read by root from outside."""
    pid = field.seen(container)["State"]["Pid"]
    return Path(f"/proc/{pid}/root{path}").read_text()


def test_e5_swapped_between_create_and_start(mallory: User, field: Ground) -> None:
    place = mallory.folder("swap5")
    (place / "x").write_text("mine")
    made = mallory.create("", Cmd=["sleep", "99"], HostConfig={"Binds": [f"{place}:/m"]})
    assert made.status == 201, made.body
    place.rename(mallory.home / "moved5")
    place.symlink_to("/etc")
    assert mallory.call("POST", f"/v1.41/containers/{made.json['Id']}/start").status == 204
    assert held(field, made.json["Id"], "/m/x") == "mine"
    assert not Path(f"/proc/{field.seen(made.json['Id'])['State']['Pid']}/root/m/passwd").exists()


@pytest.mark.slow
@pytest.mark.parametrize("level", ["folder", "parent"])
def test_e6_swapped_in_a_loop(mallory: User, field: Ground, level: str) -> None:
    """The folder or its parent is exchanged with one that leads to the host while containers are made and started."""
    base = mallory.folder(f"swap6{level}")
    for name in ("real", "evil"):
        (base / name).mkdir()
    (base / "real" / "d").mkdir()
    (base / "real" / "d" / "x").write_text("mine")
    (base / "evil" / "d").symlink_to("/etc")
    for path in (base, *base.rglob("*")):
        os.lchown(path, mallory.uid, mallory.person.gid)
    (base / "now").symlink_to("real")
    stop = threading.Event()

    def swap() -> None:
        goals = ("real", "evil") if level == "parent" else ("real/d", "/etc")
        link, spare = (base / "now", base / "spare")
        while not stop.is_set():
            for goal in goals:
                spare.symlink_to(goal)
                spare.rename(link)

    worker = threading.Thread(target=swap)
    worker.start()
    asked = f"{base}/now/d" if level == "parent" else f"{base}/now"
    running = 0
    try:
        for _ in range(25):
            made = mallory.create("", Cmd=["sleep", "99"], HostConfig={"Binds": [f"{asked}:/m"]})
            assert made.status in (201, 400, 403), made.body
            if made.status == 201 and mallory.call("POST", f"/v1.41/containers/{made.json['Id']}/start").status == 204:
                running += 1
                assert held(field, made.json["Id"], "/m/x") == "mine"
                assert mallory.call("POST", f"/v1.41/containers/{made.json['Id']}/restart?t=0").status == 204
                assert held(field, made.json["Id"], "/m/x") == "mine"
                mallory.call("DELETE", f"/v1.41/containers/{made.json['Id']}?force=1")
    finally:
        stop.set()
        worker.join()
    assert running


def test_e7_paths_of_odd_spelling(mallory: User, alice: User, field: Ground) -> None:
    (alice.home / "secret").mkdir(exist_ok=True)
    for source in (f"{mallory.home}/../{alice.home.name}", f"{mallory.home}/./../..", "/proc/self/root", "/tmp\n/etc",
                   "/proc/self/cwd", "/dev/fd/0", f"{alice.home}", f"{alice.home}/secret"):  # fmt: skip
        host(mallory, field, Binds=[f"{source}:/h"])
        host(mallory, field, Mounts=[{"Type": "bind", "Source": source, "Target": "/h"}])


def test_e8_propagation(mallory: User, field: Ground) -> None:
    place = mallory.folder("e8")
    for mode in ("rshared", "shared", "slave"):
        host(mallory, field, Binds=[f"{place}:/t:{mode}"])
        host(mallory, field, Mounts=[{"Type": "bind", "Source": str(place), "Target": "/t",
                                      "BindOptions": {"Propagation": mode}}])  # fmt: skip


def test_e9_a_volume_that_is_a_bind(mallory: User, field: Ground) -> None:
    body = {"Name": "vol", "Driver": "local", "DriverOpts": {"type": "none", "o": "bind", "device": "/"}}
    assert mallory.call("POST", "/v1.41/volumes/create", body).status == 403
    assert not field.root("GET", "/volumes").json["Volumes"]


@pytest.mark.parametrize(("kind", "device"), [("none", "/"), ("nfs", ":/x"), ("cifs", "//h/x"), ("ext4", "/dev/sda")])
def test_e10_the_same_in_a_mount(mallory: User, field: Ground, version: str, kind: str, device: str) -> None:
    options = {"DriverConfig": {"Name": "local", "Options": {"type": kind, "o": "bind", "device": device}}}
    host(mallory, field, version, Mounts=[{"Type": "volume", "Target": "/v", "VolumeOptions": options}])
    host(
        mallory, field, version, Mounts=[{"Type": "volume", "Source": "vol", "Target": "/v", "VolumeOptions": options}]
    )


@pytest.mark.parametrize("field_name", ["PidMode", "IpcMode", "UTSMode", "NetworkMode", "UsernsMode", "CgroupnsMode"])
def test_e11_namespaces_of_the_host(mallory: User, field: Ground, version: str, field_name: str) -> None:
    host(mallory, field, version, **{field_name: "host"})
    refused(mallory, field, version, statuses=(400, 403, 404), HostConfig={field_name: "HOST"})


@pytest.mark.parametrize("cap", ["sys_admin", "CAP_SYS_ADMIN", "ALL", "all", "DAC_READ_SEARCH", "SYS_MODULE", "BPF",
                                 "NET_ADMIN", "NET_RAW", "MKNOD", "SYS_RAWIO"])  # fmt: skip
def test_e12_capabilities(mallory: User, field: Ground, version: str, cap: str) -> None:
    host(mallory, field, version, CapAdd=[cap])


@pytest.mark.parametrize("option", ["seccomp={}", "apparmor=unconfined", "apparmor:unconfined", "label=disable",
                                    "systempaths=unconfined", "label:disable", "seccomp=builtin"])  # fmt: skip
def test_e13_security_options(mallory: User, field: Ground, version: str, option: str) -> None:
    host(mallory, field, version, SecurityOpt=[option])


def test_e13_plain_seccomp_is_stripped_and_said(mallory: User, field: Ground) -> None:
    for option in ("seccomp=unconfined", "seccomp:unconfined"):
        made = mallory.create(HostConfig={"SecurityOpt": [option]})
        assert "seccomp" in str(made.json["Warnings"])
        assert field.seen(made.json["Id"])["HostConfig"]["SecurityOpt"] == []


def test_e14_uncovered_paths(mallory: User, field: Ground, version: str) -> None:
    host(mallory, field, version, MaskedPaths=[])
    host(mallory, field, version, ReadonlyPaths=[])


@pytest.mark.parametrize("path", ["/dev/sda", "/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/null", "/dev/nvidia0"])
def test_e15_devices(mallory: User, field: Ground, version: str, path: str) -> None:
    host(mallory, field, version, Devices=[{"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"}])


def test_e16_device_rules(mallory: User, field: Ground, version: str) -> None:
    for rule in ("a *:* rwm", "c 195:* rwm", "b 8:0 rw"):
        host(mallory, field, version, DeviceCgroupRules=[rule])


def test_e17_runtimes(mallory: User, field: Ground, version: str) -> None:
    for name in ("io.containerd.kata.v2", "crun", "unknown", "io.containerd.runc.v2"):
        host(mallory, field, version, Runtime=name)
    assert mallory.create("", version, HostConfig={"Runtime": "runc"}).status == 201


def test_e18_annotations(mallory: User, field: Ground) -> None:
    made = mallory.create(HostConfig={"Annotations": {"run.oci.handler": "x", "cdi.k8s.io/a": "nvidia.com/gpu=all"}})
    assert made.status == 201
    assert not field.seen(made.json["Id"])["HostConfig"].get("Annotations")


def test_e19_sysctls(mallory: User, field: Ground, version: str) -> None:
    for name in (
        "kernel.core_pattern",
        "kernel/core_pattern",
        "net.core.somaxconn",
        "fs.mqueue.msg_max",
        "vm.overcommit",
    ):
        host(mallory, field, version, Sysctls={name: "|/x"})


def test_e20_out_of_memory(mallory: User, field: Ground, version: str) -> None:
    host(mallory, field, version, OomScoreAdj=-1000)
    host(mallory, field, version, OomKillDisable=True)


def test_e21_files_that_would_be_root_on_the_host(mallory: User, field: Ground) -> None:
    """The container of a folder on a file system that honours setuid runs as its owner, exec included."""
    place = mallory.folder("e21")
    container = mallory.runs("e21", User="0", HostConfig={"Binds": [f"{place}:/m"], "CapAdd": ["CHOWN"]})
    script = ("cp /bin/busybox /m/sh; chmod 4755 /m/sh; chown 0:0 /m/sh; mknod /m/dev b 8 0; "
              "ls -ln /m; cat /proc/self/status")  # fmt: skip
    for flags in ([], ["-u", "0"], ["-u", "0:0"], ["--privileged"]):
        done = mallory.docker("exec", *flags, container, "sh", "-c", script)
        assert "Uid:\t0" not in done.out
        assert flags or f"Uid:\t{mallory.uid}\t" in done.out
    assert (place / "sh").stat().st_size == Path("/bin/busybox").stat().st_size
    for path in place.iterdir():
        found = path.lstat()
        assert (found.st_uid, found.st_gid) == (mallory.uid, mallory.person.gid)
        assert stat.S_ISREG(found.st_mode)
    status = Path(f"/proc/{field.seen(container)['State']['Pid']}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "CapBnd:\t0000000000000000" in status


def test_e21_an_archive_cannot_plant_them_either(mallory: User, field: Ground) -> None:
    place = mallory.folder("e21b")
    made = mallory.create("", Cmd=["sleep", "9"], HostConfig={"Binds": [f"{place}:/m"]}).json["Id"]
    archive = subprocess.run(["tar", "-c", "-C", "/bin", "--mode=4755", "--owner=0", "--group=0", "busybox"],
                             capture_output=True, check=True).stdout  # fmt: skip
    for path in ("/m", "/tmp", "/"):
        assert mallory.call("PUT", f"/v1.41/containers/{made}/archive?path={path}", archive).status == 403
        assert mallory.call("GET", f"/v1.41/containers/{made}/archive?path={path}").status == 403
    assert list(place.iterdir()) == []


def test_e22_hard_links_to_others_files(mallory: User, field: Ground) -> None:
    """With the kernel's protection a user cannot make such a link; without it the bind is still opened as her."""
    if Path("/proc/sys/fs/protected_hardlinks").read_text().strip() == "1":
        made = mallory.person.run("ln", "/etc/shadow", str(mallory.home / "shadow"))
        assert made.code != 0
    (mallory.home / "shadow2").unlink(missing_ok=True)
    shutil.copy("/etc/hostname", mallory.home / "shadow2")
    os.chown(mallory.home / "shadow2", 0, 0)
    (mallory.home / "shadow2").chmod(0o600)
    host(mallory, field, Binds=[f"{mallory.home}/shadow2:/s"])


@pytest.mark.parametrize("client", ["docker", OLD_CLIENT])
def test_e23_a_privileged_exec(mallory: User, client: str) -> None:
    container = mallory.runs("mine")
    assert mallory.docker("exec", "--privileged", "mine", "sh", client=client).code != 0
    made = mallory.call("POST", f"/v1.41/containers/{container}/exec", {"Cmd": ["sh"], "privileged": True})
    assert made.status == 403
    assert not mallory.call("GET", f"/v1.41/containers/{container}/json").json["ExecIDs"]


def test_e24_an_image_as_a_mount(mallory: User, field: Ground, victim: Victim) -> None:
    host(mallory, field, Mounts=[{"Type": "image", "Source": victim.image, "Target": "/i"}])


def test_e25_plugins(mallory: User) -> None:
    for method, path in (("POST", "/plugins/pull?remote=x&name=y"), ("POST", "/plugins/create?name=x"),
                         ("GET", "/plugins/privileges?remote=x"), ("POST", "/plugins/x/enable"),
                         ("POST", "/plugins/x/set"), ("POST", "/plugins/x/upgrade?remote=y"),
                         ("DELETE", "/plugins/x")):  # fmt: skip
        assert mallory.call(method, f"/v1.41{path}").status == 403
    assert mallory.docker("plugin", "install", "--grant-all-permissions", "x/y").code != 0
    assert mallory.call("GET", "/v1.41/plugins").json == []


def test_e26_swarm(mallory: User, field: Ground) -> None:
    assert mallory.docker("swarm", "init").code != 0
    assert mallory.docker("service", "create", "--mount", "type=bind,src=/,dst=/h", IMAGE).code != 0
    assert mallory.call("POST", "/v1.41/swarm/init", {"ListenAddr": "0.0.0.0:2377"}).status == 403
    assert field.root("GET", "/info").json["Swarm"]["LocalNodeState"] == "inactive"


def test_e27_checkpoints(mallory: User) -> None:
    container = mallory.runs("mine")
    body = {"CheckpointID": "x", "CheckpointDir": "/etc"}
    assert mallory.call("POST", f"/v1.41/containers/{container}/checkpoints", body).status == 403
    started = mallory.call("POST", f"/v1.41/containers/{container}/start?checkpoint=x&checkpoint-dir=/etc")
    assert started.status == 400


@pytest.mark.parametrize("magic", [b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"not a tar"])
def test_e28_compressed_archives(mallory: User, field: Ground, magic: bytes) -> None:
    made = mallory.create("", Cmd=["sleep", "9"]).json["Id"]
    found = mallory.call("PUT", f"/v1.41/containers/{made}/archive?path=/tmp", magic + b"x" * 2000)
    assert found.status == 400
    assert field.root("GET", f"/containers/{made}/changes").json is None


def test_e29_copies_of_a_running_container(mallory: User) -> None:
    container = mallory.runs("mine")
    assert mallory.call("GET", f"/v1.41/containers/{container}/archive?path=/etc").status == 403
    assert mallory.call("PUT", f"/v1.41/containers/{container}/archive?path=/tmp", b"\0" * 1024).status == 403


def test_e29_copies_where_another_container_runs_on_the_same_volume(mallory: User) -> None:
    """It could swap a folder of the volume for a link while the engine follows the path."""
    data = {"Type": "volume", "Source": "data"}
    copied = mallory.create("copied", HostConfig={"Mounts": [data | {"Target": "/v"}]}).json["Id"]
    archive = f"/v1.41/containers/{copied}/archive?path=/v"
    assert mallory.call("GET", archive).status == 200
    swapping = mallory.runs("swapping", HostConfig={"Mounts": [data | {"Target": "/w"}]})
    for state in ("pause", "unpause"):
        assert mallory.call("POST", f"/v1.41/containers/{swapping}/{state}").status == 204
        refused = mallory.call("GET", archive)
        assert refused.status == 403
        assert "does not copy files of 'copied' while 'swapping' runs (archive.shared)" in refused.json["message"]
        assert mallory.call("PUT", archive, b"\0" * 1024).status == 403
    assert mallory.call("POST", f"/v1.41/containers/{swapping}/kill").status == 204
    assert mallory.call("POST", f"/v1.41/containers/{swapping}/wait").status == 200
    assert mallory.call("GET", archive).status == 200
    assert mallory.docker("rm", "--force", copied, swapping).code == 0
    assert mallory.docker("volume", "rm", "data").code == 0


def test_e31_cgroups_of_others(mallory: User, alice: User, field: Ground) -> None:
    for parent in (
        "/",
        "machine.slice",
        "init.scope",
        f"ds01-u{alice.uid}.slice",
        "../system.slice",
        "/system.slice/x",
    ):
        made = mallory.create(HostConfig={"CgroupParent": parent})
        assert made.status == 201
        assert field.seen(made.json["Id"])["HostConfig"]["CgroupParent"].strip("/") == f"ds01-u{mallory.uid}.slice"


def test_e32_things_that_are_no_folder(mallory: User, field: Ground) -> None:
    home = mallory.home
    os.mkfifo(home / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(home / "sock"))
    os.mknod(home / "node", stat.S_IFBLK | 0o666, os.makedev(8, 0))
    for name in ("fifo", "sock", "node"):
        os.chown(home / name, mallory.uid, mallory.person.gid)
    for source in (
        home / "fifo",
        home / "sock",
        home / "node",
        "/dev/shm/x",
        f"/proc/{os.getpid()}/fd/0",
        "/sys/fs/cgroup",
    ):
        host(mallory, field, Binds=[f"{source}:/h"])


def test_e33_from_inside(mallory: User) -> None:
    container = mallory.runs("mine")
    for command in ("mount -t tmpfs x /mnt", "mount --bind / /mnt", "unshare -Ur true", "nsenter -t 1 -m true",
                    "mknod /x b 8 0", "echo x > /proc/sys/kernel/core_pattern"):  # fmt: skip
        assert mallory.docker("exec", container, "sh", "-c", command).code != 0, command


def test_e34_another_containers_cgroup(mallory: User, field: Ground, victim: Victim, version: str) -> None:
    host(mallory, field, version, Cgroup=f"container:{victim.id}")
    host(mallory, field, version, Cgroup="container:x")


def test_a_joined_container_hands_over_nothing(mallory: User, field: Ground) -> None:
    """Open files pass between containers that share a network or processes: everything in both is their owner's."""
    place = mallory.folder("joined")
    mallory.runs("bound", HostConfig={"Binds": [f"{place}:/m"]})
    for mode in ("NetworkMode", "PidMode", "IpcMode"):
        made = mallory.create("", User="0", HostConfig={mode: "container:bound"})
        assert field.seen(made.json["Id"])["Config"]["User"] == f"{mallory.uid}:{mallory.person.gid}"
    host(mallory, field, VolumesFrom=["bound"])


def test_what_was_asked_is_shown_again(mallory: User) -> None:
    place = mallory.folder("shown")
    container = mallory.runs("shown", HostConfig={"Binds": [f"{place}:/m:ro"]})
    found = json.loads(mallory.docker("inspect", container).out)[0]
    assert [(m["Source"], m["Destination"], m["RW"]) for m in found["Mounts"]] == [(str(place), "/m", False)]
    assert found["Config"]["Image"] == IMAGE


def test_d9_mounts_are_counted_before_anything_is_opened(mallory: User, field: Ground) -> None:
    """Each folder is a mount of the server's, which allows so many for everybody."""
    place = mallory.folder("many")
    refused = mallory.create(HostConfig={"Binds": [f"{place}:/b{number}" for number in range(65)]})
    assert (refused.status, "has 65 mounts, and may have 64" in refused.message) == (400, True), refused.body
    asked = f"{place}/not-there"
    refused = mallory.create(HostConfig={"Binds": [f"{asked}:/b"], "Tmpfs": {f"/t{n}": "" for n in range(64)}})
    assert (refused.status, Path(asked).exists()) == (400, False), refused.body
    most = [{"Type": "tmpfs", "Target": f"/t{number}"} for number in range(64)]
    assert mallory.create("full", HostConfig={"Mounts": most}).status == 201
    refused = mallory.create(HostConfig={"VolumesFrom": ["full"], "Binds": [f"{place}:/b"]})
    assert (refused.status, "has 65 mounts" in refused.message) == (400, True), refused.body
    assert not [line for line in Path("/proc/mounts").read_text().splitlines() if f"{field.run}/" in line]
