"""A Dockerfile of the user's own: built as it is, from the files Docker itself would send."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dev import tiny

from ds01.domain.errors import Ds01Error
from ds01.domain.labels import Label
from ds01.projects.build import inspect, labels
from tests.engine.projects.conftest import Bench, Desk

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]

TEXT = """\
FROM ds01/tiny:latest
ARG DS01_UID
ARG DS01_GID
ARG DS01_USER
RUN echo "$DS01_USER:$DS01_UID:$DS01_GID" > /who
COPY . /sent
"""
IGNORED = """\
# what stays out
data
!data/small
**/*.tmp
/top
notes?.md
"""
FILES = (
    "Dockerfile", "ds01.toml", "data/big", "data/small/kept", "src/a.py", "src/a.tmp", "src/top", "top/x",
    "notes1.md", "notes.md", "with space/ü",
)  # fmt: skip


@pytest.fixture
def folder(bench: Bench, desk: Desk) -> Path:
    tiny.install(bench.socket)
    files = dict.fromkeys(FILES, "content\n") | {"Dockerfile": TEXT, ".dockerignore": IGNORED}
    folder = desk.project(
        "mine", "dockerfile = 'Dockerfile'", {**files, "ds01.toml": "[image]\ndockerfile = 'Dockerfile'\n"}
    )
    (folder / "link").symlink_to("/etc/passwd")
    return folder


def test_it_is_built_as_it_is_with_who_builds_it_and_labels(bench: Bench, folder: Path) -> None:
    built = bench.build(folder)
    assert bench.inside(built.reference, "cat /who") == "h_baker:1722830498:1722830513"
    seen = inspect(bench.socket, built.reference)
    assert seen is not None
    assert labels(seen) == {Label.SPEC: built.spec, Label.PROJECT: "mine"}
    assert (folder / "Dockerfile").read_text() == TEXT


def test_c6_building_again_gives_the_same_image(bench: Bench, folder: Path) -> None:
    first = bench.build(folder)
    again = bench.build(folder)
    assert (again.changed, again.image_id) == (False, first.image_id)
    (folder / "src" / "a.py").write_text("changed\n")
    assert bench.build(folder).changed


def test_the_files_sent_are_those_docker_sends(bench: Bench, folder: Path) -> None:
    ours = bench.build(folder).image_id
    words = ["docker", "-H", f"unix://{bench.socket}", "build", "-q", "-t", "theirs", str(folder)]
    subprocess.run(words, capture_output=True, check=True, env=os.environ | {"DOCKER_BUILDKIT": "0"})
    look = "cd /sent && find . | sort && readlink link"
    assert bench.inside(ours, look) == bench.inside("theirs", look)


def test_a_mistake_in_it_is_told(bench: Bench, folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM ds01/tiny:latest\nFORM x\n")
    with pytest.raises(Ds01Error, match="unknown instruction: FORM"):
        bench.build(folder)
    (folder / "Dockerfile").write_text("FROM ds01/tiny:latest\nCOPY top/x /\n")
    with pytest.raises(Ds01Error, match="copies a file that was not sent: top/x"):
        bench.build(folder)
    (folder / "Dockerfile").write_text("FROM ds01/tiny:latest\nRUN echo fatal: so it goes; exit 3\n")
    with pytest.raises(Ds01Error, match="fatal: so it goes"):
        bench.build(folder)


SCRIPT = """\
import sys
from pathlib import Path
from ds01.wire.images import BuildSettings
from tests.engine.projects.conftest import Bench
Bench(socket=sys.argv[1], settings=BuildSettings(bases=())).build(Path(sys.argv[2]))
"""


def test_ctrl_c_ends_the_build_and_leaves_nothing(bench: Bench, folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM ds01/tiny:latest\nRUN sleep 3000\n")
    building = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, bench.socket, str(folder)], stderr=subprocess.PIPE, text=True
    )
    _until(lambda: bench.docker("ps", "-q") != "")
    building.send_signal(signal.SIGINT)
    _, said = building.communicate(timeout=120)
    assert "KeyboardInterrupt" in said
    _until(lambda: bench.docker("ps", "-aq") == "")


def _until(condition: object, seconds: float = 120) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
