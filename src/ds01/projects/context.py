"""Streams what a build may see, as a tar archive made by the user who builds.

A generated image gets exactly its Dockerfile and the files it copies. A user's own Dockerfile gets the folder, less
what ``.dockerignore`` names. Links are sent as links, never followed; folders are walked and files opened relative to
open folders, so that nothing can be exchanged under way for somebody else's file.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator

from ds01.domain.errors import BUILD_FAILED, Ds01Error
from ds01.domain.ignore import Ignore, ignore
from ds01.projects import plainfile
from ds01.projects.recipe import Recipe

_BLOCK = tarfile.BLOCKSIZE
_PIECE = 256 * 1024
_END = b"\0" * (_BLOCK * 2)
IGNORE_FILE = ".dockerignore"


def pieces(recipe: Recipe, folder: str) -> Iterator[bytes]:
    """The build context of a recipe. Raises Ds01Error (``image.build``) when a file cannot be read."""
    yield from _listed(recipe) if recipe.context is not None else _whole(recipe, folder)
    yield _END


def _listed(recipe: Recipe) -> Iterator[bytes]:
    for path, content in sorted({recipe.path: recipe.dockerfile.encode(), **(recipe.context or {})}.items()):
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode = len(content), 0o644
        yield _head(entry) + content + _filling(len(content))


def _whole(recipe: Recipe, folder: str) -> Iterator[bytes]:
    path = os.path.join(folder, IGNORE_FILE)
    rules = ignore(plainfile.read(path) if os.path.lexists(path) else "")
    for place, names, files, handle in os.fwalk(folder, onerror=_unreadable):
        inside = os.path.relpath(place, folder)
        prefix = "" if inside == "." else inside + "/"
        names[:] = sorted(name for name in names if not rules.prunes(prefix + name))
        for name in sorted([*files, *names]):
            if _wanted(prefix + name, rules, recipe):
                yield from _entry(prefix + name, name, handle)


def _wanted(path: str, rules: Ignore, recipe: Recipe) -> bool:
    return path in (recipe.path, IGNORE_FILE) or not rules.ignores(path)


def _entry(path: str, name: str, folder: int) -> Iterator[bytes]:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        entry = tarfile.TarInfo(path)
        entry.mode, entry.mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
        if stat.S_ISLNK(status.st_mode):
            entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=folder)
            yield _head(entry)
        elif stat.S_ISDIR(status.st_mode):
            entry.type = tarfile.DIRTYPE
            yield _head(entry)
        elif stat.S_ISREG(status.st_mode):
            yield from _file(entry, name, folder)
    except FileNotFoundError:
        return  # it went away while the folder was walked: as if it had never been there
    except OSError as error:
        _unreadable(error)


def _file(entry: tarfile.TarInfo, name: str, folder: int) -> Iterator[bytes]:
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return
        entry.size = left = status.st_size
        yield _head(entry)
        while left:
            piece = file.read(min(left, _PIECE))
            if not piece:
                raise Ds01Error(
                    BUILD_FAILED, f"{entry.name} became shorter while it was sent to the build.",
                    reason="Something is writing to it.", hint="Wait until it is done, or add it to .dockerignore.",
                )  # fmt: skip
            left -= len(piece)
            yield piece
        yield _filling(entry.size)


def _head(entry: tarfile.TarInfo) -> bytes:
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _filling(size: int) -> bytes:
    return b"\0" * (-size % _BLOCK)


def _unreadable(error: OSError) -> None:
    raise Ds01Error(
        BUILD_FAILED,
        f"{error.filename} cannot be read for the build: {(error.strerror or str(error)).lower()}.",
        reason="Your Dockerfile gets the whole project folder, less what .dockerignore names.",
        hint="Add it to .dockerignore, or make it readable.",
    ) from error
