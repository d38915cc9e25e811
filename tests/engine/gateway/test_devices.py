"""Devices besides GPUs: who is in a group that gets some has them, nobody else does, and an admin takes them back."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.gateway.ground import IMAGE, Ground, User, wait
from tests.engine.gateway.test_admin import told
from tests.engine.gateway.test_build import folder
from tests.engine.gateway.test_buildkit import built

pytestmark = [pytest.mark.engine, pytest.mark.root]

FUSE = os.makedev(10, 229)
"""Harmless: without a file system to mount with it nothing comes of it."""


def node(path: Path, kind: int, numbers: int) -> None:
    os.mknod(path, kind | 0o666, numbers)
    path.chmod(0o666)


@pytest.fixture(scope="module")
def lab() -> Iterator[Path]:
    """A folder below /dev of this test's own."""
    folder = Path(f"/dev/ds01-lab-{os.getpid()}")
    folder.mkdir()
    node(folder / "fuse", stat.S_IFCHR, FUSE)
    node(folder / "mem", stat.S_IFCHR, os.makedev(1, 1))
    node(folder / "gpu", stat.S_IFCHR, os.makedev(195, 0))
    node(folder / "console", stat.S_IFCHR, os.makedev(4, 1))
    node(folder / "disk", stat.S_IFBLK, os.makedev(7, 0))
    for name, goal in {"to-gpu": "/dev/nvidia0", "to-disk": "/dev/sda", "to-mem": "/dev/mem", "to-fuse": "fuse",
                       "to-null": "/dev/null"}.items():  # fmt: skip
        (folder / name).symlink_to(goal)
    yield folder
    shutil.rmtree(folder)


@contextlib.contextmanager
def given(field: Ground, user: User, *patterns: str) -> Iterator[None]:
    """This user is in a group that gets these devices."""
    group = f'{{members: ["{user.person.login}"], devices: "{" ".join(patterns)}"}}'
    with field.limited(f"{(field.run / 'limits.yaml').read_text()}groups: {{lab: {group}}}\n"):
        yield


def device(path: Path | str, **changes: str) -> dict[str, Any]:
    entry = {"PathOnHost": str(path), "PathInContainer": str(path), "CgroupPermissions": "rwm"} | changes
    return {"HostConfig": {"Devices": [entry]}}


def opened(user: User, container: str, path: Path | str) -> bool:
    done = user.docker("exec", container, "sh", "-c", f"exec 3<>{path} && echo it-is-open")
    return "it-is-open" in done.out


@pytest.mark.parametrize("bound", [False, True], ids=["with-root", "its-owners"])
def test_e15_a_group_gets_its_devices_until_they_are_taken_away(
    alice: User, mallory: User, field: Ground, lab: Path, bound: bool
) -> None:
    asked = device(lab / "fuse")
    asked["HostConfig"] |= {"Binds": [f"{alice.folder('lab')}:/lab"]} if bound else {}
    with given(field, alice, f"{lab}/*"):
        container = alice.runs("fuse", **asked)
        assert opened(alice, container, lab / "fuse")
        (seen,) = alice.call("GET", f"/v1.41/containers/{container}/json").json["HostConfig"]["Devices"]
        assert (seen["PathOnHost"], seen["CgroupPermissions"]) == (str(lab / "fuse"), "rw")
        assert alice.docker("restart", "-t", "0", "fuse").code == 0
        assert opened(alice, container, lab / "fuse")
        refused = mallory.create("fuse", **device(lab / "fuse"))
        assert (refused.status, "Containers of your group get none" in refused.message) == (403, True)
        assert alice.docker("stop", "-t", "0", "fuse").code == 0
    again = alice.docker("start", "fuse")
    assert again.code != 0
    assert "which it may not have any more" in again.err
    assert not field.seen(container)["State"]["Running"]


def test_e15_what_runs_with_a_device_that_was_taken_away_is_stopped(alice: User, field: Ground, lab: Path) -> None:
    with given(field, alice, f"{lab}/fuse"):
        container = alice.runs("taken", **device(lab / "fuse"))
    field.root("POST", f"/containers/{container}/update", {"CpuShares": 512})  # ds01d looks at what was changed
    wait(lambda: not field.seen(container)["State"]["Running"])
    wait(lambda: any("the device" in each.get("reason", "") for each in told(field, "container.quarantined")))


