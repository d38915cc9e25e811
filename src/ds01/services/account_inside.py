"""Giving a user her account in a container whose image was built for somebody else, or for nobody.

The engine writes as root, and an image may have links where folders are expected, which lead to what is mounted into
the container. So nothing is written where a folder on the way is none; the image cannot change in between, because the
container has not started yet.
"""

from __future__ import annotations

import io
import logging
import tarfile
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache

from ds01.domain.account_inside import with_group, with_user
from ds01.domain.container import ContainerId
from ds01.domain.errors import ENGINE_ERROR, Ds01Error
from ds01.domain.image import Image, ImageId
from ds01.domain.labels import Label
from ds01.domain.people import User
from ds01.ports.engine import Engine

PASSWD, GROUP = "/etc/passwd", "/etc/group"
LARGEST = 64 * 1024
"""Bytes of an account file with its archive; a larger one is left as it is."""
MOST = 256
"""Images that are remembered: whoever makes many does not fill ds01d's memory."""
SHELL = "/bin/sh"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The account files of an image."""

    passwd: str
    group: str


class AccountsInside:
    """The images that were looked into; None: nothing is written into containers of this one."""

    def __init__(self) -> None:
        self._known: dict[ImageId, Accounts | None] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def settle_in(self, engine: Engine, container: ContainerId, image: Image, user: User) -> None:
        """The account and the home, in a container that was made and not started. An image without accounts stays as it
        is: nothing in it would ask.
        """
        if image.labels.get(Label.OWNER) == str(user.uid):
            return
        if image.id not in self._known:
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[image.id] = await _look(engine, container)
        found = self._known[image.id]
        if found is None:
            return
        passwd, group = with_user(found.passwd, user, shell=SHELL), with_group(found.group, user)
        if passwd != found.passwd:
            await engine.write_files(container, _archive(((PASSWD, passwd), (GROUP, group)), user))


async def _look(engine: Engine, container: ContainerId) -> Accounts | None:
    if not (await _folder(engine, container, "/etc") and await _folder(engine, container, "/home", missing=True)):
        return None
    passwd = await _read(engine, container, PASSWD)
    if passwd is None:
        return None
    return Accounts(passwd=passwd, group=await _read(engine, container, GROUP) or "")


async def _read(engine: Engine, container: ContainerId, path: str) -> str | None:
    """A file's text; None when there is no such file, or it is none that could be read."""
    found = b""
    try:
        async with aclosing(engine.read_files(container, path)) as pieces:
            async for piece in pieces:
                found += piece
                if len(found) > LARGEST:
                    return None
    except Ds01Error as error:
        if error.kind is not ENGINE_ERROR:
            raise
        return None
    return _text(found)


async def _folder(engine: Engine, container: ContainerId, path: str, *, missing: bool = False) -> bool:
    """Whether this is a folder and no link to one; ``missing`` is the answer when it is not there."""
    found = b""
    try:
        async with aclosing(engine.read_files(container, path)) as pieces:
            async for piece in pieces:
                found += piece
                if len(found) >= tarfile.BLOCKSIZE:
                    break
    except Ds01Error as error:
        if error.kind is not ENGINE_ERROR:
            raise
        return missing
    return tarfile.TarInfo.frombuf(found[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape").isdir()


def _text(archive: bytes) -> str | None:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            member = tar.next()
            file = tar.extractfile(member) if member is not None and member.isfile() else None
            return None if file is None else file.read().decode("utf-8", "surrogateescape")
    except tarfile.TarError as error:
        _log.warning("an account file cannot be read", extra={"why": str(error)})
        return None


@lru_cache(maxsize=MOST)
def _archive(files: tuple[tuple[str, str], ...], user: User) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, text in files:
            content = text.encode("utf-8", "surrogateescape")
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
        home = tarfile.TarInfo(f"home/{user.name_inside}")
        home.type, home.mode, home.uid, home.gid = tarfile.DIRTYPE, 0o755, user.uid, user.gid
        tar.addfile(home)
    return buffer.getvalue()
