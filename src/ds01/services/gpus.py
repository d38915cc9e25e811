"""The server's GPUs as people see them: what is free, what is mine, what somebody else has."""

from __future__ import annotations

import asyncio

from ds01.domain.gpu import Slot, SlotId
from ds01.domain.lease import Lease
from ds01.ports.devices import GpuSample
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.people import Names, names
from ds01.services.world import World
from ds01.wire.gpus import GpusView, LeaseView, SlotView


async def show_gpus(world: World, caller: Caller) -> GpusView:
    """All slots."""
    samples = {sample.slot: sample for sample in await asyncio.to_thread(world.devices.samples)}
    return await world.ledger.read(lambda books: gpus_view(books, world, caller, samples))


def gpus_view(books: Books, world: World, caller: Caller, samples: dict[SlotId, GpuSample]) -> GpusView:
    """The same within a transaction."""
    held = {slot: lease for lease in books.open_leases() for slot in lease.slots}
    broken, called = books.quarantined(), names(books)
    slots = tuple(
        _slot(
            called, caller, slot, held.get(slot.id), broken.get(slot.id, broken.get(slot.gpu, "")), samples.get(slot.id)
        )
        for slot in sorted(books.slots(), key=lambda slot: (slot.gpu_index, slot.profile, slot.id))
    )
    free = sum(1 for slot in slots if slot.state == "free")
    return GpusView(simulated=world.devices.simulated, slots=slots, free=free, total=len(slots))


async def show_leases(world: World, caller: Caller, *, everybody: bool) -> tuple[LeaseView, ...]:
    """Open leases: the caller's, or everybody's."""

    def read(books: Books) -> tuple[LeaseView, ...]:
        labels, called = {slot.id: slot.label for slot in books.slots()}, names(books)
        found = (lease for lease in books.open_leases() if everybody or _hers(lease, caller))
        return tuple(_lease(called, lease, labels) for lease in found)

    return await world.ledger.read(read)


def _hers(lease: Lease, caller: Caller) -> bool:
    return (lease.uid, lease.epoch) == (caller.uid, caller.epoch)


def _slot(
    called: Names, caller: Caller, slot: Slot, lease: Lease | None, broken: str, sample: GpuSample | None
) -> SlotView:
    mine = lease is not None and (caller.admin or _hers(lease, caller))
    state = lease.state.value if lease else "quarantined" if broken else "free"
    return SlotView(
        id=slot.id,
        label=slot.label,
        model=slot.model,
        profile=slot.profile,
        memory_bytes=slot.memory_bytes,
        gpueq=float(slot.gpueq),
        state=state,
        holder=called(lease.uid) if lease and mine else "in use" if lease else "",
        container=lease.name if lease and mine else "",
        utilisation=_percent(sample.utilisation) if sample else None,
        memory_used_bytes=sample.memory_used_bytes if sample else None,
        reason=broken,
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _lease(called: Names, lease: Lease, labels: dict[SlotId, str]) -> LeaseView:
    return LeaseView(
        id=lease.id,
        owner=called(lease.uid),
        state=lease.state.value,
        slots=tuple(labels.get(slot, slot) for slot in lease.slots),
        gpueq=float(lease.gpueq),
        container=lease.name,
        granted_at=lease.granted_at.isoformat(),
        expires_at=lease.expires_at.isoformat() if lease.expires_at else None,
    )