def test_e15_the_command_line_and_what_it_says(alice: User, field: Ground, lab: Path) -> None:
    with given(field, alice, f"{lab}/*"):
        done = alice.docker("run", "--rm", "--device", f"{lab}/to-fuse", IMAGE, "sh", "-c", f"exec 3<>{lab}/to-fuse")
        assert done.code == 0, done.err
    done = alice.docker("run", "--rm", "--device", f"{lab}/fuse", IMAGE, "true")
    assert done.code == 125
    assert "(create.devices). Containers of your group get none." in done.err
    wait(lambda: any(each.get("rule") == "create.devices" for each in told(field, "door.denied")))


OTHERS = (
    "to-gpu", "to-disk", "to-mem", "to-null", "gpu", "mem", "console", "disk", "", ".", "..", "../mem", "fuse/",
    "/fuse", "./fuse", "../null", "gone", "*", "f?se", "fuse:/dev/x:rwm",
)  # fmt: skip
"""What an allowance for a whole folder does not give."""
RAW = [
    '{{"Image":"{image}","HostConfig":{{"Devices":[{{"PATHONHOST":"{lab}/mem","pathonhost":"{lab}/fuse"}}]}}}}',
    '{{"Image":"{image}","HostConfig":{{"Devices":[{{"PathOnHost":"{lab}/fuse"}}],"devices":[{{"PathOnHost":"/x"}}]}}}}',
    '{{"Image":"{image}","HostConfig":{{"Devices":[{{"PathOnHo\\u017ft":"/dev/mem"}}]}}}}',
    '{{"Image":"{image}","HostConfig":{{"Device\\u017f":[{{"PathOnHost":"/dev/mem"}}]}}}}',
    '{{"Image":"{image}","HostConfig":{{"Devices":[{{"PathOnHost":"{lab}/fuse\\u0000"}}]}}}}',
    '{{"Image":"{image}","HostConfig":{{"Devices":[{{"PathOnHost":"{lab}/fuse","PathInContainer":"/dev/../etc/x"}}]}}}}',
    '{{"Image":"{image}","Devices":[{{"PathOnHost":"{lab}/fuse"}}]}}',
]
"""Bytes that could be read in two ways."""


def test_e15_an_allowance_gives_nothing_else(alice: User, field: Ground, lab: Path) -> None:
    with given(field, alice, f"{lab}/*"):
        before = field.ids()
        for path in OTHERS:
            made = alice.create("", **device(f"{lab}/{path}"))
            assert (made.status in (400, 403), bool(made.message)) == (True, True), (path, made.body)
        for text in RAW:
            made = alice.call("POST", "/v1.41/containers/create", text.format(image=IMAGE, lab=lab).encode())
            assert made.status == 400, (text, made.body)
        assert field.ids() == before


def test_e15_folded_keys_are_read_as_the_engine_does(alice: User, field: Ground, lab: Path) -> None:
    text = f'{{"image":"{IMAGE}","HOSTCONFIG":{{"dEVICES":[{{"pathonHOST":"{lab}/fuse","Cgrouppermissions":"r"}}]}}}}'
    with given(field, alice, f"{lab}/*"):
        made = alice.call("POST", "/v1.41/containers/create", text.encode())
        assert made.status == 201, made.body
        (seen,) = field.seen(made.json["Id"])["HostConfig"]["Devices"]
        assert seen == {"PathOnHost": f"{lab}/fuse", "PathInContainer": f"{lab}/fuse", "CgroupPermissions": "r"}


CHANGE = (
    "for node in /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty {lab}/fuse /proc/self/fd/[012]; do "
    "chmod 667 $node; chown 0:7 $node; done; "
    "for file in /proc/[!0-9]* /proc/tty/* /proc/driver/* /proc/bus/* /sys/firmware; do "
    "case $file in */self) continue; esac; chmod u+s $file; chown 0:7 $file; done; "
    "cat /proc/self/status /proc/mounts /proc/net/dev /proc/meminfo > /dev/null && "
    "echo 9 > /proc/self/oom_score_adj && echo tried"
)
"""What takes nothing away from anybody if it works."""
NODES = ("null", "zero", "full", "random", "urandom", "tty")
FRESH = "stat -c '%n %a %u %g' /proc/[!0-9]* /proc/tty/* /proc/driver/* /proc/bus/*"


