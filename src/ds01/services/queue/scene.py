"""What a pass looks at, out of the books: the server, those who wait, and what everybody had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ds01.domain.lease import Lease, LeaseId
from ds01.domain.queue.decide import decide
from ds01.domain.queue.estimate import Ranges
from ds01.domain.queue.explain import Explanation, explain
from ds01.domain.queue.plan import Member, Owner, Plan, Rules, Server, taken
from ds01.domain.queue.request import Request, RequestId, RequestState
from ds01.domain.queue.usage import Usage
from ds01.ports.ledger import Books
from ds01.services.booking.seat import in_line
from ds01.services.booking.standing import standing
from ds01.services.queue.line import Line

Told = Mapping[RequestId, Explanation]

HEAD = "queue.head"
"""The note of the request that slots are being collected for: once given a time it keeps it, over a restart too."""


LATELY = 3600.0
"""Who had less than this, in GPU-seconds as they count now, has no part of the server while she asks for nothing."""


STRANGER = Member()
"""Somebody of whom nothing is known."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything ``decide`` takes but the requests."""

    server: Server
    members: dict[Owner, Member]
    now: datetime
    rules: Rules
    kept: RequestId | None

    def knowing(self, owner: Owner, one: Member) -> Scene:
        """The scene with what is known of somebody who asks now."""
        before = self.members.get(owner, STRANGER)
        known = replace(one, used=before.used, gathered_at=before.gathered_at)
        return replace(self, members=self.members | {owner: known})

    def with_lease(self, changed: Lease) -> Scene:
        """The scene if this lease were so."""
        every = (taken(changed, self.now) if one.lease == changed.id else one for one in self.server.taken)
        return replace(self, server=replace(self.server, taken=tuple(every)))

    def plan(self, waiting: Iterable[Request]) -> Plan:
        """What follows for these requests."""
        return decide(waiting, self.server, self.members, self.now, self.rules, kept=self.kept)

    def explain(self, waiting: Iterable[Request], only: Iterable[RequestId], ranges: Ranges) -> Told:
        """What those of them who are in ``only`` are told; nothing of whoever would start now."""
        return explain(
            waiting, self.server, self.members, self.now, self.rules, kept=self.kept, ranges=ranges, only=only
        )


def scene(books: Books, line: Line, rules: Rules, now: datetime, without: LeaseId | None = None) -> Scene:
    """The scene as it is, or as it would be if the lease ``without`` were over."""
    open_ = [lease for lease in books.open_leases() if lease.id != without]
    return Scene(
        server=Server(
            slots=books.slots(),
            taken=tuple(taken(lease, now) for lease in open_),
            quarantined=books.quarantined(),
            last_used=books.last_used(),
            bookings=in_line(standing(books, rules.unclaimed, now), waiting(books)),
        ),
        members=_members(books, line, open_, now),
        now=now,
        rules=rules,
        kept=RequestId(note) if (note := books.note(HEAD)) else None,
    )


def waiting(books: Books) -> tuple[Request, ...]:
    """Those who wait for their turn, in the order they came."""
    return tuple(request for request in books.open_requests() if request.state is RequestState.WAITING)


def owner_of(thing: Request | Lease) -> Owner:
    """Whose it is."""
    return Owner(thing.uid, thing.epoch)


def _members(books: Books, line: Line, open_: Iterable[Lease], now: datetime) -> dict[Owner, Member]:
    """Everybody who waits, holds something, or used something lately."""
    used = books.usage()
    lately = [owner for owner, usage in used.items() if usage.seconds >= LATELY and usage.by(now).seconds >= LATELY]
    here = {*map(owner_of, open_), *map(owner_of, books.open_requests()), *lately}
    return {owner: _member(line, owner, used.get(owner)) for owner in here}


def _member(line: Line, owner: Owner, used: Usage | None) -> Member:
    known, gathered, runs = line.members.get(owner, STRANGER), line.gathered.get(owner), line.runs.part(owner)
    if (used, gathered, runs) == (known.used, known.gathered_at, known.runs):
        return known
    return replace(known, used=used, gathered_at=gathered, runs=runs)
