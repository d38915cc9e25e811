"""Giving a user her account in a container whose image was built for somebody else, or for nobody.

The engine writes as root, and an image may have links where folders are expected, which lead to what is mounted into
the container. So nothing is written where a folder on the way is none; the image cannot change in between, because the
container has not started yet.
"""

from __future__ import annotations

import io
import logging
import re
import tarfile
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ds01.domain.account_inside import with_group, with_user
from ds01.domain.assembly import JOB, SESSION, WORKSPACE
from ds01.domain.binds import DATA
from ds01.domain.container import ContainerId, ContainerSpec
from ds01.domain.errors import ENGINE_ERROR, Ds01Error
from ds01.domain.gpu import SMI
from ds01.domain.image import Image, ImageId
from ds01.domain.labels import Label
from ds01.domain.people import User
from ds01.ports.engine import Engine
from ds01.services.astray import led_astray
from ds01.services.looking import looked_into, one_look

if TYPE_CHECKING:
    from ds01.services.world import World

PASSWD, GROUP = "/etc/passwd", "/etc/group"
LARGEST = 64 * 1024
"""Bytes of an account file with its archive; a larger one is left as it is."""
MOST = 256
"""Images that are remembered: whoever makes many does not fill ds01d's memory."""
SHELL = "/bin/sh"
_ENGINE_FILES = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
"""What the engine itself mounts into every container."""
_PLACES = (WORKSPACE, DATA, SESSION, JOB, SMI)
"""Where DS01 mounts things."""
_MISSING = re.compile("could not find the file|no such file", re.IGNORECASE)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The account files of an image. ``plain``: what is no link of the ways to where DS01 mounts things; ``missing``:
    what of them is not there.
    """

    passwd: str
    group: str
    plain: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()


class AccountsInside:
    """The images that were looked into; None: nothing is written into containers of this one."""

    def __init__(self) -> None:
        self._known: dict[ImageId, Accounts | None] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def settle_in(
        self, world: World, container: ContainerId, spec: ContainerSpec, image: Image, user: User
    ) -> None:
        """The account and the home, in a container that was made by ``spec`` and not started. An image without accounts
        stays as it is: nothing in it would ask.
        """
        if image.labels.get(Label.OWNER) == str(user.uid):
            return
        found = await self._accounts(world, container, image.id)
        if found is None:
            return
        passwd, group = with_user(found.passwd, user, shell=SHELL), with_group(found.group, user)
        if passwd == found.passwd:
            return
        if not _apart(found, spec, image) and await led_astray(world):
            _log.info("no account inside: what is mounted may lie one in the other", extra={"container": container})
            return
        await world.engine.write_files(container, _archive(((PASSWD, passwd), (GROUP, group)), user))

    async def _accounts(self, world: World, container: ContainerId, image: ImageId) -> Accounts | None:
        if image in self._known:
            return self._known[image]
        async with one_look(world, image):
            if image not in self._known:
                async with looked_into(world, image, container) as seen:
                    found = await _look(world.engine, seen)
                while len(self._known) >= MOST:
                    del self._known[next(iter(self._known))]
                self._known[image] = found
            return self._known[image]


def _apart(found: Accounts, spec: ContainerSpec, image: Image) -> bool:
    """Whether nothing that is mounted lies within something else. Where an image wants volumes is not looked at."""
    places = [*(mount.target for mount in (*spec.mounts, *spec.attachment.mounts)), *_ENGINE_FILES]
    ways = {place: _way(place) for place in places}
    return (
        not image.volumes
        and all(_straight(found, ways[place]) for place in places if place not in _ENGINE_FILES)
        and not any(above in ways[place][:-1] for place in places for above in places)
    )


def _straight(found: Accounts, way: Iterable[str]) -> bool:
    """Whether no link of the image is on this way; below what is not there is none."""
    for path in way:
        if path in found.missing:
            return True
        if path not in found.plain:
            return False
    return True


def _way(place: str) -> tuple[str, ...]:
    """The folders on the way to a place, and itself."""
    path = PurePosixPath(place)
    return tuple(str(each) for each in (*reversed(path.parents), path))[1:]


async def _look(engine: Engine, container: ContainerId) -> Accounts | None:
    if not (await _folder(engine, container, "/etc") and await _folder(engine, container, "/home", missing=True)):
        return None
    passwd = await _read(engine, container, PASSWD)
    if passwd is None:
        return None
    plain, missing = await _ways(engine, container)
    group = await _read(engine, container, GROUP) or ""
    return Accounts(passwd=passwd, group=group, plain=plain, missing=missing)


async def _ways(engine: Engine, container: ContainerId) -> tuple[frozenset[str], frozenset[str]]:
    """What is no link on the ways to where DS01 mounts things, and what of them is not there."""
    plain: set[str] = set()
    missing: set[str] = set()
    for place in _PLACES:
        for path in _way(place):
            if path in plain:
                continue
            if path in missing:
                break
            try:
                found = await _entry(engine, container, path)
            except Ds01Error as error:
                if error.kind is not ENGINE_ERROR:
                    raise
                if _MISSING.search(error.problem.reason):
                    missing.add(path)
                break
            if not (found.isdir() or found.isreg()):
                break
            plain.add(path)
    return frozenset(plain), frozenset(missing)


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
    try:
        return (await _entry(engine, container, path)).isdir()
    except Ds01Error as error:
        if error.kind is not ENGINE_ERROR:
            raise
        return missing


async def _entry(engine: Engine, container: ContainerId, path: str) -> tarfile.TarInfo:
    """What is at a path, a link as itself. No more of it is read than says so."""
    found = b""
    async with aclosing(engine.read_files(container, path)) as pieces:
        async for piece in pieces:
            found += piece
            if len(found) >= tarfile.BLOCKSIZE:
                break
    return tarfile.TarInfo.frombuf(found[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")


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
