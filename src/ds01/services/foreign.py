"""Processes on a GPU that are not in the container it was leased to: nobody else is placed there until they are gone.

They are told, never ended: somebody may have a reason. The display server of the machine is no user of a GPU: it is
known by its program and by being the system's, because what a process calls itself is its own choice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from ds01.domain.cgroups import is_in
from ds01.domain.container import ContainerId
from ds01.domain.events import Event, EventType
from ds01.domain.gpu import SlotId
from ds01.domain.lease import Lease
from ds01.domain.people import FIRST_PERSON
from ds01.domain.quarantine import Keeper
from ds01.ports.devices import GpuProcess
from ds01.ports.facts import ProcessFacts
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.people import names
from ds01.services.world import World
from ds01.wire.gpus import ForeignView

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


def _foreign(books: Books, seen: Iterable[GpuProcess], facts: Mapping[int, ProcessFacts]) -> dict[SlotId, str]:
    """Why each slot is not DS01's alone."""
    said: dict[SlotId, list[str]] = {}
    for each, process in strangers(books, seen, facts):
        said.setdefault(each.slot, []).append(f"{process.command} of {process.user} (process {each.pid})")
    return {slot: f"in use outside DS01 by {', '.join(sorted(words))}" for slot, words in said.items()}


def strangers(
    books: Books, seen: Iterable[GpuProcess], facts: Mapping[int, ProcessFacts]
) -> Iterator[tuple[GpuProcess, ProcessFacts]]:  # fmt: skip
    """Those not in the container their slot is leased to. One that ended meanwhile is none."""
    holder = {slot: lease for lease in books.open_leases() for slot in lease.slots}
    for each in seen:
        process = facts.get(each.pid)
        if process is None or _is_display(process):
            continue
        own = holder.get(each.slot)
        if own is None or not _is_of(own, process):
            yield each, process


def _is_of(lease: Lease, process: ProcessFacts) -> bool:
    return lease.container is not None and is_in(process.cgroup, ContainerId(lease.container), lease.uid)


def _is_display(process: ProcessFacts) -> bool:
    of_system = process.uid is not None and process.uid < FIRST_PERSON
    return of_system and process.program.rpartition("/")[2] in DISPLAYS


async def look(world: World) -> tuple[ForeignView, ...]:
    """Those there are now: who, what, since when. Nothing is changed."""
    seen = await asyncio.to_thread(world.devices.processes)
    facts = await world.facts.processes(tuple({each.pid for each in seen}))
    return await world.ledger.read(lambda books: tuple(_views(books, seen, facts)))


async def show(world: World, caller: Caller) -> tuple[ForeignView, ...]:
    """The same, for admins. Raises Ds01Error."""
    require_admin(caller, "see processes of others")
    return await look(world)


def _views(books: Books, seen: Iterable[GpuProcess], facts: Mapping[int, ProcessFacts]) -> Iterator[ForeignView]:
    called, containers = names(books), books.containers()
    labels = {slot.id: slot.label for slot in books.slots()}
    leased = {slot: lease.uid for lease in books.open_leases() for slot in lease.slots}
    found = sorted(strangers(books, seen, facts), key=lambda pair: (labels.get(pair[0].slot, ""), pair[0].pid))
    for each, process in found:
        inside = next((one for one in containers if is_in(process.cgroup, one.id, one.uid)), None)
        yield ForeignView(
            slot=labels.get(each.slot, each.slot), pid=each.pid, user=process.user, command=process.command,
            memory_bytes=each.memory_bytes, started_at=process.started_at.isoformat() if process.started_at else None,
            container=f"{called(inside.uid)}'s {inside.name}" if inside is not None else "",
            leased_to=called(leased[each.slot]) if each.slot in leased else "",
        )  # fmt: skip


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
