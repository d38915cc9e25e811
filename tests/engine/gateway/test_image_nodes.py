"""Device nodes that come with an image, and a user who has a shell beside her container.

What an engine unpacks as root it makes as it is written, nodes too. In the container its device cgroup keeps them
closed. Her shell is in another cgroup: through ``/proc/PID/root`` it would open the server's disk.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dev import tiny

from tests.engine.gateway.ground import Ground, User

pytestmark = [pytest.mark.engine, pytest.mark.root]

ZERO = (1, 5)
"""A node everybody may open at its usual place, so that only where it is can forbid it."""

OPENING = """
import os, sys
try:
    print(len(os.read(os.open(sys.argv[1], os.O_RDONLY), 8)))
except OSError as error:
    print(type(error).__name__)
"""


def layer() -> bytes:
    """The small base with a node anybody may open, at the top and in a folder."""
    buffer = io.BytesIO(tiny.layer())
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        for name in ("zero", "data/zero"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, (entry.devmajor, entry.devminor) = tarfile.CHRTYPE, 0o666, ZERO
            tar.addfile(entry)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def image(field: Ground, mallory: User) -> Iterator[str]:
    """It comes as a layer does that she pulls, loads or imports: the engine unpacks it."""
    made = mallory.call("POST", "/v1.41/images/create?fromSrc=-&repo=nodes", layer(), Content_Type="application/x-tar")
    assert made.status == 200, made.body
    yield "nodes"
    field.clear_images(mallory.uid)


def opened(user: User, field: Ground, container: str, path: str) -> str:
    """What her shell reads of a node in the container: how many bytes, or why none."""
    pid = field.seen(container)["State"]["Pid"]
    done = user.person.run("/usr/bin/python3", "-c", OPENING, f"/proc/{pid}/root{path}")
    assert done.code == 0, done.err
    return done.out.strip()


def hers(user: User, image: str, **more: Any) -> str:
    """A container in which everything runs as she."""
    return user.runs("", Image=image, User=f"{user.uid}:{user.person.gid}", **more)


def test_the_attack_works_where_nothing_stands_in_its_way(mallory: User, field: Ground, image: str) -> None:
    """Root starts the same container on the engine's own socket, in nobody's slice."""
    found = mallory.call("GET", f"/v1.41/images/{image}/json").json["Id"]
    asked = {"Image": found, "Cmd": ["/bin/sleep", "600"], "User": f"{mallory.uid}:{mallory.person.gid}"}
    made = field.root("POST", "/containers/create", asked).json["Id"]
    assert field.root("POST", f"/containers/{made}/start").status == 204
    assert opened(mallory, field, made, "/zero") == "8"


def test_e35_a_node_of_an_image(mallory: User, field: Ground, image: str) -> None:
    container = hers(mallory, image)
    assert opened(mallory, field, container, "/zero") == "PermissionError"
    assert opened(mallory, field, container, "/data/zero") == "PermissionError"


def test_e35_a_node_that_an_engine_copies_into_a_volume(mallory: User, field: Ground, image: str) -> None:
    container = hers(mallory, image, HostConfig={"Binds": ["nodes:/data"]})
    pid = field.seen(container)["State"]["Pid"]
    assert Path(f"/proc/{pid}/root/data/zero").is_char_device()
    assert opened(mallory, field, container, "/data/zero") == "PermissionError"
    assert mallory.call("DELETE", f"/v1.41/containers/{container}?force=1").status == 204
    assert mallory.call("DELETE", "/v1.41/volumes/nodes").status == 204


def test_e35_after_a_restart(mallory: User, field: Ground, image: str) -> None:
    container = hers(mallory, image)
    assert mallory.call("POST", f"/v1.41/containers/{container}/restart?t=0").status == 204
    assert opened(mallory, field, container, "/zero") == "PermissionError"


@pytest.fixture
def without_nodes(mallory: User) -> Iterator[Path]:
    """A folder of hers on a file system that is mounted here without nodes. One is in it: somebody who is root on
    another machine made it.
    """
    place = mallory.folder("e35")
    options = f"nosuid,nodev,noexec,uid={mallory.uid},gid={mallory.person.gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "e35", place], check=True)
    os.mknod(place / "zero", 0o20666, os.makedev(*ZERO))
    (place / "zero").chmod(0o666)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.parametrize("options", ["", ":ro"])
def test_e35_a_node_in_a_folder_that_may_have_none(
    mallory: User, field: Ground, image: str, without_nodes: Path, options: str
) -> None:
    container = hers(mallory, image, HostConfig={"Binds": [f"{without_nodes}:/m{options}"]})
    assert opened(mallory, field, container, "/m/zero") == "PermissionError"
    seen = mallory.docker("exec", container, "/bin/grep", " /m ", "/proc/self/mountinfo").out.split()[5].split(",")
    assert {"nosuid", "nodev", "noexec", "ro" if options else "rw"} <= set(seen)


def test_a_folder_that_is_read_only_on_the_server_stays_so(
    mallory: User, field: Ground, image: str, without_nodes: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,bind,ro,nosuid,nodev", without_nodes], check=True)
    container = hers(mallory, image, HostConfig={"Binds": [f"{without_nodes}:/m"]})
    seen = mallory.docker("exec", container, "/bin/grep", " /m ", "/proc/self/mountinfo").out.split()[5].split(",")
    assert "ro" in seen


def test_what_a_container_of_ones_own_has_for_devices_stays(mallory: User, field: Ground, image: str) -> None:
    container = hers(mallory, image)
    done = mallory.docker(
        "exec", container, "/bin/sh", "-c", "echo x > /dev/null && /bin/head -c 3 /dev/zero | /bin/wc -c"
    )
    assert done.out.strip() == "3"
