"""What is at a path of /dev, by the files and numbers of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.adapters.host.nodes import look
from ds01.domain.devices import Node, NodeKind

DRIVERS = """Character devices:
  1 mem
  4 /dev/vc/0
  4 tty
 10 misc
195 nvidia-frontend

Block devices:
  1 ramdisk
  7 loop
"""


@pytest.fixture
def drivers(tmp_path: Path) -> Path:
    path = tmp_path / "devices"
    path.write_text(DRIVERS)
    return path


def test_a_device_is_known_by_its_numbers_and_drivers(drivers: Path) -> None:
    expected = Node(path="/dev/null", kind=NodeKind.CHARACTER, major=1, minor=3, drivers=("mem",))
    assert look("/dev/null", drivers) == expected
    assert look("/dev/null") is not None


def test_links_are_followed_to_what_they_lead_to(tmp_path: Path, drivers: Path) -> None:
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to("/dev/zero")
    found = look(str(tmp_path / "first"), drivers)
    assert found is not None
    assert (found.path, found.kind, found.minor) == ("/dev/zero", NodeKind.CHARACTER, 5)


def test_what_is_no_device_is_said_to_be_none(tmp_path: Path, drivers: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "ends").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    kinds = {name: look(str(tmp_path / name), drivers) for name in ("file", "ends", "circle", "missing", ".")}
    assert {name: node.kind for name, node in kinds.items() if node} == {
        "file": NodeKind.OTHER, ".": NodeKind.FOLDER, "circle": NodeKind.OTHER,
    }  # fmt: skip
