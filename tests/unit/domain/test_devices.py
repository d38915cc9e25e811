"""Which device files may be given: what an admin may write, what a pattern stands for, and what nobody is given."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.domain.devices import Node, NodeKind, allowed, grantable, malformed, never, never_this, read, taken
from tests.effort import tries

INFINIBAND = "/dev/infiniband/*"


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("", ()), ("none", ()), ("/dev/kvm", ("/dev/kvm",)), ("/dev/infiniband/*  /dev/kvm", (INFINIBAND, "/dev/kvm")),
        ("/dev/kvm /dev/kvm", ("/dev/kvm",)), ("/dev/ttyUSB*", ("/dev/ttyUSB*",)), ("/dev/ttyS?", ("/dev/ttyS?",)),
        ("/dev/ttyACM0 /dev/bus/usb/001/*", ("/dev/ttyACM0", "/dev/bus/usb/001/*")),
        ("/dev/bus/*/00?/*", ("/dev/bus/*/00?/*",)), ("/dev/v4l/by-id/*", ("/dev/v4l/by-id/*",)),
        ("/dev/sgx_enclave /dev/net/tun /dev/fuse", ("/dev/sgx_enclave", "/dev/net/tun", "/dev/fuse")),
        ("/dev/cpu_dma_latency", ("/dev/cpu_dma_latency",)),
    ],
)  # fmt: skip
def test_what_an_admin_may_write(text: str, patterns: tuple[str, ...]) -> None:
    assert read(text) == patterns


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kvm", "does not begin with /dev/"), ("/dev", "does not begin with"), ("/etc/passwd", "does not begin with"),
        ("/dev/", "a slash too many"), ("/dev//kvm", "a slash too many"), ("/dev/kvm/", "a slash too many"),
        ("/dev/../dev/kvm", "has . or .."), ("/dev/./kvm", "has . or .."), ("/dev/bus/..", "has . or .."),
        ("/dev/k[v]m", "more in it than letters"), ("/dev/kvm,/dev/fuse", "more in it"), ("/dev/kü", "more in it"),
        ("/dev/*", "begins with a wildcard"), ("/dev/?em", "begins with a wildcard"), ("/dev/1*", "begins with a wild"),
        ("/dev/*/x", "begins with a wildcard"), ("/dev/_*", "begins with a wildcard"),
        ("/dev/nvidia0", "is given to nobody: GPUs come with a lease"), ("/dev/dri/card0", "GPUs come with a lease"),
        ("/dev/kfd", "GPUs come with a lease"), ("/dev/nvidia-caps/nvidia-cap1", "GPUs come with a lease"),
        ("/dev/n*", "stands for /dev/nvidia* as well, which is given to nobody: GPUs"), ("/dev/dri*", "GPUs come"),
        ("/dev/nvidia?", "GPUs come with a lease"), ("/dev/k?d", "stands for /dev/kfd as well"),
        ("/dev/mem", "memory, or its kernel"), ("/dev/me?", "memory, or its kernel"), ("/dev/kmem", "its kernel"),
        ("/dev/port", "its kernel"), ("/dev/kmsg", "its kernel"), ("/dev/vfio/*", "its kernel"),
        ("/dev/cpu/0/msr", "its kernel"), ("/dev/mapper/*", "disks"), ("/dev/loop0", "disks"),
        ("/dev/loop-control", "disks"), ("/dev/sda", "disks"), ("/dev/s*", "stands for /dev/sd* as well"),
        ("/dev/sg0", "disks"), ("/dev/nvme0", "disks"), ("/dev/ng0n1", "disks"), ("/dev/char/10:229", "more in it"),
        ("/dev/char/x", "disks"), ("/dev/ptmx", "consoles"), ("/dev/pts/0", "consoles"), ("/dev/console", "consoles"),
        ("/dev/tty", "consoles"), ("/dev/tty0", "consoles"), ("/dev/tty63", "consoles"), ("/dev/tty*", "consoles"),
        ("/dev/tty?", "consoles"), ("/dev/tt*", "consoles"), ("/dev/shm/x", "has its own"), ("/dev/mqueue", "has its"),
        ("/dev/null", "has its own"), ("/dev/fd/3", "has its own"), ("/dev/kvm /dev/mem", "'/dev/mem' is given"),
        ("/dev/" + "k" * 300, "is too long"), ("none /dev/kvm", "'none' does not begin"),
    ],
)  # fmt: skip
def test_what_an_admin_may_not_write_is_said_in_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read(text)


@pytest.mark.parametrize(
    ("path", "patterns", "may"),
    [
        ("/dev/kvm", ("/dev/kvm",), True), ("/dev/kvm", (), False), ("/dev/kvm2", ("/dev/kvm",), False),
        ("/dev/KVM", ("/dev/kvm",), False), ("/dev/infiniband/uverbs0", (INFINIBAND,), True),
        ("/dev/infiniband", (INFINIBAND,), False), ("/dev/infiniband/a/b", (INFINIBAND,), False),
        ("/dev/infiniband/", (INFINIBAND,), False), ("/dev/infiniband/../kvm", (INFINIBAND,), False),
        ("/dev/ttyS1", ("/dev/ttyS?",), True), ("/dev/ttyS12", ("/dev/ttyS?",), False),
        ("/dev/ttyS", ("/dev/ttyS?",), False), ("/dev/ttyUSB0", ("/dev/fuse", "/dev/ttyUSB*"), True),
        ("/dev/bus/usb/001/002", ("/dev/bus/*/001/*",), True), ("/dev/bus/usb/001", ("/dev/bus/*/001/*",), False),
        ("/dev/*", ("/dev/k*",), False), ("/dev/ kvm", ("/dev/*",), False), ("/dev/kvm\n", ("/dev/k*",), False),
    ],
)  # fmt: skip
def test_what_a_pattern_gives(path: str, patterns: tuple[str, ...], may: bool) -> None:
    assert allowed(path, patterns) is may


@pytest.mark.parametrize("path", ["/dev/nvidia0", "/dev/dri/card0", "/dev/mem", "/dev/sda", "/dev/tty1", "/dev/null"])
def test_e15_what_nobody_is_given_no_pattern_gives(path: str) -> None:
    """Also where such a pattern came past the reading."""
    assert not allowed(path, (path, "/dev/*", "/dev/*/*"))
    assert not grantable(path)
    assert not malformed(path)
    assert never(path)


NAMES = st.text(alphabet="abk-*?", min_size=1, max_size=5)
PATHS = st.lists(st.text(alphabet="abk-", min_size=1, max_size=5), min_size=1, max_size=3)


def by_expression(path: str, pattern: str) -> bool:
    """The oracle: a regular expression in which a wildcard never takes a slash."""
    expression = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.fullmatch(expression, path) is not None


@settings(max_examples=tries(500))
@given(path=PATHS, pattern=st.lists(NAMES, min_size=1, max_size=3))
def test_a_pattern_gives_what_its_expression_does(path: list[str], pattern: list[str]) -> None:
    asked, given_by = "/dev/" + "/".join(path), "/dev/" + "/".join(pattern)
    assert allowed(asked, (given_by,)) is by_expression(asked, given_by)


FIRST = st.sampled_from(["mem", "nvidia0", "tty7", "sda", "ptmx", "kfd", "loop1", "ng1n1", "vfio", "null"])


@settings(max_examples=tries(500))
@given(name=FIRST, data=st.data())
def test_no_pattern_that_is_read_stands_for_what_nobody_is_given(name: str, data: st.DataObject) -> None:
    """Patterns are drawn from the name itself: letters become wildcards."""
    wild = "".join(data.draw(st.sampled_from([letter, "?", "*"])) for letter in name)
    below = data.draw(st.sampled_from(["", "/*", "/x"]))
    with pytest.raises(ValueError, match=r"nobody|wildcard"):
        read(f"/dev/{wild}{below}")


@settings(max_examples=tries(500))
@given(text=st.text(alphabet="/devkm.*?-[ \n\0é", max_size=20))
def test_what_is_read_gives_plain_paths_below_dev_alone(text: str) -> None:
    try:
        patterns = read(text)
    except ValueError:
        return
    for pattern in patterns:
        assert re.fullmatch(r"/dev(/[A-Za-z0-9._*?-]+)+", pattern)
        assert not {".", ".."} & set(pattern.split("/"))


def node(major: int, minor: int = 0, *drivers: str, kind: NodeKind = NodeKind.CHARACTER) -> Node:
    return Node(path="/dev/x", kind=kind, major=major, minor=minor, drivers=drivers)


@pytest.mark.parametrize(
    "fine", [node(10, 232, "misc"), node(10, 229), node(10, 200), node(10, 0),
             node(4, 64, "/dev/vc/0", "tty", "ttyS"), node(188, 0, "ttyUSB"),
             node(166, 1, "ttyACM"), node(231, 192, "infiniband_verbs"), node(189, 1, "usb_device")],
)  # fmt: skip
def test_what_an_admin_may_give(fine: Node) -> None:
    assert never_this(fine) == ""


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (node(1, 3, "mem"), "memory"), (node(1, 1), "memory"), (node(4, 0, "tty"), "consoles"), (node(4, 63), "cons"),
        (node(5, 0), "consoles"), (node(5, 1), "consoles"), (node(7, 1, "vcs"), "conso"), (node(136, 0, "pts"), "cons"),
        (node(195, 0, "nvidia-frontend"), "GPUs"), (node(195, 254), "GPUs"), (node(235, 1, "nvidia-caps"), "GPUs"),
        (node(511, 0, "nvidia-uvm"), "GPUs"), (node(226, 128, "drm"), "GPUs"), (node(240, 0, "kfd"), "GPUs"),
        (node(21, 0, "sg"), "disks"), (node(248, 0, "bsg"), "disks"), (node(241, 0, "nvme-generic"), "disks"),
        (node(202, 0, "cpu/msr"), "memory"), (node(243, 0, "vfio"), "memory"),
        (node(10, 236, "misc"), "disks"), (node(10, 237), "disks"), (node(10, 234), "disks"), (node(10, 231), "memory"),
        (node(10, 196), "memory"), (node(10, 130), "restarts"), (node(247, 0, "watchdog"), "restarts"),
        (node(10, 223), "types"), (node(10, 239), "types"), (node(10, 203), "makes devices"),
        (node(8, 0, kind=NodeKind.BLOCK), "a block device"), (node(10, 229, kind=NodeKind.BLOCK), "a block device"),
        (node(0, kind=NodeKind.FOLDER), "a folder"), (node(0, kind=NodeKind.OTHER), "no device"),
    ],
)  # fmt: skip
def test_e15_what_nobody_is_given_under_any_name(bad: Node, why: str) -> None:
    assert why in never_this(bad)


@pytest.mark.parametrize("path", ["/dev/null", "/dev/tty", "/dev/pts/ptmx", "/dev/shm/x", "/dev/nvidia0", "/dev/dri/x",
                                  "/dev/stdin", "/dev/fd", "/dev/console", "/dev/tty1"])  # fmt: skip
def test_paths_in_a_container_that_are_taken(path: str) -> None:
    assert taken(path)


@pytest.mark.parametrize(
    "path", ["/dev/kvm", "/dev/fuse", "/dev/ttyS0", "/dev/ttyUSB0", "/dev/nullx", "/dev/infiniband/x"]
)
def test_paths_in_a_container_that_are_free(path: str) -> None:
    assert not taken(path)
