"""BuildKit's cache by owners: who built when is written down, and what the cache has is compared with it.

It is all in one note of the ledger: what was found out about a record stays true when ds01d is started again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ds01.domain.build_cache import CacheBooks, CacheRecord, Window
from ds01.domain.errors import DISK_FULL, Ds01Error
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, identify
from ds01.services.tickets import Names
from ds01.services.world import World
from ds01.wire.door import DoorCache

_NOTE = "build-cache"


async def begun(world: World, caller: Caller) -> None:
    """She builds from now on."""
    now = world.clock.now()
    await _changed(world, lambda known: known.begun(_account(caller), now))


async def ended(world: World, building: Names) -> Names:
    """A build is over, whether or not the engine is there to let go of what it was made from. Gives it as one whose end
    is known: that it is said again ends no other of hers.
    """
    now = world.clock.now()
    if building.kit:
        await _changed(world, lambda known: known.ended(_account(building.caller), now))
    return replace(building, kit=False)


async def learned(world: World) -> tuple[tuple[CacheRecord, ...], CacheBooks]:
    """What the cache has now, and whose it is."""
    now, records = world.clock.now(), await world.engine.build_cache()
    return records, await _seen(world, lambda known: known.compared(records, now, world.tickets.building()))


async def hers(world: World, uid: int) -> DoorCache:
    """The records that are this user's and can be nobody else's."""
    caller = await identify(world, uid)
    _, known = await learned(world)
    return DoorCache(ids=tuple(sorted(known.alone(_account(caller)))))


async def give_up(world: World, uid: int) -> DoorCache:
    """All this user may have removed, once she has given up what others may have made as well: that is hers still where
    the disk is too full to write it down.
    """
    account = _account(await identify(world, uid))
    now, records = world.clock.now(), await world.engine.build_cache()
    in_use = frozenset(record.id for record in records if record.in_use)

    def given_up(before: CacheBooks) -> CacheBooks:
        return before.compared(records, now, world.tickets.building()).given_up(account, in_use)

    known = await _seen(world, given_up)
    hers = known.alone(account)
    return DoorCache(ids=tuple(sorted(hers)), unseen=tuple(sorted(known.last(account) - hers)))


def books_of(books: Books) -> CacheBooks:
    """As they are written down."""
    return _read(books.note(_NOTE) or "{}")


async def _seen(world: World, change: Callable[[CacheBooks], CacheBooks]) -> CacheBooks:
    """The same of what the next look finds again: a full disk keeps nobody from removing what fills it."""
    try:
        return await _changed(world, change)
    except Ds01Error as error:
        if error.kind is not DISK_FULL:
            raise
        return change(await world.ledger.read(books_of))


async def _changed(world: World, change: Callable[[CacheBooks], CacheBooks]) -> CacheBooks:
    def write(books: Books) -> CacheBooks:
        before = books_of(books)
        after = change(before)
        if after != before:
            books.put_note(_NOTE, _written(after))
        return after

    return await world.ledger.write(write)


def _account(caller: Caller) -> str:
    return f"{caller.uid}:{caller.epoch}"


def _written(known: CacheBooks) -> str:
    return json.dumps({
        "owners": {record: sorted(accounts) for record, accounts in known.owners.items()},
        "windows": [[w.account, w.begun.isoformat(), w.ended.isoformat() if w.ended else ""] for w in known.windows],
        "at": known.at.isoformat(),
        "dropped": {record: sorted(accounts) for record, accounts in known.dropped.items()},
    })  # fmt: skip


def _read(text: str) -> CacheBooks:
    found = json.loads(text)
    if not found:
        return CacheBooks()
    return CacheBooks(
        owners={record: frozenset(accounts) for record, accounts in found["owners"].items()},
        windows=tuple(
            Window(
                account=account, begun=datetime.fromisoformat(begun),
                ended=datetime.fromisoformat(over) if over else None,
            )
            for account, begun, over in found["windows"]
        ),
        at=datetime.fromisoformat(found["at"]),
        dropped={record: frozenset(accounts) for record, accounts in found.get("dropped", {}).items()},
    )  # fmt: skip
