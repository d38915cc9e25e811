"""Setting aside what breaks a rule: it is reported and left running, and nobody else is put on its GPU.

Stopping it could end work that did nothing wrong; leasing its GPU to somebody would make two people share one.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import datetime

from ds01.domain.assembly import read_slots
from ds01.domain.container import Container, ContainerId, ContainerState, Observed, StopReason
from ds01.domain.events import EventType
from ds01.domain.gpu import SlotId
from ds01.domain.quarantine import Keeper
from ds01.ports.ledger import Books
from ds01.services.tell import tell
from ds01.services.world import World

_IN_USE = "in use without a lease by container "


def set_aside(books: Books, container: Container, seen: Observed, reason: str, now: datetime) -> Container:
    """Take the container out of service, and the GPUs it uses with nobody's leave."""
    aside = replace(
        container, state=ContainerState.QUARANTINED, reason=StopReason.QUARANTINE, reason_detail=reason
    )  # fmt: skip
    books.put_container(aside)
    tell(books, EventType.CONTAINER_QUARANTINED, aside, at=now, actor=None, reason=reason)
    keep_free(books, container.id, set(read_slots(seen.labels)))
    return aside


def keep_free(books: Books, container: ContainerId, slots: Set[SlotId]) -> None:
    """Lease these slots to nobody while the container runs. Those that somebody has already stay hers."""
    leased = {slot for lease in books.open_leases() for slot in lease.slots}
    for slot in slots - leased - books.quarantined().keys():
        books.quarantine(slot, Keeper.CONTAINER, _IN_USE + container)


async def lift(world: World, seen: Iterable[Observed]) -> None:
    """Give back the GPUs of containers set aside that do not run any more."""
    running = {each.id for each in seen if each.running}
    over = await world.ledger.read(lambda books: _over(books, running))
    if over:
        await world.ledger.write(lambda books: _lift(books, over))


def _over(books: Books, running: Iterable[str]) -> list[SlotId]:
    still = {_IN_USE + container for container in running}
    return [
        each.slot
        for each in books.quarantines()
        if each.keeper is Keeper.CONTAINER and each.reason not in still
    ]  # fmt: skip


def _lift(books: Books, slots: Iterable[SlotId]) -> None:
    for slot in slots:
        books.quarantine(slot, Keeper.CONTAINER, None)
