"""The kernel's table of mounts, read and judged; without any mount being made."""

from __future__ import annotations

import os

import pytest

from ds01.adapters.host.mounts import Mounted, mount_of, mounted, read, safe, table_of

DISK = "36 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"


def table(*lines: str) -> tuple[Mounted, ...]:
    return tuple(read(line) for line in (DISK, *lines))


def test_a_line_is_read_with_its_optional_fields_and_escapes() -> None:
    line = r"99 36 0:52 /export\040of /mnt/a\134b\040c rw,nosuid,nodev shared:7 master:2 - nfs4 server:/x rw,vers=4.2"
    mount = read(line)
    assert (mount.id, mount.device, mount.kind) == (99, "0:52", "nfs4")
    assert (mount.root, mount.point) == ("/export of", "/mnt/a\\b c")
    assert mount.harmless
    assert read(DISK).harmless is False


def test_a_mount_point_may_be_called_anything_but_the_kernels_own_signs() -> None:
    odd = "/home/a/b\x0cc\rd\xa0e\u2028f\udcff"
    lines = os.fsencode("\n".join((DISK, f"9 36 0:5 / {odd} rw,nosuid,nodev - fuse.sshfs host: rw,user_id=1001", "")))
    (_, mount) = table_of(lines)
    assert (mount.point, mount.of_a_user, mount.harmless) == (odd, True, True)


@pytest.mark.parametrize(
    ("line", "of_a_user"),
    [
        ("9 1 0:5 / /home/a/ssh rw,nosuid,nodev - fuse.sshfs host: rw,user_id=1001,group_id=1001", True),
        ("9 1 0:5 / /home rw,nosuid,nodev - fuse.glusterfs host:/home rw,user_id=0,group_id=0,allow_other", False),
        ("9 1 0:5 / /odd rw - fuse.odd odd rw", True),
        (DISK, False),
    ],
)
def test_a_file_system_a_user_mounted_decides_nothing(line: str, of_a_user: bool) -> None:
    assert read(line).of_a_user is of_a_user


def test_an_open_descriptor_knows_its_mount() -> None:
    fd = os.open("/proc/self", os.O_PATH)
    try:
        own = mount_of(fd, mounted())
        assert own is not None
        assert (own.point, own.kind) == ("/proc", "proc")
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param((), True, id="alone"),
        pytest.param(("60 36 8:2 / /mnt rw - ext4 /dev/sdb rw",), False, id="whole disk elsewhere with setuid"),
        pytest.param(("60 36 8:2 / /mnt rw,nosuid,nodev - ext4 /dev/sdb rw",), True, id="elsewhere harmless"),
        pytest.param(("60 36 8:2 /other /mnt rw - ext4 /dev/sdb rw",), True, id="another folder of the disk"),
        pytest.param(("60 36 8:2 /alice /mnt rw - ext4 /dev/sdb rw",), False, id="her folder elsewhere"),
        pytest.param(("60 36 8:2 /alice/w/deep /mnt rw - ext4 /dev/sdb rw",), False, id="a part of it elsewhere"),
        pytest.param(("60 36 8:2 /ali /mnt rw - ext4 /dev/sdb rw",), True, id="only alike by name"),
        pytest.param(("60 36 8:3 / /mnt rw - ext4 /dev/sdc rw",), True, id="another disk"),
    ],
)
def test_safe_looks_at_every_mount_of_the_file_system(others: tuple[str, ...], expected: bool) -> None:
    mounts = table("50 36 8:2 / /home rw,nosuid,nodev - ext4 /dev/sdb rw", *others)
    assert safe("/home/alice/w", mounts[1], mounts) is expected


def test_a_single_disk_is_safe_once_home_is_bound_over_itself() -> None:
    mounts = table("50 36 8:1 /home /home rw,nosuid,nodev - ext4 /dev/sda1 rw")
    assert safe("/home/alice", mounts[1], mounts)
    assert not safe("/srv/alice", mounts[0], mounts)


def test_a_mount_on_top_hides_the_one_below() -> None:
    below = "50 36 8:2 / /home rw - ext4 /dev/sdb rw"
    mounts = table(below, "51 50 8:2 / /home rw,nosuid,nodev - ext4 /dev/sdb rw")
    assert safe("/home/alice", mounts[2], mounts)
