"""Writing on the server: whole, with its rights, and never through a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.cli.commands.admin.image import minimal
from ds01.domain.errors import Ds01Error
from ds01.install import files, look
from ds01.install.machine import Found
from ds01.install.minimal import BaseError, install
from tests.unit.cli.conftest import Run, ds01

__all__ = ["ds01"]


def test_what_was_put_is_what_is_found(tmp_path: Path) -> None:
    wanted = {
        "file": Found(text="text\r\n\udcff", mode=0o600), "link": Found(link="file", mode=0o777),
        "folder": Found(folder=True, mode=0o750),
    }  # fmt: skip
    for name, found in wanted.items():
        files.put(str(tmp_path / name), found)
        files.put(str(tmp_path / name), found)
        assert look.at(str(tmp_path / name)) == found
    assert {path.name for path in tmp_path.iterdir()} == set(wanted)


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("somebody's")
    (tmp_path / "file").symlink_to("other")
    files.put(str(tmp_path / "file"), Found(text="ours"))
    assert (tmp_path / "other").read_text() == "somebody's"
    assert look.at(str(tmp_path / "file")) == Found(text="ours")


def test_what_a_broken_off_run_left_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / ".file.ds01-part").symlink_to("elsewhere")
    files.put(str(tmp_path / "file"), Found(text="ours"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_with_something_in_it_stays(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "hers").write_text("hers")
    files.take(str(folder))
    files.take(str(tmp_path / "none"))
    assert (folder / "hers").exists()
    files.take(str(folder / "hers"))
    files.take(str(folder))
    assert not folder.exists()


def test_nothing_is_at_a_path_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert look.at(str(tmp_path / "file/below")) is None
    assert look.there([str(tmp_path / "none")]) == {}


@pytest.mark.parametrize(("words", "code"), [(("--from", "/none/minimal.tar"), 4), (("--from", "a", "--keep", "b"), 2)])
def test_the_base_is_not_made_of_nothing(ds01: Run, words: tuple[str, ...], code: int) -> None:
    assert ds01("admin", "image", "minimal", *words).code == code


@pytest.mark.parametrize(("mode", "then"), [(0o4755, 0o755), (0o666, 0o644), (0o777, 0o755), (0o2640, 0o640)])
def test_nothing_is_written_that_others_may_change_or_that_runs_as_root(tmp_path: Path, mode: int, then: int) -> None:
    """Whoever owned it before: it is root's now, and a bit that was harmless on his file is not on root's."""
    files.put(str(tmp_path / "file"), Found(text="text", mode=mode))
    assert look.at(str(tmp_path / "file")) == Found(text="text", mode=then)


def test_what_was_kept_beside_before_stays(tmp_path: Path) -> None:
    file = tmp_path / "unit"
    kept = []
    for text in ("first", "second", "third"):
        file.write_text(text)
        kept.append(files.aside(str(file)))
    assert kept == [f"{file}.edited", f"{file}.edited-2", f"{file}.edited-3"]
    assert [Path(path).read_text() for path in kept] == ["first", "second", "third"]


@pytest.mark.parametrize("there", ["link", "dangling", "file"])
def test_a_base_is_kept_in_a_new_file_only(tmp_path: Path, there: str) -> None:
    """Root writes it, perhaps into somebody's folder: what lies there may lead anywhere."""
    archive, keep, other = (tmp_path / name for name in ("archive", "keep", "other"))
    archive.write_text("base")
    if there != "dangling":
        other.write_text("somebody's")
    if there == "file":
        keep.write_text("somebody's")
    else:
        keep.symlink_to(other)
    with pytest.raises(Ds01Error, match="there already"):
        minimal.kept(archive, str(keep))
    assert other.exists() == (there != "dangling")
    assert not other.exists() or other.read_text() == "somebody's"
    minimal.kept(archive, str(tmp_path / "new"))
    assert look.at(str(tmp_path / "new")) == Found(text="base", mode=0o644)


def test_an_engine_that_takes_no_base_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker ends before it has read what it is given."""
    docker, archive = tmp_path / "docker", tmp_path / "base.tar"
    docker.write_text("#!/bin/sh\nexec <&-\necho 'no such socket' >&2\nexit 1\n")
    docker.chmod(0o755)
    archive.write_bytes(b"x" * (1 << 21))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(BaseError, match="the engine did not take the base: no such socket"):
        install(str(tmp_path / "docker.sock"), archive)
