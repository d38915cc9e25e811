"""A request that could not be given is an event too: whoever asks why later finds it, and an admin sees what lacks.

Only what a user could do nothing about at once: quota, no free GPU, limits. Slips of the pen are nobody's business, and
what the gateway refuses is in its own record. Asking again and again fills no disk: one no a minute for each name, and
no more than a few for each user.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from ds01.domain.errors import CONTAINER_QUOTA, GPU_FULL, GPU_IMPOSSIBLE, GPU_QUOTA, Ds01Error, Problem
from ds01.domain.events import Event, EventType
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.world import World

_log = logging.getLogger(__name__)

RECORDED = (CONTAINER_QUOTA, GPU_FULL, GPU_IMPOSSIBLE, GPU_QUOTA)
APART = timedelta(minutes=1)
MOST = 10
"""Of one user, in that time."""


@asynccontextmanager
async def denials(world: World, caller: Caller, name: str) -> AsyncIterator[None]:
    """Record a refusal of what is asked for the container ``name``; the refusal goes on to whoever asked."""
    try:
        yield
    except Ds01Error as error:
        if error.kind in RECORDED:
            await _record(world, caller, name, error.problem)
        raise


async def _record(world: World, caller: Caller, name: str, problem: Problem) -> None:
    event = _event(caller, name, problem, world.clock.now())
    try:
        if await world.ledger.read(lambda books: _is_news(books, event)):
            await world.ledger.write(lambda books: _put(books, event))
    except Ds01Error as error:
        _log.warning("a refusal was not recorded", extra={"why": error.problem.message})


def _put(books: Books, event: Event) -> None:
    """Many may be refused at the same moment: what is news is decided where it is written."""
    if _is_news(books, event):
        books.record(event)


def _is_news(books: Books, event: Event) -> bool:
    latest = books.events(uid=event.uid, types=(EventType.REQUEST_DENIED,), since=event.at - APART, limit=MOST)
    return len(latest) < MOST and all(other.subject != event.subject for other in latest)


def _event(caller: Caller, name: str, problem: Problem, now: datetime) -> Event:
    return Event(
        at=now, type=EventType.REQUEST_DENIED, actor=caller.actor, uid=caller.uid, subject=name, outcome="denied",
        details={"name": name, "code": problem.kind.code, "message": problem.message},
    )  # fmt: skip
