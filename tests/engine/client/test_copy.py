"""Files in and out of a real container, packed and unpacked by its own tar."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ds01.client.attach import collect
from ds01.client.copy import fetch, put
from ds01.client.docker import Docker, Exec
from ds01.domain.errors import NO_FILE, Ds01Error

pytestmark = [pytest.mark.engine, pytest.mark.root]


def inside(docker: Docker, container: str, script: str) -> str:
    program = Exec(command=("sh", "-c", script))
    return "".join(data.decode() for kind, data in collect(docker, container, program) if kind == 1)


def test_a_folder_goes_in_and_comes_out_as_it_was(docker: Docker, container: str, tmp_path: Path) -> None:
    source = tmp_path / "data"
    (source / "deep/er").mkdir(parents=True)
    (source / "deep/er/bytes").write_bytes(os.urandom(3_000_001))
    (source / "empty").touch()
    (source / "run.sh").write_text("echo hi\n")
    (source / "run.sh").chmod(0o755)
    (source / "link").symlink_to("deep/er/bytes")
    put(docker, container, str(source), "/tmp/copied")
    assert inside(docker, container, "stat -c '%u %a' /tmp/copied/run.sh").split() == ["1001", "755"]
    copied = fetch(docker, container, "/tmp/copied", str(tmp_path / "back"))
    assert (tmp_path / "back/deep/er/bytes").read_bytes() == (source / "deep/er/bytes").read_bytes()
    assert os.readlink(tmp_path / "back/link") == "deep/er/bytes"
    assert os.access(tmp_path / "back/run.sh", os.X_OK)
    assert (copied.files, copied.left_out) == (3, [])


def test_into_a_folder_or_under_a_new_name(docker: Docker, container: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    put(docker, container, str(tmp_path / "a"), "/tmp")
    put(docker, container, str(tmp_path / "a"), "/tmp/b")
    assert inside(docker, container, "cat /tmp/a /tmp/b") == "aa"
    (tmp_path / "here").mkdir()
    fetch(docker, container, "/tmp/b", str(tmp_path / "here"))
    fetch(docker, container, "/tmp/b", str(tmp_path / "c"))
    assert (tmp_path / "here/b").read_text() == (tmp_path / "c").read_text() == "a"


def test_what_is_not_there_is_a_sentence(docker: Docker, container: str, tmp_path: Path) -> None:
    with pytest.raises(Ds01Error, match="/nope does not exist in the container") as caught:
        fetch(docker, container, "/nope", str(tmp_path))
    assert caught.value.kind == NO_FILE
    with pytest.raises(Ds01Error, match="does not exist"):
        put(docker, container, str(tmp_path / "nope"), "/tmp")
    with pytest.raises(Ds01Error, match="/nope/x does not exist"):
        put(docker, container, "/etc/hostname", "/nope/x")


@pytest.mark.parametrize("end", ["/", "/."])
def test_a_folder_that_is_named_as_one_and_not_there(docker: Docker, container: str, tmp_path: Path, end: str) -> None:
    (tmp_path / "file").write_text("a")
    (tmp_path / "folder").mkdir()
    inside(docker, container, "echo x > /tmp/plain; rm -rf /tmp/made /tmp/new")
    for target in (f"/tmp/new{end}", f"/tmp/plain{end}"):
        with pytest.raises(Ds01Error, match=rf"^The folder {target} does not exist in the container") as caught:
            put(docker, container, str(tmp_path / "file"), target)
        assert caught.value.kind == NO_FILE
    for here in (f"{tmp_path}/new{end}", f"{tmp_path}/file{end}"):
        with pytest.raises(Ds01Error, match=rf"^The folder {here} does not exist\."):
            fetch(docker, container, "/tmp/plain", here)
    assert inside(docker, container, "cat /tmp/plain; ls /tmp | grep new") == "x\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    put(docker, container, str(tmp_path / "folder"), f"/tmp/made{end}")  # a folder is one, under this name
    fetch(docker, container, "/tmp/made", f"{tmp_path}/made{end}")
    assert (tmp_path / "made").is_dir()


def test_what_may_not_be_written_is_a_sentence(docker: Docker, container: str) -> None:
    with pytest.raises(Ds01Error, match="/etc/x could not be copied completely") as caught:
        put(docker, container, "/etc/hostname", "/etc/x")
    assert "denied" in caught.value.problem.reason


def test_links_that_lead_out_of_the_container_are_left_out(docker: Docker, container: str, tmp_path: Path) -> None:
    inside(
        docker,
        container,
        "mkdir -p /tmp/evil; ln -sf /etc/passwd /tmp/evil/out; ln -sfn / /tmp/evil/root; echo x > /tmp/evil/x",
    )
    copied = fetch(docker, container, "/tmp/evil", str(tmp_path / "evil"))
    assert sorted(copied.left_out) == ["evil/out", "evil/root"]
    assert [path.name for path in (tmp_path / "evil").iterdir()] == ["x"]
