"""A container's changes read from its writable layer, with the engine's own diff as the oracle."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from dev import tiny
from dev.engine import OwnEngine

from ds01.adapters.docker import layer_files, upper
from ds01.adapters.docker.engine import DockerEngine
from ds01.domain.changes import Change
from ds01.domain.container import ContainerId
from tests.engine.daemon.conftest import eventually

pytestmark = pytest.mark.engine

IMAGE = "changes-test:latest"
BASE = f"""FROM {tiny.REFERENCE}
RUN mkdir -p /opt/env/old-1.0 /opt/kept /opt/gone && touch /opt/env/old-1.0/A /opt/kept/a /opt/gone/b /etc/conf
RUN rm -r /opt/gone && ln -s /opt/kept /opt/link
"""
WORK = (
    "rm -r /opt/env/old-1.0; mkdir -p /opt/env/new-2.0/sub; touch /opt/env/new-2.0/A /opt/env/new-2.0/sub/B; "
    "echo x >>/etc/conf; mkdir /opt/gone; touch '/opt/gone/a name' /opt/link/c; ln -s /etc /tmp/out; rm /opt/kept/a; "
    "chmod 700 /opt/kept; touch /tmp/x && rm /tmp/x"
)


def docker(engine: OwnEngine, *arguments: str, stdin: str | None = None) -> str:
    command = ["docker", "-H", f"unix://{engine.socket}", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout.strip()


async def test_w2_the_writable_layer_tells_what_the_engine_tells(engine: OwnEngine, tmp_path: Path) -> None:
    tiny.install(engine.socket)
    (tmp_path / "Dockerfile").write_text(BASE)
    docker(engine, "build", "-q", "-t", IMAGE, str(tmp_path))
    made = docker(
        engine, "run", "-d", "-v", f"{tmp_path}:/workspace", IMAGE, "sh", "-c", f"{WORK}; touch /tmp/over; sleep 600"
    )
    try:
        eventually(lambda: "/tmp/over" in docker(engine, "diff", made))
        told = {tuple(line.split(" ", 1)) for line in docker(engine, "diff", made).splitlines()}
        found = upper.layers(json.loads(docker(engine, "inspect", made))[0])
        assert found is not None, "the engine of the tests keeps containers under overlay2"
        assert {(change.kind, change.path) for change in upper.changes(*found)} == told
        port = DockerEngine(f"unix://{engine.socket}")
        try:
            assert {(c.kind, c.path) for c in await port.changes(ContainerId(made))} == told
        finally:
            await port.close()
    finally:
        docker(engine, "rm", "-f", made)


def test_o6_links_lead_nowhere_while_the_layer_is_read(tmp_path: Path) -> None:
    """What runs in a container exchanges folders for links while root reads its layer; names of the host stay out."""
    host, layer, lower = tmp_path / "host", tmp_path / "layer", tmp_path / "lower"
    for folder in (host / "of-alice", layer / "a", lower):
        folder.mkdir(parents=True)
    (host / "of-alice" / "secret").touch()
    (lower / "a").symlink_to(host)
    (layer / "a" / "of-alice").touch()
    reading = upper.changes(str(layer), (str(lower),))
    assert next(reading) == Change(kind="C", path="/a")
    assert next(reading) == Change(kind="A", path="/a/of-alice"), "a link below is no window to the host"
    reading = upper.changes(str(layer), ())
    assert next(reading).path == "/a"
    (layer / "a").rename(layer / "b")
    (layer / "a").symlink_to(host)
    assert "of-alice" not in "".join(change.path for change in reading)


def test_folders_deeper_than_any_path_are_read(tmp_path: Path) -> None:
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("deep", dir_fd=place)
        place, before = os.open("deep", os.O_RDONLY, dir_fd=place), place
        os.close(before)
    os.close(place)
    found = tuple(upper.changes(str(tmp_path), (str(tmp_path),)))
    assert len(found) == upper.DEPTH + 1
    for change in (found[0], found[-1]):
        assert b"".join(layer_files.archive(str(tmp_path), change.path))
    subprocess.run(["rm", "-rf", str(tmp_path / "deep")], check=True)


def test_o6_links_lead_nowhere_while_files_of_the_layer_are_read(tmp_path: Path) -> None:
    host, layer = tmp_path / "host", tmp_path / "layer"
    for folder in (host, layer / "a" / "empty"):
        folder.mkdir(parents=True)
    (host / "secret").write_text("secret")
    (layer / "a" / "file").write_bytes(b"x" * 1300)
    (layer / "a" / "link").symlink_to(host / "secret")
    os.mkfifo(layer / "a" / "pipe")
    (layer / "out").symlink_to(host)
    with tarfile.open(fileobj=io.BytesIO(b"".join(layer_files.archive(str(layer), "/a")))) as tar:
        found = {member.name: member for member in tar}
        held = tar.extractfile("a/file")
        assert held is not None
        assert held.read() == b"x" * 1300
    assert found.keys() == {"a", "a/empty", "a/file", "a/link"}
    assert found["a/link"].linkname == str(host / "secret")
    for path in ("/out/secret", "/a/../../host/secret", "/a/link/x", "/", "/gone"):
        with pytest.raises(OSError):
            b"".join(layer_files.archive(str(layer), path))


@pytest.mark.parametrize("becomes", [b"", b"long" * 1000])
def test_a_file_that_changes_while_it_is_read_is_as_long_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, becomes: bytes
) -> None:
    monkeypatch.setattr(layer_files, "PIECE", 512)
    (tmp_path / "file").write_bytes(b"x" * 2000)
    reading = layer_files.archive(str(tmp_path), "/file")
    begun = next(reading)
    (tmp_path / "file").write_bytes(becomes)
    with tarfile.open(fileobj=io.BytesIO(begun + b"".join(reading))) as tar:
        assert [member.size for member in tar] == [2000]
