"""Marks of volumes are where nobody but root comes, and what goes wrong with one is told."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ds01.adapters.host import marks
from ds01.domain.errors import DISK_FULL, ENGINE_ERROR, Ds01Error, ErrorKind


def volume(base: Path) -> str:
    (base / "v" / "_data").mkdir(parents=True)
    return str(base / "v" / "_data")


def test_it_lies_beside_what_containers_see(tmp_path: Path) -> None:
    folder = volume(tmp_path)
    marks.mark(folder)
    assert {path.name for path in (tmp_path / "v").iterdir()} == {"_data", marks.NAME}
    assert os.listdir(folder) == []
    assert (tmp_path / "v" / marks.NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("folder", ["/srv/data", "_data", "/srv/_data/x"])
def test_what_docker_did_not_make_so_is_no_volume(folder: str) -> None:
    for look in (marks.mark, marks.is_marked):
        with pytest.raises(Ds01Error, match="not as Docker makes those of its volumes") as refused:
            look(folder)
        assert refused.value.kind is ENGINE_ERROR


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, DISK_FULL), (errno.EDQUOT, DISK_FULL),
                                              (errno.EROFS, ENGINE_ERROR), (errno.ENOENT, ENGINE_ERROR)])  # fmt: skip
def test_one_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: ErrorKind
) -> None:
    folder = volume(tmp_path)

    def no(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", no)
    with pytest.raises(Ds01Error, match=os.strerror(number)) as refused:
        marks.mark(folder)
    assert refused.value.kind is kind


def test_where_nobody_can_look_it_is_not_said_that_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("no folder")
    with pytest.raises(Ds01Error, match="Not a directory"):
        marks.is_marked(str(tmp_path / "v" / "_data"))
