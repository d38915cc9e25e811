"""A tar stream from a container writes nothing outside the folder it is meant for."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from ds01.client.unpack import Copied, unpack


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", *, link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode, info.mtime = kind, len(content), link, mode, 1_700_000_000
    return info, content


def unpacked(folder: Path, name: str, *entries: tuple[tarfile.TarInfo, bytes]) -> Copied:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for info, content in entries:
            made.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    copied = Copied()
    with tarfile.open(fileobj=buffer, mode="r|") as archive:
        for _ in unpack(archive, str(folder), name, copied):
            pass
    return copied


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "target"
    target.mkdir()
    return target


def test_files_folders_and_links_inside_arrive(folder: Path) -> None:
    copied = unpacked(
        folder, "new", entry("old", tarfile.DIRTYPE, mode=0o750), entry("old/a", content=b"hello", mode=0o4755),
        entry("old/b", tarfile.SYMTYPE, link="a"), entry("old/d/up", tarfile.SYMTYPE, link="../a"),
        entry("old/c", tarfile.LNKTYPE, link="old/a"),
    )  # fmt: skip
    assert (folder / "new/a").read_bytes() == b"hello"
    assert stat.S_IMODE((folder / "new/a").stat().st_mode) == 0o755
    assert (folder / "new/a").stat().st_mtime == 1_700_000_000
    assert (folder / "new/d/up").read_bytes() == b"hello"
    assert (folder / "new/c").stat().st_ino == (folder / "new/a").stat().st_ino
    assert (copied.files, copied.size_bytes, copied.left_out) == (1, 5, [])


@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "old/../../evil", ".."])
def test_names_that_lead_out_are_left_out(folder: Path, name: str) -> None:
    copied = unpacked(folder, "new", entry(name, content=b"x"))
    assert copied.left_out == [name]
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("link", ["/etc/passwd", "../../x", "a/../../../x"])
def test_links_that_lead_out_are_left_out(folder: Path, link: str) -> None:
    copied = unpacked(folder, "new", entry("old/link", tarfile.SYMTYPE, link=link))
    assert copied.left_out == ["old/link"]
    assert not os.path.lexists(folder / "new/link")


def test_nothing_is_written_through_a_link(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "new").mkdir()
    (folder / "new/door").symlink_to(outside)
    copied = unpacked(
        folder, "new", entry("old/door/file", content=b"x"), entry("old/in", tarfile.SYMTYPE, link="door"),
        entry("old/in/file", content=b"x"), entry("old/door", tarfile.DIRTYPE),
    )  # fmt: skip
    assert list(outside.iterdir()) == []
    assert copied.left_out == ["old/door/file", "old/in/file", "old/door"]


def test_a_link_in_the_way_of_a_file_is_replaced_not_followed(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (folder / "new").symlink_to(precious)
    unpacked(folder, "new", entry("old", content=b"theirs"))
    assert precious.read_text() == "mine"
    assert (folder / "new").read_text() == "theirs"


def test_a_hard_link_to_a_file_outside_is_left_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    copied = unpacked(folder, "new", entry("old/x", tarfile.LNKTYPE, link="../precious"))
    assert copied.left_out == ["old/x"]


def test_devices_and_sockets_are_left_out(folder: Path) -> None:
    copied = unpacked(folder, "new", entry("old/null", tarfile.CHRTYPE), entry("old/pipe", tarfile.FIFOTYPE))
    assert copied.left_out == ["old/null", "old/pipe"]
    assert list((folder / "new").iterdir()) == []


def test_a_second_name_of_what_was_left_out_is_left_out(folder: Path) -> None:
    """What has that name already stays, and the rest of the copy comes."""
    (folder / "new").mkdir()
    (folder / "new/b").write_bytes(b"before")
    copied = unpacked(
        folder, "new", entry("old/pipe", tarfile.FIFOTYPE), entry("old/b", tarfile.LNKTYPE, link="old/pipe"),
        entry("old/c", content=b"x"),
    )  # fmt: skip
    assert copied.left_out == ["old/pipe", "old/b"]
    assert (folder / "new/b").read_bytes() == b"before"
    assert (folder / "new/c").read_bytes() == b"x"
