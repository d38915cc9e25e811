"""Processes on a GPU that are not in the container it was leased to: nobody else is placed there until they are gone.

They are told, never ended: somebody may have a reason. A display server is no user of a GPU.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from ds01.domain.events import Event, EventType
from ds01.domain.gpu import SlotId
from ds01.domain.quarantine import Keeper
from ds01.ports.devices import GpuProcess
from ds01.ports.facts import ProcessFacts
from ds01.ports.ledger import Books
from ds01.services.world import World

DISPLAYS = frozenset({"Xorg", "Xwayland", "gnome-shell", "kwin_x11", "kwin_wayland", "gdm-x-session", "sddm"})
"""Programs that draw the screen of the machine itself."""


async def mark(world: World) -> None:
    """Look once: say what is there, take back what is gone."""
    seen = await asyncio.to_thread(world.devices.processes)
    known = await world.ledger.read(_marked)
    if not seen and not known:
        return
    facts = await world.facts.processes(tuple({each.pid for each in seen}))
    found = await world.ledger.read(lambda books: _foreign(books, seen, facts))
    if found != known:
        await world.ledger.write(lambda books: _write(books, world, found))


def _marked(books: Books) -> dict[SlotId, str]:
    return {each.slot: each.reason for each in books.quarantines() if each.keeper is Keeper.PROCESS}


def _foreign(
    books: Books, seen: Iterable[GpuProcess], facts: Mapping[int, ProcessFacts]
) -> dict[SlotId, str]:  # fmt: skip
    """Why each slot is not DS01's alone. A process that ended meanwhile, or is not told, is no reason."""
    holder = {slot: lease.container for lease in books.open_leases() for slot in lease.slots}
    said: dict[SlotId, list[str]] = {}
    for each in seen:
        process = facts.get(each.pid)
        if process is None or process.command in DISPLAYS:
            continue
        own = holder.get(each.slot)
        if own is None or str(own) not in process.cgroup:
            said.setdefault(each.slot, []).append(f"{process.command} of {process.user} (process {each.pid})")
    return {slot: f"in use outside DS01 by {', '.join(sorted(words))}" for slot, words in said.items()}


def _write(books: Books, world: World, found: Mapping[SlotId, str]) -> None:
    before = _marked(books)
    for slot in before.keys() - found.keys():
        books.quarantine(slot, Keeper.PROCESS, None)
    labels = {slot.id: slot.label for slot in books.slots()}
    for slot, reason in found.items():
        if before.get(slot) != reason:
            books.quarantine(slot, Keeper.PROCESS, reason)
            books.record(
                Event(
                    at=world.clock.now(), type=EventType.SLOT_QUARANTINED, actor=None, uid=None, subject=slot,
                    details={"name": labels.get(slot, slot), "reason": reason},
                )
            )  # fmt: skip
