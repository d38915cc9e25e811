"""A volume's files become its owner's, however many there are and whatever lies among them."""

from __future__ import annotations

import os
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from ds01.adapters.host.ownership import DEEPEST, hand_over
from ds01.domain.errors import Ds01Error
from tests.unit.host.conftest import ALICE, MALLORY, Place

MANY, LONG, FLAT_BYTES = 20_000, "x" * 200, 1 << 20


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """What is too deep in it for Python is removed by another program."""
    made = tmp_path / "volume"
    made.mkdir()
    yield made
    subprocess.run(["rm", "-rf", made], check=True)


def nest(folder: Path, levels: int) -> None:
    """A path of them all would be too long."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def mine(folder: Path) -> None:
    hand_over(str(folder), os.getuid(), os.getgid())


def test_folders_without_end_are_refused_with_a_sentence(volume: Path) -> None:
    nest(volume, 2000)
    open_before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(Ds01Error, match=f"more than {DEEPEST} folders"):
        mine(volume)
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_as_many_as_are_handed_over_are(volume: Path) -> None:
    nest(volume, DEEPEST)
    mine(volume)


def test_a_folder_with_many_files_takes_no_more_memory(volume: Path) -> None:
    for number in range(MANY):
        (volume / f"{number}{LONG}").touch()
    tracemalloc.start()
    try:
        mine(volume)
        assert tracemalloc.get_traced_memory()[1] < FLAT_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.root
def test_everything_is_hers_and_where_links_lead_is_not(place: Place) -> None:
    outside, other = place.folder("outside", MALLORY), place.file("outside/other", MALLORY)
    volume = place.folder("volume", 0)
    (volume / "below").mkdir()
    (volume / "below" / "file").touch()
    (volume / "folder").symlink_to(outside)
    (volume / "link").symlink_to(other)
    hand_over(str(volume), ALICE, ALICE)
    found = {path.name: path.lstat().st_uid for path in (volume, *volume.rglob("*"))}
    assert found == dict.fromkeys(("volume", "below", "file", "folder", "link"), ALICE)
    assert (outside.stat().st_uid, other.stat().st_uid) == (MALLORY, MALLORY)
