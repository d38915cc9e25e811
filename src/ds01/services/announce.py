"""Telling everybody something: an admin writes it once; who types a command or logs in meanwhile reads it, and it is
brought to whoever has something on this server by the channels that notices take.

It is one row of the ledger. It ends by itself; a later one takes its place.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime

from ds01.domain.announcement import LONGEST_TEXT, USUAL, Announcement, body, title
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.people import Uid
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.moments import to_come
from ds01.services.people import names
from ds01.services.world import World
from ds01.wire.admin import AnnouncementView, AnnounceRequest
from ds01.wire.lifecycle import NoticeView


async def announce(world: World, caller: Caller, request: AnnounceRequest) -> AnnouncementView:
    """Let it stand from now on. Raises Ds01Error for a text or a time that cannot be."""
    require_admin(caller, "tell everybody something")
    now = world.clock.now()
    made = Announcement(
        id=f"announcement-{secrets.token_hex(4)}", at=now, by=caller.actor, text=_text(request.text),
        until=to_come(request.until, now) if request.until else now + USUAL,
    )  # fmt: skip

    def write(books: Books) -> AnnouncementView:
        books.put_announcement(made)
        _tell(books, EventType.ANNOUNCEMENT_MADE, made, now, caller.actor, text=made.text, until=made.until.isoformat())
        return _view(books, made)

    return await world.ledger.write(write)


async def show(world: World, caller: Caller) -> AnnouncementView:
    """What stands now; empty when nothing does."""
    require_admin(caller, "see what is announced")
    now = world.clock.now()

    def read(books: Books) -> AnnouncementView:
        found = standing(books, now)
        return AnnouncementView() if found is None else _view(books, found)

    return await world.ledger.read(read)


async def clear(world: World, caller: Caller) -> AnnouncementView:
    """End it before its time; the answer is what stood."""
    require_admin(caller, "take an announcement back")
    now = world.clock.now()

    def write(books: Books) -> AnnouncementView:
        found = standing(books, now)
        if found is None:
            return AnnouncementView()
        shown = _view(books, found)
        _end(books, found, now, caller.actor)
        return shown

    return await world.ledger.write(write)


def standing(books: Books, now: datetime) -> Announcement | None:
    """The one that everybody reads now."""
    found = books.announcement()
    return found if found is not None and found.stands(now) else None


def end_over(books: Books, now: datetime) -> None:
    """What has had its time goes, and that is on record."""
    found = books.announcement()
    if found is not None and not found.stands(now):
        _end(books, found, now, None)


def as_notice(books: Books, world: World) -> tuple[NoticeView, ...]:
    """What stands, as the notice that everybody meets."""
    found = standing(books, world.clock.now())
    if found is None:
        return ()
    return (
        NoticeView(
            id=found.id, at=found.at.isoformat(), container="", rule=Rule.ANNOUNCED.value, level=Level.WARNING.value,
            title=title(found.text, names(books)(found.by)), text=body(found, world.zone), open=True,
            delivered_at=None if found.told_at is None else found.told_at.isoformat(),
        ),
    )  # fmt: skip


def told(books: Books, announcement: Announcement, now: datetime) -> None:
    """It was brought to everybody, unless another one took its place meanwhile."""
    if (there := books.announcement()) is not None and there.id == announcement.id:
        books.put_announcement(replace(there, told_at=now))


def _end(books: Books, found: Announcement, now: datetime, actor: Uid | None) -> None:
    books.drop_announcement()
    _tell(books, EventType.ANNOUNCEMENT_ENDED, found, now, actor)


def _tell(books: Books, type_: EventType, of: Announcement, now: datetime, actor: Uid | None, **details: str) -> None:
    books.record(Event(at=now, type=type_, actor=actor, uid=None, subject=of.id, details=details))


def _text(text: str) -> str:
    said = text.strip()
    if not said or len(said) > LONGEST_TEXT or not said.isprintable():
        raise Ds01Error(
            BAD_REQUEST, f"An announcement is one line of up to {LONGEST_TEXT} characters.",
            hint="ds01 admin announce 'new driver on Friday from 18:00' --until 3d",
        )  # fmt: skip
    return said


def _view(books: Books, found: Announcement) -> AnnouncementView:
    return AnnouncementView(
        text=found.text, until=found.until.isoformat(), by=names(books)(found.by), at=found.at.isoformat()
    )
