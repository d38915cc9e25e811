"""What is sent to a build, and what never is."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from ds01.domain.errors import Ds01Error
from ds01.projects import context
from ds01.projects.recipe import Recipe


def recipe(files: dict[str, bytes] | None = None, path: str = "Dockerfile") -> Recipe:
    return Recipe(dockerfile="FROM x\n", path=path, spec="0", context=files)


def sent(made: Recipe, folder: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(context.pieces(made, str(folder))))) as tar:
        return {member.name: member for member in tar.getmembers()}


def content(made: Recipe, folder: Path, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(b"".join(context.pieces(made, str(folder))))) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


def test_a_generated_image_gets_its_own_files_and_nothing_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    made = recipe({"requirements.txt": b"six\n", ".ds01/ca.pem": b"PEM"})
    assert sorted(sent(made, tmp_path)) == [".ds01/ca.pem", "Dockerfile", "requirements.txt"]
    assert content(made, tmp_path, "requirements.txt") == b"six\n"


def test_an_own_dockerfile_gets_the_folder_less_what_is_ignored(tmp_path: Path) -> None:
    for name in ("Dockerfile", "src/a.py", "data/big.bin", "data/small/x", "notes.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".dockerignore").write_text("data\n!data/small\n*.md\nDockerfile\n.dockerignore\n")
    assert sorted(sent(recipe(), tmp_path)) == [
        ".dockerignore", "Dockerfile", "data/small", "data/small/x", "src", "src/a.py",
    ]  # fmt: skip


def test_links_are_sent_as_links_and_strange_files_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / "file").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        found = sent(recipe(), tmp_path)
    assert sorted(found) == ["Dockerfile", "file", "out"]
    assert (found["out"].linkname, found["file"].linkname) == ("/etc", "/etc/passwd")


def test_long_and_strange_names_survive(tmp_path: Path) -> None:
    name = "ü" * 60 + "/" + "x" * 200
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(b"1" * 1000)
    odd = os.fsencode(tmp_path) + b"/\xff\xfe"
    with open(odd, "wb") as file:
        file.write(b"odd")
    found = sent(recipe(), tmp_path)
    assert found[name].size == 1000
    assert "\udcff\udcfe" in found


def test_a_file_that_shrinks_under_way_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    (tmp_path / "big").write_bytes(b"x" * 3_000_000)
    stream = context.pieces(recipe(), str(tmp_path))
    while len(next(stream)) < 100_000:
        pass
    (tmp_path / "big").write_bytes(b"")
    with pytest.raises(Ds01Error, match="big became shorter"):
        list(stream)
