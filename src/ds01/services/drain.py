"""Keeping new work away from a GPU, and letting it come again. What runs there goes on: nobody is stopped."""

from __future__ import annotations

from collections.abc import Iterable

from ds01.domain.errors import NO_GPU, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.quarantine import Keeper
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.people import names
from ds01.services.world import World
from ds01.wire.mig import DrainRequest, DrainView

ALL = "all"
"""What stands for every GPU of the server."""
Meant = tuple[SlotId, tuple[Slot, ...]]
"""What is taken out of service as one, and the slots there."""


async def drain(world: World, caller: Caller, request: DrainRequest) -> DrainView:
    """From now on nobody is placed there. Raises Ds01Error."""
    require_admin(caller, "take a GPU out of service")
    why = f": {request.reason}" if request.reason else ""
    reason = f"drained by {caller.actor_login}{why}"

    def write(books: Books) -> DrainView:
        meant = _all_meant(books, request.slot)
        for key, slots in meant:
            books.quarantine(key, Keeper.ADMIN, reason)
            _tell(books, world, caller, EventType.SLOT_QUARANTINED, key, slots, reason)
        return _view(books, _slots(meant))

    return await world.ledger.write(write)


async def undrain(world: World, caller: Caller, request: DrainRequest) -> DrainView:
    """It is in service again, unless something else keeps it out. Raises Ds01Error."""
    require_admin(caller, "put a GPU back into service")

    def write(books: Books) -> DrainView:
        meant = _all_meant(books, request.slot)
        kept = {each.slot for each in books.quarantines() if each.keeper is Keeper.ADMIN}
        for key, slots in meant:
            own = {key, *(slot.id for slot in slots)}
            for slot in own:
                books.quarantine(slot, Keeper.ADMIN, None)
            if own & kept or request.slot.lower() != ALL:
                _tell(books, world, caller, EventType.SLOT_RETURNED, key, slots, "")
        return _view(books, _slots(meant))

    return await world.ledger.write(write)


def _all_meant(books: Books, text: str) -> list[Meant]:
    """One of them, or every GPU of the server."""
    if text.lower() != ALL:
        return [_meant(books, text)]
    of: dict[SlotId, list[Slot]] = {}
    for slot in sorted(books.slots(), key=lambda slot: slot.gpu_index):
        of.setdefault(slot.gpu, []).append(slot)
    if not of:
        raise Ds01Error(NO_GPU, "This server has no GPU.", hint="ds01 doctor")
    return [(gpu, tuple(slots)) for gpu, slots in of.items()]


def _slots(meant: Iterable[Meant]) -> tuple[Slot, ...]:
    return tuple(slot for _, slots in meant for slot in slots)


def _meant(books: Books, text: str) -> Meant:
    """A whole GPU by its index or UUID, or one slot by UUID or a label only it has; and the slots that are meant."""
    slots = books.slots()
    index = text.lower().removeprefix("gpu").strip(" :")
    if of_gpu := tuple(slot for slot in slots if index == str(slot.gpu_index) or text == slot.gpu):
        return of_gpu[0].gpu, of_gpu
    named = tuple(slot for slot in slots if text in (slot.id, slot.label))
    if len(named) == 1:
        return named[0].id, named
    if named:
        raise Ds01Error(
            NO_GPU, f"There are {len(named)} slots called '{text}'.", reason="Say which by its UUID.",
            hint="ds01 gpus --json",
        )  # fmt: skip
    there = ", ".join(dict.fromkeys(str(slot.gpu_index) for slot in slots)) or "none"
    raise Ds01Error(NO_GPU, f"There is no GPU '{text}'.", reason=f"There are: {there}.", hint="ds01 gpus")


def _tell(
    books: Books, world: World, caller: Caller, kind: EventType, key: SlotId, slots: tuple[Slot, ...], reason: str
) -> None:
    name = slots[0].label if len(slots) == 1 else str(slots[0].gpu_index)
    books.record(
        Event(
            at=world.clock.now(), type=kind, actor=caller.actor, uid=None, subject=key,
            details={"name": name, **({"reason": reason} if reason else {})},
        )
    )  # fmt: skip


def _view(books: Books, slots: tuple[Slot, ...]) -> DrainView:
    own, called, why = {slot.id for slot in slots}, names(books), books.quarantined()
    leases = [lease for lease in books.open_leases() if own & set(lease.slots)]
    said = {why[key] for slot in slots for key in (slot.id, slot.gpu) if key in why}
    return DrainView(
        slots=tuple(slot.label for slot in slots),
        still_there=tuple(f"{called(lease.uid)}'s {lease.name} ({lease.state})" for lease in leases),
        reasons=tuple(sorted(said)),
    )
