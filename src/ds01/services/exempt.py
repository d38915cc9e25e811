"""Exemptions by word of an admin: limits of one user that do not hold until a time, for a stated reason, on record."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime

from ds01.domain import limit_keys
from ds01.domain.errors import BAD_REQUEST, NO_EXEMPTION, NO_USER, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.exemption import ExemptionId, GrantedExemption
from ds01.domain.limits import LIFTABLE_KEYS
from ds01.domain.people import Uid
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.moments import to_come
from ds01.services.people import Names, names
from ds01.services.world import World
from ds01.wire.lifecycle import ExemptionView, ExemptRequest


async def exempt(world: World, admin: Caller, request: ExemptRequest) -> ExemptionView:
    """Lift limits of somebody. Raises Ds01Error for a user, a limit or a time that cannot be."""
    require_admin(admin, "lift limits")
    now = world.clock.now()
    if await asyncio.to_thread(world.directory.by_login, request.login) is None:
        raise Ds01Error(NO_USER, f"This server knows no user '{request.login}'.", hint="getent passwd")
    if not request.reason.strip():
        raise Ds01Error(BAD_REQUEST, "An exemption needs a reason.", hint="--reason 'thesis deadline'")
    given = GrantedExemption(
        id=ExemptionId(f"exemption-{secrets.token_hex(4)}"), at=now, by=admin.actor, login=request.login,
        keys=frozenset(_key(word) for word in request.keys), until=to_come(request.until, now),
        reason=request.reason.strip(),
    )  # fmt: skip
    await world.ledger.write(lambda books: _grant(books, given))
    await world.lifted.load(world.ledger)
    return await world.ledger.read(lambda books: view(given, names(books)))


async def exemptions(world: World, admin: Caller) -> tuple[ExemptionView, ...]:
    """Those by word that are in force; those of the limits file are in the limits file."""
    require_admin(admin, "see exemptions")
    now = world.clock.now()

    def read(books: Books) -> tuple[ExemptionView, ...]:
        called = names(books)
        return tuple(view(each, called) for each in books.granted_exemptions() if each.until > now)

    return await world.ledger.read(read)


async def end(world: World, admin: Caller, exemption: str) -> ExemptionView:
    """End one before its time."""
    require_admin(admin, "end exemptions")
    now = world.clock.now()
    shown = await world.ledger.write(lambda books: _end(books, admin, exemption, now))
    await world.lifted.load(world.ledger)
    return shown


def _grant(books: Books, given: GrantedExemption) -> None:
    for old in books.granted_exemptions():
        if old.until <= given.at:
            books.drop_exemption(old.id)
    books.put_exemption(given)
    _tell(
        books, EventType.EXEMPTION_GRANTED, given, given.at, given.by,
        until=given.until.isoformat(timespec="seconds"), reason=given.reason,
    )  # fmt: skip


def _end(books: Books, admin: Caller, exemption: str, now: datetime) -> ExemptionView:
    known = next((each for each in books.granted_exemptions() if each.id == exemption), None)
    if known is None:
        raise Ds01Error(NO_EXEMPTION, f"There is no exemption '{exemption}'.", hint="ds01 admin exemptions")
    books.drop_exemption(known.id)
    _tell(books, EventType.EXEMPTION_ENDED, known, now, admin.actor)
    return view(known, names(books))


def _tell(books: Books, type_: EventType, exemption: GrantedExemption, now: datetime, actor: Uid, **more: str) -> None:
    details = {"name": exemption.login, "keys": ", ".join(sorted(exemption.keys)), **more}
    books.record(Event(at=now, type=type_, actor=actor, uid=None, subject=exemption.id, details=details))


def _key(word: str) -> str:
    key, guess = limit_keys.find(word, LIFTABLE_KEYS)
    if key is None:
        raise Ds01Error(
            BAD_REQUEST, f"'{word}' cannot be lifted.", reason=f"These can: {', '.join(sorted(LIFTABLE_KEYS))}.",
            hint=f"Did you mean '{guess}'?" if guess else "ds01 limits",
        )  # fmt: skip
    return key.name


def view(exemption: GrantedExemption, called: Names) -> ExemptionView:
    """On the wire."""
    return ExemptionView(
        id=exemption.id, login=exemption.login, keys=tuple(sorted(exemption.keys)),
        until=exemption.until.isoformat(), reason=exemption.reason, by=called(exemption.by),
        at=exemption.at.isoformat(),
    )  # fmt: skip
