"""Telling those who do not wait with an open connection: the turn has come, or it passed.

The pass does not wait for mail and webhooks, so this looks for itself, at the ledger: a turn that came while ds01d was
down, or just before it died, is told as soon as it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf

from ds01.domain.events import EventType
from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.notice import Notice
from ds01.domain.queue.request import Request, RequestId, RequestState
from ds01.domain.queue.words import passed_text, passed_title, turn_text, turn_title
from ds01.ports.ledger import Books
from ds01.services.enforce.deliver import Message, bring, give
from ds01.services.running import slots_of
from ds01.services.world import World

PERIOD_SECONDS = 10.0
AGAIN_SECONDS = 60.0
"""How often a turn that nobody heard of is told again."""
RELEVANT = (
    EventType.QUEUE_TURN, EventType.QUEUE_CLAIMED, EventType.QUEUE_CANCELLED, EventType.QUEUE_EXPIRED,
    EventType.QUEUE_RETURNED,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Told:
    """A turn that somebody was told of, and what became of its request."""

    notice: Notice
    request: Request | None

    @property
    def stands(self) -> bool:
        """Whether it is still kept for her."""
        return self.request is not None and self.request.state is RequestState.RESERVED


class Herald:
    """One of these looks all the time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen = 0
        self._looked = -inf
        self._tried = -inf

    async def round(self) -> None:
        """Wait until there may be something to tell, and tell it."""
        world = self._world
        last = await world.ledger.wait(self._seen, PERIOD_SECONDS, RELEVANT)
        late = world.clock.monotonic() - self._looked >= PERIOD_SECONDS
        if late or world.ledger.heard(self._seen, RELEVANT):
            await self.look()
        self._seen = last

    async def look(self) -> None:
        """Everybody whose turn has come and who does not know, and those whose turn is over."""
        world = self._world
        self._looked = world.clock.monotonic()
        told = await world.ledger.read(_told)
        over = [one for one in told if not one.stands]
        if over:
            await world.ledger.write(lambda books: _end(books, world, over))
        known = {one.notice.subject for one in told if one.stands}
        fresh = await world.ledger.read(lambda books: [r for r in _reserved(books) if r.id not in known])
        await asyncio.gather(
            *(self._tell(request) for request in fresh if self._away(request)),
            *(self._passed(one.request) for one in over if one.request is not None),
            *(self._again(one) for one in self._unheard(told)),
        )

    def _away(self, request: Request) -> bool:
        """Whoever waits for it with an open connection, or is at it now, knows."""
        return not self._world.line.somebody(request.id) and not self._world.locks.busy(request.uid, request.name)

    def _unheard(self, told: Iterable[Told]) -> list[Told]:
        if self._looked - self._tried < AGAIN_SECONDS:
            return []
        self._tried = self._looked
        return [one for one in told if one.stands and one.notice.delivered_at is None]

    async def _tell(self, request: Request) -> None:
        world = self._world
        lease = await world.ledger.read(lambda books: books.lease(request.lease) if request.lease else None)
        if lease is None or request.claim_until is None:
            return
        slots = await world.ledger.read(lambda books: ", ".join(slot.label for slot in slots_of(books, lease)))
        text = turn_text(request, slots, world.clock.now() - request.submitted_at)
        await self._give(request, Level.WARNING, turn_title(request), text)

    async def _passed(self, request: Request) -> None:
        """She gave it up herself: she knows."""
        if request.state in (RequestState.WAITING, RequestState.EXPIRED):
            await self._give(request, Level.NOTICE, passed_title(request), passed_text(request))

    async def _give(self, request: Request, level: Level, title: str, text: str) -> None:
        user = await asyncio.to_thread(self._world.directory.by_uid, request.uid)
        if user is not None:
            message = Message(
                about=request, rule=Rule.TURN, level=level, title=title, text=text,
                acts_at=request.claim_until if level is Level.WARNING else None,
            )  # fmt: skip
            await give(self._world, user, message)

    async def _again(self, one: Told) -> None:
        user = await asyncio.to_thread(self._world.directory.by_uid, one.notice.uid)
        if user is not None:
            await bring(self._world, user, None, one.notice)


def _told(books: Books) -> list[Told]:
    """Every turn that somebody was told of and that was not taken back yet."""
    notices = [notice for notice in books.notices() if notice.rule is Rule.TURN and notice.warns]
    return [Told(notice=notice, request=books.request(RequestId(notice.subject))) for notice in notices]


def _reserved(books: Books) -> list[Request]:
    return [one for one in books.open_requests() if one.state is RequestState.RESERVED and one.interactive]


def _end(books: Books, world: World, over: Iterable[Told]) -> None:
    for one in over:
        books.put_notice(replace(one.notice, ended_at=world.clock.now()))
