"""What comes along from a folder that somebody else may change meanwhile."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ds01.domain.errors import Ds01Error
from ds01.projects import copying


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Somebody's code, one file of it two folders deep."""
    folder = tmp_path / "lab"
    (folder / "src/deep").mkdir(parents=True)
    (folder / "src/deep/model.py").write_text("theirs\n")
    (folder / "train.py").write_text("theirs\n")
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """What the caller alone may read, below the same names."""
    folder = tmp_path / "private"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/model.py").write_text("secret\n")
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("swapped", ["src", "src/deep", "src/deep/model.py"])
def test_a_link_in_place_of_what_was_looked_at_is_left_out(
    source: Path, secret: Path, tmp_path: Path, swapped: str
) -> None:
    paths = copying.files(str(source))
    (source / swapped).rename(tmp_path / "aside")
    (source / swapped).symlink_to(secret / os.path.relpath(swapped, "src"))
    copied = copying.copy(str(source), paths, str(tmp_path / "thesis"))
    assert (copied.left_out, copied.done) == (["src/deep/model.py"], ["train.py"])
    assert texts(tmp_path / "thesis") == {"train.py": "theirs\n"}


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder", "gone"])
def test_what_is_no_file_any_more_is_left_out_without_waiting_for_it(
    source: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = copying.files(str(source))
    (source / "train.py").unlink()
    monkeypatch.chdir(source)
    with socket.socket(socket.AF_UNIX) as bound:
        if kind == "fifo":
            os.mkfifo("train.py")
        elif kind == "socket":
            bound.bind("train.py")
        elif kind == "folder":
            os.mkdir("train.py")
        assert copying.copy(str(source), paths, str(tmp_path / "thesis")).left_out == ["train.py"]


def test_the_source_itself_exchanged_for_a_link_is_refused(source: Path, secret: Path, tmp_path: Path) -> None:
    paths = copying.files(str(source))
    source.rename(tmp_path / "aside")
    source.symlink_to(secret)
    with pytest.raises(Ds01Error, match="cannot be copied"):
        copying.copy(str(source), paths, str(tmp_path / "thesis"))


def test_links_are_not_looked_into(source: Path, secret: Path) -> None:
    (source / "more").symlink_to(secret)
    (source / "one.py").symlink_to(secret / "deep/model.py")
    assert copying.files(str(source)) == ("src/deep/model.py", "train.py")


@pytest.mark.parametrize("taken", ["link", "dangling", "file", "folder"])
def test_what_the_user_has_in_that_place_stays(source: Path, secret: Path, tmp_path: Path, taken: str) -> None:
    project = tmp_path / "thesis"
    project.mkdir()
    if taken == "link":
        (project / "src").symlink_to(secret)
        (project / "train.py").symlink_to(source / "train.py")
    elif taken == "dangling":
        (project / "src").symlink_to("nowhere")
        (project / "train.py").symlink_to("nowhere-either")
    elif taken == "file":
        (project / "src").write_text("mine\n")
        (project / "train.py").write_text("mine\n")
    else:
        (project / "src/deep/model.py").mkdir(parents=True)
        (project / "train.py").mkdir()
    copied = copying.copy(str(source), copying.files(str(source)), str(project))
    assert (copied.done, copied.kept) == ([], ["src/deep/model.py", "train.py"])
    assert texts(secret) == {"deep/model.py": "secret\n"}


def test_what_is_there_and_the_same_is_neither_copied_nor_told(source: Path, tmp_path: Path) -> None:
    for done in (["src/deep/model.py", "train.py"], []):
        copied = copying.copy(str(source), copying.files(str(source)), str(tmp_path / "thesis"))
        assert (copied.done, copied.kept, copied.left_out) == (done, [], [])


def test_what_grows_while_it_is_copied_ends_at_the_limit_and_leaves_no_half(source: Path, tmp_path: Path) -> None:
    paths = copying.files(str(source))
    (source / "train.py").write_text("x" * 2000)
    with pytest.raises(Ds01Error, match="too large"):
        copying.copy(str(source), paths, str(tmp_path / "thesis"), most_bytes=1000)
    assert texts(tmp_path / "thesis") == {"src/deep/model.py": "theirs\n"}
