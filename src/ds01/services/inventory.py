"""Keeping the ledger's slots true to what the driver shows: new ones, vanished ones, broken ones.

Only differences are written: most looks find none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ds01.domain.events import Event, EventType
from ds01.domain.gpu import Slot, SlotId, slots_of
from ds01.domain.quarantine import Keeper
from ds01.ports.ledger import Books
from ds01.services.world import World


@dataclass(frozen=True, kw_only=True)
class _Seen:
    slots: tuple[Slot, ...]
    faults: dict[SlotId, str]


async def refresh(world: World) -> bool:
    """Look once; True when something changed."""
    seen = await asyncio.to_thread(_look, world)
    if not await world.ledger.read(lambda books: _differs(books, seen)):
        return False
    await world.ledger.write(lambda books: _write(books, world, seen))
    return True


def _look(world: World) -> _Seen:
    slots = tuple(slot for gpu in world.devices.inventory() for slot in slots_of(gpu))
    faults = dict(world.devices.faults())
    return _Seen(slots=slots, faults=faults)


def _differs(books: Books, seen: _Seen) -> bool:
    known = {slot.id: slot for slot in books.slots(vanished=False)}
    return {slot.id: slot for slot in seen.slots} != known or _ours(books) != seen.faults


def _ours(books: Books) -> dict[SlotId, str]:
    """What the driver said at the last look. It is taken back by itself when the driver says it no more."""
    return {each.slot: each.reason for each in books.quarantines() if each.keeper is Keeper.DRIVER}


def _write(books: Books, world: World, seen: _Seen) -> None:
    before = {slot.id: slot for slot in books.slots(vanished=False)}
    now_there = {slot.id for slot in seen.slots}
    books.put_slots(seen.slots)
    for slot in before.keys() - now_there:
        _tell(books, world, EventType.SLOT_VANISHED, slot, before[slot].label, "")
    broken = _ours(books)
    for slot in broken.keys() - seen.faults.keys():
        books.quarantine(slot, Keeper.DRIVER, None)
    labels = {slot.id: slot.label for slot in (*before.values(), *seen.slots)}
    for slot, reason in seen.faults.items():
        if broken.get(slot) != reason:
            books.quarantine(slot, Keeper.DRIVER, reason)
            _tell(books, world, EventType.SLOT_QUARANTINED, slot, labels.get(slot, slot), reason)


def _tell(books: Books, world: World, type_: EventType, slot: SlotId, name: str, reason: str) -> None:
    details = {"name": name, **({"reason": reason} if reason else {})}
    books.record(Event(at=world.clock.now(), type=type_, actor=None, uid=None, subject=slot, details=details))
