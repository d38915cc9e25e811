"""Files into and out of a container, as its user.

The container's own ``tar`` packs and unpacks, run like any other program of hers: so new files belong to her, nothing
needs the engine's archive route, and a container can do no more than hand over bytes, which are unpacked with
suspicion (``ds01.client.unpack``).
"""

from __future__ import annotations

import io
import os
import posixpath
import stat
import tarfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ds01.client.attach import collect
from ds01.client.docker import Docker, Exec
from ds01.client.unpack import Copied, unpack
from ds01.domain.errors import COPY_FAILED, NO_FILE, Ds01Error

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_PIECE = 256 * 1024
_BLOCK = tarfile.BLOCKSIZE
_PACK = ("sh", "-c", 'exec tar -C "$1" -cf - -- "$2"', "pack")
_UNPACK = ("sh", "-c", 'exec tar -C "$1" -xf -', "unpack")
_LOOK = ("sh", "-c", 'if [ -d "$1" ]; then echo folder; fi', "look")


Watcher = Callable[[Copied], None]


def fetch(docker: Docker, container: str, source: str, target: str, watch: Watcher = lambda _: None) -> Copied:
    """Copy ``source`` of the container to ``target`` here: into it when it is a folder, else under its name."""
    path = posixpath.normpath(source)
    folder, name = posixpath.split(path)
    if _says_folder(target) and not os.path.isdir(target) and not _is_folder(docker, container, source):
        raise Ds01Error(NO_FILE, f"The folder {target} does not exist.", hint="Nothing was copied.")
    into, new_name = _landing(target, name or "root")
    copied = Copied()
    program = Exec(command=(*_PACK, folder or ".", name or "."))
    output = _Output(docker, container, program)
    try:
        with tarfile.open(fileobj=io.BufferedReader(output, _PIECE), mode="r|") as archive:
            for _ in unpack(archive, into, new_name, copied):
                watch(copied)
    except tarfile.ReadError:
        output.drain()
        if not output.errors:
            raise
    output.drain()
    if output.code:
        raise _said(output.errors, output.code, source)
    return copied


def put(docker: Docker, container: str, source: str, target: str, watch: Watcher = lambda _: None) -> Copied:
    """Copy ``source`` here to ``target`` in the container: into it when it is a folder, else under its name."""
    if not os.path.lexists(source):
        raise Ds01Error(NO_FILE, f"{source} does not exist.", hint="Nothing was copied.")
    copied = Copied()
    if _is_folder(docker, container, target):
        folder, name = target, os.path.basename(os.path.abspath(source))
    elif _says_folder(target) and (os.path.islink(source) or not os.path.isdir(source)):
        raise Ds01Error(NO_FILE, f"The folder {target} does not exist in the container.", hint="Nothing was copied.")
    else:
        folder, name = posixpath.split(posixpath.normpath(target))
    errors = b""
    for stream, data in collect(
        docker, container, Exec(command=(*_UNPACK, folder or ".")), _packed(source, name, copied, watch)
    ):
        if stream == 2:
            errors += data
        elif stream == 0 and int(data):
            raise _said(errors, int(data), target)
    return copied


def _says_folder(target: str) -> bool:
    """Whether it can only be a folder, as it is written: a file is not put under such a name."""
    return target.endswith(("/", "/."))


def _is_folder(docker: Docker, container: str, path: str) -> bool:
    return _run(docker, container, (*_LOOK, path)).decode().strip() == "folder"


def _run(docker: Docker, container: str, command: tuple[str, ...]) -> bytes:
    output = {1: b"", 2: b""}
    for stream, data in collect(docker, container, Exec(command=command)):
        if stream:
            output[stream] += data
        elif int(data):
            raise _said(output[2], int(data), command[-1])
    return output[1]


def _landing(target: str, name: str) -> tuple[str, str]:
    """The folder to write into, and the name there."""
    if os.path.isdir(target):
        return target, name
    folder, new_name = os.path.split(os.path.abspath(target))
    if not os.path.isdir(folder):
        raise Ds01Error(NO_FILE, f"The folder {folder} does not exist.", hint="Nothing was copied.")
    return folder, new_name


class _Output(io.RawIOBase):
    """What a program writes, as a file."""

    def __init__(self, docker: Docker, container: str, program: Exec) -> None:
        self._pieces = collect(docker, container, program)
        self._ahead = memoryview(b"")
        self.errors = b""
        self.code = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill ``buffer`` with what there is; 0 at the end."""
        space = memoryview(buffer)
        self._ahead = self._ahead or memoryview(self._next())
        count = min(len(space), len(self._ahead))
        space[:count] = self._ahead[:count]
        self._ahead = self._ahead[count:]
        return count

    def drain(self) -> None:
        """Read to the end, for the exit code."""
        while self._next():
            pass

    def _next(self) -> bytes:
        for stream, data in self._pieces:
            if stream == 1 and data:
                return data
            if stream == 2:
                self.errors += data
            if stream == 0:
                self.code = int(data)
        return b""


def _packed(source: str, name: str, copied: Copied, watch: Watcher) -> Iterator[bytes]:
    """A tar stream of a file or folder, called ``name`` in it."""
    for path, shown in _walk(source, name):
        seen = os.lstat(path)
        if not (stat.S_ISREG(seen.st_mode) or stat.S_ISDIR(seen.st_mode) or stat.S_ISLNK(seen.st_mode)):
            copied.left_out.append(path)
            continue
        yield from _entry(path, shown, seen, copied)
        watch(copied)
    yield bytes(2 * _BLOCK)


def _walk(source: str, name: str) -> Iterator[tuple[str, str]]:
    yield source, name
    if os.path.isdir(source) and not os.path.islink(source):
        for entry in sorted(os.listdir(source)):
            yield from _walk(os.path.join(source, entry), f"{name}/{entry}")


def _entry(path: str, shown: str, seen: os.stat_result, copied: Copied) -> Iterator[bytes]:
    info = tarfile.TarInfo(shown)
    info.mode, info.mtime = seen.st_mode & 0o777, int(seen.st_mtime)
    info.uid, info.gid = os.getuid(), os.getgid()
    if stat.S_ISDIR(seen.st_mode):
        info.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(seen.st_mode):
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
    else:
        info.size = seen.st_size
    yield info.tobuf(tarfile.PAX_FORMAT)
    if info.isreg():
        yield from _content(path, info.size)
        copied.files += 1
        copied.size_bytes += info.size


def _content(path: str, size: int) -> Iterator[bytes]:
    """Exactly ``size`` bytes: a file that shrinks meanwhile is filled up, one that grows is cut."""
    left = size
    with open(path, "rb") as file:
        while left and (data := file.read(min(left, _PIECE))):
            left -= len(data)
            yield data
    yield bytes(left + (-size) % _BLOCK)


def _said(errors: bytes, code: int, path: str) -> Ds01Error:
    said = errors.decode(errors="replace").strip().splitlines()
    if code in (126, 127) or any("not found" in line and "tar" in line for line in said):
        return Ds01Error(
            COPY_FAILED,
            "The container has no tar, so nothing can be copied.",
            hint="Use /workspace: it is in both places.",
        )
    if any("No such file" in line or "can't change directory" in line for line in said):
        return Ds01Error(NO_FILE, f"{path} does not exist in the container.", reason=said[0] if said else "")
    return Ds01Error(
        COPY_FAILED, f"{path} could not be copied completely.", reason=said[0] if said else f"tar ended with {code}."
    )
