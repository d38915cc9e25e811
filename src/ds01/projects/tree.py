"""Goes through a project's files and folders, each opened once, by the folder it is in and never through a link.

Says of each whether it holds secrets, and whether it is part of what git keeps: git runs what is written there. What is
somebody else's is named and left as it is.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from fnmatch import fnmatchcase

from ds01.domain.record import made, record

DEEPEST = 200
"""Folders within folders; each is held open while it is gone through."""
_PRIVATE = (
    ".env", ".env.*", ".netrc", ".ds01", ".cache", ".ssh", ".aws", ".config", ".kaggle", "kaggle.json",
    ".git-credentials", "id_*", "*.pem", "*.key",
)  # fmt: skip
_GIT = {"HEAD", "objects", "refs"}
_PASSWORD = re.compile(rb"://[^/\s]*@|extraheader", re.IGNORECASE)
_CONFIG_BYTES = 1024 * 1024


@record
class Found:
    """A file or folder of the user's own, open."""

    path: str
    fd: int
    status: os.stat_result
    private: bool
    git: bool

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.status.st_mode)


@record
class _Place:
    """A name in an open folder, and what that folder is part of."""

    path: str
    name: str
    above: int | None = None
    private: bool = False
    git: bool = False
    depth: int = 0


@record(frozen=False)
class Tree:
    """What was gone through. ``left_out`` is somebody else's, or cannot be opened."""

    do: Callable[[Found], None]
    inside_first: bool
    entries: int = 0
    left_out: list[str] = made(factory=list)
    private: list[str] = made(factory=list)

    def visit(self, place: _Place) -> None:
        """One name and all below it."""
        fd = _opened(place)
        if fd is None:
            self.left_out.append(place.path)
        elif fd >= 0:
            try:
                self._open(place, fd)
            finally:
                os.close(fd)

    def _open(self, place: _Place, fd: int) -> None:
        status = os.fstat(fd)
        private = place.private or _is_private(place, fd, status)
        if private and not place.private:
            self.private.append(place.path)
        if status.st_uid != os.geteuid():
            self.left_out.append(place.path)
        found = Found(path=place.path, fd=fd, status=status, private=private, git=place.git or place.name == ".git")
        if not self.inside_first:
            self._act(found)
        names = os.listdir(fd) if found.folder else []
        git = found.git or set(names) >= _GIT
        for name in names:
            self.visit(_below(place, name, fd, private=private, git=git))
        if self.inside_first:
            self._act(Found(path=place.path, fd=fd, status=status, private=private, git=git))

    def _act(self, found: Found) -> None:
        if found.status.st_uid == os.geteuid():
            self.do(found)
            self.entries += 1


def each(folder: str, do: Callable[[Found], None], *, inside_first: bool) -> Tree:
    """Do something with everything that is one's own: what is inside before what it is in, or after it.

    After it, a folder is closed before it is listed, and nothing can be moved past whoever goes through it.
    """
    tree = Tree(do=do, inside_first=inside_first)
    tree.visit(_Place(path=".", name=folder))
    return tree


def _below(place: _Place, name: str, fd: int, *, private: bool, git: bool) -> _Place:
    path = os.path.normpath(os.path.join(place.path, name))
    return _Place(path=path, name=name, above=fd, private=private, git=git, depth=place.depth + 1)


def _opened(place: _Place) -> int | None:
    """None for what one may not open, -1 for a link or a socket of one's own: it has no list."""
    try:
        status = os.stat(place.name, dir_fd=place.above, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            return -1 if status.st_uid == os.geteuid() else None
        if stat.S_ISDIR(status.st_mode) and place.depth >= DEEPEST:
            return None
        return os.open(place.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place.above)
    except (PermissionError, FileNotFoundError):
        return None


def _is_private(place: _Place, fd: int, status: os.stat_result) -> bool:
    if place.above is None:
        return False
    if any(fnmatchcase(place.name, pattern) for pattern in _PRIVATE):
        return True
    config = place.git and place.name.startswith("config") and stat.S_ISREG(status.st_mode)
    return config and bool(_PASSWORD.search(os.pread(fd, _CONFIG_BYTES, 0)))
