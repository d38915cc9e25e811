"""What a container of its owner's brings along holds no device: neither its image nor what is mounted in it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ds01.runc import launcher
from tests.unit.runc.test_guard import Runtime
from tests.unit.runc.test_rules import PLAIN, bind

pytestmark = pytest.mark.root

ZERO = os.makedev(1, 5)
READS = """#!/bin/sh
for node in {root}/zero {root}/below/zero
do head -c 1 $node >/dev/null 2>&1 && echo opened || echo closed
done >{said}
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system with device nodes: that of the tests may be without."""
    found = tmp_path / "own"
    found.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "dev,mode=755", "ds01-seal", found], check=True)
    yield found
    subprocess.run(["umount", "--recursive", "--lazy", found], check=True)


@pytest.fixture
def reading(place: Path) -> Runtime:
    """Its runc tries the nodes of the image."""
    runtime = Runtime(place)
    for folder in (runtime.root, runtime.root / "below"):
        folder.mkdir(exist_ok=True)
        os.mknod(folder / "zero", 0o20666, ZERO)
    runc = place / "real-runc"
    runc.write_text(READS.format(root=shlex.quote(str(runtime.root)), said=shlex.quote(str(place / "said"))))
    runc.chmod(0o755)
    runtime.program = launcher.write(runtime.guard, runtime.data, str(runc))
    return runtime


@pytest.mark.parametrize(("as_owner", "found"), [(True, "closed"), (False, "opened")])
def test_e35_no_node_of_the_image_opens(reading: Runtime, as_owner: bool, found: str) -> None:
    """Where no shell reaches in, the image is as it was made."""
    reading.grant(as_owner=as_owner)
    done = reading.create()
    assert done.returncode == 0, done.stderr
    assert (reading.place / "said").read_text().split() == [found] * 2


def test_nothing_of_it_is_mounted_outside(reading: Runtime) -> None:
    def mounted() -> list[str]:
        return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(reading.place) in line]

    before = mounted()
    reading.grant(as_owner=True)
    assert reading.create().returncode == 0
    assert mounted() == before != []
    with (reading.root / "zero").open("rb") as node:
        assert len(node.read(1)) == 1


def test_e35_a_root_that_cannot_be_mounted_does_not_start(reading: Runtime) -> None:
    for entry in (reading.root / "below" / "zero", reading.root / "zero"):
        entry.unlink()
    (reading.root / "below").rmdir()
    reading.root.rmdir()
    reading.grant(as_owner=True)
    done = reading.create()
    assert done.returncode == 1
    assert "it cannot be checked" in done.stderr


def options(runtime: Runtime, mount: dict[str, Any], **grant: Any) -> list[str]:
    """What runc is told of one mount more."""
    runtime.write({**PLAIN, "mounts": [*PLAIN["mounts"], mount]})
    runtime.grant(**{"as_owner": True, **grant})
    done = runtime.create()
    assert done.returncode == 0, done.stderr
    found: list[str] = runtime.config["mounts"][-1]["options"]
    return found


def test_e35_a_volume_has_no_nodes(reading: Runtime) -> None:
    (reading.data / "volumes/mine/_data").mkdir(parents=True)
    found = options(reading, bind("/var/lib/docker/volumes/mine/_data", "rprivate"), volumes=("mine",))
    assert found == ["rbind", "rprivate", "nosuid", "nodev"]


@pytest.mark.parametrize(
    ("mounted", "kept"), [("ro", ["ro"]), ("noexec", ["noexec"]), ("ro,noexec", ["ro", "noexec"]), ("rw", [])]
)
def test_a_folder_stays_as_it_is_mounted(reading: Runtime, mounted: str, kept: list[str]) -> None:
    """runc mounts it anew with the options it is told, and would lose those it has."""
    folder = reading.place / "folder"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", mounted, "ds01-seal", folder], check=True)
    found = options(reading, bind(str(folder)), binds=(str(folder),))
    assert found == ["rbind", "nosuid", "nodev", *kept]


def test_a_node_of_nvidias_stays_one(reading: Runtime) -> None:
    assert options(reading, bind("/dev/nvidiactl", "ro"), gpus=("GPU-a",)) == ["rbind", "ro"]
