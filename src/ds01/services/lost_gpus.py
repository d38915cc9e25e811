"""A GPU that failed or is not there any more while somebody has it: she is told, and what only waits for it ends.

What runs is left alone: it may still save its work, and it is its owner's to say when it ends; a job starts again by
itself. A lease that only keeps the GPU for a stopped container is revoked, so that a start gets another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ds01.domain import lost_gpu as words
from ds01.domain.container import Container, ContainerId, Door
from ds01.domain.events import EventType
from ds01.domain.gpu import VANISHED
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.notice import Notice
from ds01.domain.quarantine import Keeper
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.enforce.deliver import Message, give
from ds01.services.running import slots_of
from ds01.services.tell import tell
from ds01.services.world import World


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A lease whose GPU failed, its container, and what the driver says."""

    lease: Lease
    container: Container
    why: str
    slots: str


def lost(books: Books, lease: Lease) -> str:
    """What the driver has against a GPU of the lease; ``""`` when nothing. What an admin set aside works well."""
    ill = {each.slot: each.reason for each in books.quarantines() if each.keeper is Keeper.DRIVER}
    ill |= {slot: reason for slot, reason in books.quarantined().items() if reason == VANISHED}
    gpus = {slot.id: slot.gpu for slot in books.slots()} if ill else {}
    reasons = (ill.get(slot) or ill.get(gpus.get(slot, slot)) for slot in lease.slots)
    return next((reason for reason in reasons if reason), "")


async def tell_holders(world: World) -> None:
    """One look: who has a GPU that failed since the last one hears of it, once; what is over is taken back."""
    hits, well = await world.ledger.read(_look)
    if not hits and not well:
        return
    fresh = [hit for hit in hits if hit.lease.state is LeaseState.ACTIVE]
    await world.ledger.write(lambda books: _write(books, world, hits, well))
    await asyncio.gather(*(_tell(world, hit) for hit in fresh))


def _look(books: Books) -> tuple[list[Hit], list[Notice]]:
    """Those nobody told of it yet, and the words that hold no more."""
    told = {notice.subject: notice for notice in books.notices() if notice.rule is Rule.GPU and notice.open}
    hits = {hit.container.id: hit for hit in _hits(books)}
    fresh = [hit for hit in hits.values() if hit.container.id not in told or hit.lease.state is LeaseState.HELD]
    return fresh, [notice for subject, notice in told.items() if subject not in hits]


def _hits(books: Books) -> Iterable[Hit]:
    for lease in books.open_leases():
        container = books.container(ContainerId(lease.container)) if lease.container is not None else None
        why = lost(books, lease) if container is not None else ""
        if container is not None and why:
            slots = ", ".join(slot.label for slot in slots_of(books, lease))
            yield Hit(lease=lease, container=container, why=why, slots=slots)


def _write(books: Books, world: World, hits: Iterable[Hit], well: Iterable[Notice]) -> None:
    now = world.clock.now()
    for notice in well:
        books.put_notice(replace(notice, ended_at=now))
    for hit in hits:
        if hit.lease.state is LeaseState.HELD:
            leases.revoke(books, hit.lease.id, f"its GPU failed: {hit.why}", now)
        else:
            tell(
                books, EventType.CONTAINER_GPU_FAILED, hit.container, at=now, actor=None, slots=hit.slots,
                reason=hit.why,
            )  # fmt: skip


async def _tell(world: World, hit: Hit) -> None:
    user = await asyncio.to_thread(world.directory.by_uid, hit.container.uid)
    if user is None:
        return
    job = hit.container.door is Door.JOB
    message = Message(
        about=hit.container, rule=Rule.GPU, level=Level.WARNING, title=words.title(hit.container.name, hit.slots),
        text=words.text(hit.container.name, hit.why, job=job),
    )  # fmt: skip
    await give(world, user, message)
