"""Backing the ledger up while ds01d runs, by ds01d, which alone may read it.

ds01d is root, so where it writes is decided here: root says where, other admins' copies go to a folder beside the
ledger. In either case nobody else may be able to put something in the way there.
"""

from __future__ import annotations

import re
import stat
from datetime import datetime
from pathlib import Path, PurePath

from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.services.caller import Caller, require_admin
from ds01.services.world import World
from ds01.wire.admin import BackupRequest, BackupView

FOLDER = "backups"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_WRITABLE = 0o022


async def back_up(world: World, caller: Caller, request: BackupRequest) -> BackupView:
    """Copy the ledger, whole and looked through. Raises Ds01Error."""
    require_admin(caller, "back the ledger up")
    now = world.clock.now()
    into = _place(world, caller, request.path, now)
    await _check_way(world, into)
    made = await world.ledger.back_up(into)
    event = Event(
        at=now, type=EventType.LEDGER_BACKED_UP, actor=caller.actor, uid=None, subject=made.path,
        details={"events": str(made.events)},
    )  # fmt: skip
    await world.ledger.write(lambda books: books.record(event))
    return BackupView(path=made.path, size_bytes=made.size_bytes, events=made.events, at=now.isoformat())


def _place(world: World, caller: Caller, path: str, now: datetime) -> Path:
    """Where it goes."""
    own = world.paths.state / FOLDER
    if not path:
        return own / f"ledger-{now:%Y%m%dT%H%M%SZ}.db"
    if _NAME.fullmatch(path):
        return own / path
    if caller.uid != 0:
        raise Ds01Error(
            ADMIN_ONLY, "Only root says where a copy of the ledger goes.",
            reason=f"ds01d writes it as root; those of other admins go to {own}.",
            hint="ds01 admin backup, or with a plain name; or sudo ds01 admin backup FILE",
        )  # fmt: skip
    place = PurePath(path)
    if not place.is_absolute() or ".." in place.parts or not path.isprintable():
        raise Ds01Error(BAD_REQUEST, f"'{path[:80]}' is no whole path of a file.", hint="/root/ledger.bak")
    return Path(place)


async def _check_way(world: World, into: Path) -> None:
    """Every folder on the way is root's, and what is in it root's alone to change: nobody leads the copy elsewhere."""
    own = world.paths.state / FOLDER
    for folder in into.parents:
        found = await world.facts.file(str(folder))
        if found is None and folder == own:
            continue  # it is made
        if found is None or found.kind != "folder":
            raise Ds01Error(BAD_REQUEST, f"There is no folder {folder}.", hint="Choose one that is there.")
        if found.owner_uid != 0 or (found.mode & _WRITABLE and not found.mode & stat.S_ISVTX):
            raise Ds01Error(
                BAD_REQUEST, f"The copy cannot go below {folder}: others than root may change what is there.",
                reason="ds01d writes it as root, and somebody could lead it elsewhere.", hint="/root/ledger.bak",
            )  # fmt: skip
