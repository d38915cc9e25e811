"""Reading events: one's own for everybody, all for admins, each with its sentence.

A uid that changed hands starts anew: its events before that are the former owner's, and only admins see them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ds01.domain import quantity
from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, Ds01Error
from ds01.domain.events import Event, EventType, meant
from ds01.domain.names import nearest
from ds01.domain.people import Uid
from ds01.domain.sentences import tell, who_did
from ds01.ports.ledger import Books, Ledger
from ds01.services.moments import zoned
from ds01.services.people import Names, names
from ds01.wire.pages import ROWS
from ds01.wire.status import EventView


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who reads. ``names`` of people come from the ledger."""

    uid: Uid
    admin: bool = False


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which events. ``uid`` None: everybody's and the server's own, for admins only. Of more than ``limit``, the first
    ones later than ``after``; without it the latest ones, with ``before`` those earlier than that one.
    """

    uid: Uid | None
    types: tuple[EventType, ...] = ()
    after: int | None = None
    before: int | None = None
    since: datetime | None = None
    limit: int = 200


def types(words: Iterable[str]) -> tuple[EventType, ...]:
    """The types somebody means: ``lease.granted``, or all of ``lease``. Raises Ds01Error with the nearest one."""
    found: list[EventType] = []
    for word in words:
        chosen = meant(word)
        if not chosen:
            raise _unknown_type(word)
        found.extend(chosen)
    return tuple(dict.fromkeys(found))


def _unknown_type(word: str) -> Ds01Error:
    nouns = dict.fromkeys(kind.value.split(".")[0] for kind in EventType)
    guess = nearest(word, [*nouns, *(kind.value for kind in EventType)])
    return Ds01Error(
        BAD_REQUEST,
        f"There is no event called '{word}'.",
        reason=f"Events are about: {', '.join(nouns)}.",
        hint=f"Did you mean '{guess}'?" if guess else "docs/reference/events.md lists them all.",
    )


def since(text: str, now: datetime) -> datetime:
    """A moment as people write it: ``2h`` ago, or ``2026-12-20T18:00Z``. Raises Ds01Error."""
    try:
        ago: timedelta = quantity.duration(text)
        return now - ago
    except (ValueError, OverflowError):
        moment = zoned(text)
    if moment is None:
        raise Ds01Error(
            BAD_REQUEST,
            f"'{text}' is no time.",
            reason="Write how long ago (30m, 2h, 7d) or a time with its zone (2026-12-20T18:00Z).",
        )
    return moment


async def read(ledger: Ledger, viewer: Viewer, query: Query) -> tuple[EventView, ...]:
    """Events in order. Raises Ds01Error (``admin.only``) for somebody else's."""
    _check(viewer, query)
    return await _load(ledger, viewer, query)


async def follow(
    ledger: Ledger, viewer: Viewer, query: Query, *, patience_seconds: float = 30
) -> AsyncGenerator[EventView, None]:
    """What ``query`` finds, then events as they are recorded, until nobody listens any more. None is left out: of more
    than it finds later than ``after``, the rest comes as well.
    """
    _check(viewer, query)
    seq = await ledger.wait(0, 0)
    known = await _load(ledger, viewer, query)
    for event in known:
        yield event
    if known:
        more = query.after is not None and len(known) >= min(query.limit, ROWS)
        seq = known[-1].seq if more else max(seq, known[-1].seq)
    while True:
        last = await ledger.wait(seq, patience_seconds)
        found = await _load(ledger, viewer, replace(query, after=seq, before=None, since=None, limit=ROWS))
        for event in found:
            yield event
        seq = found[-1].seq if len(found) == ROWS else max(last, *(event.seq for event in found[-1:]))


async def _load(ledger: Ledger, viewer: Viewer, query: Query) -> tuple[EventView, ...]:
    return await ledger.read(lambda books: _read(books, viewer, query))


def _check(viewer: Viewer, query: Query) -> None:
    if viewer.admin or query.uid == viewer.uid:
        return
    raise Ds01Error(
        ADMIN_ONLY,
        "You may see your own events only.",
        reason="Other people's events are theirs; admins see all.",
        hint="ds01 events",
    )


def _read(books: Books, viewer: Viewer, query: Query) -> tuple[EventView, ...]:
    former = 0 if viewer.admin else border(books, viewer.uid)
    after = query.after if query.after is None else max(query.after, former)
    found = books.events(
        uid=query.uid, types=query.types, after=after, before=query.before, since=query.since,
        limit=min(query.limit, ROWS),
    )  # fmt: skip
    called = names(books)
    return tuple(view(event, called, viewer.uid) for event in found if event.seq > former)


def border(books: Books, uid: Uid) -> int:
    """The event at which this uid came to its present owner; 0 when it always was hers."""
    changes = books.events(subject=str(uid), types=(EventType.ACCOUNT_CHANGED,), limit=1)
    return changes[-1].seq if changes else 0


def view(event: Event, called: Names, viewer: Uid | None = None) -> EventView:
    """One event for the wire."""
    return EventView(
        seq=event.seq,
        at=event.at.isoformat(),
        type=event.type.value,
        actor="DS01" if event.actor is None else called(event.actor),
        user="" if event.uid is None else called(event.uid),
        subject=event.subject,
        outcome=event.outcome,
        details=dict(event.details),
        text=tell(event, who_did(event, called, viewer)),
        schema=event.schema,
        actor_uid=event.actor,
        uid=event.uid,
        hash=event.hash,
    )