def modes(lab: Path) -> dict[str, tuple[int, int, int]]:
    """Who may open the host's nodes and files of /proc, which a mount of before would not tell."""
    nodes = [*(Path("/dev") / name for name in NODES), lab / "fuse"]
    found = {str(node): (stat.S_IMODE((seen := node.stat()).st_mode), seen.st_uid, seen.st_gid) for node in nodes}
    words = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", FRESH]
    for line in subprocess.run(words, capture_output=True, text=True).stdout.splitlines():
        path, mode, uid, gid = line.split()
        found[path] = (int(mode, 8), int(uid), int(gid))
    assert "/proc/consoles" in found
    return found


@contextlib.contextmanager
def unchanged(lab: Path) -> Iterator[None]:
    """Who may open what is the host's is as it was, and is put back where it is not."""
    before = modes(lab)
    try:
        yield
    finally:
        after = modes(lab)
        changed = {path: found for path, found in after.items() if found != before[path]}
        for path in changed:
            mode, uid, gid = before[path]
            os.chown(path, uid, gid)
            os.chmod(path, mode)
    assert changed == {}


def test_e15_root_in_a_container_cannot_change_nodes_of_the_host(alice: User, field: Ground, lab: Path) -> None:
    change = CHANGE.format(lab=lab)
    with given(field, alice, f"{lab}/*"), unchanged(lab):
        made = alice.docker("run", "--name", "nodes", "--device", f"{lab}/fuse", IMAGE, "sh", "-c", change)
        assert "tried" in made.out, made.err
        container = alice.runs("running", **device(lab / "fuse"))
        assert "tried" in alice.docker("exec", container, "sh", "-c", change).out
        assert alice.docker("exec", "-d", container, "sh", "-c", f"{change}; touch /done").code == 0
        wait(lambda: alice.docker("exec", container, "test", "-e", "/done").code == 0)
        assert (
            alice.docker("exec", container, "sh", "-c", "echo x > /dev/null && head -c 9 /dev/zero | wc -c").out
            == "9\n"
        )
        assert opened(alice, container, lab / "fuse")


ELSEWHERE = "mkdir -p /x/bin /x/dev /x/proc; cp /bin/busybox /x/bin; {null}; exec chroot /x /bin/busybox sleep 10000"
"""A first process with a root of its own, and what it has there at the path of the null."""
NULLS = {"none": "true", "a-file": ": > /x/dev/null", "a-link": "ln -s /root/nothing-there /x/dev/null"}


@pytest.mark.parametrize("null", NULLS.values(), ids=NULLS)
def test_e15_what_an_exec_has_for_nothing_is_not_of_the_container(
    alice: User, field: Ground, lab: Path, null: str
) -> None:
    changes = ["sh", "-c", "chmod 667 /proc/self/fd/0; chown 0:7 /proc/self/fd/0; cat; echo tried"]
    health = {"Test": ["CMD", "sh", "-c", "chmod 667 /proc/self/fd/0; exit 0"], "Interval": 10**9, "Retries": 1}
    with unchanged(lab):
        made = alice.create("elsewhere", Cmd=["sh", "-c", ELSEWHERE.format(null=null)], Healthcheck=health)
        container = str(made.json["Id"])
        assert alice.docker("start", container).code == 0
        done = alice.docker("exec", container, *changes)
        assert (done.code, done.out, "Read-only file system" in done.err) == (0, "tried\n", True), done.err
        assert alice.docker("exec", "-d", container, *changes[:2], f"{changes[2]} > /told").code == 0
        wait(lambda: alice.docker("exec", container, "cat", "/told").out == "tried\n")
        wait(lambda: field.seen(container)["State"]["Health"]["Status"] == "healthy")


def test_e15_nor_can_a_step_of_a_build(alice: User, lab: Path) -> None:
    dockerfile = f"FROM {IMAGE}\nRUN {CHANGE.format(lab=lab)}\n"
    with unchanged(lab):
        done = alice.docker("build", "--no-cache", str(folder(alice, "nodes", dockerfile)))
        assert "tried" in done.out, done.err
        done = built(alice, "kit-nodes", dockerfile, "--no-cache", "--progress", "plain")
        assert (done.code, "tried" in done.out + done.err) == (0, True), done.err
