"""A piece of a real file system with two people on it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ds01.adapters.host.host import LinuxHost
from ds01.domain.errors import Ds01Error
from ds01.domain.people import Uid, User

ALICE, MALLORY = 61001, 61002


class Place:
    """``base`` is open to all, ``alice`` and ``mallory`` have a home in it, ``host`` pins below ``base/run``."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.host = LinuxHost(run=base / "run")
        self.alice = User(uid=Uid(ALICE), gid=ALICE, login="alice", home=str(base / "alice"))
        self.mallory = User(uid=Uid(MALLORY), gid=MALLORY, login="mallory", home=str(base / "mallory"))
        self.a = self.folder("alice", ALICE)
        self.m = self.folder("mallory", MALLORY)

    def folder(self, path: str, owner: int, mode: int = 0o755, group: int | None = None) -> Path:
        made = self.base / path
        made.mkdir()
        os.chown(made, owner, owner if group is None else group)
        made.chmod(mode)
        return made

    def file(self, path: str, owner: int, text: str = "", mode: int = 0o644) -> Path:
        made = self.base / path
        made.write_text(text)
        os.chown(made, owner, owner)
        made.chmod(mode)
        return made

    def refused(self, user: User, path: Path | str, *, shared: tuple[str, ...] = ()) -> str:
        """Why a pin is refused; nothing of it is left."""
        with pytest.raises(Ds01Error) as caught:
            self.host.pin(user, str(path), "refused", shared=shared)
        assert "refused" not in self.host.pinned()
        return caught.value.problem.reason


@pytest.fixture
def place() -> Iterator[Place]:
    """Not below pytest's own folder, which is closed to other users."""
    base = Path(tempfile.mkdtemp(prefix="ds01p", dir="/var/tmp"))
    base.chmod(0o755)
    made = Place(base)
    yield made
    for key in made.host.pinned():
        made.host.unpin(key)
    shutil.rmtree(base)
