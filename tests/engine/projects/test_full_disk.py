"""A disk that fills up in the middle of a build: it is told, nothing is half done, and there is room again after it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import engine as own
from dev import tiny
from dev.programs import until

from ds01.domain.errors import DISK_FULL, Ds01Error
from ds01.projects.build import inspect
from ds01.wire.images import BuildSettings
from tests.engine.projects.conftest import Bench, Desk

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module")
def cramped() -> Iterator[Bench]:
    """An engine whose disk has 96 MB."""
    with tempfile.TemporaryDirectory(prefix="ds01f", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "ds01-small", str(data)], check=True)
        try:
            running = own.start(Path(folder))
            try:
                tiny.install(running.socket)
                yield Bench(socket=running.socket, settings=BuildSettings(bases=()))
            finally:
                own.stop(running)
        finally:
            if data.is_mount():  # an engine that did not start left it
                subprocess.run(["umount", "--lazy", str(data)], check=True)


def test_a_build_that_fills_the_disk_leaves_the_image_of_before_and_the_room(cramped: Bench, desk: Desk) -> None:
    def written(megabytes: int) -> Path:
        text = f"FROM ds01/tiny:latest\nRUN dd if=/dev/zero of=/big bs=1M count={megabytes}\n"
        return desk.project("big", "dockerfile = 'Dockerfile'", {"Dockerfile": text})

    first = cramped.build(written(5))
    free = cramped.inside("ds01/tiny:latest", "df -m / | tail -1")
    with pytest.raises(Ds01Error) as failed:
        cramped.build(written(200))
    assert failed.value.problem.kind is DISK_FULL
    assert "did not build: the disk is full" in failed.value.problem.message
    there = inspect(cramped.socket, first.reference)
    assert there is not None
    assert there["Id"] == first.image_id
    assert cramped.docker("ps", "-aq") == ""
    assert until(lambda: cramped.inside("ds01/tiny:latest", "df -m / | tail -1") == free, 60)
    assert cramped.build(written(6)).changed
